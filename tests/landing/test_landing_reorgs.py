"""L1 takes blocks back, something else uses the key, the key changes: nothing lands twice, nothing is lost."""

from pathlib import Path
from typing import Any

import pytest
from landing_rig import OTHER, SENDER, SIGNER, Rig, call, foreign

from bench.l1_simulator import GWEI, Simulator
from rollup.l1.rpc import RpcError
from rollup.landing.config import SenderConfig
from rollup.landing.errors import FinalTakenBack
from rollup.landing.model import Kind, Outcome, State
from rollup.landing.signing import Fees

HIGH = Fees(100 * GWEI, 20 * GWEI)


@pytest.mark.parametrize("depth", [1, 7, 63])
@pytest.mark.parametrize("keep", [True, False])
def test_reorganised_transactions_land_again_with_the_same_nonces(depth: int, keep: bool) -> None:
    rig = Rig()
    rig.l1.mine(3)
    rig.step()
    for number in range(3):
        rig.sender.submit(f"{number}", call(number))
    rig.step(blocks=1)
    rig.step(blocks=depth - 1)
    before = [rig.sender.status(f"{number}") for number in range(3)]
    rig.l1.reorganise(depth, keep)
    rig.l1.mine(depth + 1, without=[each.hash for each in rig.l1.mempool.values()])
    assert rig.landed() == []
    rig.step()
    assert {rig.state(f"{number}") for number in range(3)} == {State.PENDING}
    rig.step(blocks=1)
    after = [rig.sender.status(f"{number}") for number in range(3)]
    assert {action.state for action in after} == {State.MINED}
    assert [action.nonce for action in after] == [action.nonce for action in before] == [0, 1, 2]
    assert rig.landed() == [call(number).data for number in range(3)]
    assert rig.told("1") == [Kind.QUEUED, Kind.SENT, Kind.MINED, Kind.TAKEN_BACK, Kind.MINED]


def test_reorganised_into_another_block_is_told() -> None:
    rig = Rig()
    rig.sender.submit("a", call())
    rig.step(blocks=2)
    old = rig.sender.status("a").place
    rig.l1.reorganise(2)
    rig.l1.mine(3)
    rig.step()
    new = rig.sender.status("a").place
    assert old is not None
    assert new is not None
    assert old.l1_hash != new.l1_hash
    lost, found = rig.sender.events()[-2:]
    assert (lost.kind, lost.values["l1_hash"]) == (Kind.TAKEN_BACK, old.l1_hash)
    assert (found.kind, found.values["l1_hash"]) == (Kind.MINED, new.l1_hash)


def test_chain_that_is_shorter_for_a_while_changes_nothing() -> None:
    rig = Rig()
    rig.sender.submit("a", call())
    rig.step(blocks=3)
    rig.l1.reorganise(3)
    rig.step()
    assert rig.state("a") == State.MINED
    rig.l1.mine(4)
    rig.step()
    assert rig.state("a") == State.MINED
    assert rig.landed() == [call().data]


def test_failed_call_that_is_reorganised_may_succeed() -> None:
    rig = Rig()
    rig.sender.submit("a", call(gas_limit=30_000))
    rig.step()
    rig.l1.fails = lambda _: True
    rig.step(blocks=1)
    rig.l1.fails = lambda _: False
    rig.l1.reorganise(1)
    rig.step(blocks=2)
    action = rig.sender.status("a")
    assert action.place is not None
    assert (action.place.outcome, action.reason) == (Outcome.SUCCEEDED, {})


def test_chain_without_what_was_final_is_told_and_not_believed() -> None:
    rig = Rig()
    rig.l1.mine()
    rig.sender.submit("a", call(1))
    rig.step(blocks=66)
    assert rig.state("a") == State.FINAL
    rig.sender.submit("b", call(2))
    rig.step()
    rig.l1.reorganise(67, keep=False)
    rig.l1.mine(70)
    rig.time.now += 100
    assert not rig.sender.step()
    error = rig.notices()["final_taken_back"]
    assert isinstance(error, FinalTakenBack)
    assert error.values == {"address": SIGNER.address, "final_nonce": 0, "url": "simulator", "count": 0}
    assert rig.state("b") == State.PENDING


# Something else uses the key


def test_foreign_transaction_at_our_nonce_is_named_and_ours_gets_another_when_it_is_final() -> None:
    rig = Rig()
    rig.sender.submit("a", call(1))
    rig.sender.submit("b", call(2))
    rig.step()
    name = foreign(rig.l1, 0, HIGH)
    rig.step(blocks=1)
    action = rig.sender.status("a")
    assert action.place is not None
    assert (action.state, action.place.outcome, action.place.transaction) == (State.MINED, Outcome.DISPLACED, name)
    assert rig.notices()["foreign_transaction"].values == {"address": SIGNER.address, "nonce": 0, "transaction": name}
    assert rig.landed() == [b"foreign", call(2).data]
    rig.step(blocks=63)
    assert rig.sender.status("a").nonce == 0
    rig.step(blocks=2)
    action = rig.sender.status("a")
    assert (action.state, action.nonce) == (State.MINED, 2)
    assert rig.landed() == [b"foreign", call(2).data, call(1).data]
    assert Kind.REQUEUED in rig.told("a")


def test_foreign_transaction_that_is_reorganised_away_leaves_ours_its_nonce() -> None:
    rig = Rig()
    rig.sender.submit("a", call(1))
    rig.step()
    foreign(rig.l1, 0, HIGH)
    rig.step(blocks=5)
    rig.l1.reorganise(5, keep=False)
    rig.l1.mine(6)
    rig.step(blocks=1)
    action = rig.sender.status("a")
    assert (action.state, action.nonce) == (State.MINED, 0)
    assert rig.landed() == [call(1).data]
    assert "foreign_transaction" not in rig.notices()


def test_foreign_transactions_between_ours_are_named_and_no_gap_is_left() -> None:
    rig = Rig()
    rig.sender.submit("a", call(1))
    rig.step(blocks=1)
    first = foreign(rig.l1, 1, HIGH)
    foreign(rig.l1, 2, HIGH)
    rig.step(blocks=3)
    rig.sender.submit("b", call(2))
    rig.step()
    named = [event.values["values"] for event in rig.sender.events() if event.kind == Kind.NOTICE]
    assert named == [{"address": SIGNER.address, "nonce": 1, "transaction": first}]
    rig.step(blocks=1)
    assert rig.landed() == [call(1).data, b"foreign", b"foreign", call(2).data]


def test_foreign_transaction_that_waits_goes_first() -> None:
    rig = Rig()
    name = foreign(rig.l1, 0, HIGH)
    rig.sender.submit("a", call(1))
    rig.step()
    assert rig.state("a") == State.QUEUED
    assert rig.notices()["foreign_transaction"].values == {"address": SIGNER.address, "nonce": 0, "transaction": name}
    rig.step(blocks=2)
    assert rig.landed() == [b"foreign", call(1).data]
    assert rig.sender.status("a").nonce == 1


def test_foreign_transaction_that_is_stuck_is_outbid_after_a_while() -> None:
    """As after the loss of a journal: what it had in flight must not hold up everything."""
    rig = Rig(config=SenderConfig(foreign_patience_blocks=4))
    foreign(rig.l1, 0, Fees(GWEI // 2, GWEI // 4))
    rig.sender.submit("a", call(1))
    rig.step(blocks=3)
    assert rig.state("a") == State.QUEUED
    for _ in range(3):
        rig.l1.next_base_fee = GWEI
        rig.step(blocks=1)
    assert rig.landed() == [call(1).data]


def test_foreign_transaction_of_a_node_that_forgot_is_told_without_a_name() -> None:
    rig = Rig(nodes=[Forgetful(l1 := Simulator())], l1=l1)
    l1.mine(5)
    rig.sender.submit("a", call(1))
    rig.step()
    foreign(l1, 0, HIGH)
    rig.step(blocks=1)
    assert rig.notices()["foreign_transaction"].values["transaction"] == ""
    assert "a transaction that no node names" in rig.notices()["foreign_transaction"].message
    rig.step(blocks=66)
    assert rig.landed() == [b"foreign", call(1).data]


class Forgetful:
    """Knows the state of its latest block alone."""

    name = "forgetful"

    def __init__(self, l1: Simulator) -> None:
        self._l1 = l1

    def __call__(self, method: str, *params: Any) -> Any:
        if method == "eth_getTransactionCount" and params[1] not in ("pending", hex(self._l1.head.number)):
            raise RpcError(method, "missing trie node", None, -32000)
        return self._l1(method, *params)


def test_two_senders_of_one_key_lose_nothing() -> None:
    """A nonce race: two journals, one key. Each names the other, and all calls land, once."""
    one, two = Rig(), Rig()
    two.l1 = one.l1
    two.nodes = (one.l1,)
    two._begin(SIGNER, ())
    for number in range(4):
        one.sender.submit(f"{number}", call(number))
        two.sender.submit(f"{number}", call(100 + number))
    for _ in range(160):
        one.step()
        two.step()
        one.l1.mine()
    wanted = [call(number).data for number in (*range(4), *range(100, 104))]
    assert sorted(one.landed()) == wanted
    told = [event.values["code"] for rig in (one, two) for event in rig.sender.events() if event.kind == Kind.NOTICE]
    assert "foreign_transaction" in told


# The key changes


def test_new_key_takes_over_and_what_the_old_one_sent_lands(tmp_path: Path) -> None:
    rig = Rig(path=tmp_path / "journal.db")
    rig.sender.submit("a", call(1))
    rig.step()
    rig.restart(signer=OTHER)
    rig.sender.submit("b", call(2))
    rig.step(blocks=1)
    first, second = rig.sender.status("a"), rig.sender.status("b")
    assert (first.address, first.nonce, first.state) == (SIGNER.address, 0, State.MINED)
    assert (second.address, second.nonce, second.state) == (OTHER.address, 0, State.MINED)


def test_stuck_transaction_of_an_old_key_is_told_and_replaced_when_the_key_is_there(tmp_path: Path) -> None:
    rig = Rig(path=tmp_path / "journal.db")
    rig.sender.submit("a", call(1))
    rig.step()
    rig.restart(signer=OTHER)
    rig.l1.next_base_fee = 20 * GWEI
    rig.step(blocks=1)
    error = rig.notices()["key_missing"]
    assert error.values == {"key": "a", "address": SIGNER.address, "nonce": 0}
    assert "add the key as a retired one" in error.message
    rig.restart(signer=OTHER, retired=[SIGNER])
    rig.step(blocks=1)
    assert (rig.state("a"), len(rig.sender.status("a").attempts)) == (State.MINED, 2)
    assert [each.sender for each in rig.l1.landed()] == [SENDER]
