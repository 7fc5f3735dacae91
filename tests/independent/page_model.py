"""Makes calldata of blocks as docs/protocol.md says, in plain Python: input for rebuild.mjs. Slow, and nothing is
checked: tests publish wrong blocks with it, too."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from eth_abi import encode
from eth_hash.auto import keccak

ROOT = Path(__file__).resolve().parents[2]
FIELD = 21888242871839275222246405745257275088548364400416034343698204186575808495617
PARTIAL_ROUNDS = [56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65, 70, 60, 64, 68]
BLOCK_FIELDS = {
    "number": "uint64",
    "parentHash": "bytes32",
    "oldRoot": "uint256",
    "newRoot": "uint256",
    "timestamp": "uint64",
    "blockSize": "uint16",
    "source": "uint8",
    "commitment": "uint256",
    "challenge": "uint256",
    "evaluation": "uint256",
    "l2Hash": "bytes32",
    "l1Hash": "bytes32",
    "queueEnd": "uint64",
    "chunkEnd": "uint64",
    "committer": "address",
    "validatorSet": "bytes32",
    "committedAt": "uint40",
}
BLOCK = f"({','.join(BLOCK_FIELDS.values())})"
NEW_BLOCK = "(uint16,uint64,bytes32,uint32,uint96,bytes32,bytes,bytes,bytes)"
COMMIT_BLOCKS = [BLOCK, f"{NEW_BLOCK}[]", "bytes"]
COMMIT_PROVE_EXECUTE = [BLOCK, NEW_BLOCK, "uint256[8]", "bytes"]
COMMITTER = "0x" + "c0" * 20
VALIDATOR_SET = b"\x5e" * 32
COMMITTED_AT = 1_900_000_000
"""Of the first transaction; the next is a second later."""


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


@cache
def poseidon_constants() -> dict:
    text = (ROOT / "node_modules/circomlibjs/src/poseidon_constants.json").read_text()
    return json.loads(text)


@cache
def poseidon_parameters(width: int) -> tuple[list[int], list[list[int]]]:
    constants = poseidon_constants()
    rounds = [int(value, 16) for value in constants["C"][width - 2]]
    return rounds, [[int(value, 16) for value in row] for row in constants["M"][width - 2]]


@cache
def poseidon(*inputs: int) -> int:
    width = len(inputs) + 1
    constants, matrix = poseidon_parameters(width)
    partial = PARTIAL_ROUNDS[width - 2]
    state = [0, *inputs]
    for number in range(8 + partial):
        state = [(value + constants[number * width + i]) % FIELD for i, value in enumerate(state)]
        full = not 4 <= number < 4 + partial
        state = [pow(value, 5, FIELD) if full or i == 0 else value for i, value in enumerate(state)]
        state = [sum(a * b for a, b in zip(row, state, strict=True)) % FIELD for row in matrix]
    return state[0]


def tree_root(leaves: dict[int, int], empty: int, levels: int) -> int:
    for _ in range(levels):
        parents = {index // 8 for index in leaves}
        leaves = {p: poseidon(*(leaves.get(8 * p + d, empty) for d in range(8))) for p in parents}
        empty = poseidon(*[empty] * 8)
    return leaves.get(0, empty)


@dataclass
class Account:
    address: int = 0
    key: tuple[int, int] = (0, 0)
    nonce: int = 0
    balances: dict[int, int] = field(default_factory=dict)

    def leaf(self) -> int:
        return poseidon(*self.key, self.address, self.nonce, tree_root(self.balances, 0, 4))

    def add(self, token: int, change: int) -> None:
        self.balances[token] = self.balances.get(token, 0) + change


def state_root(accounts: dict[int, Account]) -> int:
    leaves = {index: account.leaf() for index, account in accounts.items() if account.address}
    return tree_root(leaves, Account().leaf(), 8)


def round_decimal(value: int, bits: int) -> int:
    """The largest value up to this one that can be packed."""
    exponent = 0
    while value // 10**exponent >= 1 << bits:
        exponent += 1
    return value // 10**exponent * 10**exponent


def pack_decimal(value: int, bits: int) -> int:
    exponent = 0
    while value // 10**exponent >= 1 << bits:
        exponent += 1
    assert value % 10**exponent == 0
    return value // 10**exponent << 5 | exponent


@dataclass
class Step:
    """What a step publishes; a Noop nothing."""

    op: int = 0
    chunks: list[int] = field(default_factory=list)
    words: list[int] = field(default_factory=list)
    fees: dict[int, int] = field(default_factory=dict)
    key_auth: bytes = b""


def chunk_of(op: int, token: int, from_: int, to: int, amount: int, fee: int) -> int:
    """A chunk; amount as it stands there, fee in the token's smallest unit."""
    return ((((op << 12 | token) << 24 | from_) << 24 | to) << 40 | amount) << 16 | pack_decimal(fee, 11)


def address_chunks(address: int) -> list[int]:
    return [address >> 40, (address & (1 << 40) - 1) << 80]


def key_auth(valid_until: int, r: int = 0, s: int = 0, v: int = 0) -> bytes:
    """What keyAuth says of one key change; without a signature, that L1 knows of it already."""
    return word(r) + word(s) + v.to_bytes(1, "big") + valid_until.to_bytes(5, "big")


@dataclass
class Fill:
    """One side of a Swap: this much of an order."""

    account: int
    slot: int
    order_id: int
    token: int
    amount: int
    fee: int = 0

    def chunk(self) -> int:
        return chunk_of(8, self.token, self.account, self.slot, pack_decimal(self.amount, 35), self.fee)


def record(op: int, flags: int, account: int, token: int, address: int, aux: int, amount: int) -> list[int]:
    return [((op << 4 | flags) << 24 | account) << 172 | token << 160 | address, aux << 128 | amount]


@dataclass
class Header:
    """What of a block is the validator's choice, steps apart."""

    timestamp: int = 1_700_000_000
    block_size: int = 8
    fee_account: int = 5
    fee_tokens: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6, 7)


class Rollup:
    """A chain of blocks: operations change `accounts` at once; `publish` ends a block; `commit` makes calldata."""

    def __init__(self, chain_id: int = 31337, address: str = "0x" + "ab" * 20) -> None:
        self.chain_id, self.address = chain_id, address
        self.accounts: dict[int, Account] = {}
        genesis: list = [0] * 17
        genesis[3] = state_root({})
        self.blocks = [self.finish(genesis, bytes(32), "0x" + "00" * 20, bytes(32), 0)]
        self.unsent: list[tuple] = []
        self.published: list[tuple[list[int], bytes, bytes]] = []
        self.transactions: list[str] = []

    @staticmethod
    def finish(block: list, parent_hash: bytes, committer: str, validator_set: bytes, committed_at: int) -> list:
        for i in (10, 11):
            block[i] = block[i] or bytes(32)
        return [block[0], parent_hash, *block[2:14], committer, validator_set, committed_at]

    def account(self, index: int) -> Account:
        return self.accounts.setdefault(index, Account())

    def deposit(
        self, index: int, token: int, amount: int, owner: int, key=(0, 0), flags: int = 0, fee_gwei: int = 10**6
    ) -> Step:
        if not flags & 2:
            account = self.account(index)
            account.address = owner
            account.add(token, amount)
            if flags & 1 and account.key == (0, 0):
                account.key = key
        return Step(1, [1 << 116], record(1, flags, index, token, owner, fee_gwei, amount) + list(key))

    def full_exit(self, index: int, token: int, owner: int, amount: int, fee_gwei: int = 10**6) -> Step:
        if amount:
            self.account(index).add(token, -amount)
        return Step(2, [2 << 116], record(2, 0, index, token, owner, fee_gwei, amount))

    def pay(self, index: int, token: int, total: int) -> None:
        self.account(index).add(token, -total)
        self.account(index).nonce += 1

    def transfer(self, payer: int, to: int, token: int, amount: int, fee: int) -> Step:
        self.pay(payer, token, amount + fee)
        self.account(to).add(token, amount)
        chunk = chunk_of(3, token, payer, to, pack_decimal(amount, 35), fee)
        return Step(3, [chunk], [], {token: fee})

    def transfer_to_address(self, payer: int, to: int, token: int, amount: int, fee: int, address: int) -> Step:
        self.pay(payer, token, amount + fee)
        self.account(to).address = address
        self.account(to).add(token, amount)
        chunk = chunk_of(4, token, payer, to, pack_decimal(amount, 35), fee)
        return Step(4, [chunk, *address_chunks(address)], [], {token: fee})

    def withdraw(self, payer: int, token: int, amount: int, fee: int, address: int) -> Step:
        self.pay(payer, token, amount + fee)
        marker = chunk_of(5, 0, 0, 0, 0, fee)
        return Step(5, [marker], record(5, 0, payer, token, address, 0, amount), {token: fee})

    def change_pub_key(
        self, index: int, owner: int, key: tuple[int, int], token: int = 0, fee: int = 0, auth: bytes | None = None
    ) -> Step:
        words = record(6, 0, index, token, owner, self.account(index).nonce, fee) + list(key)
        self.pay(index, token, fee)
        self.account(index).key = key
        auth = key_auth(2**40 - 1) if auth is None else auth
        return Step(6, [chunk_of(6, 0, 0, 0, 0, fee)], words, {token: fee}, auth)

    def forced_exit(self, payer: int, index: int, token: int, fee_token: int, fee: int) -> Step:
        account = self.account(index)
        amount = account.balances.get(token, 0)
        self.pay(payer, fee_token, fee)
        account.add(token, -amount)
        words = record(7, 0, index, token, account.address, 0, amount)
        return Step(7, [chunk_of(7, fee_token, payer, 0, 0, fee)], words, {fee_token: fee})

    def fill(self, side: Fill) -> Step:
        account = self.account(side.account)
        account.add(side.token, -side.amount - side.fee)
        latest, filled = divmod(account.balances.get(side.slot, 0), 1 << 128)
        before = filled if latest == side.order_id else 0
        account.balances[side.slot] = side.order_id << 128 | before + side.amount
        return Step(8, [side.chunk()], [], {side.token: side.fee})

    def settle(self, maker: Fill, taker: Fill) -> Step:
        self.account(maker.account).add(taker.token, taker.amount)
        self.account(taker.account).add(maker.token, maker.amount)
        return Step(8, [8 << 116 | taker.order_id << 32 | maker.order_id])

    def swap(self, maker: Fill, taker: Fill) -> list[Step]:
        return [self.fill(maker), self.fill(taker), self.settle(maker, taker)]

    def cancel_order(self, index: int, slot: int, first: int, token: int, fee: int) -> Step:
        self.pay(index, token, fee)
        self.account(index).balances[slot] = first << 128
        return Step(9, [chunk_of(9, token, index, slot, first, fee)], [], {token: fee})

    def publish(self, steps: list[Step], header: Header | None = None) -> None:
        header = header or Header()
        for step in steps:
            for token, fee in step.fees.items():
                self.account(header.fee_account).add(token, fee)
        parent = self.blocks[-1]
        root = state_root({i: a for i, a in self.accounts.items() if a.address})
        chunks = [chunk for step in steps for chunk in step.chunks]
        words = [value for step in steps for value in step.words]
        queued = sum(step.op in (1, 2) for step in steps)
        h1 = 1 << 184 | header.block_size << 168 | (parent[0] + 1) << 136 | header.timestamp << 96
        h1 |= parent[12] << 56 | queued << 40 | len(chunks) << 20 | len(words)
        fee_tokens = sum(token << 12 * j for j, token in enumerate(header.fee_tokens))
        domain = self.chain_id << 160 | int(self.address, 16)
        h = [domain, h1, parent[3], root, header.fee_account << 96 | fee_tokens]
        l2 = b"".join(chunk.to_bytes(15, "big") for chunk in chunks)
        l1 = b"".join(word(value) for value in words)
        c = self.commitment(h, steps + [Step()] * (header.block_size - len(steps)))
        x = int.from_bytes(keccak(b"".join(map(word, h)) + keccak(l2) + keccak(l1) + word(c))[16:], "big")
        y = self.evaluation(h, l2, words, x)
        data = [keccak(l2), keccak(l1), parent[12] + queued, parent[13] + len(chunks)]
        block = [parent[0] + 1, b"", parent[3], root, header.timestamp, header.block_size, 1, c, x, y, *data]
        parent_hash = keccak(encode([BLOCK], [parent]))
        self.blocks.append(
            self.finish(block, parent_hash, COMMITTER, VALIDATOR_SET, COMMITTED_AT + len(self.transactions))
        )
        new: tuple = (header.block_size, header.timestamp, word(root), header.fee_account, fee_tokens, word(c), l2, l1)
        new += (b"".join(step.key_auth for step in steps),)
        self.unsent.append(new)
        self.published.append((h, l2, l1))

    @staticmethod
    def commitment(h: list[int], steps: list[Step]) -> int:
        c = poseidon(*h)
        for step in steps:
            numbers = (len(step.chunks) << 120) + (len(step.words) << 122)
            chunks = step.chunks + [0] * (3 - len(step.chunks))
            c = poseidon(c, chunks[0] + numbers, *chunks[1:], *step.words, *[0] * (4 - len(step.words)))
        return c

    @staticmethod
    def evaluation(h: list[int], l2: bytes, words: list[int], x: int) -> int:
        padded = l2 + bytes(-len(l2) % 30)
        pairs = [int.from_bytes(padded[i : i + 30], "big") for i in range(0, len(padded), 30)]
        y = 0
        for shift, values in ((0, h), (2**20, pairs), (2**21, words)):
            y += sum(v * pow(x, shift + len(values) - 1 - i, FIELD) for i, v in enumerate(values))
        return y % FIELD

    def commit(self, function: str = "commitBlocks", auth: bytes = b"") -> None:
        """Sends what was published since the last time."""
        parent = self.blocks[-1 - len(self.unsent)]
        if function == "commitBlocks":
            types, values = COMMIT_BLOCKS, [parent, self.unsent, auth]
        else:
            (block,) = self.unsent
            types, values = COMMIT_PROVE_EXECUTE, [parent, block, list(range(8)), auth]
        selector = keccak(f"{function}({','.join(types)})".encode())[:4]
        self.transactions.append("0x" + (selector + encode(types, values)).hex())
        self.unsent = []

    def input(self) -> dict:
        return {"chainId": self.chain_id, "rollup": self.address, "transactions": self.transactions}

    def expected(self) -> dict:
        """What rebuild.mjs should print."""
        accounts = {
            str(index): {
                "address": f"0x{a.address:040x}",
                "key": [str(coordinate) for coordinate in a.key],
                "nonce": a.nonce,
                "balances": {str(token): str(a.balances[token]) for token in sorted(a.balances) if a.balances[token]},
            }
            for index, a in sorted(self.accounts.items())
            if a.address
        }
        return {
            "blocks": len(self.blocks) - 1,
            "root": f"0x{self.blocks[-1][3]:064x}",
            "accounts": accounts,
            "challenges": [str(block[8]) for block in self.blocks[1:]],
            "evaluations": [str(block[9]) for block in self.blocks[1:]],
        }
