"""What is promised at submission: the place, the money that can be spent at once, durability before the answer."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from node_rig import ALICE, BOB, CAROL, DOMAIN, ETHER, NOW, OPERATOR, WEEK, Rig, User, as_plain, deposits, user

from rollup.core import Batch, Deposit, Order, Swap, Transfer, TransferToAddress, Withdraw, linked
from rollup.core.errors import (
    BalanceTooLowError,
    FieldRuleError,
    NonceMismatchError,
    OutsideValidityError,
    SignatureInvalidError,
)
from rollup.core.operations import NO_KEY
from rollup.core.receipt import Receipt, operation_hash
from rollup.l1.client import Queued
from rollup.l1.costs import load_of_streams, one_call_gas
from rollup.node.entries import Entry
from rollup.node.errors import (
    BacklogError,
    DatabaseDamaged,
    DatabaseUnusable,
    FeeTooLowError,
    JournalUnusable,
    NoFeeAccountError,
    OperationTooLargeError,
    StorageError,
)
from rollup.node.policy import Policy


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    made = Rig(tmp_path, f"sqlite:///{tmp_path / 'node.db'}")
    made.deposit(OPERATOR, ALICE, BOB)
    return made


def withdraw(who: User, nonce: int, fee: int = 1, **changes: Any) -> Withdraw:
    return who.key.sign(Withdraw(who.account_id, 0xDD, 0, 10, fee, nonce, **changes), DOMAIN)


def test_submit_receipt_says_where_and_is_kept(rig: Rig) -> None:
    first, second = rig.promised(ALICE.pay(BOB, 0), withdraw(BOB, 0))
    assert (first.block_number, first.chunk_position, first.word_position) == (1, 3, 12)
    assert (second.chunk_position, second.word_position, len(second.record)) == (4, 12, 64)
    assert first.operation_hash == operation_hash(ALICE.pay(BOB, 0), DOMAIN)
    assert (first.recipient, second.recipient) == (BOB.address, 0xDD)
    assert (first.issued_at, first.commit_by) == (NOW, NOW + 86_400)
    rig.finish()
    rig.check()


def test_submit_received_money_is_spent_in_the_same_block(rig: Rig) -> None:
    rig.promised(ALICE.pay(BOB, 0, 9 * ETHER // 10), BOB.pay(ALICE, 0, 18 * ETHER // 10))
    rig.finish()
    rig.check()
    assert len(rig.chain.blocks) == 2


def test_submit_same_operation_again_gives_the_same_receipt(rig: Rig) -> None:
    payment = ALICE.pay(BOB, 0)
    (first,) = rig.promised(payment)
    twice, again = rig.promised(ALICE.pay(BOB, 1), payment)
    assert again == first
    assert rig.promised(ALICE.pay(BOB, 1), ALICE.pay(BOB, 1)) == [twice, twice]
    assert rig.database.count_operations() == 5
    rig.node.sequencer.close()
    rig.clock.now += 50
    assert rig.promised(payment) == [first]
    assert rig.node.sequencer.receipts(first.operation_hash) == [first]


def test_submit_other_operation_of_a_used_nonce_is_refused(rig: Rig) -> None:
    rig.promised(ALICE.pay(BOB, 0))
    (refused,) = rig.submit(ALICE.pay(BOB, 0, 101))
    assert isinstance(refused, NonceMismatchError)


def test_submit_refused_ones_leave_the_others(rig: Rig) -> None:
    forged = replace(ALICE.pay(BOB, 1), amount=99)
    outcomes = rig.submit(
        ALICE.pay(BOB, 0),
        forged,
        ALICE.pay(BOB, 1, 9 * ETHER),
        BOB.pay(ALICE, 0, valid_until=NOW - 1),
        BOB.pay(ALICE, 0),
    )
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [Receipt, SignatureInvalidError, BalanceTooLowError, OutsideValidityError, Receipt]
    rig.finish()
    rig.check()


def test_submit_after_a_key_change_in_the_batch_the_old_key_signs_nothing(rig: Rig) -> None:
    """The signatures of a batch are checked before it begins, by the keys of then."""
    rig.deposit(user(3))
    state = rig.node.sequencer.ledger.state
    sequencer = rig.node.sequencer
    sequencer._begin([CAROL.pay(BOB, 0)])
    account = state.account(CAROL.account_id)
    assert (account.key, CAROL.pay(BOB, 0).message_hash(DOMAIN)) in {claim[:2] for claim in sequencer._verified}
    state._accounts[CAROL.account_id] = replace(account, key=BOB.key.public_key)
    assert isinstance(sequencer._try(CAROL.pay(BOB, 0), None, NO_KEY), SignatureInvalidError)


def test_submit_plain_after_a_key_change_in_the_batch_the_old_key_signs_nothing(rig: Rig) -> None:
    rig.deposit(user(3))
    state, sequencer = rig.node.sequencer.ledger.state, rig.node.sequencer
    sequencer._begin([])
    ((plain, prepared, key),) = sequencer._prepared([as_plain(CAROL.pay(BOB, 0))])
    assert prepared is not None
    account = state.account(CAROL.account_id)
    state._accounts[CAROL.account_id] = replace(account, key=BOB.key.public_key)
    assert isinstance(sequencer._try(plain, prepared, key), SignatureInvalidError)
    state._accounts[CAROL.account_id] = account
    assert isinstance(sequencer._try(plain, prepared, key), Entry)


def test_submit_order_alone_is_refused(rig: Rig) -> None:
    order = ALICE.key.sign(Order(ALICE.account_id, 2048, 1, 0, 1, 10, 10, 0), DOMAIN)
    (refused,) = rig.submit(order)
    assert isinstance(refused, FieldRuleError)


def test_submit_swap_twice_are_two(rig: Rig) -> None:
    rig.chain.entries.append(Queued(3, Deposit(0, 1, ETHER, BOB.address, BOB.key.public_key, True), NOW + WEEK))
    rig.node.look()
    maker = ALICE.key.sign(Order(ALICE.account_id, 2048, 1, 0, 1, 100, 100, 0), DOMAIN)
    taker = BOB.key.sign(Order(BOB.account_id, 2048, 1, 1, 0, 100, 100, 0), DOMAIN)
    first, second = rig.promised(Swap(maker, taker, 40, 40), Swap(maker, taker, 40, 40))
    assert first.operation_hash == second.operation_hash
    assert len(first.chunks) == 45
    assert rig.node.sequencer.receipts(first.operation_hash) == [first, second]
    # A third that pays too little was not taken: no receipt of the others stands for it.
    rig.node.sequencer._policy = Policy(least_fees={0: 1})
    (refused,) = rig.submit(Swap(maker, taker, 10, 10))
    assert isinstance(refused, FeeTooLowError)
    rig.finish()
    rig.check()


def test_submit_batch_is_one_promise(rig: Rig) -> None:
    to_new = TransferToAddress(ALICE.account_id, 0, 0xFACE, 0, 5, 0, 0)
    also_new = replace(to_new, to_address=0xBEEF, nonce=1)
    batch = Batch(tuple(ALICE.key.sign(each, DOMAIN) for each in linked([to_new, also_new])))  # type: ignore[arg-type]
    (receipt,) = rig.promised(batch)
    assert len(receipt.chunks) == 90
    assert receipt.recipient == 0
    found = [rig.node.sequencer.ledger.state.find(address) for address in (0xFACE, 0xBEEF)]
    assert found == [(3,), (4,)]
    rig.restart()
    rig.finish()
    rig.check()


def test_submit_refused_payment_to_a_new_address_takes_no_account(rig: Rig) -> None:
    """Or anybody could use up the tree with payments that are worth nothing."""
    for nonce in range(3):
        bad = TransferToAddress(ALICE.account_id, 0, 0xFACE + nonce, 0, 5, 0, nonce + 7)
        assert isinstance(rig.submit(ALICE.key.sign(bad, DOMAIN))[0], NonceMismatchError)
    good = TransferToAddress(ALICE.account_id, 0, 0xBEEF, 0, 5, 0, 0)
    rig.promised(ALICE.key.sign(good, DOMAIN))
    assert rig.node.sequencer.ledger.state.find(0xBEEF) == (3,)


def test_submit_before_the_validator_has_an_account_is_refused(tmp_path: Path) -> None:
    rig = Rig(tmp_path, f"sqlite:///{tmp_path / 'node.db'}")
    rig.deposit(ALICE)
    (refused,) = rig.submit(replace(ALICE.pay(BOB, 0), from_id=0))
    assert isinstance(refused, NoFeeAccountError)
    rig.deposit(OPERATOR)
    rig.finish()
    assert len(rig.chain.blocks) == 2


def test_submit_larger_than_any_block_is_refused(rig: Rig) -> None:
    operations = linked([ALICE.pay(BOB, nonce) for nonce in range(9)])
    (refused,) = rig.submit(Batch(tuple(ALICE.key.sign(each, DOMAIN) for each in operations)))
    assert isinstance(refused, OperationTooLargeError)


# Closing


def test_close_by_count_fills_blocks_and_picks_the_smallest_size(rig: Rig) -> None:
    receipts = rig.promised(*(ALICE.pay(BOB, nonce) for nonce in range(15)))
    assert [receipt.block_number for receipt in receipts] == [1] * 5 + [2] * 8 + [3] * 2
    rig.finish()
    assert [block.block_size for block in rig.chain.blocks[1:]] == [8, 8, 4]
    rig.check()


def test_close_several_steps_are_never_split(rig: Rig) -> None:
    rig.promised(*(ALICE.pay(BOB, nonce) for nonce in range(3)))
    batch = linked([BOB.pay(ALICE, nonce) for nonce in range(3)])
    (receipt,) = rig.promised(Batch(tuple(BOB.key.sign(each, DOMAIN) for each in batch)))
    assert (receipt.block_number, receipt.chunk_position) == (2, 0)
    (after,) = rig.promised(ALICE.pay(BOB, 3))
    assert (after.block_number, after.chunk_position) == (2, 3)
    rig.finish()
    rig.check()


def test_close_by_age(rig: Rig) -> None:
    """60 s, less for the three entries of the queue in it: 60 / (1 + 3 / 32)."""
    rig.clock.now += 54
    assert not rig.node.sequencer.close_if_due()
    rig.clock.now += 1
    assert rig.node.sequencer.close_if_due()
    rig.finish()
    rig.check()


def test_close_idle_makes_no_block(rig: Rig) -> None:
    rig.finish()
    sent = list(rig.chain.sent)
    for _ in range(3):
        rig.clock.now += 10_000
        rig.node.look()
        rig.node.sequencer.close_if_due()
        assert not rig.node.sequencer.close()
        rig.land()
    assert rig.chain.sent == sent
    assert len(rig.database.blocks()) == 1


@pytest.mark.parametrize(
    ("policy", "blocks"),
    [
        (Policy(max_steps=4), [1, 2, 2, 2, 2, 3]),
        (Policy(max_l1_gas=one_call_gas(load_of_streams(4, 12, 3))), [1, 2, 2, 2, 2, 2]),
        (Policy(queue_margin_seconds=WEEK), [4, 4, 4, 4, 4, 4]),
    ],
    ids=["count", "gas", "queue"],
)
def test_close_by_policy(tmp_path: Path, policy: Policy, blocks: list[int]) -> None:
    rig = Rig(tmp_path, f"sqlite:///{tmp_path / 'node.db'}", policy)
    rig.chain.entries = deposits(OPERATOR, ALICE, BOB)
    if policy.queue_margin_seconds == WEEK:
        rig.clock.now += 1
    rig.node.look()
    receipts = rig.promised(*(ALICE.pay(BOB, nonce) for nonce in range(6)))
    found = [receipt.block_number for receipt in receipts]
    # By gas: the block with the deposits is full with the first payment, the next has payments alone.
    assert found == blocks
    rig.finish()
    rig.check()


def test_close_by_a_withdrawal_that_pays_for_it(tmp_path: Path) -> None:
    rig = Rig(tmp_path, f"sqlite:///{tmp_path / 'node.db'}", Policy(fast_fees={0: 1000}))
    rig.deposit(OPERATOR, ALICE, BOB)
    receipts = rig.promised(withdraw(ALICE, 0, 999), withdraw(ALICE, 1, 1000), withdraw(ALICE, 2, 1))
    assert [receipt.block_number for receipt in receipts] == [1, 1, 2]


@pytest.mark.parametrize("is_plain", [True, False])
def test_submit_of_what_pays_too_little_is_refused_and_takes_nothing(tmp_path: Path, is_plain: bool) -> None:
    rig = Rig(tmp_path, f"sqlite:///{tmp_path / 'node.db'}", Policy(least_fees={0: 1000}))
    rig.deposit(OPERATOR, ALICE, BOB)

    def paying(fee: int) -> Any:
        return as_plain(ALICE.pay(BOB, 0, fee=fee)) if is_plain else withdraw(ALICE, 0, fee)

    (low,) = rig.submit(paying(999))
    assert isinstance(low, FeeTooLowError)
    assert low.values == {"steps": 1, "paid_steps": "0.999", "least": "1000 of token 0"}
    (high,) = rig.promised(paying(1000))
    # Who asks again for what was taken gets it, whatever is asked by then.
    rig.node.sequencer._policy = Policy(least_fees={0: 10**6})
    assert rig.promised(paying(1000)) == [high]
    rig.finish()
    rig.check()


def test_fee_refusal_counts_every_step_and_adds_tokens_up() -> None:
    policy = Policy(least_fees={0: 10, 1: 4})
    pays = [Transfer(0, 1, 2, token, 5, fee, 0) for token, fee in ((0, 5), (1, 4), (0, 15), (2, 99))]
    assert [policy.fee_refusal(each) is None for each in pays] == [False, True, True, False]
    refused = policy.fee_refusal(Batch(linked([pays[0], pays[1]])))
    assert refused is not None
    assert refused.values == {"steps": 2, "paid_steps": "1.5", "least": "10 of token 0 or 4 of token 1"}
    assert policy.fee_refusal(Batch(linked([pays[0], pays[2]]))) is None
    orders = Order(0, 0, 1, 0, 1, 100, 100, 9), Order(1, 0, 1, 1, 0, 100, 100, 9)
    assert policy.fee_refusal(Swap(*orders, 5, 5, 15, 6)) is None
    assert policy.fee_refusal(Swap(*orders, 5, 5, 15, 5)) is not None


def test_close_timestamp_is_fixed_when_the_block_is_opened(rig: Rig) -> None:
    rig.clock.now += 40
    (receipt,) = rig.promised(ALICE.pay(BOB, 0))
    assert (receipt.issued_at, receipt.commit_by) == (NOW + 40, NOW + 86_400)
    rig.finish()
    assert rig.chain.blocks[1].timestamp == NOW


def test_open_clock_set_back_never_sets_a_block_before_its_parent(rig: Rig) -> None:
    rig.node.sequencer.close()
    rig.clock.now -= 1000
    rig.promised(ALICE.pay(BOB, 0))
    rig.finish()
    assert [block.timestamp for block in rig.chain.blocks[1:]] == [NOW, NOW]
    rig.check()


# The queue


def test_queue_deposit_that_cannot_be_credited_is_refused_and_holds_nobody_up(rig: Rig) -> None:
    most = (1 << 128) - 1
    rig.chain.entries.append(Queued(3, Deposit(0, 0, most, ALICE.address, ALICE.key.public_key, True), NOW + WEEK))
    rig.deposit(CAROL)
    rig.finish()
    rig.check()
    state = rig.chain.state()
    assert state.balance(ALICE.account_id, 0) == ETHER
    assert state.balance(CAROL.account_id, 0) == ETHER
    assert rig.chain.blocks[1].queue_end == 5


def test_queue_is_taken_once_whoever_looks(rig: Rig) -> None:
    rig.node.look()
    rig.node.sequencer.take_queue(rig.chain.entries)
    assert rig.node.sequencer.queue_end == 3
    assert rig.database.count_operations() == 3


# Admission


def test_submit_with_too_many_blocks_waiting_is_refused_until_they_land(tmp_path: Path) -> None:
    rig = Rig(tmp_path, f"sqlite:///{tmp_path / 'node.db'}", Policy(max_backlog=2))
    rig.deposit(OPERATOR, ALICE, BOB)
    taken = rig.promised(*(ALICE.pay(BOB, nonce) for nonce in range(14)))
    (refused,) = rig.submit(ALICE.pay(BOB, 14))
    assert isinstance(refused, BacklogError)
    assert refused.blocks == 2
    rig.prove()
    rig.land()
    rig.promised(ALICE.pay(BOB, 14))
    rig.finish()
    rig.check()
    assert len(taken) == 14


def test_submit_after_a_restart_what_is_proven_and_not_landed_still_counts(tmp_path: Path) -> None:
    rig = Rig(tmp_path, f"sqlite:///{tmp_path / 'node.db'}", Policy(max_backlog=2))
    rig.deposit(OPERATOR, ALICE, BOB)
    rig.promised(*(ALICE.pay(BOB, nonce) for nonce in range(13)))
    rig.prove()
    rig.restart()
    assert isinstance(rig.submit(ALICE.pay(BOB, 13))[0], BacklogError)
    rig.land()
    rig.promised(ALICE.pay(BOB, 13))


def test_submit_while_a_promise_is_in_danger_is_refused(rig: Rig) -> None:
    rig.promised(ALICE.pay(BOB, 0))
    rig.node.sequencer.close()
    rig.clock.now += 86_400 - 4 * 3_600 - 300
    rig.promised(ALICE.pay(BOB, 1))
    rig.clock.now += 1
    (refused,) = rig.submit(ALICE.pay(BOB, 2))
    assert isinstance(refused, BacklogError)
    assert "number 1 of them would be on L1" in refused.message
    rig.finish()
    rig.promised(ALICE.pay(BOB, 2))


def test_submit_while_proving_is_slow_is_refused(rig: Rig) -> None:
    rig.node.sequencer.close()
    rig.node.pipeline.mean_seconds = (86_400 - 4 * 3_600) / 2 + 1
    assert isinstance(rig.submit(ALICE.pay(BOB, 0))[0], BacklogError)


# Storage


def failing(error: Exception) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise error

    return fail


def test_submit_database_gone_promises_nothing_and_goes_on_when_it_is_back(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.promised(ALICE.pay(BOB, 0))
    before = rig.node.sequencer.ledger.state.copy()
    with monkeypatch.context() as patch:
        patch.setattr(rig.database, "accept", failing(DatabaseUnusable("x", "disk full")))
        outcomes = rig.submit(ALICE.pay(BOB, 1), ALICE.pay(BOB, 5), *(BOB.pay(ALICE, nonce) for nonce in range(9)))
    assert [type(outcome) for outcome in outcomes] == [StorageError, NonceMismatchError, *[StorageError] * 9]
    assert dict(rig.node.sequencer.ledger.state.accounts()) == dict(before.accounts())
    (receipt,) = rig.promised(ALICE.pay(BOB, 1))
    assert (receipt.block_number, receipt.chunk_position) == (1, 4)
    rig.finish()
    rig.check()


@pytest.mark.parametrize("closes", [False, True])
def test_database_that_said_no_and_did_it_stops_the_node(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, closes: bool
) -> None:
    accept = rig.database.accept

    def lost_answer(*args: Any) -> None:
        accept(*args)
        raise DatabaseUnusable("x", "connection lost")

    with monkeypatch.context() as patch:
        patch.setattr(rig.database, "accept", lost_answer)
        if closes:
            rig.node.sequencer.close()
        else:
            assert isinstance(rig.submit(ALICE.pay(BOB, 0))[0], StorageError)
    with pytest.raises(DatabaseDamaged, match="start the node again"):
        rig.submit(ALICE.pay(BOB, 0))
    rig.restart()
    (receipt,) = rig.promised(ALICE.pay(BOB, 0))
    assert (receipt.block_number, receipt.chunk_position) == ((2, 0) if closes else (1, 3))
    rig.finish()
    rig.check()


def test_submit_journal_full_promises_nothing_and_repeats_when_there_is_room(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = ALICE.pay(BOB, 0)
    with monkeypatch.context() as patch:
        patch.setattr("rollup.node.journal.os.write", failing(OSError(28, "No space left on device")))
        for _ in range(2):
            (refused,) = rig.submit(payment)
            assert isinstance(refused, StorageError)
            assert "No space left" in refused.message
    (receipt,) = rig.promised(payment)
    assert rig.promised(payment) == [receipt]
    (copy,) = rig.journal.blocks(1)
    assert [entry.hash for entry in copy.entries][3:] == [receipt.operation_hash]
    rig.finish()
    rig.check()


def test_submit_answer_comes_after_database_and_journal_have_it(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    for owner, name in ((rig.database, "accept"), (rig.journal, "append"), (rig.node.sequencer._signer, "sign")):
        original = getattr(owner, name)

        def noted(*args: Any, name: str = name, original: Callable[..., Any] = original) -> Any:
            result = original(*args)
            order.append(name)
            return result

        monkeypatch.setattr(owner, name, noted)
    rig.promised(ALICE.pay(BOB, 0))
    assert order == ["accept", "append", "sign"]
    assert JournalUnusable.code == "journal_unusable"
