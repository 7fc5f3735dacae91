"""What the node keeps of blocks and operations, as it stands in its database and journal."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from rollup._native import parse_transfer
from rollup.core.constants import ADDRESS_BITS, MAX_TIMESTAMP_BEHIND_SECONDS
from rollup.core.operations import Batch, Operation, Swap, TransferToAddress, TransferToAddressData
from rollup.core.receipt import Promise
from rollup.core.streams import decode_streams
from rollup.core.wire import WireOperation, from_wire
from rollup.node.plain import transfer_of
from rollup.node.tables import Status

ADDRESS_BYTES = ADDRESS_BITS // 8


@dataclass(frozen=True, slots=True)
class BlockRecord:
    """A block; the columns of the table `blocks`."""

    number: int
    status: Status
    timestamp: int
    opened_at: int
    validator_set: bytes
    queue_start: int
    size: int | None = None
    fee_account: int | None = None
    header: bytes | None = None
    commitment: bytes | None = None
    proof: bytes | None = None
    preimage: bytes | None = None

    @property
    def commit_by(self) -> int:
        """When L1 must have it: later it would refuse the timestamp."""
        return self.timestamp + MAX_TIMESTAMP_BEHIND_SECONDS

    def row(self) -> dict[str, Any]:
        """The columns."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Entry:
    """An operation at its place; the columns of the table `operations`.

    Args:
        block, position: Which operation of which block.
        payload, hash: A user's, as JSON, and its `operation_hash`; None if it is the queue's.
        queue_index: The queue's index; None if it is a user's.
        account_id: Who pays; of the queue's, whose account it is.
        recipient: `recipient_of` it.
        issued_at: When it was taken, unix seconds.
        chunk_position, chunks, word_position, record: What it publishes, and where.
    """

    block: int
    position: int
    payload: str | None
    hash: bytes | None
    queue_index: int | None
    account_id: int
    recipient: int
    issued_at: int
    chunk_position: int
    chunks: bytes
    word_position: int
    record: bytes

    def values(self) -> tuple[Any, ...]:
        """The columns' values, in their order."""
        recipient = self.recipient.to_bytes(ADDRESS_BYTES, "big")
        return (
            self.block, self.position, self.payload, self.hash, self.queue_index, self.account_id, recipient,
            self.issued_at, self.chunk_position, self.chunks, self.word_position, self.record,
        )  # fmt: skip

    @classmethod
    def of_row(cls, row: dict[str, Any]) -> Self:
        """The entry of its columns."""
        return cls(**row | {"recipient": int.from_bytes(row["recipient"], "big")})

    def to_json(self) -> dict[str, Any]:
        """As JSON values: bytes in hex."""
        return {
            "block": self.block,
            "position": self.position,
            "payload": self.payload,
            "hash": None if self.hash is None else self.hash.hex(),
            "queue_index": self.queue_index,
            "account_id": self.account_id,
            "recipient": f"{self.recipient:0{2 * ADDRESS_BYTES}x}",
            "issued_at": self.issued_at,
            "chunk_position": self.chunk_position,
            "chunks": self.chunks.hex(),
            "word_position": self.word_position,
            "record": self.record.hex(),
        }

    @classmethod
    def of_json(cls, values: dict[str, Any]) -> Self:
        """The entry of JSON values."""
        in_bytes = {"hash", "recipient", "chunks", "record"}
        row = {k: bytes.fromhex(v) if k in in_bytes and v is not None else v for k, v in values.items()}
        return cls.of_row(row)

    def operation(self) -> Operation:
        """The operation as the block takes it in: the validator's part is read from what it publishes."""
        # Nearly all are of this kind, and nothing of it is the validator's.
        plain = None if self.payload is None else parse_transfer(self.payload.encode())
        if plain is not None:
            return transfer_of(plain)
        published = decode_streams(self.chunks, self.record)
        if self.payload is None:
            return published[0]  # type: ignore[return-value]  # the queue's are published whole
        operation = from_wire(json.loads(self.payload))
        ids = iter([each.to_id for each in published if isinstance(each, TransferToAddressData)])
        return _with_ids(operation, ids)

    def promise(self, block: BlockRecord) -> Promise:
        """What its receipt promises."""
        assert self.hash is not None, "L1 promises the queue's"
        return (
            self.block, self.chunk_position, self.chunks, self.word_position, self.record, self.hash,
            self.recipient.to_bytes(ADDRESS_BYTES, "big"), self.issued_at, block.commit_by, block.validator_set,
        )  # fmt: skip


def payer_of(operation: WireOperation) -> int:
    """The account that pays: of a batch the first one's, of a swap the maker's."""
    match operation:
        case Batch():
            return payer_of(operation.operations[0])
        case Swap():
            return operation.maker.account_id
        case _:
            return operation.from_id if hasattr(operation, "from_id") else operation.account_id


def _with_ids(operation: Any, ids: Iterator[int]) -> Operation:
    match operation:
        case TransferToAddress():
            return replace(operation, to_id=next(ids))
        case Batch():
            return Batch(tuple(_with_ids(each, ids) for each in operation.operations))  # type: ignore[misc]
    return operation  # type: ignore[no-any-return]
