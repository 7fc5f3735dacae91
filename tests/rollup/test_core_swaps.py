"""Swap: each side gets what the other sells, all of it or nothing (I-18); as signed and as published."""

from dataclasses import replace
from typing import Any

import pytest
from core_users import (
    ALICE,
    BOB,
    CAROL,
    DORA,
    FEE_TOKENS,
    ORDER_SLOT,
    held,
    money,
    order,
    refused,
    snapshot,
    swap,
)

from rollup.core import Context, Deposit, FillData, OrderSlot, State, Swap, SwapData
from rollup.core.errors import (
    BalanceOverflowError,
    BalanceTooLowError,
    FeeTokenNotListedError,
    KeyMissingError,
    NotAnOrderSlotError,
    OperationError,
    OrderOverfilledError,
    OrderReplacedError,
    SwapTokensError,
    TokenNotMoneyError,
    ValueRangeError,
)
from rollup.core.rules import Touch

# What a Swap does


def test_swap_each_gets_what_the_other_sold(state: State, context: Context) -> None:
    applied = state.apply(swap(), context)
    assert (state.balance(0, 1), state.balance(0, 2)) == (1000 - 110, 50)
    assert (state.balance(1, 1), state.balance(1, 2)) == (10 + 100, 1000 - 60)
    assert (held(state), held(state, BOB)) == (OrderSlot(1, 100), OrderSlot(1, 50))
    assert (state.account(0).nonce, state.account(1).nonce) == (0, 0)
    assert applied.fees == ((1, 10), (2, 10))
    assert len(applied.steps) == 3


def test_swap_twice_fills_both_and_no_more(state: State, context: Context) -> None:
    """The same operation again is a second fill, not a replay; the third is too much."""
    state.apply(swap(), context)
    state.apply(swap(), context)
    assert (held(state), held(state, BOB)) == (OrderSlot(1, 200), OrderSlot(1, 100))
    refused(
        state, swap(), context, error=OrderOverfilledError,
        account_id=0, slot=ORDER_SLOT, sell_amount=200, filled=200, amount=100,
    )  # fmt: skip


def test_swap_surplus_goes_to_the_sides_not_away(state: State, context: Context) -> None:
    """Better prices than both asked for: nothing is lost on the way."""
    before = money(state)
    maker, taker = order(buy_amount=1), order(BOB, buy_amount=1)
    state.apply(swap(maker, taker, maker_amount=200, taker_amount=77, maker_fee=0, taker_fee=0), context)
    assert money(state) == before
    assert (state.balance(0, 2), state.balance(1, 1)) == (77, 210)


def test_swap_orders_of_other_tokens_refused(state: State, context: Context) -> None:
    for changes in ({"sell_token": 3}, {"buy_token": 3}, {"sell_token": 1, "buy_token": 2}):
        taker = order(BOB, **changes)
        refused(
            state, swap(taker=taker), context, error=SwapTokensError,
            maker_sells=1, maker_buys=2, taker_sells=taker.sell_token, taker_buys=taker.buy_token,
        )  # fmt: skip


# Both sides together


def test_swap_maker_and_taker_may_be_one_account(state: State, context: Context) -> None:
    state.apply(Deposit(0, 2, 100, ALICE.address), context)
    before = money(state)
    taker = order(slot=ORDER_SLOT + 1, sell_token=2, buy_token=1, sell_amount=100, buy_amount=200)
    state.apply(swap(taker=taker, maker_fee=0, taker_fee=0), context)
    assert money(state) == before
    assert state.order_slots(0) == {ORDER_SLOT: OrderSlot(1, 100), ORDER_SLOT + 1: OrderSlot(1, 50)}


@pytest.mark.parametrize(("first", "second", "fits"), [(60, 60, True), (100, 101, False), (100, 100, True)])
def test_swap_of_an_order_with_itself_counts_both_fills(
    state: State, context: Context, first: int, second: int, fits: bool
) -> None:
    """One token for itself, in one slot: the second fill starts from the first."""
    itself = order(buy_token=1, buy_amount=0, fee=0)
    operation = Swap(itself, itself, first, second)
    if fits:
        state.apply(operation, context)
        assert held(state) == OrderSlot(1, first + second)
        assert state.balance(0, 1) == 1000
    else:
        refused(state, operation, context, error=OrderOverfilledError, filled=first, amount=second)


def test_swap_of_one_token_for_itself_between_two(state: State, context: Context) -> None:
    maker = order(buy_token=1, buy_amount=5, sell_amount=10)
    taker = order(BOB, sell_token=1, sell_amount=5, buy_amount=10)
    state.apply(swap(maker, taker, maker_amount=10, taker_amount=5, maker_fee=0, taker_fee=0), context)
    assert (state.balance(0, 1), state.balance(1, 1)) == (995, 15)


def test_swap_side_cannot_pay_with_what_it_gets(state: State, context: Context) -> None:
    """The settlement comes last: Carol has nothing to sell before it."""
    taker = order(CAROL)
    refused(state, swap(taker=taker), context, error=BalanceTooLowError, account_id=2, token=2, balance=0, amount=50)
    own = order(slot=ORDER_SLOT + 1, sell_token=2, buy_token=1, sell_amount=100, buy_amount=200)
    refused(state, swap(taker=own), context, error=BalanceTooLowError, account_id=0, token=2, balance=0)


@pytest.mark.parametrize(
    "broken",
    [
        {"taker": order(BOB, sell_amount=49)},
        {"taker": order(BOB, buy_amount=201)},
        {"taker": order(DORA)},
        {"taker": order(BOB, valid_until=0)},
        {"taker_fee": 11},
        {"taker": replace(order(BOB), order_id=2)},
    ],
)
def test_swap_whose_taker_fails_leaves_the_maker_alone(state: State, context: Context, broken: dict[str, Any]) -> None:
    before = snapshot(state)
    with pytest.raises(OperationError):
        state.apply(swap(**broken), context)
    assert snapshot(state) == before


def test_swap_credit_that_overflows_refused(state: State, context: Context) -> None:
    """Beyond what L1's caps let happen."""
    state.touch(Touch(0, 2, state.account(0), 2**128 - 50))
    refused(state, swap(), context, error=BalanceOverflowError, account_id=0, token=2, amount=50)
    state.touch(Touch(0, 2, state.account(0), 2**128 - 51))
    state.apply(swap(), context)
    assert state.balance(0, 2) == 2**128 - 1


def test_swap_fee_comes_on_top_of_the_whole_balance(state: State, context: Context) -> None:
    maker = order(sell_amount=1000, buy_amount=0, fee=1)
    taker = order(BOB, buy_amount=0)
    amounts = {"maker_amount": 1000, "taker_amount": 0, "taker_fee": 0}
    refused(
        state, swap(maker, taker, maker_fee=1, **amounts), context, error=BalanceTooLowError,
        balance=1000, amount=1000, fee=1,
    )  # fmt: skip
    state.apply(swap(maker, taker, maker_fee=0, **amounts), context)
    assert state.balance(0, 1) == 0


# The order as published


def published(state: State, **changes: Any) -> None:
    fills = {"maker": FillData(0, ORDER_SLOT, 1, 1, 100, 10), "taker": FillData(1, ORDER_SLOT, 1, 2, 50, 10)}
    changed = {side: replace(fill, **changes.get(side, {})) for side, fill in fills.items()}
    state.apply_published(SwapData(**changed), FEE_TOKENS)


def test_published_swap_has_the_same_effect(state: State, context: Context) -> None:
    other = state.copy()
    state.apply(swap(), context)
    published(other)
    assert other.root == state.root


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"slot": 31}, NotAnOrderSlotError),
        ({"slot": 64}, ValueRangeError),
        ({"token": 32}, TokenNotMoneyError),
        ({"amount": 1001}, BalanceTooLowError),
        ({"account_id": 4}, KeyMissingError),
        ({"order_id": 0}, OrderReplacedError),
        ({"token": 9}, FeeTokenNotListedError),
        ({"account_id": 64}, ValueRangeError),
    ],
)
def test_published_swap_that_no_circuit_allows_refused(state: State, changes: Any, error: Any) -> None:
    published(state, maker={"amount": 0, "fee": 0})
    before = snapshot(state)
    with pytest.raises(error):
        published(state, maker=changes)
    assert snapshot(state) == before


def test_published_fills_stay_below_2_120(state: State) -> None:
    """What the slot counts is never more than an order can sell."""
    state.touch(Touch(0, ORDER_SLOT, state.account(0), OrderSlot(1, 2**120 - 100).leaf))
    before = snapshot(state)
    with pytest.raises(OrderOverfilledError) as caught:
        published(state)
    assert (caught.value.filled, caught.value.amount) == (2**120 - 100, 100)
    assert snapshot(state) == before
    published(state, maker={"amount": 99, "fee": 0})
