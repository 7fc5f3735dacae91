// Writes crypto.json beside this file: Poseidon and EdDSA as circomlibjs computes them, which the Rust must equal.
//   node tests/vectors/make_crypto_vectors.mjs
import { writeFileSync } from "node:fs";
import { buildBabyjub, buildEddsa, buildPoseidon } from "circomlibjs";

const poseidon = await buildPoseidon();
const babyjub = await buildBabyjub();
const eddsa = await buildEddsa();
const { F } = babyjub;

const FIELD_MODULUS = babyjub.p;
const MAX_INPUTS = 16;
const text = (element) => F.toObject(element).toString();
const hex = (bytes) => Buffer.from(bytes).toString("hex");

// Any fixed rule will do; the values spread over the whole field.
const sample = (i) => (BigInt(i + 1) ** 97n * 0x9e3779b97f4a7c15f39cc0605cedc834n ** 3n) % FIELD_MODULUS;

function poseidonVectors() {
  const rows = [];
  for (let n = 1; n <= MAX_INPUTS; n++) {
    rows.push(Array(n).fill(0n), Array(n).fill(FIELD_MODULUS - 1n));
    rows.push(Array.from({ length: n }, (_, i) => BigInt(i + 1)));
    rows.push(Array.from({ length: n }, (_, i) => sample(100 * n + i)));
  }
  return rows.map((row) => ({ in: row.map(String), out: text(poseidon(row)) }));
}

function signatureVector(privateKey, message) {
  const publicKey = eddsa.prv2pub(privateKey);
  const { R8, S } = eddsa.signPoseidon(privateKey, F.e(message));
  return {
    privateKey: hex(privateKey),
    publicKey: publicKey.map(text),
    packed: hex(babyjub.packPoint(publicKey)),
    message: message.toString(),
    signature: [...R8.map(text), S.toString()],
  };
}

function signatureVectors() {
  const keys = [0, 1, 2, 3, 4, 5].map((i) => Buffer.from(Array.from({ length: 32 }, (_, j) => (i * 67 + j * i * 31) % 256)));
  keys.push(Buffer.alloc(32, 0xff));
  const messages = [0n, 1n, FIELD_MODULUS - 1n, sample(7)];
  return keys.flatMap((key) => messages.map((message) => signatureVector(key, message)));
}

/** The multiples of a point of order 8, which is subOrder times a curve point outside all smaller groups. */
function torsionPoints() {
  const isIdentity = ([x, y]) => F.isZero(x) && F.eq(y, F.one);
  const generator = babyjub.mulPointEscalar(babyjub.Generator, babyjub.subOrder);
  if (isIdentity(babyjub.mulPointEscalar(generator, 4))) throw new Error("Generator does not have order 8 l");
  return Array.from({ length: 8 }, (_, i) => babyjub.mulPointEscalar(generator, i).map(text));
}

const vectors = {
  source: "circomlibjs 0.1.7, written by make_crypto_vectors.mjs",
  poseidon: poseidonVectors(),
  eddsa: signatureVectors(),
  torsion: torsionPoints(),
};
const lines = Object.entries(vectors).map(([name, value]) => {
  const body = Array.isArray(value) ? `[\n    ${value.map((v) => JSON.stringify(v)).join(",\n    ")}\n  ]` : JSON.stringify(value);
  return `  ${JSON.stringify(name)}: ${body}`;
});
writeFileSync(new URL("crypto.json", import.meta.url), `{\n${lines.join(",\n")}\n}\n`);
process.exit(0); // circomlibjs leaves its worker threads running
