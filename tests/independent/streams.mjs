// The two streams of a block -> its operations (protocol 3, 4, 6), and the data binding (protocol 7).
import { FIELD_MODULUS, check, checkWord, keccakWords, toInteger, unpack, within } from "./encoding.mjs";

const CHUNK_BYTES = 15;
const CHUNK = [["op", 4], ["token", 12], ["from", 24], ["to", 24], ["amount", 40], ["fee", 16]];
const ADDRESS = [["address", 160], ["zero", 80]];
const SETTLEMENT = [["op", 4], ["zero", 52], ["takerOrder", 32], ["makerOrder", 32]];
const RECORD_0 = [["op", 4], ["flags", 4], ["account", 24], ["token", 12], ["address", 160]];
const RECORD_1 = [["aux", 64], ["amount", 128]];
const SLOT_BITS = 12;
const ORDER_ID_BITS = 32;
const NONCE_BITS = 32;

/** Value of a packed amount (mantissaBits 35) or fee (11); refuses other encodings of it. */
export function unpackDecimal(packed, mantissaBits, what) {
  const { mantissa, exponent } = unpack(packed, [["mantissa", mantissaBits], ["exponent", 5]], what);
  const canonical = exponent === 0n || 10n * mantissa >= 1n << BigInt(mantissaBits);
  check(canonical, `${what} is not the canonical encoding`, { mantissa, exponent });
  const value = mantissa * 10n ** exponent;
  check(value >> 128n === 0n, `${what} is 2^128 or more`, { value });
  return value;
}

const amountOf = (chunk) => unpackDecimal(chunk.amount, 35, "amount");
const feeOf = (chunk) => unpackDecimal(chunk.fee, 11, "fee");

/** The marker that announces a record has nothing but its op and what `used` names. */
function checkMarker(chunk, used) {
  for (const [name] of CHUNK) {
    check(["op", ...used].includes(name) || chunk[name] === 0n, `marker: ${name} is not 0`, { [name]: chunk[name] });
  }
}

/** A record's fields and the key, which is [] if the record has none. */
function readRecord(chunk, words, highestFlags) {
  const record = { ...unpack(words[0], RECORD_0, "W0"), ...unpack(words[1], RECORD_1, "W1"), key: words.slice(2) };
  check(record.op === chunk.op, "record and marker differ in op", { record: record.op, marker: chunk.op });
  check(record.flags <= highestFlags, "unknown flags", { flags: record.flags });
  return record;
}

/** The record of an operation that L2 pays for, with the marker's fee. */
function readPaid(chunk, words, used) {
  checkMarker(chunk, used);
  return { ...readRecord(chunk, words, 0n), fee: feeOf(chunk) };
}

function checkAux({ aux }) {
  check(aux === 0n, "aux is not 0", { aux });
}

/** What stands in a chunk's field that is wider than it. */
function narrow(value, bits, what) {
  check(value >> BigInt(bits) === 0n, `${what} does not fit ${bits} bits`, { value });
  return value;
}

function readOrder({ token, from, to, ...packed }) {
  return { token, account: from, slot: narrow(to, SLOT_BITS, "slot"), amount: amountOf(packed), fee: feeOf(packed) };
}

// By code: chunks and words that the operation takes, the number of its steps, and how they read. `chunk` is the first
// chunk's fields, `more` the other chunks as integers.
const OPERATIONS = {
  1: {
    name: "Deposit", chunks: 1, words: 4, steps: 1,
    read({ chunk, words }) {
      checkMarker(chunk, []);
      const { flags, ...record } = readRecord(chunk, words, 3n);
      const refused = (flags & 2n) !== 0n;
      check(!refused || record.account === 0n, "a refused Deposit names an account", { account: record.account });
      return { ...record, senderIsOwner: (flags & 1n) !== 0n, refused };
    },
  },
  2: {
    name: "FullExit", chunks: 1, words: 2, steps: 1,
    read({ chunk, words }) {
      checkMarker(chunk, []);
      return readRecord(chunk, words, 0n);
    },
  },
  3: {
    name: "Transfer", chunks: 1, words: 0, steps: 1,
    read: ({ chunk }) => ({ ...chunk, amount: amountOf(chunk), fee: feeOf(chunk) }),
  },
  4: {
    name: "TransferToAddress", chunks: 3, words: 0, steps: 1,
    read({ chunk, more: [high, low] }) {
      const { address, zero } = unpack((high << 120n) | low, ADDRESS, "address");
      check(zero === 0n, "bits below the address", { bits: zero });
      return { ...chunk, amount: amountOf(chunk), fee: feeOf(chunk), address };
    },
  },
  5: {
    name: "Withdraw", chunks: 1, words: 2, steps: 1,
    read({ chunk, words }) {
      const record = readPaid(chunk, words, ["fee"]);
      checkAux(record);
      return record;
    },
  },
  6: {
    name: "ChangePubKey", chunks: 1, words: 4, steps: 1,
    read({ chunk, words }) {
      const { amount, aux: nonce, ...record } = readPaid(chunk, words, ["fee"]);
      check(amount === record.fee, "record and marker differ in fee", { record: amount, marker: record.fee });
      return { ...record, nonce: narrow(nonce, NONCE_BITS, "nonce") };
    },
  },
  7: {
    name: "ForcedExit", chunks: 1, words: 2, steps: 1,
    read({ chunk, words }) {
      const record = readPaid(chunk, words, ["token", "from", "fee"]);
      checkAux(record);
      return { ...record, payer: chunk.from, feeToken: chunk.token };
    },
  },
  8: {
    name: "Swap", chunks: 3, words: 0, steps: 3,
    read({ chunk, more: [second, third] }) {
      const taker = unpack(second, CHUNK, "taker's chunk");
      const { op, zero, takerOrder, makerOrder } = unpack(third, SETTLEMENT, "settlement");
      const ops = { maker: chunk.op, taker: taker.op, settlement: op };
      check(taker.op === chunk.op && op === chunk.op, "a Swap's chunks differ in op", ops);
      check(zero === 0n, "settlement has junk bits", { bits: zero });
      const maker = { ...readOrder(chunk), orderId: makerOrder };
      return { maker, taker: { ...readOrder(taker), orderId: takerOrder } };
    },
  },
  9: {
    name: "CancelOrder", chunks: 1, words: 0, steps: 1,
    read({ chunk: { token, from, to, amount, ...packed } }) {
      const slot = narrow(to, SLOT_BITS, "slot");
      return { token, account: from, slot, orderId: narrow(amount, ORDER_ID_BITS, "order id"), fee: feeOf(packed) };
    },
  },
};

/** Hands out a stream's items in order. */
class Cursor {
  constructor(items, what) {
    Object.assign(this, { items, what, taken: 0 });
  }

  take(count) {
    const items = this.items.slice(this.taken, this.taken + count);
    const values = { needed: this.taken + count, there: this.items.length };
    check(items.length === count, `${this.what} stream ends early`, values);
    this.taken += count;
    return items;
  }

  get ended() {
    return this.taken === this.items.length;
  }
}

function split(stream, size, what) {
  check(stream.length % size === 0, `${what} stream is not a multiple of ${size} bytes`, { length: stream.length });
  return Array.from({ length: stream.length / size }, (_, i) => toInteger(stream.subarray(size * i, size * (i + 1))));
}

/** The next operation; `steps` is what C absorbs of it, step by step. */
function readOperation(chunkCursor, wordCursor) {
  const [first] = chunkCursor.take(1);
  const chunk = unpack(first, CHUNK, "chunk");
  const kind = OPERATIONS[chunk.op];
  check(kind, "unknown operation", { op: chunk.op });
  const chunks = [first, ...chunkCursor.take(kind.chunks - 1)];
  const words = wordCursor.take(kind.words);
  const fields = kind.read({ chunk, more: chunks.slice(1), words });
  const steps = kind.steps === 1 ? [{ chunks, words }] : chunks.map((own) => ({ chunks: [own], words: [] }));
  return { name: kind.name, ...fields, steps };
}

/** Streams -> {operations, chunks, words}; each operation has its name, fields and `steps`. */
export function decodeStreams(l2, l1) {
  const chunks = split(l2, CHUNK_BYTES, "L2");
  const words = split(l1, 32, "L1");
  words.forEach((word, i) => checkWord(word, `L1 word ${i}`));
  const chunkCursor = new Cursor(chunks, "L2");
  const wordCursor = new Cursor(words, "L1");
  const operations = [];
  while (!chunkCursor.ended) {
    operations.push(within(`operation ${operations.length}`, () => readOperation(chunkCursor, wordCursor)));
  }
  const values = { taken: wordCursor.taken, words: words.length };
  check(wordCursor.ended, "L1 stream has words that no marker takes", values);
  return { operations, chunks, words };
}

export const stepsOf = (operations) => operations.flatMap(({ steps }) => steps);

/** C, the circuit's commitment, if all Noops come last. */
export function commitmentOf(hash, header, steps, blockSize) {
  const noops = Array(blockSize - steps.length).fill({ chunks: [], words: [] });
  return [...steps, ...noops].reduce((commitment, { chunks, words }) => {
    const [c0 = 0n, c1 = 0n, c2 = 0n] = chunks;
    const [w0 = 0n, w1 = 0n, w2 = 0n, w3 = 0n] = words;
    const counts = (BigInt(words.length) << 122n) + (BigInt(chunks.length) << 120n);
    return hash([commitment, counts + c0, c1, c2, w0, w1, w2, w3]);
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
