// State and its transition, without signatures (protocol 2 and 4).
import { check, within } from "./encoding.mjs";

const ARITY = 8;
const ACCOUNT_LEVELS = 8;
const BALANCE_LEVELS = 4;
const TOKENS = 2048n;

/** Sparse 8-ary tree. What is above the leaves set since the last root() is hashed once, by root(). */
class Tree {
  /** emptyRoots[h]: root of an empty tree of height h. */
  constructor(hash, emptyRoots) {
    Object.assign(this, { hash, emptyRoots, nodes: emptyRoots.map(() => new Map()), changed: new Set() });
  }

  static emptyRoots(hash, leaf, levels) {
    const roots = [leaf];
    for (let h = 0; h < levels; h++) roots.push(hash(Array(ARITY).fill(roots[h])));
    return roots;
  }

  get(height, index) {
    return this.nodes[height].get(index) ?? this.emptyRoots[height];
  }

  set(index, leaf) {
    this.nodes[0].set(index, leaf);
    this.changed.add(index);
  }

  root() {
    const levels = this.emptyRoots.length - 1;
    for (let h = 0, changed = this.changed; h < levels; h++) {
      changed = new Set([...changed].map((index) => Math.floor(index / ARITY)));
      for (const parent of changed) {
        const children = Array.from({ length: ARITY }, (_, digit) => this.get(h, ARITY * parent + digit));
        this.nodes[h + 1].set(parent, this.hash(children));
      }
    }
    this.changed.clear();
    return this.get(levels, 0);
  }
}

export class State {
  constructor(hash) {
    const emptyBalances = Tree.emptyRoots(hash, 0n, BALANCE_LEVELS);
    const emptyAccount = hash([0n, 0n, 0n, 0n, emptyBalances[BALANCE_LEVELS]]);
    const tree = new Tree(hash, Tree.emptyRoots(hash, emptyAccount, ACCOUNT_LEVELS));
    Object.assign(this, { hash, emptyBalances, tree, accounts: new Map(), changed: new Set() });
  }

  account(id) {
    if (!this.accounts.has(id)) {
      const balances = new Tree(this.hash, this.emptyBalances);
      this.accounts.set(id, { address: 0n, key: [0n, 0n], nonce: 0n, balances });
    }
    return this.accounts.get(id);
  }

  balance(id, token) {
    return this.account(id).balances.get(0, Number(token));
  }

  /** Adds change, which may be negative, to a balance. */
  move(id, token, change) {
    const balance = this.balance(id, token);
    const fits = balance + change >= 0n && (balance + change) >> 128n === 0n;
    check(fits, "balance would be negative, or 2^128 or more", { account: id, token, balance, change });
    this.account(id).balances.set(Number(token), balance + change);
    this.changed.add(id);
  }

  root() {
    for (const id of this.changed) {
      const { address, key, nonce, balances } = this.account(id);
      this.tree.set(Number(id), this.hash([...key, address, nonce, balances.root()]));
    }
    this.changed.clear();
    return this.tree.root();
  }

  existing() {
    return [...this.accounts].filter(([, { address }]) => address !== 0n).sort(([a], [b]) => Number(a - b));
  }
}

const hasKey = (account) => account.key.some((coordinate) => coordinate !== 0n);

function checkFeeTokens(tokens) {
  const values = { fee_tokens: tokens.join(" ") };
  check(tokens.every((token, j) => j === 0 || tokens[j - 1] < token), "fee tokens do not increase", values);
  check(tokens.every((token) => token < TOKENS), "a fee token is not a token", values);
}

/** What Transfer and Withdraw share. fees: sums by token. */
function pay(state, fees, from, { token, amount, fee }) {
  const payer = state.account(from);
  check(token < TOKENS, "not a token", { token });
  check(hasKey(payer), "the payer has no key", { account: from });
  check(fee === 0n || fees.has(token), "the fee's token is not among the header's", { token, fee });
  state.move(from, token, -(amount + fee));
  payer.nonce += 1n;
  check(payer.nonce >> 32n === 0n, "the nonce would be 2^32", { account: from });
  if (fee > 0n) fees.set(token, fees.get(token) + fee);
}

const APPLY = {
  Transfer(state, fees, operation) {
    check(state.account(operation.to).address !== 0n, "the recipient does not exist", { account: operation.to });
    pay(state, fees, operation.from, operation);
    state.move(operation.to, operation.token, operation.amount);
  },

  Withdraw(state, fees, operation) {
    check(operation.address !== 0n, "the L1 recipient is 0", { address: operation.address });
    pay(state, fees, operation.account, operation);
  },

  Deposit(state, fees, { account: id, token, amount, address, key, senderIsOwner, refused }) {
    check(!refused || id === 0n, "a refused Deposit names an account", { account: id });
    if (refused) return;
    const account = state.account(id);
    check(token < TOKENS, "not a token", { token });
    check(address !== 0n, "the owner is 0", { address });
    const ours = account.address === 0n || account.address === address;
    check(ours, "the account is another's", { account: id, address: account.address, owner: address });
    account.address = address;
    state.move(id, token, amount);
    if (senderIsOwner && !hasKey(account)) account.key = key;
  },

  FullExit(state, fees, { account: id, token, amount, address }) {
    const due = token < TOKENS && state.account(id).address === address ? state.balance(id, token) : 0n;
    check(amount === due, "a FullExit of another amount", { account: id, token, amount, due });
    if (amount > 0n) state.move(id, token, -amount);
  },
};

/** Applies the operations of a block, then its fees. */
export function applyBlock(state, operations, feeAccount, feeTokens) {
  checkFeeTokens(feeTokens);
  const fees = new Map(feeTokens.map((token) => [token, 0n]));
  operations.forEach((operation, i) => {
    within(`operation ${i} (${operation.name})`, () => APPLY[operation.name](state, fees, operation));
  });
  check(state.account(feeAccount).address !== 0n, "the fee account does not exist", { account: feeAccount });
  within("fees", () => fees.forEach((sum, token) => sum > 0n && state.move(feeAccount, token, sum)));
}
