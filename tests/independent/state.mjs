// State and its transition, without signatures (protocol 2 and 4).
import { check, within } from "./encoding.mjs";

const ARITY = 8;
const ACCOUNT_LEVELS = 8;
const BALANCE_LEVELS = 4;
const TOKENS = 2048n; // the other slots are for orders
const FILLED_BITS = 128n; // of an order slot; above them the order's id

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
    this.set(id, token, balance + change);
  }

  set(id, slot, value) {
    this.account(id).balances.set(Number(slot), value);
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

/** Takes amount and fee from an account. fees: sums by token. */
function debit(state, fees, id, { token, amount, fee }) {
  check(token < TOKENS, "not a token", { token });
  check(fee === 0n || fees.has(token), "the fee's token is not among the header's", { token, fee });
  state.move(id, token, -(amount + fee));
  if (fee > 0n) fees.set(token, fees.get(token) + fee);
}

function countNonce(account) {
  account.nonce += 1n;
  check(account.nonce >> 32n === 0n, "the nonce would be 2^32", { address: account.address });
}

/** `debit` by a signed operation, which uses up a nonce. */
function pay(state, fees, id, payment) {
  const payer = state.account(id);
  check(hasKey(payer), "the payer has no key", { account: id });
  debit(state, fees, id, payment);
  countNonce(payer);
}

/** Makes an empty account the owner's; refuses another's. */
function claim(state, id, owner) {
  const account = state.account(id);
  check(owner !== 0n, "the owner is 0", { address: owner });
  const free = account.address === 0n || account.address === owner;
  check(free, "the account is another's", { account: id, address: account.address, owner });
  account.address = owner;
  return account;
}

/** What an order slot holds. */
function orderIn(state, id, slot) {
  check(slot >= TOKENS, "not an order slot", { slot });
  const held = state.balance(id, slot);
  return { orderId: held >> FILLED_BITS, filled: BigInt.asUintN(Number(FILLED_BITS), held) };
}

function setOrder(state, id, slot, orderId, filled) {
  check(filled >> FILLED_BITS === 0n, "more is filled than any order sells", { account: id, slot, filled });
  state.set(id, slot, (orderId << FILLED_BITS) | filled);
}

/** One side of a Swap pays; what it pays for comes with the settlement. */
function fill(state, fees, { account: id, slot, orderId, ...payment }) {
  const held = orderIn(state, id, slot);
  const values = { account: id, slot, order: orderId, held: held.orderId };
  check(orderId >= held.orderId, "the slot has a newer order", values);
  check(hasKey(state.account(id)), "the payer has no key", { account: id });
  debit(state, fees, id, payment);
  setOrder(state, id, slot, orderId, (orderId === held.orderId ? held.filled : 0n) + payment.amount);
}

const APPLY = {
  Transfer(state, fees, operation) {
    check(state.account(operation.to).address !== 0n, "the recipient does not exist", { account: operation.to });
    pay(state, fees, operation.from, operation);
    state.move(operation.to, operation.token, operation.amount);
  },

  TransferToAddress(state, fees, operation) {
    claim(state, operation.to, operation.address);
    pay(state, fees, operation.from, operation);
    state.move(operation.to, operation.token, operation.amount);
  },

  Withdraw(state, fees, operation) {
    check(operation.address !== 0n, "the L1 recipient is 0", { address: operation.address });
    pay(state, fees, operation.account, operation);
  },

  Deposit(state, fees, { account: id, token, amount, address, key, senderIsOwner, refused }) {
    if (refused) return;
    check(token < TOKENS, "not a token", { token });
    const account = claim(state, id, address);
    state.move(id, token, amount);
    if (senderIsOwner && !hasKey(account)) account.key = key;
  },

  FullExit(state, fees, { account: id, token, amount, address }) {
    const due = token < TOKENS && state.account(id).address === address ? state.balance(id, token) : 0n;
    check(amount === due, "a FullExit of another amount", { account: id, token, amount, due });
    if (amount > 0n) state.move(id, token, -amount);
  },

  ChangePubKey(state, fees, { account: id, token, address, nonce, key, fee }) {
    const account = state.account(id);
    const isOwner = address !== 0n && account.address === address;
    check(isOwner, "the account is another's", { account: id, address: account.address, owner: address });
    check(nonce === account.nonce, "the nonce is not the account's", { account: id, nonce, own: account.nonce });
    debit(state, fees, id, { token, amount: 0n, fee });
    countNonce(account);
    account.key = key;
  },

  ForcedExit(state, fees, { payer, feeToken, fee, account: id, token, amount, address }) {
    const account = state.account(id);
    const isSigned = address !== 0n && account.address === address;
    check(isSigned, "the account is another's", { account: id, address: account.address, signed: address });
    check(!hasKey(account), "the account has a key: only its owner exits", { account: id });
    check(token < TOKENS, "not a token", { token });
    const due = state.balance(id, token);
    check(amount === due && due > 0n, "a ForcedExit of another amount, or of nothing", { account: id, amount, due });
    pay(state, fees, payer, { token: feeToken, amount: 0n, fee });
    state.move(id, token, -amount);
  },

  Swap(state, fees, { maker, taker }) {
    within("maker", () => fill(state, fees, maker));
    within("taker", () => fill(state, fees, taker));
    state.move(maker.account, taker.token, taker.amount);
    state.move(taker.account, maker.token, maker.amount);
  },

  CancelOrder(state, fees, { account: id, slot, orderId, token, fee }) {
    const held = orderIn(state, id, slot);
    check(orderId > held.orderId, "the slot has no older order", { account: id, order: orderId, held: held.orderId });
    pay(state, fees, id, { token, amount: 0n, fee });
    setOrder(state, id, slot, orderId, 0n);
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
