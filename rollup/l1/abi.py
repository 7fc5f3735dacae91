"""The part of the contract's ABI by which blocks are published and found again.

`contracts/interfaces/IRollup.sol` is where it is defined; a test compares the two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Final, Self

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_hash.auto import keccak

from rollup.core.account import empty_root
from rollup.core.block import SealedBlock
from rollup.core.constants import ADDRESS_BITS, VERSION_CALLDATA
from rollup.core.header import HeaderFields
from rollup.core.operations import ChangePubKey
from rollup.core.streams import WORD_BYTES

BLOCK_TYPE: Final = (
    "(uint64,bytes32,uint256,uint256,uint64,uint16,uint8,uint256,uint256,uint256,bytes32,bytes32,uint64,uint64,"
    "address,bytes32,uint40)"
)
NEW_BLOCK_TYPE: Final = "(uint16,uint64,bytes32,uint32,uint96,bytes32,bytes,bytes,bytes)"
KEY_CHANGE_TYPE: Final = "(uint32,uint32,uint256,uint256,uint16,uint128,uint40)"
COMMIT_TYPES: Final = (BLOCK_TYPE, f"{NEW_BLOCK_TYPE}[]", "bytes")
COMMIT_PROVE_EXECUTE_TYPES: Final = (BLOCK_TYPE, NEW_BLOCK_TYPE, "uint256[8]", "bytes")
NO_ADDRESS: Final = "0x" + 40 * "0"


def signature(name: str, types: Sequence[str]) -> str:
    """Return a function's or event's canonical signature."""
    return f"{name}({','.join(types)})"


def selector(name: str, types: Sequence[str]) -> bytes:
    """Return the first four bytes of a call."""
    return keccak(signature(name, types).encode())[:4]


COMMIT: Final = selector("commitBlocks", COMMIT_TYPES)
COMMIT_PROVE_EXECUTE: Final = selector("commitProveExecute", COMMIT_PROVE_EXECUTE_TYPES)
BLOCK_COMMITTED_DATA: Final = ("bytes32", "address", "bytes32", "uint40")
"""Without the indexed field: number."""
BLOCK_COMMITTED: Final = keccak(signature("BlockCommitted", ("uint64", *BLOCK_COMMITTED_DATA)).encode())
BLOCKS_REVERTED_DATA: Final = ("uint64", "uint64", "address")
"""First and last number, and who is suspended."""
BLOCKS_REVERTED: Final = keccak(signature("BlocksReverted", BLOCKS_REVERTED_DATA).encode())
DEPOSIT_QUEUED_DATA: Final = ("address", "uint128", "uint64", "uint40", "uint256[4]")
"""Without the indexed fields: index, owner, token."""
DEPOSIT_QUEUED: Final = keccak(
    signature("DepositQueued", ("uint64", "address", "uint16", *DEPOSIT_QUEUED_DATA)).encode()
)
FULL_EXIT_QUEUED_DATA: Final = ("uint32", "uint64", "uint40", "uint256[2]")
FULL_EXIT_QUEUED: Final = keccak(
    signature("FullExitQueued", ("uint64", "address", "uint16", *FULL_EXIT_QUEUED_DATA)).encode()
)
KEY_CHANGE_APPROVED: Final = keccak(signature("KeyChangeApproved", ("address", "bytes32", KEY_CHANGE_TYPE)).encode())
PENDING_CREDITED: Final = keccak(b"PendingCredited(address,uint16,uint128)")


@dataclass(frozen=True, slots=True)
class Committed:
    """What the event BlockCommitted says."""

    number: int
    hash: bytes
    committer: str
    validator_set: bytes
    committed_at: int

    @classmethod
    def of(cls, topics: Sequence[bytes], data: bytes) -> Self:
        """Read a log whose first topic is BLOCK_COMMITTED.

        Raises: ValueError: it is none.
        """
        if len(topics) != 2 or len(data) != len(BLOCK_COMMITTED_DATA) * WORD_BYTES:
            raise ValueError(f"{len(topics)} topics and {len(data)} bytes of data are no BlockCommitted")
        words = [data[at : at + WORD_BYTES] for at in range(0, len(data), WORD_BYTES)]
        block_hash, committer, validator_set, committed_at = words
        address = f"0x{committer[-ADDRESS_BITS // 8 :].hex()}"
        number, time = int.from_bytes(topics[1], "big"), int.from_bytes(committed_at, "big")
        return cls(number, block_hash, address, validator_set, time)

    @classmethod
    def of_json(cls, log: Mapping[str, Any]) -> Self:
        """Read such a log as JSON-RPC gives it."""
        return cls.of([bytes.fromhex(topic[2:]) for topic in log["topics"]], bytes.fromhex(log["data"][2:]))


@dataclass(frozen=True, slots=True)
class L1Block:
    """The preimage of a block hash, field by field as `Block` in IRollup.sol."""

    number: int
    parent_hash: bytes
    old_root: int
    new_root: int
    timestamp: int
    block_size: int
    source: int
    commitment: int
    challenge: int
    evaluation: int
    l2_hash: bytes
    l1_hash: bytes
    queue_end: int
    chunk_end: int
    committer: str
    validator_set: bytes
    committed_at: int

    @classmethod
    def genesis(cls) -> Self:
        """Return block 0: the empty tree and zeros."""
        none = bytes(32)
        return cls(0, none, 0, empty_root(), 0, 0, 0, 0, 0, 0, none, none, 0, 0, NO_ADDRESS, none, 0)

    @classmethod
    def of(cls, values: Sequence[Any]) -> Self:
        """Return the block of an ABI tuple."""
        return cls(*values)

    def following(
        self,
        header: HeaderFields,
        l2: bytes,
        l1: bytes,
        binding: tuple[int, int, int],
        committer: str,
        validator_set: bytes,
        committed_at: int,
    ) -> "L1Block":
        """Return the block that these data make on top of this one.

        Args:
            header, l2, l1: The data.
            binding: (C, X, Y).
            committer: Who sent it, as an address.
            validator_set: What the registry answered.
            committed_at: When it was committed by L1's clock, in unix seconds.
        """
        return L1Block(
            number=header.block_number,
            parent_hash=self.hash(),
            old_root=header.old_root,
            new_root=header.new_root,
            timestamp=header.timestamp,
            block_size=header.block_size,
            source=VERSION_CALLDATA,
            commitment=binding[0],
            challenge=binding[1],
            evaluation=binding[2],
            l2_hash=keccak(l2),
            l1_hash=keccak(l1),
            queue_end=header.queue_start + header.queue_count,
            chunk_end=self.chunk_end + header.l2_chunks,
            committer=committer,
            validator_set=validator_set,
            committed_at=committed_at,
        )

    def as_tuple(self) -> tuple[Any, ...]:
        """Return the fields in the ABI's order."""
        return astuple(self)

    def hash(self) -> bytes:
        """Return the block hash: keccak256 of the ABI encoding."""
        return keccak(encode([BLOCK_TYPE], [self.as_tuple()]))


@dataclass(frozen=True, slots=True)
class NewBlock:
    """What a validator publishes, field by field as `NewBlock` in IRollup.sol."""

    block_size: int
    timestamp: int
    new_root: bytes
    fee_account: int
    fee_tokens: int
    commitment: bytes
    l2: bytes
    l1: bytes
    key_auth: bytes

    @classmethod
    def of(cls, block: SealedBlock) -> Self:
        """Return what is published of a sealed block."""
        header = block.header
        return cls(
            block_size=header.block_size,
            timestamp=header.timestamp,
            new_root=header.new_root.to_bytes(32, "big"),
            fee_account=header.fee_account,
            fee_tokens=header.fee_tokens_word(),
            commitment=block.commitment.to_bytes(32, "big"),
            l2=block.l2,
            l1=block.l1,
            key_auth=block.key_auth(),
        )

    def as_tuple(self) -> tuple[Any, ...]:
        """Return the fields in the ABI's order."""
        return astuple(self)


def key_change_tuple(operation: ChangePubKey) -> tuple[int, ...]:
    """Return what the owner authorises in the order of `KeyChange` in IRollup.sol."""
    values = operation.fee_token, operation.fee, operation.valid_until
    return operation.account_id, operation.nonce, *operation.key, *values


def decode_commit(data: bytes) -> list[NewBlock]:
    """Return the blocks that a transaction's input publishes; see `decode_publication`."""
    return decode_publication(data)[1]


def decode_values(types: Sequence[str], data: bytes) -> tuple[Any, ...]:
    """Return the values that ABI-encoded data hold, of any bytes whatever.

    Raises: ValueError if they do not decode, with its reason.
    """
    try:
        return decode(list(types), data)
    except (DecodingError, OverflowError) as error:  # eth_abi overflows on a length of 2^63 or more
        raise ValueError(f"{len(data)} bytes do not decode ({error})") from error


def decode_publication(data: bytes) -> tuple[L1Block, list[NewBlock]]:
    """Return the block that a transaction's input builds on, and those that it publishes.

    Raises: ValueError if the input is neither of the two calls that publish, or not the canonical encoding of its
        arguments, with its reason.
    """
    types = {COMMIT: COMMIT_TYPES, COMMIT_PROVE_EXECUTE: COMMIT_PROVE_EXECUTE_TYPES}.get(data[:4])
    if types is None:
        raise ValueError(f"the input starts with 0x{data[:4].hex()}, which publishes no blocks")
    arguments = decode_values(types, data[4:])
    if encode(types, arguments) != data[4:]:
        raise ValueError("the input is not the canonical encoding of its arguments")
    blocks = arguments[1] if data[:4] == COMMIT else (arguments[1],)
    return L1Block.of(arguments[0]), [NewBlock(*block) for block in blocks]
