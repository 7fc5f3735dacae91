"""The node with its threads: many submitters, L1 that comes and goes, an orderly stop."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from node_rig import ALICE, BOB, CAROL, OPERATOR, FakeChain, HeldPool, Rig, deposits, user

from rollup.core.receipt import Receipt
from rollup.node.errors import (
    CrashError,
    DatabaseDamaged,
    DatabaseUnusable,
    FaultError,
    NotConnectedError,
    QueueFullError,
    StoppingError,
    StorageError,
)
from rollup.node.intake import Intake

WAIT_SECONDS = 30


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        threading.Event().wait(0.005)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    made = Rig(tmp_path, f"sqlite:///{tmp_path / 'node.db'}")
    made.deposit(OPERATOR, ALICE, BOB, CAROL)
    return made


def test_node_many_submitters_each_get_their_receipt_and_all_lands(rig: Rig) -> None:
    rig.node.start()
    payers = [ALICE, BOB, CAROL]
    answers: dict[int, list[Any]] = {}

    def pay(index: int) -> None:
        payer, payee = payers[index], payers[(index + 1) % 3]
        futures = [rig.node.submit([payer.pay(payee, nonce)])[0] for nonce in range(20)]
        answers[index] = [future.result(WAIT_SECONDS) for future in futures]

    threads = [threading.Thread(target=pay, args=(index,)) for index in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_SECONDS)
    rig.receipts = [receipt for index in range(3) for receipt in answers[index]]
    assert len(rig.receipts) == 60
    assert all(isinstance(receipt, Receipt) for receipt in rig.receipts)
    rig.clock.now += 61
    until(lambda: rig.chain.executed == 8)
    rig.node.stop()
    rig.check()


def test_node_l1_down_for_a_while_still_promises_and_lands_later(rig: Rig) -> None:
    rig.node.start()
    rig.chain.down = True
    until(lambda: rig.node.l1_fault is not None)
    futures = rig.node.submit([ALICE.pay(BOB, nonce) for nonce in range(20)])
    rig.receipts = [future.result(WAIT_SECONDS) for future in futures]  # type: ignore[misc]
    assert rig.chain.executed == 0
    rig.chain.down = False
    until(lambda: rig.chain.executed == 3)
    assert rig.node.l1_fault is None
    rig.node.stop()


def test_node_takes_the_queue_and_closes_by_age_by_itself(rig: Rig) -> None:
    rig.node.start()
    rig.chain.entries += deposits(user(4), first=4)
    until(lambda: rig.node.sequencer.queue_end == 5)
    rig.clock.now += 61
    until(lambda: rig.chain.executed == 1)
    rig.node.stop()
    rig.check()


def test_node_stopped_takes_what_waits_and_refuses_what_comes(rig: Rig) -> None:
    rig.node.start()
    futures = rig.node.submit([ALICE.pay(BOB, nonce) for nonce in range(50)])
    rig.node.stop()
    assert all(isinstance(future.result(0), Receipt) for future in futures)
    (refused,) = rig.node.submit([ALICE.pay(BOB, 50)])
    assert isinstance(refused.result(0), StoppingError)
    rig.receipts = [future.result(0) for future in futures]  # type: ignore[misc]
    rig.restart()
    rig.finish()
    rig.check()


def test_node_that_cannot_go_on_says_so_and_promises_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(tmp_path, f"sqlite:///{tmp_path / 'node.db'}", pool=HeldPool(1))
    rig.deposit(OPERATOR, ALICE, BOB)

    def fail(*_: Any, **__: Any) -> None:
        raise DatabaseDamaged("x", 1, "it rots")

    monkeypatch.setattr(rig.database, "set_blocks", fail)
    rig.node.start()
    rig.node.sequencer.close()
    until(lambda: rig.node.fault is not None)
    assert isinstance(rig.node.refusal(), FaultError)
    (refused,) = rig.node.submit([ALICE.pay(BOB, 0)])
    assert isinstance(refused.result(WAIT_SECONDS), StoppingError)
    rig.node.stop()


def test_node_whose_disk_is_full_refuses_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the sequencer, as a block is sealed, as a proof is kept, as the queue is taken in: all of it is done later."""
    rig = Rig(tmp_path, f"sqlite:///{tmp_path / 'node.db'}")
    rig.deposit(OPERATOR, ALICE, BOB)

    def fail(*_: Any, **__: Any) -> None:
        raise DatabaseUnusable("x", "database or disk is full")

    rig.node.start()
    with monkeypatch.context() as full:
        for name in ("accept", "set_blocks", "set_proven"):
            full.setattr(rig.database, name, fail)
        (refused,) = rig.node.submit([ALICE.pay(BOB, 0)])
        assert isinstance(refused.result(WAIT_SECONDS), StorageError)
        rig.chain.entries += deposits(CAROL, first=3)
        until(lambda: rig.node.storage_fault is not None)
    (taken,) = rig.node.submit([ALICE.pay(BOB, 0)])
    receipt = taken.result(WAIT_SECONDS)
    assert isinstance(receipt, Receipt)
    until(lambda: rig.node.sequencer.queue_end == 4)
    with monkeypatch.context() as full:
        full.setattr(rig.database, "set_blocks", fail)
        rig.node.sequencer.close()
        until(lambda: rig.node.pipeline.storage_fault is not None)
    until(lambda: rig.node.lander.heads.executed == 1)
    rig.node.stop()
    rig.chain.check_kept([receipt])
    assert rig.node.fault is None


def test_node_whose_thread_crashes_says_so_and_promises_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path, f"sqlite:///{tmp_path / 'node.db'}")
    rig.deposit(OPERATOR, ALICE, BOB)

    def fail(_: int) -> None:
        raise KeyError("a mistake of ours")

    rig.node.start()
    monkeypatch.setattr(rig.chain, "queue", fail)
    until(lambda: rig.node.fault is not None)
    assert isinstance(rig.node.fault, CrashError)
    assert rig.node.fault.values == {"thread": "watch", "reason": "KeyError: 'a mistake of ours'"}
    assert isinstance(rig.node.refusal(), FaultError)
    rig.node.stop()


def test_node_that_has_not_reached_l1_takes_nothing(tmp_path: Path) -> None:
    chain = FakeChain()
    chain.down = True
    rig = Rig(tmp_path, f"sqlite:///{tmp_path / 'node.db'}", chain=chain)
    (refused,) = rig.node.submit([ALICE.pay(BOB, 0)])
    assert isinstance(refused.result(0), NotConnectedError)
    assert isinstance(rig.node.refusal(), NotConnectedError)
    rig.crash()


def test_intake_more_than_may_wait_is_refused_whole() -> None:
    intake = Intake(lambda operations: [StoppingError()] * len(operations), most_waiting=5)
    first = intake.submit([ALICE.pay(BOB, 0)] * 5)
    refused = intake.submit([ALICE.pay(BOB, 0)])
    outcome = refused[0].result(0)
    assert isinstance(outcome, QueueFullError)
    assert outcome.values == {"waiting": 5, "most": 5}
    assert not first[0].done()


def test_intake_whose_sequencer_fails_tells_everybody_who_waits() -> None:
    started = threading.Event()

    def fail(_: Any) -> Any:
        started.set()
        raise DatabaseDamaged("x", 1, "y")

    intake = Intake(fail, most_at_once=2)
    futures = [future for _ in range(5) for future in intake.submit([ALICE.pay(BOB, 0)])]
    with pytest.raises(DatabaseDamaged):
        intake.run()
    kinds = [type(future.exception(0) or future.result(0)) for future in futures]
    assert kinds == [DatabaseDamaged] * 2 + [StoppingError] * 3
    assert isinstance(intake.submit([ALICE.pay(BOB, 0)])[0].result(0), StoppingError)


def test_intake_batches_what_came_meanwhile() -> None:
    sizes: list[int] = []
    gate = threading.Event()

    def take(operations: Any) -> Any:
        sizes.append(len(operations))
        gate.wait(WAIT_SECONDS)
        return [StoppingError()] * len(operations)

    intake = Intake(take, most_at_once=10)
    thread = threading.Thread(target=intake.run)
    thread.start()
    futures: list[Future[Any]] = intake.submit([ALICE.pay(BOB, 0)])
    until(lambda: sizes == [1])
    for _ in range(25):
        futures += intake.submit([ALICE.pay(BOB, 0)])
    gate.set()
    intake.stop()
    thread.join(WAIT_SECONDS)
    assert sizes == [1, 10, 10, 5]
    assert all(future.done() for future in futures)
