"""Rebuilding the state from what L1 holds: headers and streams, nothing else."""

from rollup.core.constants import CHUNK_BYTES
from rollup.core.errors import (
    BlockError,
    EncodingError,
    FeeAccountMissingError,
    HeaderMismatchError,
    OperationError,
    ReplayError,
    RootMismatchError,
)
from rollup.core.header import Header
from rollup.core.operations import Deposit, FullExit, PublishedOperation, steps_of
from rollup.core.state import State
from rollup.core.streams import WORD_BYTES, decode_streams


def apply_block_data(
    state: State, header: Header, l2: bytes, l1: bytes, *, undoable: bool = False
) -> list[PublishedOperation]:
    """Apply a published block and compare the root; on any error the state is as before the block.

    The trees are updated once, for all accounts of the block together.

    Args:
        state: as the block before left it.
        header: the block's header.
        l2, l1: the streams.
        undoable: keep the way back to places marked before. Off, the journal is emptied.

    Returns:
        The block's operations.

    Raises:
        StreamError: a stream is malformed.
        HeaderMismatchError: the header does not continue this state, or is not these streams'.
        ReplayError: an operation cannot be applied.
        FeeAccountMissingError: nobody can be credited the fees.
        RootMismatchError: the data leads to another root.
    """
    operations = decode_streams(l2, l1)
    _check_header(state, header, operations, l2, l1)
    mark = state.mark()
    try:
        replay_operations(state, header, operations)
        if state.root != header.new_root:
            raise RootMismatchError(header.block_number, header.new_root, state.root)
    except (BlockError, EncodingError, OperationError):
        state.rollback(mark)
        raise
    if not undoable:
        state.forget()
    return operations


def _check_header(state: State, header: Header, operations: list[PublishedOperation], l2: bytes, l1: bytes) -> None:
    steps = sum(len(steps_of(operation)) for operation in operations)
    queue_count = sum(isinstance(operation, Deposit | FullExit) for operation in operations)
    for field, expected, got in (
        ("old_root", state.root, header.old_root),
        ("l2_chunks", len(l2) // CHUNK_BYTES, header.l2_chunks),
        ("l1_words", len(l1) // WORD_BYTES, header.l1_words),
        ("queue_count", queue_count, header.queue_count),
        ("block_size", max(header.block_size, steps), header.block_size),
    ):
        if expected != got:
            raise HeaderMismatchError(header.block_number, field, expected, got)


def replay_operations(state: State, header: Header, operations: list[PublishedOperation]) -> None:
    """Apply a block's operations and credit its fees. What `apply_block_data` does besides is the caller's: to compare
    the root, of many blocks at once perhaps, and to roll back on an error.

    Raises: ReplayError, FeeAccountMissingError.
    """
    fees = dict.fromkeys(header.fee_tokens, 0)
    for position, operation in enumerate(operations):
        try:
            applied = state.apply_published(operation, header.fee_tokens)
        except (EncodingError, OperationError) as error:
            raise ReplayError(header.block_number, position, error.message) from error
        for token, fee in applied.fees:
            fees[token] += fee
    if not state.account(header.fee_account).exists:
        raise FeeAccountMissingError(header.block_number, header.fee_account)
    for token, fee in fees.items():
        if fee:
            state.credit_fee(header.fee_account, token, fee)
