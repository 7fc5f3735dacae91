"""A reorganisation of L1 deeper than the node waits for: what it has taken of the queue is not there any more."""

from dataclasses import replace
from pathlib import Path

import pytest
from node_rig import ALICE, BOB, CAROL, OPERATOR, Rig, deposits

from rollup.core import FullExit
from rollup.l1.client import Queued
from rollup.node.errors import QueueChangedError
from rollup.node.queue_watch import MISSING_LOOKS


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    made = Rig(tmp_path, f"sqlite:///{tmp_path / 'node.db'}")
    made.deposit(OPERATOR, ALICE)
    made.finish()
    made.deposit(BOB, CAROL)
    return made


def test_look_entry_changed_stops_promises_until_it_is_back(rig: Rig) -> None:
    before = list(rig.chain.entries)
    rig.promised(BOB.pay(ALICE, 0))
    swapped = [replace(before[3], index=2), replace(before[2], index=3)]
    for changed, index in ((before[:2] + swapped, 2), (before[:3], 3), (before[:2], 2)):
        rig.chain.entries = changed
        for _ in range(MISSING_LOOKS):
            rig.node.look()
        (refused,) = rig.submit(BOB.pay(ALICE, 1))
        assert isinstance(refused, QueueChangedError)
        assert refused.index == index
        assert "sequence anew" in refused.message
    assert refused.found == "nothing"
    rig.chain.entries = before + deposits(ALICE, first=4)
    rig.node.look()
    rig.promised(BOB.pay(ALICE, 1))
    rig.finish()
    rig.check()


def test_look_entry_missing_for_a_moment_is_no_change(rig: Rig) -> None:
    """A node of L1 that is a block behind, asked in turn with one that is not."""
    before = list(rig.chain.entries)
    for nonce in range(3):
        for entries in (before[:3], before[:3], before):
            rig.chain.entries = entries
            rig.node.look()
            assert rig.node.queue_fault is None
        rig.promised(BOB.pay(ALICE, nonce))


def test_look_entry_changed_is_seen_after_a_restart(rig: Rig) -> None:
    rig.node.sequencer.close()
    rig.chain.entries[3] = replace(rig.chain.entries[3], operation=deposits(CAROL, amount=5)[0].operation)
    rig.restart()
    (refused,) = rig.submit(BOB.pay(ALICE, 0))
    assert isinstance(refused, QueueChangedError)
    assert refused.index == 3


def test_look_entry_changed_takes_nothing_more(rig: Rig) -> None:
    rig.chain.entries = rig.chain.entries[:2] + deposits(CAROL, BOB, ALICE, first=2)
    rig.node.look()
    assert rig.node.sequencer.queue_end == 4


def test_look_what_l1_has_executed_is_not_asked_for_again(rig: Rig) -> None:
    asked: list[int] = []
    queue = rig.chain.queue

    def noting(start: int) -> list[Queued]:
        asked.append(start)
        return queue(start)

    rig.chain.queue = noting  # type: ignore[method-assign]
    rig.node.look()
    rig.finish()
    rig.node.lander.step()
    rig.node.look()
    assert asked == [2, 4]
    rig.chain.entries.append(Queued(4, FullExit(1, 0, ALICE.address, None), rig.chain.entries[0].expiry))
    rig.node.look()
    assert rig.node.queue_fault is None
    rig.node.look()
    assert asked == [2, 4, 4, 4]
    assert rig.node.queue_fault is None
