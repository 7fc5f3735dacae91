// Checks, words and bit fields (protocol 2), and the ABI of commits (protocol 8, IRollup.sol). All integers are BigInt.
import ethers from "ethers"; // a dependency of circomlibjs

const { Interface, ParamType, keccak256 } = ethers.utils;

export const FIELD_MODULUS = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;

/** The data contradicts the protocol or itself. */
export class Inconsistent extends Error {}

/** Throws Inconsistent with `what` and the values, unless ok. */
export function check(ok, what, values = {}) {
  const shown = Object.entries(values).map(([name, value]) => `${name} = ${value}`);
  if (!ok) throw new Inconsistent(shown.length ? `${what} (${shown.join(", ")})` : what);
}

/** Runs action; an Inconsistent thrown in it says where it happened. */
export function within(place, action) {
  try {
    return action();
  } catch (error) {
    if (error instanceof Inconsistent) error.message = `${place}: ${error.message}`;
    throw error;
  }
}

export const toHex = (value, bytes) => "0x" + value.toString(16).padStart(2 * bytes, "0");
export const toInteger = (bytes) => (bytes.length ? BigInt("0x" + Buffer.from(bytes).toString("hex")) : 0n);
export const keccak = (bytes) => BigInt(keccak256(bytes));
export const keccakWords = (words) => BigInt(keccak256("0x" + words.map((word) => toHex(word, 32).slice(2)).join("")));

export function checkWord(value, what) {
  check(value < FIELD_MODULUS, `${what} is not below the field modulus`, { value });
}

/** Packs [name, width, value] triples from the most significant bit down. */
export function pack(fields) {
  return fields.reduce((packed, [name, width, value]) => {
    check(value >> BigInt(width) === 0n, `${name} does not fit ${width} bits`, { [name]: value });
    return (packed << BigInt(width)) | value;
  }, 0n);
}

/** Unpacks [name, width] pairs, most significant first; bits above them must be 0. */
export function unpack(value, fields, what) {
  const unpacked = {};
  let rest = value;
  for (const [name, width] of [...fields].reverse()) {
    unpacked[name] = BigInt.asUintN(width, rest);
    rest >>= BigInt(width);
  }
  check(rest === 0n, `${what} has bits above its fields`, { value: toHex(value, 32) });
  return unpacked;
}

const BLOCK =
  "tuple(uint64 number, bytes32 parentHash, uint256 oldRoot, uint256 newRoot, uint64 timestamp, uint16 blockSize, " +
  "uint8 source, uint256 commitment, uint256 challenge, uint256 evaluation, bytes32 l2Hash, bytes32 l1Hash, " +
  "uint64 queueEnd, uint64 chunkEnd, address committer, bytes32 validatorSet, uint40 committedAt)";
const NEW_BLOCK =
  "tuple(uint16 blockSize, uint64 timestamp, bytes32 newRoot, uint32 feeAccount, uint96 feeTokens, " +
  "bytes32 commitment, bytes l2, bytes l1, bytes keyAuth)";
const ABI = new Interface([
  `function commitBlocks(${BLOCK} parent, ${NEW_BLOCK}[] blocks, bytes auth)`,
  `function commitProveExecute(${BLOCK} parent, ${NEW_BLOCK} newBlock, uint256[8] proof, bytes auth)`,
]);
export const BLOCK_FIELDS = ParamType.from(BLOCK).components.map(({ name }) => name);

/** A decoded struct -> {field: BigInt}, byte strings as Buffer. */
function plain(struct, type) {
  const values = type.components.map(({ name, type }) => {
    return [name, type === "bytes" ? Buffer.from(struct[name].slice(2), "hex") : BigInt(struct[name])];
  });
  return Object.fromEntries(values);
}

function decodeCanonical(input) {
  try {
    const { functionFragment, args } = ABI.parseTransaction({ data: input });
    // Encoding again finds junk in padding, odd offsets and trailing bytes.
    return { types: functionFragment.inputs, args, canonical: ABI.encodeFunctionData(functionFragment, args) };
  } catch (error) {
    throw new Inconsistent(`calldata does not decode (input = ${input.slice(0, 10)}.., ${error.reason ?? error})`);
  }
}

/** Transaction input -> {parent, blocks} of a commit; only the canonical encoding. */
export function decodeCommit(input) {
  const { types, args, canonical } = decodeCanonical(input);
  const lengths = { length: input.length / 2 - 1, canonical: canonical.length / 2 - 1 };
  check(canonical === input.toLowerCase(), "calldata is not the canonical encoding, or something follows it", lengths);
  const type = types[1].arrayChildren ?? types[1];
  const blocks = (args.blocks ?? [args.newBlock]).map((block) => plain(block, type));
  check(blocks.length > 0, "no blocks");
  return { parent: plain(args.parent, types[0]), blocks };
}

/** keccak256 of the ABI encoding of a Block: all its fields are static, one word each. */
export const hashBlock = (block) => keccakWords(BLOCK_FIELDS.map((name) => block[name]));
