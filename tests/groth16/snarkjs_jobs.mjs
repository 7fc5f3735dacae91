// Runs a list of snarkjs jobs in one process: [[name, ...arguments], ...] as JSON on stdin; results as JSON on stdout.
import { readFileSync } from "fs";
import * as snarkjs from "snarkjs";

const json = (path) => JSON.parse(readFileSync(path));
const curve = await snarkjs.curves.getCurveFromName("bn128");
const { powersOfTau, zKey, groth16, wtns } = snarkjs;
const jobs = {
  newPowers: (out, power) => powersOfTau.newAccumulator(curve, power, out),
  contributePowers: (old, out, name, entropy) => powersOfTau.contribute(old, out, name, entropy),
  beaconPowers: (old, out, name, value, log2) => powersOfTau.beacon(old, out, name, value, log2),
  preparePowers: (old, out) => powersOfTau.preparePhase2(old, out),
  truncatePowers: (old, template) => powersOfTau.truncate(old, template),
  newKey: (r1cs, powers, out) => zKey.newZKey(r1cs, powers, out),
  contribute: (old, out, name, entropy) => zKey.contribute(old, out, name, entropy),
  beacon: (old, out, name, value, log2) => zKey.beacon(old, out, name, value, log2),
  verifyKey: (r1cs, powers, key) => zKey.verifyFromR1cs(r1cs, powers, key),
  witness: (input, wasm, out) => wtns.calculate(json(input), wasm, out),
  exportKey: (key) => zKey.exportVerificationKey(key),
  verifyProof: async (key, publicPath, proof) =>
    groth16.verify(await zKey.exportVerificationKey(key), json(publicPath), json(proof)),
};

const results = [];
for (const [name, ...rest] of json(0)) {
  const result = await jobs[name](...rest);
  results.push(result instanceof Uint8Array ? Buffer.from(result).toString("hex") : (result ?? null));
}
process.stdout.write(JSON.stringify(results), () => process.exit(0));
