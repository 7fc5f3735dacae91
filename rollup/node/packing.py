"""Which operations share a block. What takes several steps is never split: a block without room for it ends there."""

from collections.abc import Sequence

from rollup.core.constants import MAX_L1_OPERATIONS_PER_BLOCK
from rollup.core.operations import ChangePubKey, Deposit, ForcedExit, FullExit, Operation, Withdraw, steps_of
from rollup.node.errors import OperationTooLargeError


def pack(
    operations: Sequence[Operation], sizes: Sequence[int], max_l1_operations: int = MAX_L1_OPERATIONS_PER_BLOCK
) -> list[tuple[list[Operation], int]]:
    """Split operations into blocks, in order.

    Args:
        operations: All of them.
        sizes: Steps of the blocks that can be proven, smallest first.
        max_l1_operations: Most records of the L1 stream a block.

    Returns:
        Of each block its operations and its size: the smallest that holds them.

    Raises: OperationTooLargeError if one does not fit the largest block.
    """
    blocks: list[list[Operation]] = []
    steps = records = 0
    for operation in operations:
        its_steps, its_records = len(steps_of(operation)), records_of(operation)
        if its_steps > sizes[-1] or its_records > max_l1_operations:
            raise OperationTooLargeError(its_steps, sizes[-1], its_records, max_l1_operations)
        if not blocks or steps + its_steps > sizes[-1] or records + its_records > max_l1_operations:
            blocks.append([])
            steps = records = 0
        blocks[-1].append(operation)
        steps, records = steps + its_steps, records + its_records
    return [(block, _smallest(block, sizes)) for block in blocks]


def records_of(operation: Operation) -> int:
    """How many records of the L1 stream an operation has."""
    with_record = Deposit | FullExit | Withdraw | ChangePubKey | ForcedExit
    return sum(isinstance(step, with_record) for step in steps_of(operation))


def _smallest(block: Sequence[Operation], sizes: Sequence[int]) -> int:
    steps = sum(len(steps_of(operation)) for operation in block)
    return next(size for size in sizes if size >= steps)
