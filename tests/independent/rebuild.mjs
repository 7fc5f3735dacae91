// Independent rebuild of the rollup's state from L1 calldata, written from docs/protocol.md alone.
//
// stdin:  {"chainId": 1, "rollup": "0x..", "transactions": ["0x<input of a transaction that committed blocks>", ..]}
// stdout: {"blocks", "root", "accounts", "challenges", "evaluations", "hashes", "noopsElsewhere"}
//   hashes: of the blocks from 0 on, except the last transaction's: the committer, the validator set and the time of the
//   commit are read from the parent that the next transaction gives.
//   noopsElsewhere: numbers of the blocks whose C is not that of all Noops last. Their state is rebuilt all the same.
// An inconsistency: exit 1, one line on stderr.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { buildPoseidon } from "circomlibjs";
import { BLOCK_FIELDS, Inconsistent, check, checkWord, decodeCommit, hashBlock } from "./encoding.mjs";
import { keccak, pack, toHex, within } from "./encoding.mjs";
import { State, applyBlock } from "./state.mjs";
import { challengeOf, commitmentOf, decodeStreams, evaluationOf, stepsOf } from "./streams.mjs";

const VERSION = 1n;
const FEE_TOKENS = 8;
const KEY_AUTH_BYTES = 70;
const TOLD_BY_L1 = ["committer", "validatorSet", "committedAt"];
const isQueued = ({ name }) => name === "Deposit" || name === "FullExit";

class Chain {
  constructor(hash, chainId, rollup) {
    const genesis = Object.fromEntries(BLOCK_FIELDS.map((name) => [name, 0n]));
    this.hash = hash;
    this.domain = pack([["chain_id", 64, chainId], ["rollup_address", 160, rollup]]);
    this.state = new State(hash);
    this.blocks = [{ ...genesis, newRoot: this.state.root() }];
    this.hashes = [];
    this.noopsElsewhere = [];
  }

  /** Compares the parent that a transaction gives with our last block; learns from it what only it tells. */
  adopt(parent) {
    for (const block of this.blocks.slice(this.hashes.length)) {
      // All blocks of a transaction have its sender, the registry's one answer to it, and its time.
      if (block.number > 0n) for (const name of TOLD_BY_L1) block[name] = parent[name];
      block.parentHash = this.hashes.at(-1) ?? 0n;
      this.hashes.push(hashBlock(block));
    }
    const own = this.blocks.at(-1);
    for (const name of BLOCK_FIELDS) {
      check(parent[name] === own[name], `parent differs in ${name}`, { given: parent[name], own: own[name] });
    }
  }

  /** H0..H4. */
  headerOf(block, { feeAccount, feeTokens }, counts) {
    const h1 = [["version", 8, block.source], ["block_size", 16, block.blockSize], ["block_number", 32, block.number]];
    h1.push(["timestamp", 40, block.timestamp], ...counts);
    const h4 = [["fee_account", 24, feeAccount], ["fee_tokens", 12 * FEE_TOKENS, feeTokens]];
    return [this.domain, pack(h1), block.oldRoot, block.newRoot, pack(h4)];
  }

  /** What can be said of a published block before its operations are applied. */
  checkPublished({ blockSize, timestamp, newRoot, commitment, keyAuth }, operations, steps) {
    const parent = this.blocks.at(-1).timestamp;
    check(BigInt(steps.length) <= blockSize, "more steps than the block has", { steps: steps.length, blockSize });
    check(timestamp >= parent, "timestamp before the parent's", { timestamp, parent });
    checkWord(newRoot, "new root");
    checkWord(commitment, "commitment");
    const keyChanges = operations.filter(({ name }) => name === "ChangePubKey").length;
    const needed = KEY_AUTH_BYTES * keyChanges;
    check(keyAuth.length === needed, "keyAuth has another length", { length: keyAuth.length, needed, keyChanges });
  }

  /** Checks and applies one published block. */
  append(published) {
    const before = this.blocks.at(-1);
    const { blockSize, timestamp, newRoot, commitment, l2, l1 } = published;
    const { operations, chunks, words } = decodeStreams(l2, l1);
    const steps = stepsOf(operations);
    this.checkPublished(published, operations, steps);
    const queueCount = BigInt(operations.filter(isQueued).length);
    const counts = [["queue_start", 40, before.queueEnd], ["queue_count", 16, queueCount]];
    counts.push(["l2_chunks", 20, BigInt(chunks.length)], ["l1_words", 20, BigInt(words.length)]);
    const block = { number: before.number + 1n, oldRoot: before.newRoot, newRoot, timestamp, blockSize, commitment };
    Object.assign(block, { source: VERSION, l2Hash: keccak(l2), l1Hash: keccak(l1) });
    Object.assign(block, { queueEnd: before.queueEnd + queueCount });
    Object.assign(block, { chunkEnd: before.chunkEnd + BigInt(chunks.length) });
    const header = this.headerOf(block, published, counts);
    block.challenge = challengeOf(header, block);
    block.evaluation = evaluationOf(header, chunks, words, block.challenge);
    this.transition(block, published, operations);
    const padded = commitmentOf(this.hash, header, steps, Number(blockSize));
    if (commitment !== padded) this.noopsElsewhere.push(Number(block.number));
    this.blocks.push(block);
  }

  transition(block, { feeAccount, feeTokens }, operations) {
    const tokens = Array.from({ length: FEE_TOKENS }, (_, j) => BigInt.asUintN(12, feeTokens >> BigInt(12 * j)));
    applyBlock(this.state, operations, feeAccount, tokens);
    const root = this.state.root();
    check(root === block.newRoot, "new root differs", { published: toHex(block.newRoot, 32), own: toHex(root, 32) });
  }

  follow(input) {
    const here = (what) => `block ${this.blocks.length}${what}`;
    const { parent, blocks } = within(here(", input"), () => decodeCommit(input));
    within(here(", parent"), () => this.adopt(parent));
    for (const block of blocks) within(here(""), () => this.append(block));
  }

  summary() {
    const published = this.blocks.slice(1);
    return {
      blocks: published.length,
      root: toHex(this.blocks.at(-1).newRoot, 32),
      accounts: Object.fromEntries(this.state.existing().map(([id, account]) => [id, describe(account)])),
      challenges: published.map(({ challenge }) => challenge.toString()),
      evaluations: published.map(({ evaluation }) => evaluation.toString()),
      hashes: this.hashes.map((hash) => toHex(hash, 32)),
      noopsElsewhere: this.noopsElsewhere,
    };
  }
}

function describe({ address, key, nonce, balances }) {
  const held = [...balances.nodes[0]].filter(([, balance]) => balance !== 0n).sort(([a], [b]) => a - b);
  const amounts = Object.fromEntries(held.map(([token, balance]) => [token, balance.toString()]));
  return { address: toHex(address, 20), key: key.map(String), nonce: Number(nonce), balances: amounts };
}

/** The whole rebuild: what comes on stdin -> what goes to stdout. Throws Inconsistent. */
export function rebuild(poseidon, { chainId, rollup, transactions }) {
  const chain = new Chain((inputs) => poseidon.F.toObject(poseidon(inputs)), BigInt(chainId), BigInt(rollup));
  for (const input of transactions) chain.follow(input);
  return chain.summary();
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    console.log(JSON.stringify(rebuild(await buildPoseidon(), JSON.parse(readFileSync(0, "utf8")))));
  } catch (error) {
    if (!(error instanceof Inconsistent)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
