"""`restore` from an L1 of our own that is right: what it rebuilds, from where it goes on, what it refuses."""

from typing import Any, get_args

import pytest
from fake_l1 import DEPLOYED_AT
from restore_rig import Direct, Rig

from rollup.core.operations import PublishedOperation, TransferData
from rollup.l1.errors import FalseBlock
from rollup.l1.feed import REORG_DEPTH
from rollup.restore import restore
from rollup.store import Store
from rollup.store.errors import StoreWrittenTwice


def test_restore_random_blocks_gives_the_operators_state(rig: Rig) -> None:
    rig.blocks(40)
    kinds = {type(operation) for block in rig.operator.sealed[1:] if block for operation in block.operations}
    assert kinds == set(get_args(PublishedOperation))
    restored = rig.restore()
    assert restored.operations == 240
    assert restored.tip == rig.operator.chain[-1]
    assert restored.l1_block == rig.l1.head.number
    rig.check(40)


def test_restore_before_the_first_block_gives_the_empty_state(rig: Rig) -> None:
    assert rig.restore().operations == 0
    rig.check(0)


def test_restore_again_reads_what_is_new_alone(rig: Rig) -> None:
    rig.blocks(5)
    rig.restore()
    assert rig.restore().operations == 0
    rig.blocks(4)
    assert rig.restore().operations == 24
    rig.check(9)


def test_restore_several_blocks_of_one_transaction_gives_all(rig: Rig) -> None:
    rig.blocks(7, publish=False)
    rig.l1.commit(rig.operator, 1, 4)
    rig.l1.commit(rig.operator, 5, 7)
    rig.l1.prove(6)
    rig.restore()
    rig.check(6)
    rig.l1.prove(7)
    rig.restore()
    rig.check(7)


def test_restore_unproven_blocks_are_left_out(rig: Rig) -> None:
    rig.blocks(2)
    rig.operator.block(6)
    rig.l1.commit(rig.operator, 3, 3)
    rig.restore()
    rig.check(2)


def test_restore_replaced_block_is_passed_over(rig: Rig) -> None:
    """A committed block may be taken back before it is proven, and another take its place, in later transactions."""
    rig.blocks(2)
    rig.blocks(3, publish=False)
    rig.l1.commit(rig.operator, 3, 5)
    rig.l1.prove(3)
    rig.l1.revert(3)
    rig.operator.go_back(3)
    rig.blocks(3)
    rig.restore()
    rig.check(6)


def test_restore_compares_roots_at_checkpoints_of_at_most_so_many_operations(rig: Rig) -> None:
    for operations in (4, 4, 3, 25, 1, 9, 2):
        rig.blocks(1, operations)
    told: list[tuple[int, int, int]] = []

    class Progress:
        def loading(self, done: int, total: int) -> None: ...

        def restoring(self, *numbers: int) -> None:
            told.append(numbers)  # type: ignore[arg-type]

    rig.restore(checkpoint_operations=10, progress=Progress())
    assert told == [(2, 7, 8), (3, 7, 11), (4, 7, 36), (6, 7, 46), (7, 7, 48)]


def test_restore_old_view_is_renewed(rig: Rig) -> None:
    rig.blocks(6)
    heads = 0

    def answer(method: str, *params: Any) -> Any:
        nonlocal heads
        heads += (method, *params[:1]) == ("eth_getBlockByNumber", "latest")
        return rig.l1.answer(method, *params)

    with Store(rig.path, rig.l1.origin) as store:
        restore(store, rig.feed(Direct(answer), view_seconds=0))
    assert heads == 1 + 6 + 1  # to begin with, for each block, and to see that there are no more
    rig.check(6)


def test_restore_keeps_the_way_back_only_from_blocks_that_are_not_final(rig: Rig) -> None:
    rig.blocks(3)
    rig.l1.mine(REORG_DEPTH - 2)
    rig.blocks(1)
    rig.l1.mine(1)
    rig.restore()
    assert rig.undoable() == [4]
    rig.l1.mine(REORG_DEPTH)
    rig.restore()
    assert rig.undoable() == []


def test_restore_contract_younger_than_a_reorganisation_keeps_the_way_back(rig: Rig) -> None:
    rig.blocks(3)
    rig.l1.mine(DEPLOYED_AT + 1 + REORG_DEPTH - rig.l1.head.number)
    rig.restore()
    assert rig.undoable() == [1, 2, 3]


# What L1 would only have accepted with a false proof


def test_restore_false_root_names_the_block_and_keeps_those_before(rig: Rig) -> None:
    rig.blocks(3)
    right = rig.operator.state.root
    rig.operator.seal([], new_root=right + 1)
    rig.l1.publish(rig.operator)
    with pytest.raises(FalseBlock) as error:
        rig.restore()
    assert error.value.block_number == 4
    assert f"{right:#066x}" in error.value.message
    assert f"{right + 1:#066x}" in error.value.message
    rig.check(3)


def test_restore_impossible_operation_names_it_and_keeps_the_blocks_before(rig: Rig) -> None:
    rig.blocks(3)
    rig.operator.seal([TransferData(10**6, 0, 0, 5, 0)], replay=False)
    rig.l1.publish(rig.operator)
    with pytest.raises(FalseBlock) as error:
        rig.restore()
    assert (error.value.block_number, "operation 0: account 1000000" in error.value.reason) == (4, True)
    rig.check(3)


# The store


def test_restore_second_process_on_one_store_is_told(rig: Rig) -> None:
    rig.blocks(4)
    told = []

    def answer(method: str, *params: Any) -> Any:
        if method == "eth_getTransactionByHash" and not told:
            told.append(method)
            rig.restore()
        return rig.l1.answer(method, *params)

    with pytest.raises(StoreWrittenTwice) as error:
        rig.restore(Direct(answer))
    assert (error.value.expected, error.value.got) == (0, 4)
    rig.check(4)
