"""Whose history an operation belongs to: the accounts that it names, as it is published."""

from rollup.core.constants import ACCOUNT_ID_BITS, CHUNK_BYTES, OP_BITS, SLOT_BITS, Op
from rollup.core.operations import (
    Deposit,
    ForcedExitData,
    PublishedOperation,
    SwapData,
    TransferData,
    TransferToAddressData,
    WithdrawData,
)
from rollup.core.streams import decode_streams

_FROM = (OP_BITS + SLOT_BITS) // 8
_TO = _FROM + ACCOUNT_ID_BITS // 8
_END = _TO + ACCOUNT_ID_BITS // 8


def parties_of(chunks: bytes, record: bytes) -> set[int]:
    """The accounts that pay, get, sell, leave or change in it; the one that gets the block's fees is not among them.

    Args:
        chunks, record: What the operation publishes.
    """
    if len(chunks) == CHUNK_BYTES and chunks[0] >> 8 - OP_BITS == Op.TRANSFER:
        # Nearly all are of this kind, and the sequencer waits for it: `op 4 | token 12 | from 24 | to 24 | ...`
        return {int.from_bytes(chunks[_FROM:_TO], "big"), int.from_bytes(chunks[_TO:_END], "big")}
    return {account_id for each in decode_streams(chunks, record) for account_id in _parties(each)}


def _parties(operation: PublishedOperation) -> tuple[int, ...]:
    match operation:
        case TransferData() | TransferToAddressData():
            return operation.from_id, operation.to_id
        case WithdrawData():
            return (operation.from_id,)
        case ForcedExitData():
            return operation.from_id, operation.account_id
        case SwapData():
            return operation.maker.account_id, operation.taker.account_id
        case Deposit(refused=True):
            return ()
        case _:
            return (operation.account_id,)
