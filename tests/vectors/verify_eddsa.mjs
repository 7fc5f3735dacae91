// Reads [{publicKey, message, signature}] from stdin, prints circomlibjs' verdicts as a JSON array.
import { readFileSync } from "node:fs";
import { buildEddsa } from "circomlibjs";

const eddsa = await buildEddsa();
const { F } = eddsa;
const claims = JSON.parse(readFileSync(0, "utf8"));
const verdicts = claims.map(({ publicKey, message, signature: [x, y, s] }) =>
  eddsa.verifyPoseidon(F.e(message), { R8: [F.e(x), F.e(y)], S: BigInt(s) }, publicKey.map((c) => F.e(c))),
);
process.stdout.write(JSON.stringify(verdicts), () => process.exit(0));
