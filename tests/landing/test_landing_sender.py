"""A sender on a simulated L1: every way an action goes, and what is told of it."""

import threading
from itertools import pairwise

import pytest
from landing_rig import SENDER, SIGNER, Rig, call, fees_of

from bench.l1_simulator import GWEI, Simulator
from rollup.landing.config import SenderConfig
from rollup.landing.errors import ActionDiffers, ActionNotDone, ActionOver, ActionUnknown
from rollup.landing.fees import FeePolicy
from rollup.landing.model import Kind, Outcome, State
from rollup.landing.signing import TRANSACTION_BYTES, Fees


def test_submit_lands_is_mined_then_final() -> None:
    rig = Rig()
    assert rig.sender.submit("a", call(1)).state == State.QUEUED
    rig.step()
    assert rig.state("a") == State.PENDING
    rig.step(blocks=1)
    action = rig.sender.status("a")
    assert action.state == State.MINED
    assert action.place is not None
    assert action.place.outcome == Outcome.SUCCEEDED
    assert (action.place.l1_block, action.place.l1_hash) == (1, rig.l1.head.hash)
    rig.step(blocks=63)
    assert rig.state("a") == State.MINED
    rig.step(blocks=1)
    assert rig.state("a") == State.FINAL
    assert rig.told("a") == [Kind.QUEUED, Kind.SENT, Kind.MINED, Kind.FINAL]
    assert rig.landed() == [call(1).data]


def test_submit_chain_without_finalised_block_is_mined_and_not_final() -> None:
    rig = Rig(Simulator(finalized_depth=10**6))
    rig.sender.submit("a", call())
    rig.step(blocks=80)
    assert rig.state("a") == State.MINED
    rig.l1.finalized_depth = 70
    rig.step(blocks=1)
    assert rig.state("a") == State.FINAL


def test_submit_twice_lands_once() -> None:
    rig = Rig()
    rig.sender.submit("a", call(1))
    rig.step(blocks=1)
    assert rig.sender.submit("a", call(1)).state == State.MINED
    rig.step(blocks=70)
    assert rig.sender.submit("a", call(1)).state == State.FINAL
    rig.step(blocks=2)
    assert rig.landed() == [call(1).data]


def test_submit_another_call_under_the_same_key_is_refused() -> None:
    rig = Rig()
    rig.sender.submit("a", call(1))
    with pytest.raises(ActionDiffers, match=r"another call, and is queued: .* key of its own") as error:
        rig.sender.submit("a", call(2))
    assert error.value.values == {"key": "a", "state": "queued"}


def test_status_of_unknown_key_is_refused() -> None:
    with pytest.raises(ActionUnknown, match="no action b was submitted") as error:
        Rig().sender.status("b")
    assert error.value.values == {"key": "b"}


def test_submit_many_land_in_order_with_a_limit_in_flight() -> None:
    rig = Rig(config=SenderConfig(most_in_flight=3))
    for number in range(7):
        rig.sender.submit(f"{number}", call(number, gas_limit=30_000))
    rig.step()
    assert sorted(rig.l1.mempool) == [(SENDER, 0), (SENDER, 1), (SENDER, 2)]
    rig.step(blocks=3)
    assert rig.landed() == [call(number).data for number in range(7)]


def test_submit_that_builds_on_one_before_waits_until_that_is_mined() -> None:
    """A proof reverts as long as its commit is not mined, so the node cannot say what gas it needs."""
    rig = Rig()
    rig.l1.fails = lambda data: data == call(2).data and call(1).data not in rig.landed()
    rig.sender.submit("commit", call(1))
    rig.sender.submit("proof", call(2))
    rig.step()
    assert (rig.state("commit"), rig.state("proof")) == (State.PENDING, State.QUEUED)
    rig.step(blocks=1)
    assert (rig.state("commit"), rig.state("proof")) == (State.MINED, State.PENDING)
    rig.step(blocks=1)
    assert rig.state("proof") == State.MINED


def test_submit_that_would_fail_is_refused_and_uses_no_nonce() -> None:
    rig = Rig(Simulator(fails=lambda data: data == call(1).data))
    rig.sender.submit("bad", call(1))
    rig.sender.submit("good", call(2))
    rig.step(blocks=1)
    refused = rig.sender.status("bad")
    assert (refused.state, refused.nonce) == (State.REFUSED, None)
    assert refused.reason["code"] == "reverted"
    assert refused.reason["values"] == {"action": "call 1", "reason": "execution reverted"}
    assert rig.sender.status("good").nonce == 0
    assert rig.landed() == [call(2).data]


def test_submit_over_the_gas_limit_is_refused() -> None:
    rig = Rig()
    rig.sender.submit("a", call(gas_limit=(1 << 24) + 1))
    rig.step()
    reason = rig.sender.status("a").reason
    assert reason["code"] == "gas_limit_exceeded"
    assert reason["values"] == {"action": "call 0", "gas": (1 << 24) + 1, "limit": 1 << 24}


def test_submit_larger_than_nodes_pass_on_is_refused() -> None:
    rig = Rig()
    large = call()
    rig.sender.submit("a", type(large)("the commit", large.to, bytes(1 << 17)))
    rig.step()
    action = rig.sender.status("a")
    assert (action.state, action.reason["code"]) == (State.REFUSED, "transaction_too_large")
    assert action.reason["values"]["limit"] == TRANSACTION_BYTES
    assert action.reason["values"]["size"] > 1 << 17
    assert not rig.l1.mempool


def test_mined_call_that_failed_says_why_and_its_nonce_is_used() -> None:
    rig = Rig()
    rig.sender.submit("a", call(1, gas_limit=30_000))
    rig.step()
    rig.l1.fails = lambda data: data == call(1).data
    rig.step(blocks=1)
    action = rig.sender.status("a")
    assert action.state == State.MINED
    assert action.place is not None
    assert action.place.outcome == Outcome.FAILED
    assert action.reason["code"] == "reverted"
    rig.step(blocks=64)
    assert rig.state("a") == State.FINAL


# Fees


def test_stuck_transaction_is_replaced_at_12_5_percent_more_or_the_market() -> None:
    rig = Rig()
    rig.sender.submit("a", call())
    rig.step()
    rig.l1.next_base_fee = 20 * GWEI
    rig.step(blocks=1)
    (old_max, old_tip), (new_max, new_tip) = fees_of(rig.sender.status("a"))
    assert old_max < 20 * GWEI
    assert 8 * new_max >= 9 * old_max
    assert 8 * new_tip >= 9 * old_tip
    assert new_max > rig.l1.fee_of_next()
    rig.step(blocks=1)
    assert rig.state("a") == State.MINED
    assert rig.told("a") == [Kind.QUEUED, Kind.SENT, Kind.REPLACED, Kind.MINED]


def test_waiting_without_a_reason_is_replaced_after_some_blocks() -> None:
    rig = Rig()
    rig.sender.submit("a", call())
    rig.step()
    for _ in range(7):
        rig.l1.mine(without=[rig.pending().hash])
        rig.step()
    offers = fees_of(rig.sender.status("a"))
    assert len(offers) == 1 + 7 // 3
    for old, new in pairwise(offers):
        assert all(8 * after >= 9 * before for before, after in zip(old, new, strict=True))


def test_only_the_first_of_several_is_replaced() -> None:
    rig = Rig()
    for number in range(3):
        rig.sender.submit(f"{number}", call(number))
    rig.step()
    rig.l1.next_base_fee = 20 * GWEI
    rig.step(blocks=1)
    assert [len(rig.sender.status(f"{number}").attempts) for number in range(3)] == [2, 1, 1]
    rig.step(blocks=5)
    assert rig.landed() == [call(number).data for number in range(3)]


def test_fees_above_the_ceiling_wait_and_are_told_once_then_cleared() -> None:
    rig = Rig(config=SenderConfig(FeePolicy(Fees(10 * GWEI, GWEI))))
    rig.l1.next_base_fee = 20 * GWEI
    rig.l1.mine()
    rig.sender.submit("a", call())
    rig.step(blocks=1)
    assert rig.state("a") == State.QUEUED
    error = rig.notices()["fees_above_ceiling"]
    assert error.values == {"key": "a", "needed": rig.l1.fee_of_next() + GWEI // 10, "ceiling": 10 * GWEI}
    assert "it waits until L1 is cheaper or the ceiling is raised" in error.message
    rig.l1.next_base_fee = GWEI
    rig.step(blocks=2)
    assert rig.state("a") == State.MINED
    assert rig.told("a") == [Kind.QUEUED, Kind.NOTICE, Kind.SENT, Kind.CLEARED, Kind.MINED]


def test_replacement_stops_at_the_ceiling_and_never_lowers() -> None:
    rig = Rig(config=SenderConfig(FeePolicy(Fees(10 * GWEI, GWEI))))
    rig.sender.submit("a", call())
    rig.step()
    for _ in range(30):
        rig.l1.next_base_fee = 20 * GWEI
        rig.step(blocks=1)
    offers = fees_of(rig.sender.status("a"))
    assert max(offers) == offers[-1]
    assert offers[-1][0] <= 10 * GWEI
    assert offers[-1][1] <= GWEI
    assert rig.notices()["fees_above_ceiling"].values["key"] == "a"
    rig.l1.next_base_fee = GWEI
    rig.step(blocks=1)
    assert rig.state("a") == State.MINED
    assert not rig.notices()


# Money


def test_low_balance_is_told_before_it_stops() -> None:
    rig = Rig(Simulator(funds={SENDER: 4 * 10**14}))
    rig.sender.submit("a", call())
    rig.step(blocks=1)
    assert rig.state("a") == State.MINED
    error = rig.notices()["funds_running_low"]
    assert error.values["address"] == SIGNER.address
    assert error.values["balance_wei"] < 4 * 10**14
    assert error.values["reserve_wei"] > 20 * 21_000 * GWEI
    assert "send it ETH on L1 before it stops" in error.message


def test_balance_below_the_reserve_in_wei_is_told() -> None:
    rig = Rig(config=SenderConfig(reserve_wei=2_000 * 10**18))
    rig.step()
    assert rig.notices()["funds_running_low"].values["reserve_wei"] == 2_000 * 10**18


def test_too_low_balance_waits_until_it_is_filled() -> None:
    rig = Rig(Simulator(funds={SENDER: 10**12}))
    rig.sender.submit("a", call())
    rig.step(blocks=1)
    assert rig.state("a") == State.QUEUED
    error = rig.notices()["funds_too_low"]
    assert error.values["balance_wei"] == 10**12
    assert error.values["needed_wei"] > 10**12
    assert "a waits" in error.message
    rig.l1.funds[SENDER] = 10**18
    rig.step(blocks=2)
    assert rig.state("a") == State.MINED
    assert "funds_too_low" not in rig.notices()


# Cancelling


def test_cancel_before_it_is_signed_withdraws() -> None:
    rig = Rig()
    rig.sender.submit("a", call())
    rig.sender.cancel("a")
    rig.step(blocks=1)
    assert rig.state("a") == State.WITHDRAWN
    assert rig.landed() == []


def test_cancel_of_a_pending_one_lands_an_empty_transaction() -> None:
    rig = Rig()
    rig.sender.submit("a", call(1))
    rig.sender.submit("b", call(2))
    rig.step()
    rig.sender.cancel("a")
    rig.step()
    assert rig.pending().data == b""
    assert rig.pending().to == SENDER
    rig.step(blocks=1)
    action = rig.sender.status("a")
    assert action.place is not None
    assert (action.state, action.place.outcome) == (State.MINED, Outcome.CANCELLED)
    assert rig.landed() == [b"", call(2).data]


def test_cancel_too_late_says_what_landed() -> None:
    rig = Rig()
    rig.sender.submit("a", call(1))
    rig.step()
    rig.l1.mine()
    rig.sender.cancel("a")
    rig.step()
    action = rig.sender.status("a")
    assert action.place is not None
    assert action.place.outcome == Outcome.SUCCEEDED
    rig.step(blocks=64)
    with pytest.raises(ActionOver, match="a is final and cannot be cancelled") as error:
        rig.sender.cancel("a")
    assert error.value.values == {"key": "a", "state": "final"}


# Waiting


def test_wait_returns_when_mined_while_another_thread_runs() -> None:
    rig = Rig()
    rig.sender.submit("a", call())
    stop = threading.Event()
    runner = threading.Thread(target=rig.sender.run, args=(stop, 0.01))
    runner.start()
    try:
        with pytest.raises(ActionNotDone, match=r"a is .* and not mined after 0 s") as error:
            rig.sender.wait("a", State.MINED, 0.2)
        assert error.value.values == {"key": "a", "state": "pending", "wanted": "mined", "seconds": 0.2}
        rig.l1.mine()
        assert rig.sender.wait("a", State.MINED, 20).state == State.MINED
    finally:
        stop.set()
        runner.join()


def test_wait_for_a_refused_one_returns() -> None:
    rig = Rig(Simulator(fails=lambda _: True))
    rig.sender.submit("a", call())
    rig.step()
    assert rig.sender.wait("a", State.FINAL, 0).state == State.REFUSED


def test_submit_from_many_threads_gives_every_call_one_nonce() -> None:
    rig = Rig(config=SenderConfig(most_in_flight=100))
    stop = threading.Event()
    runner = threading.Thread(target=rig.sender.run, args=(stop, 0.001))
    callers = [
        threading.Thread(
            target=lambda start=start: [rig.sender.submit(f"{n}", call(n)) for n in range(start, start + 8)]
        )
        for start in (0, 4, 8, 12)
    ]
    runner.start()
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    stop.set()
    runner.join()
    rig.step(blocks=1)
    assert sorted(rig.landed()) == [call(number).data for number in range(20)]
