"""Which operations share a block."""

import pytest

from rollup.core.operations import Batch, Deposit, Operation, Order, Swap, Transfer, Withdraw
from rollup.node.errors import OperationTooLargeError
from rollup.node.packing import pack

ORDER = Order(0, 2048, 0, 0, 1, 1, 1, 0)
SWAP = Swap(ORDER, ORDER, 1, 1)
ONE = Transfer(0, 0, 1, 0, 1, 0, 0)
OUT = Withdraw(0, 1, 0, 1, 0, 0)


def batch(count: int, operation: Transfer | Withdraw = ONE) -> Batch:
    return Batch((operation,) * count)


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([], []),
        ([ONE], [(1, 3)]),
        ([ONE] * 3, [(3, 3)]),
        ([ONE] * 4, [(4, 8)]),
        ([ONE] * 8, [(8, 8)]),
        ([ONE] * 9, [(8, 8), (1, 3)]),
        ([*[ONE] * 5, SWAP], [(6, 8)]),
        ([*[ONE] * 6, SWAP, ONE], [(6, 8), (2, 8)]),
        ([*[ONE] * 7, SWAP], [(7, 8), (1, 3)]),
        ([ONE, batch(8), ONE], [(1, 3), (1, 8), (1, 3)]),
        ([batch(4), batch(4), batch(2)], [(2, 8), (1, 3)]),
        ([SWAP] * 3, [(2, 8), (1, 3)]),
    ],
)
def test_pack_never_splits_and_takes_the_smallest_block(
    operations: list[Operation], expected: list[tuple[int, int]]
) -> None:
    blocks = pack(operations, [3, 8])
    assert [(len(block), size) for block, size in blocks] == expected
    assert [operation for block, _ in blocks for operation in block] == operations


def test_pack_l1_records_beyond_the_limit_open_the_next_block() -> None:
    operations = [Deposit(0, 0, 1, 1), OUT, ONE, OUT, batch(2, OUT)]
    assert [len(block) for block, _ in pack(operations, [8], max_l1_operations=2)] == [3, 1, 1]


@pytest.mark.parametrize("operation", [batch(9), batch(3, OUT)])
def test_pack_operation_that_fits_no_block_is_refused(operation: Batch) -> None:
    with pytest.raises(OperationTooLargeError, match="split the batch") as caught:
        pack([ONE, operation], [3, 8], max_l1_operations=2)
    assert caught.value.most_steps == 8
