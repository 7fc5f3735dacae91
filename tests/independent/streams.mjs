// The two streams of a block -> its operations (protocol 3, 4, 6), and the data binding (protocol 7).
import { FIELD_MODULUS, check, checkWord, keccakWords, toInteger, unpack, within } from "./encoding.mjs";

const CHUNK_BYTES = 15;
// By code: words of the record, highest flags, whether the marker carries a fee, whether aux is used.
const OPERATIONS = {
  1: { name: "Deposit", words: 4, flags: 3n, fee: false, aux: true },
  2: { name: "FullExit", words: 2, flags: 0n, fee: false, aux: true },
  3: { name: "Transfer", words: 0 },
  5: { name: "Withdraw", words: 2, flags: 0n, fee: true, aux: false },
};
const TRANSFER = [["op", 4], ["token", 12], ["from", 24], ["to", 24], ["amount", 40], ["fee", 16]];
const MARKER = [["op", 4], ["zero", 100], ["fee", 16]];
const RECORD_0 = [["op", 4], ["flags", 4], ["account", 24], ["token", 12], ["address", 160]];
const RECORD_1 = [["aux", 64], ["amount", 128]];

/** Value of a packed amount (mantissaBits 35) or fee (11); refuses other encodings of it. */
export function unpackDecimal(packed, mantissaBits, what) {
  const { mantissa, exponent } = unpack(packed, [["mantissa", mantissaBits], ["exponent", 5]], what);
  const canonical = exponent === 0n || 10n * mantissa >= 1n << BigInt(mantissaBits);
  check(canonical, `${what} is not the canonical encoding`, { mantissa, exponent });
  const value = mantissa * 10n ** exponent;
  check(value >> 128n === 0n, `${what} is 2^128 or more`, { value });
  return value;
}

function split(stream, size, what) {
  check(stream.length % size === 0, `${what} stream is not a multiple of ${size} bytes`, { length: stream.length });
  return Array.from({ length: stream.length / size }, (_, i) => toInteger(stream.subarray(size * i, size * (i + 1))));
}

function readTransfer(chunk) {
  const fields = unpack(chunk, TRANSFER, "chunk");
  return { ...fields, amount: unpackDecimal(fields.amount, 35, "amount"), fee: unpackDecimal(fields.fee, 11, "fee") };
}

function readRecord(kind, chunk, words) {
  const marker = unpack(chunk, MARKER, "marker");
  const record = { ...unpack(words[0], RECORD_0, "W0"), ...unpack(words[1], RECORD_1, "W1"), key: words.slice(2) };
  const fee = unpackDecimal(marker.fee, 11, "fee");
  check(marker.zero === 0n, "marker has junk bits", { bits: marker.zero });
  check(record.op === marker.op, "record and marker differ in op", { record: record.op, marker: marker.op });
  check(record.flags <= kind.flags, "unknown flags", { flags: record.flags });
  check(kind.fee || fee === 0n, "a queue operation has no L2 fee", { fee });
  check(kind.aux || record.aux === 0n, "aux is not 0", { aux: record.aux });
  return { ...record, fee, senderIsOwner: (record.flags & 1n) !== 0n, refused: (record.flags & 2n) !== 0n };
}

/** Streams -> {operations, chunks, words}; each operation has its name, fields and `step`, what C absorbs of it. */
export function decodeStreams(l2, l1) {
  const chunks = split(l2, CHUNK_BYTES, "L2");
  const words = split(l1, 32, "L1");
  words.forEach((word, i) => checkWord(word, `L1 word ${i}`));
  let taken = 0;
  const operations = chunks.map((chunk, i) =>
    within(`operation ${i}`, () => {
      const kind = OPERATIONS[chunk >> 116n];
      check(kind, "unknown operation", { op: chunk >> 116n });
      const record = words.slice(taken, (taken += kind.words));
      check(record.length === kind.words, "L1 stream ends early", { needed: taken, words: words.length });
      const fields = kind.words ? readRecord(kind, chunk, record) : readTransfer(chunk);
      return { name: kind.name, ...fields, step: { chunks: [chunk], words: record } };
    }),
  );
  check(taken === words.length, "L1 stream has words that no marker takes", { taken, words: words.length });
  return { operations, chunks, words };
}

/** C, the circuit's commitment, if all Noops come last. */
export function commitmentOf(hash, header, operations, blockSize) {
  const noops = Array(blockSize - operations.length).fill({ chunks: [], words: [] });
  return [...operations.map(({ step }) => step), ...noops].reduce((commitment, { chunks, words }) => {
    const [w0 = 0n, w1 = 0n, w2 = 0n, w3 = 0n] = words;
    const counts = (BigInt(words.length) << 122n) + (BigInt(chunks.length) << 120n);
    return hash([commitment, counts + (chunks[0] ?? 0n), 0n, 0n, w0, w1, w2, w3]);
  }, hash(header));
}

/** X, from the header words, the streams' hashes and C. */
export const challengeOf = (header, block) =>
  BigInt.asUintN(128, keccakWords([...header, block.l2Hash, block.l1Hash, block.commitment]));

const evaluate = (words, x) => words.reduce((sum, word) => (sum * x + word) % FIELD_MODULUS, 0n);
const squareTimes = (x, times) => Array(times).fill().reduce((power) => (power * power) % FIELD_MODULUS, x);

/** Y: header and streams evaluated at X. */
export function evaluationOf(header, chunks, words, x) {
  const even = chunks.filter((_, i) => i % 2 === 0);
  const pairs = even.map((first, i) => (first << 120n) | (chunks[2 * i + 1] ?? 0n));
  const parts = [evaluate(header, x), squareTimes(x, 20) * evaluate(pairs, x), squareTimes(x, 21) * evaluate(words, x)];
  return parts.reduce((sum, part) => sum + part) % FIELD_MODULUS;
}
