"""Blocks as docs/protocol.md has them (sections 5 to 8): written from the page, not from the contracts or the core."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace

from eth_hash.auto import keccak

R = 21888242871839275222246405745257275088548364400416034343698204186575808495617
EMPTY_ROOT = 11785417294439413261546175369471253031390339925437816760587411359556089718008
CHUNK = 15
FEE_TOKENS = sum(token << 12 * position for position, token in enumerate(range(8)))


@dataclass(frozen=True)
class Block:
    number: int = 0
    parent_hash: bytes = bytes(32)
    old_root: int = 0
    new_root: int = EMPTY_ROOT
    timestamp: int = 0
    block_size: int = 0
    source: int = 0
    commitment: int = 0
    challenge: int = 0
    evaluation: int = 0
    l2_hash: bytes = bytes(32)
    l1_hash: bytes = bytes(32)
    queue_end: int = 0
    chunk_end: int = 0
    committer: str = "0x" + "00" * 20
    validator_set: bytes = bytes(32)
    committed_at: int = 0

    def hash(self) -> bytes:
        return keccak(b"".join(_encoded(value) for value in astuple(self)))


@dataclass(frozen=True)
class NewBlock:
    timestamp: int
    block_size: int = 8
    new_root: int = 1234567
    fee_account: int = 3
    fee_tokens: int = FEE_TOKENS
    commitment: int = 7654321
    l2: bytes = b""
    l1: bytes = b""
    key_auth: bytes = b""

    def arguments(self) -> tuple[object, ...]:
        """In the order of the ABI."""
        return (
            self.block_size,
            self.timestamp,
            word(self.new_root),
            self.fee_account,
            self.fee_tokens,
            word(self.commitment),
            self.l2,
            self.l1,
            self.key_auth,
        )


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def stream(*records: Sequence[int]) -> bytes:
    return b"".join(word(value) for record in records for value in record)


def deposit_record(
    owner: str, amount: int, *, token: int = 0, account: int = 0, flags: int = 0, fee: int = 0, ax: int = 0, ay: int = 0
) -> tuple[int, int, int, int]:
    return (_w0(1, flags, account, token, owner), fee << 128 | amount, ax, ay)


def full_exit_record(owner: str, account: int, *, token: int = 0, amount: int = 0, fee: int = 0) -> tuple[int, int]:
    return (_w0(2, 0, account, token, owner), fee << 128 | amount)


def withdraw_record(to: str, amount: int, *, token: int = 0, account: int = 1) -> tuple[int, int]:
    return (_w0(5, 0, account, token, to), amount)


def forced_exit_record(to: str, amount: int, *, token: int = 0, account: int = 1) -> tuple[int, int]:
    return (_w0(7, 0, account, token, to), amount)


def change_pub_key_record(
    owner: str, ax: int, ay: int, *, account: int = 1, nonce: int = 0, token: int = 0, fee: int = 0
) -> tuple[int, int, int, int]:
    return (_w0(6, 0, account, token, owner), nonce << 128 | fee, ax, ay)


def as_requested(record: Sequence[int]) -> tuple[int, ...]:
    """A queue operation's record without the operator's part (protocol 8)."""
    w0, w1, *key = record
    if w0 >> 200 == 1:
        return (w0 & ~((2**24 - 1) << 172 | 2 << 196), w1, *key)
    return (w0, w1 >> 128 << 128)


def follow(
    parent: Block,
    new: NewBlock,
    *,
    chain_id: int,
    rollup: str,
    committer: str,
    validator_set: bytes,
    committed_at: int,
) -> Block:
    """The block that the contract must store."""
    queue_count = _queue_operations(new.l1)
    header = [
        chain_id << 160 | int(rollup, 16),
        _pack(
            (1, 8),
            (new.block_size, 16),
            (parent.number + 1, 32),
            (new.timestamp, 40),
            (parent.queue_end, 40),
            (queue_count, 16),
            (len(new.l2) // CHUNK, 20),
            (len(new.l1) // 32, 20),
        ),
        parent.new_root,
        new.new_root,
        new.fee_account << 96 | new.fee_tokens,
    ]
    digest = keccak(b"".join(map(word, header)) + keccak(new.l2) + keccak(new.l1) + word(new.commitment))
    x = int.from_bytes(digest, "big") % 2**128
    padded = new.l2 + bytes(-len(new.l2) % 30)
    l2_words = [int.from_bytes(padded[i : i + 30], "big") for i in range(0, len(padded), 30)]
    l1_words = [int.from_bytes(new.l1[i : i + 32], "big") for i in range(0, len(new.l1), 32)]
    y = polynomial(header, x) + pow(x, 2**20, R) * polynomial(l2_words, x) + pow(x, 2**21, R) * polynomial(l1_words, x)
    return Block(
        number=parent.number + 1,
        parent_hash=parent.hash(),
        old_root=parent.new_root,
        new_root=new.new_root,
        timestamp=new.timestamp,
        block_size=new.block_size,
        source=1,
        commitment=new.commitment,
        challenge=x,
        evaluation=y % R,
        l2_hash=keccak(new.l2),
        l1_hash=keccak(new.l1),
        queue_end=parent.queue_end + queue_count,
        chunk_end=parent.chunk_end + len(new.l2) // CHUNK,
        committer=committer,
        validator_set=validator_set,
        committed_at=committed_at,
    )


def polynomial(coefficients: Sequence[int], x: int) -> int:
    """p_0 x^(n-1) + ... + p_(n-1), as the sum it is."""
    powers = [1]
    for _ in coefficients:
        powers.append(powers[-1] * x % R)
    return sum(p * power for p, power in zip(reversed(coefficients), powers, strict=False)) % R


def changed(block: Block, field: str) -> Block:
    """The block with one field one bit off."""
    value = getattr(block, field)
    if isinstance(value, int):
        return replace(block, **{field: value ^ 1})
    raw = bytearray(bytes.fromhex(value[2:]) if isinstance(value, str) else value)
    raw[-1] ^= 1
    return replace(block, **{field: "0x" + raw.hex() if isinstance(value, str) else bytes(raw)})


def _queue_operations(l1: bytes) -> int:
    count = position = 0
    while position < len(l1):
        op = int.from_bytes(l1[position : position + 32], "big") >> 200
        count += op in (1, 2)
        position += 128 if op in (1, 6) else 64
    return count


def _w0(op: int, flags: int, account: int, token: int, address: str) -> int:
    return _pack((op, 4), (flags, 4), (account, 24), (token, 12), (int(address, 16), 160))


def _pack(*fields: tuple[int, int]) -> int:
    packed = 0
    for value, width in fields:
        assert 0 <= value < 1 << width
        packed = packed << width | value
    return packed


def _encoded(value: object) -> bytes:
    if isinstance(value, int):
        return word(value)
    if isinstance(value, str):
        return bytes.fromhex(value[2:]).rjust(32, b"\0")
    assert isinstance(value, bytes)
    return value
