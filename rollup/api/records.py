"""Operations and blocks as users see them."""

from typing import Any

import orjson

from rollup.api.answers import hash_text
from rollup.api.queries import OnL1
from rollup.api.stages import Stage, block_stage, stage_of
from rollup.core.addresses import show_address
from rollup.core.operations import Deposit, FullExit, QueueOperation
from rollup.core.streams import decode_streams
from rollup.node.chain import Heads
from rollup.node.entries import BlockRecord, Entry
from rollup.node.parties import parties_of
from rollup.node.sealing import header_of_blob

QUEUE_PREFIX = "queue:"


def entry_id(entry: Entry) -> str:
    """What an operation is asked for by: a user's by its hash, the queue's by its index there."""
    return hash_text(entry.hash) if entry.hash is not None else f"{QUEUE_PREFIX}{entry.queue_index}"


def operation_to_json(entry: Entry) -> dict[str, Any]:
    """A user's as he submitted it, the queue's as it was published."""
    if entry.payload is not None:
        values: dict[str, Any] = orjson.loads(entry.payload)
        return values
    (operation,) = decode_streams(entry.chunks, entry.record)
    assert isinstance(operation, Deposit | FullExit)
    return queue_operation_to_json(operation)


def queue_operation_to_json(operation: QueueOperation) -> dict[str, Any]:
    """A deposit or full exit. What the validator fills in is null while it waits."""
    common = {"token": operation.token, "owner": show_address(operation.owner)}
    if isinstance(operation, FullExit):
        amount = None if operation.amount is None else str(operation.amount)
        return {"type": "full_exit", "account_id": operation.account_id, **common, "amount": amount}
    own = {"amount": str(operation.amount), "account_id": operation.account_id, "refused": operation.refused}
    return {"type": "deposit", **common, **own}


def entry_to_json(entry: Entry, heads: Heads) -> dict[str, Any]:
    """An operation that was taken, and how far it is."""
    stage = stage_of(entry.block, heads)
    operation = operation_to_json(entry)
    return {
        "hash": entry_id(entry),
        "type": operation["type"],
        "status": stage,
        "is_final": stage == Stage.FINAL,
        "block": entry.block,
        "position": entry.chunk_position,
        "accounts": sorted(parties_of(entry.chunks, entry.record)),
        "operation": operation,
        "confirmed_at": entry.issued_at,
    }


def block_to_json(record: BlockRecord, count: int, heads: Heads, on_l1: OnL1) -> dict[str, Any]:
    """A block, and how far it is."""
    header = None if record.header is None else header_of_blob(record.header)
    stage = block_stage(record.number, record.status, heads)
    return {
        "number": record.number,
        "status": stage,
        "is_final": stage == "final",
        "timestamp": record.timestamp,
        "opened_at": record.opened_at,
        "commit_by": record.commit_by,
        "operations": count,
        "size": record.size,
        "fee_account": record.fee_account,
        "queue_start": record.queue_start,
        "validator_set": hash_text(record.validator_set),
        "root": None if header is None else f"0x{header.new_root:064x}",
        "commitment": None if record.commitment is None else hash_text(record.commitment),
        "l1": on_l1_to_json(on_l1),
    }


def on_l1_to_json(on_l1: OnL1) -> dict[str, Any]:
    """Where each stage happened on L1; null where it did not, or is not known here."""
    return {stage: on_l1.get(stage) for stage in ("committed", "proven", "executed")}
