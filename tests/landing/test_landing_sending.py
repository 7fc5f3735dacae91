"""The durable sender behind the interface that the rollup's client takes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from landing_rig import OTHER, ROLLUP, SIGNER, Rig
from rpc_server import RpcServer

from bench.l1_simulator import Simulator
from rollup.l1.errors import ContractRefused, GasLimitExceeded, TransactionReverted
from rollup.l1.refusals import Refusals
from rollup.l1.rpc import JsonRpc
from rollup.landing.calls import Call
from rollup.landing.errors import ActionNotDone
from rollup.landing.model import Action, State
from rollup.landing.sending import DurableSending, _reason


@contextmanager
def running(l1: Simulator, seconds: float = 20, mines: bool = True) -> Iterator[tuple[Rig, DurableSending]]:
    """A sender that another thread runs, on a chain that makes blocks."""
    rig, stop = Rig(l1), threading.Event()

    def run() -> None:
        while not stop.wait(0.002):
            rig.sender.step()
            if mines:
                l1.mine()

    thread = threading.Thread(target=run)
    with RpcServer(l1.answer) as server:
        thread.start()
        try:
            yield rig, DurableSending(JsonRpc(server.url), Refusals(), rig.sender, seconds)
        finally:
            stop.set()
            thread.join()


def test_send_returns_when_mined() -> None:
    with running(Simulator()) as (rig, sending):
        sent = sending.call("the commit", ROLLUP, "commit", ["uint256"], [7], SIGNER)
        (landed,) = [each for each in rig.l1.landed() if each.hash == sent.transaction]
        assert rig.l1.blocks[sent.l1_block].transactions == (landed,)
    assert sent.gas_used == landed.gas


def test_send_of_a_call_that_is_on_its_way_waits_for_the_first() -> None:
    with running(Simulator(), 0.2, mines=False) as (rig, sending):
        for _ in range(3):
            with pytest.raises(ActionNotDone, match="goes on by itself"):
                sending.send("the commit", ROLLUP, b"\1", SIGNER)
        assert [each.data for each in rig.l1.mempool.values()] == [b"\1"]
        rig.l1.mine()
        sending.send("the commit", ROLLUP, b"\1", SIGNER)
    assert rig.landed() == [b"\1"]


def test_send_that_would_fail_raises_why_and_may_be_tried_again() -> None:
    l1 = Simulator(fails=lambda data: data == b"\1")
    with running(l1) as (rig, sending):
        for _ in range(2):
            with pytest.raises(TransactionReverted, match="the commit reverted: execution reverted") as error:
                sending.send("the commit", ROLLUP, b"\1", SIGNER)
            assert error.value.values == {"action": "the commit", "reason": "execution reverted"}
        l1.fails = lambda _: False
        sending.send("the commit", ROLLUP, b"\1", SIGNER)
        assert rig.landed() == [b"\1"]


def test_send_for_another_account_is_refused() -> None:
    sending = DurableSending(JsonRpc("http://127.0.0.1:1"), Refusals(), Rig().sender)
    with pytest.raises(ValueError, match=f"signs as {SIGNER.address}, not as {OTHER.address}"):
        sending.send("the commit", ROLLUP, b"", OTHER)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (
            ContractRefused("the commit", "BlockOutOfOrder", {"expected": 3, "got": 1}, "read the chain"),
            ContractRefused,
        ),
        (GasLimitExceeded("the commit", 2, 1), GasLimitExceeded),
    ],
)
def test_reason_of_a_refused_action_is_the_error_again(error: Any, kind: type) -> None:
    reason = {"code": error.code, "message": error.message, "values": error.values}
    again = _reason(Action(1, "a", Call("the commit", ROLLUP), State.REFUSED, reason=reason))
    assert isinstance(again, kind)
    assert again.values == error.values
