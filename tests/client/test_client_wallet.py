"""A wallet against a real node over a real socket: what is signed, promised, kept; nonces, fees, lost answers."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from client_rig import ANNA, BEN, CLEO, DAI, ETHER, NEWCOMER, Lost, Told, Town

from rollup.client import Confirmed, Payment
from rollup.client.errors import (
    AccountUnknown,
    FeeAboveMaximum,
    KeyNotOurs,
    NonceTaken,
    OrderUnfit,
    OutstandingOperation,
    Refused,
    SentBefore,
    SubmissionUnknown,
    TokenUnknown,
)
from rollup.client.records import Records
from rollup.core.errors import AddressTextError, AmountNotRepresentableError
from rollup.core.operations import Swap, Transfer, TransferToAddress, Withdraw
from rollup.core.receipt import Receipt
from rollup.wallet.tokens import AmountTextError

CENT = ETHER // 100


def test_transfer_is_confirmed_with_a_checked_receipt_that_is_on_the_disk(town: Town) -> None:
    wallet = town.wallet(ANNA, "anna")
    confirmed = wallet.transfer(BEN.address, "0.01", fee=0)
    assert isinstance(confirmed.operation, Transfer)
    assert (confirmed.status, confirmed.is_final) == ("confirmed", False)
    assert town.balance(BEN) == ETHER + CENT
    (kept,) = Records(town.folder / "anna").all()
    assert (kept.hash, kept.operation, kept.receipt) == (confirmed.hash, confirmed.operation, confirmed.receipt)
    assert (town.folder / "anna" / "receipts.jsonl").stat().st_mode & 0o777 == 0o600


def test_transfer_to_an_address_without_account_makes_one(town: Town) -> None:
    confirmed = town.wallet(ANNA).transfer(NEWCOMER.address, CENT, fee=0)
    assert isinstance(confirmed.operation, TransferToAddress)
    assert town.balance(NEWCOMER) == CENT


def test_transfer_to_an_id_is_bound_to_its_address(town: Town) -> None:
    ben = town.client().accounts(BEN.address)[0].account_id
    confirmed = town.wallet(ANNA).transfer(ben, CENT, fee=0)
    assert confirmed.operation.to_address == int(BEN.address, 16)  # type: ignore[union-attr]


def test_state_shows_confirmed_and_final_apart(town: Town) -> None:
    wallet = town.wallet(ANNA)
    wallet.transfer(BEN.address, CENT, fee=0)
    state = wallet.state()
    assert state.confirmed.balances["ETH"] == ETHER - CENT
    assert state.final.balances.get("ETH", 0) in (0, ETHER)
    assert state.confirmed.nonce == 1


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((BEN.address[:-1] + ("0" if BEN.address[-1] != "0" else "1"), "0.01"), AddressTextError),
        ((BEN.address, "0.0100000000000000000001"), AmountTextError),
        ((BEN.address, 34_359_738_369), AmountNotRepresentableError),
        ((BEN.address, "1", "BTC"), TokenUnknown),
    ],
)
def test_transfer_of_what_is_mistyped_is_refused_and_nothing_signed(
    town: Town, arguments: tuple[Any, ...], error: type[Exception]
) -> None:
    wallet = town.wallet(ANNA, "anna")
    with pytest.raises(error):
        wallet.transfer(*arguments, fee=0)
    assert wallet.records.all() == []


def test_fee_above_the_maximum_is_refused_and_nothing_signed(town: Town) -> None:
    wallet = town.wallet(ANNA, "anna")
    with pytest.raises(FeeAboveMaximum) as caught:
        wallet.transfer(BEN.address, CENT, fee=1000, max_fee=999)
    assert (caught.value.fee, caught.value.most) == (1000, 999)
    assert wallet.records.all() == []


def test_wallet_of_nobody_is_told_to_deposit(town: Town) -> None:
    with pytest.raises(AccountUnknown) as caught:
        town.wallet(NEWCOMER).transfer(BEN.address, CENT, fee=0)
    assert caught.value.address == NEWCOMER.address


def test_wallet_with_another_key_than_the_accounts_signs_nothing(town: Town) -> None:
    with pytest.raises(KeyNotOurs):
        town.wallet(ANNA, key_index=3).transfer(BEN.address, CENT, fee=0)


def test_change_key_is_authorised_by_the_owner_and_the_new_key_signs(town: Town) -> None:
    wallet = town.wallet(ANNA)
    wallet.change_key(2, fee=0)
    assert town.client().accounts(ANNA.address)[0].key == ANNA.key(2).public_key
    wallet.transfer(BEN.address, CENT, fee=0)
    assert town.wallet(ANNA).transfer(BEN.address, CENT, fee=0).operation.nonce == 2  # type: ignore[union-attr]


def test_withdraw_names_the_owner_or_another_address(town: Town) -> None:
    wallet = town.wallet(ANNA)
    for to, expected in ((None, ANNA.address), (BEN.address, BEN.address)):
        operation = wallet.withdraw(CENT, to=to, fee=0).operation
        assert isinstance(operation, Withdraw)
        assert operation.address == int(expected, 16)


def test_offer_taken_by_another_swaps_both_or_nothing(town: Town) -> None:
    order = town.wallet(ANNA, "anna").offer("0.5", "ETH", "0.25", "DAI")
    confirmed = town.wallet(BEN, "ben").take(order, fee=0)
    assert isinstance(confirmed.operation, Swap)
    assert (town.balance(ANNA), town.balance(BEN)) == (ETHER // 2, ETHER * 3 // 2)
    assert (town.balance(ANNA, DAI), town.balance(BEN, DAI)) == (ETHER * 5 // 4, ETHER * 3 // 4)


def test_offers_stand_in_slots_of_their_own_across_processes(town: Town) -> None:
    first = town.wallet(ANNA, "anna").offer("0.1", "ETH", "0.1", "DAI")
    second = town.wallet(ANNA, "anna").offer("0.1", "ETH", "0.1", "DAI")
    assert first.slot != second.slot


def test_cancel_at_once_ends_an_order_made_in_the_same_second(town: Town) -> None:
    order = town.wallet(ANNA, "anna").offer("0.5", "ETH", "0.25", "DAI")
    town.wallet(ANNA, "anna").cancel_orders(order.slot, fee=0)
    with pytest.raises(Refused) as caught:
        town.wallet(BEN).take(order, fee=0)
    assert caught.value.code == "order_replaced"


def test_take_of_an_order_that_was_changed_is_refused(town: Town) -> None:
    from dataclasses import replace

    order = town.wallet(ANNA).offer("0.5", "ETH", "0.25", "DAI")
    for changed in (
        replace(order, sell_amount=order.sell_amount * 2),
        replace(order, signature=None),
        replace(order, valid_until=1),
        replace(order, buy_token=7),
    ):
        with pytest.raises(OrderUnfit):
            town.wallet(BEN).take(changed, fee=0)
    assert town.balance(BEN) == ETHER


# Several at once


def test_pay_all_confirms_each_and_a_refused_one_holds_up_none(town: Town) -> None:
    wallet = town.wallet(ANNA, "anna")
    payments = [
        Payment(BEN.address, CENT, fee=0),
        Payment(CLEO.address, 2 * ETHER, fee=0),
        Payment(CLEO.address, CENT, fee=0),
    ]
    first, second, third = wallet.pay_all(payments)
    assert isinstance(first, Confirmed)
    assert isinstance(second, Refused)
    assert second.code == "balance_too_low"
    assert isinstance(third, Confirmed)
    assert (town.balance(BEN), town.balance(CLEO)) == (ETHER + CENT, ETHER + CENT)
    assert wallet.state().confirmed.nonce == 3


def test_pay_all_atomic_pays_all_or_none(town: Town) -> None:
    wallet = town.wallet(ANNA)
    (both,) = wallet.pay_all([Payment(BEN.address, CENT, fee=0), Payment(CLEO.address, CENT, fee=0)], atomic=True)
    assert isinstance(both, Confirmed)
    with pytest.raises(Refused):
        wallet.pay_all([Payment(BEN.address, CENT, fee=0), Payment(CLEO.address, 2 * ETHER, fee=0)], atomic=True)
    assert (town.balance(BEN), town.balance(CLEO)) == (ETHER + CENT, ETHER + CENT)
    wallet.transfer(BEN.address, CENT, fee=0)


def test_many_in_flight_with_asyncio_all_arrive_in_their_order(town: Town) -> None:
    async def run() -> list[Confirmed]:
        async with town.async_client() as client:
            wallet = town.async_wallet(client, ANNA)
            await wallet.open()
            return await asyncio.gather(*(wallet.transfer(BEN.address, CENT, fee=0) for _ in range(30)))

    confirmed = asyncio.run(run())
    assert sorted(each.operation.nonce for each in confirmed) == list(range(30))  # type: ignore[union-attr]
    assert town.balance(BEN) == ETHER + 30 * CENT


def test_many_in_flight_in_threads_all_arrive(town: Town) -> None:
    wallet = town.wallet(ANNA)
    done: list[Confirmed] = []
    threads = [
        threading.Thread(target=lambda: done.append(wallet.transfer(BEN.address, CENT, fee=0))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 8
    assert town.balance(BEN) == ETHER + 8 * CENT


def test_one_refused_among_many_in_flight_leaves_no_gap(town: Town) -> None:
    async def run() -> list[Confirmed | BaseException]:
        async with town.async_client() as client:
            wallet = town.async_wallet(client, ANNA)
            await wallet.open()
            amounts = [CENT] * 5 + [2 * ETHER] + [CENT] * 5
            paying = (wallet.transfer(BEN.address, amount, fee=0) for amount in amounts)
            return await asyncio.gather(*paying, return_exceptions=True)

    outcomes = asyncio.run(run())
    refused = [each for each in outcomes if isinstance(each, BaseException)]
    assert [getattr(each, "code", each) for each in refused] == ["balance_too_low"]
    assert town.balance(BEN) == ETHER + 10 * CENT
    # Nothing is left that could still be included: the refused payment's nonce is used.
    assert town.client().accounts(ANNA.address)[0].confirmed.nonce == 11


def test_nonce_used_by_another_device_is_refused_then_the_next_is_taken(town: Town) -> None:
    here, there = town.wallet(ANNA), town.wallet(ANNA)
    here.open()
    there.transfer(BEN.address, CENT, fee=0)
    with pytest.raises(NonceTaken) as caught:
        here.transfer(CLEO.address, CENT, fee=0)
    assert (caught.value.nonce, caught.value.expected) == (0, 1)
    with pytest.raises(OutstandingOperation):
        here.transfer(CLEO.address, CENT, fee=0)
    assert town.balance(CLEO) == ETHER
    town.wallet(ANNA, despite_outstanding=True).transfer(CLEO.address, CENT, fee=0)


# Lost answers


def lose_answers(town: Town, count: int, path: str = "/v1/transactions") -> None:
    """The node does what it is asked, and the first answers of it get lost."""
    left = [count]

    def lie(told: Told) -> Told | Exception:
        if told.method == "POST" and told.path == path and left[0]:
            left[0] -= 1
            return Lost()
        return told

    town.liar.lie = lie


def test_lost_answer_is_asked_for_again_and_paid_once(town: Town) -> None:
    lose_answers(town, 2)
    wallet = town.wallet(ANNA)
    confirmed = wallet.transfer(BEN.address, CENT, fee=0)
    assert town.balance(BEN) == ETHER + CENT
    assert isinstance(confirmed.receipt, Receipt)
    assert wallet.transfer(BEN.address, CENT, fee=0).operation.nonce == 1  # type: ignore[union-attr]


def test_lost_answers_of_a_batch_are_asked_for_again(town: Town) -> None:
    lose_answers(town, 2, "/v1/transactions/batch")
    done = town.wallet(ANNA).pay_all([Payment(BEN.address, CENT, fee=0)] * 3)
    assert all(isinstance(each, Confirmed) for each in done)
    assert town.balance(BEN) == ETHER + 3 * CENT


def test_answers_lost_for_good_are_looked_for_by_hash(town: Town) -> None:
    lose_answers(town, 1000)
    assert isinstance(town.wallet(ANNA).transfer(BEN.address, CENT, fee=0), Confirmed)


def test_node_that_vanishes_leaves_it_unknown_and_the_next_process_learns_of_it(town: Town) -> None:
    is_gone = [False]

    def lie(told: Told) -> Told | Exception:
        is_gone[0] = is_gone[0] or told.method == "POST"
        return Lost() if is_gone[0] else told

    town.liar.lie = lie
    with pytest.raises(SubmissionUnknown) as caught:
        town.wallet(ANNA, "anna").transfer(BEN.address, CENT, fee=0)
    town.liar.lie = lambda told: told
    again = town.wallet(ANNA, "anna")
    with pytest.raises(SentBefore) as before:
        again.transfer(BEN.address, CENT, fee=0)
    assert before.value.operation_hash == caught.value.operation_hash
    assert town.balance(BEN) == ETHER + CENT
    assert all(each.receipt is not None for each in again.records.all() if each.hash == caught.value.operation_hash)
    again.transfer(BEN.address, CENT, fee=0)
    assert town.balance(BEN) == ETHER + 2 * CENT


def test_submission_that_never_arrived_gives_way_to_another_with_its_nonce(town: Town) -> None:
    def before(method: str, path: str) -> None:
        if method == "POST":
            raise Lost

    town.liar.before = before
    with pytest.raises(SubmissionUnknown):
        town.wallet(ANNA, "anna").transfer(BEN.address, CENT, fee=0)
    town.liar.before = lambda method, path: None
    town.wallet(ANNA, "anna").transfer(CLEO.address, CENT, fee=0)
    assert (town.balance(BEN), town.balance(CLEO)) == (ETHER, ETHER + CENT)


def test_settle_gives_what_was_taken_in_its_receipt(town: Town, tmp_path: Path) -> None:
    wallet = town.wallet(ANNA, "anna")
    wallet.open()
    operation = wallet.flows._flight.sign(
        lambda account: account.sign(account.pay(int(BEN.address, 16), None, 0, CENT))
    )  # type: ignore[union-attr]
    name = wallet.flows._name(operation)
    wallet.records.keep([(name, operation)])
    town.client().submit(operation)
    (settled,) = town.wallet(ANNA, "anna").settle()
    assert settled.hash == name
    assert settled.receipt is not None


def test_swap_of_parts_is_not_sent_twice_when_its_answer_is_lost(town: Town) -> None:
    from rollup.node.matching import match_orders

    maker = town.wallet(ANNA).offer("0.5", "ETH", "0.5", "DAI")
    taker = town.wallet(BEN).offer("0.5", "DAI", "0.5", "ETH")
    lose_answers(town, 1)
    with pytest.raises(SubmissionUnknown):
        town.client().submit(match_orders(maker, taker, CENT, CENT))
    assert town.liar.seen.count(("POST", "/v1/transactions")) == 1
    assert town.balance(ANNA) == ETHER - CENT
