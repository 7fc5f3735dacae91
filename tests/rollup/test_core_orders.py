"""Orders: their limits are kept exactly over all fills (I-17); slots, ids and CancelOrder."""

from dataclasses import replace
from typing import Any

import pytest
from core_users import (
    ALICE,
    BOB,
    DOMAIN,
    DORA,
    FEE_TOKENS,
    ORDER_SLOT,
    cancel_order,
    held,
    key_change,
    money,
    order,
    refused,
    swap,
    transfer,
)

from rollup.core import Context, Deposit, OrderSlot, State
from rollup.core.errors import (
    CancelTooLowError,
    FeeTokenNotListedError,
    NotAnOrderSlotError,
    OrderEmptyError,
    OrderFeeError,
    OrderOverfilledError,
    OrderPriceError,
    OrderReplacedError,
    SignatureInvalidError,
    TokenNotMoneyError,
    ValueRangeError,
)
from rollup.core.rules import Touch

LAST_ID = 2**32 - 1


# Amounts


@pytest.mark.parametrize(("filled", "more", "fits"), [(0, 200, True), (0, 201, False), (199, 1, True), (199, 2, False)])
def test_fill_up_to_what_the_order_sells(state: State, context: Context, filled: int, more: int, fits: bool) -> None:
    state.touch(Touch(0, ORDER_SLOT, state.account(0), OrderSlot(1, filled).leaf))
    operation = swap(taker=order(BOB, buy_amount=0), maker_amount=more, taker_amount=100, maker_fee=0)
    if fits:
        state.apply(operation, context)
        assert held(state) == OrderSlot(1, 200)
    else:
        refused(state, operation, context, error=OrderOverfilledError, filled=filled, amount=more)


@pytest.mark.parametrize(
    ("sold", "bought", "sells", "least"),
    [(200, 100, 100, 50), (3, 2, 1, 1), (7, 3, 5, 3), (2**120 - 1, 1, 1, 1), (1, 2**120 - 1, 0, 0), (5, 0, 5, 0)],
)
def test_fill_price_is_exact(state: State, context: Context, sold: int, bought: int, sells: int, least: int) -> None:
    """Of the other side at least sells * bought / sold, rounded up."""
    maker, taker = order(sell_amount=sold, buy_amount=bought), order(BOB, buy_amount=0)
    amounts = {"maker_amount": sells, "maker_fee": 0, "taker_fee": 0}
    if least:
        refused(
            state, swap(maker, taker, taker_amount=least - 1, **amounts), context, error=OrderPriceError,
            account_id=0, sell_amount=sold, buy_amount=bought, sells=sells, gets=least - 1,
        )  # fmt: skip
    state.apply(swap(maker, taker, taker_amount=least, **amounts), context)
    assert state.balance(0, 2) == least


def test_fill_price_of_the_taker_is_checked_too(state: State, context: Context) -> None:
    refused(
        state, swap(maker_amount=99, maker_fee=9), context, error=OrderPriceError, account_id=1, sells=50, gets=99
    )  # fmt: skip


def test_swap_of_nothing_only_marks_the_orders(state: State, context: Context) -> None:
    """A validator may publish it, so the core knows it."""
    before = money(state)
    state.apply(swap(maker_amount=0, taker_amount=0, maker_fee=0, taker_fee=0), context)
    assert (held(state), held(state, BOB), money(state)) == (OrderSlot(1, 0), OrderSlot(1, 0), before)
    refused(
        state, swap(maker_amount=0, taker_amount=0, maker_fee=1, taker_fee=0), context, error=OrderFeeError,
        fee=1, limit=0,
    )  # fmt: skip


def test_swap_one_side_for_nothing_needs_an_order_that_says_so(state: State, context: Context) -> None:
    amounts = {"maker_amount": 100, "taker_amount": 0, "maker_fee": 0, "taker_fee": 0}
    refused(state, swap(**amounts), context, error=OrderPriceError, account_id=0, gets=0)
    state.apply(swap(order(buy_amount=0), **amounts), context)
    assert (state.balance(0, 1), state.balance(1, 1)) == (900, 110)


@pytest.mark.parametrize("field", ["sell_amount", "buy_amount"])
def test_order_amounts_end_below_2_120(field: str) -> None:
    assert getattr(order(**{field: 2**120 - 1}), field) == 2**120 - 1
    with pytest.raises(ValueRangeError):
        order(**{field: 2**120})


def test_swap_of_the_largest_amounts(state: State, context: Context) -> None:
    huge = 13292279957 * 10**26  # the largest packed amount below 2^120
    for user, token in ((ALICE, 5), (BOB, 6)):
        state.apply(Deposit(user.account_id, token, 2**120 - 1, user.address), context)
    sides = {"sell_amount": 2**120 - 1, "buy_amount": huge, "fee": 0}
    maker = order(sell_token=5, buy_token=6, **sides)
    taker = order(BOB, sell_token=6, buy_token=5, **sides)
    state.apply(swap(maker, taker, maker_amount=huge, taker_amount=huge, maker_fee=0, taker_fee=0), context)
    assert (state.balance(0, 6), state.balance(1, 5)) == (huge, huge)
    assert held(state) == OrderSlot(1, huge)


def test_order_that_sells_nothing_never_fills(state: State, context: Context) -> None:
    """Its price would be any: 0 sold for 100."""
    refused(
        state, swap(order(sell_amount=0), maker_amount=0, maker_fee=0), context, error=OrderEmptyError, account_id=0
    )  # fmt: skip


# Fees


@pytest.mark.parametrize(
    ("sold", "fee", "sells", "most"), [(200, 20, 100, 10), (3, 10, 1, 3), (3, 10, 2, 6), (7, 1, 6, 0)]
)
def test_fill_fee_is_at_most_its_share(
    state: State, context: Context, sold: int, fee: int, sells: int, most: int
) -> None:
    maker, taker = order(sell_amount=sold, buy_amount=0, fee=fee), order(BOB, buy_amount=0)
    amounts = {"maker_amount": sells, "taker_amount": 0, "taker_fee": 0}
    refused(
        state, swap(maker, taker, maker_fee=most + 1, **amounts), context, error=OrderFeeError,
        account_id=0, fee=most + 1, limit=most,
    )  # fmt: skip
    state.apply(swap(maker, taker, maker_fee=most, **amounts), context)
    assert state.balance(0, 1) == 1000 - sells - most


def test_fill_fee_limit_in_the_error_can_be_paid(state: State, context: Context) -> None:
    """The share, 4321, has too many digits for a fee."""
    maker, taker = order(sell_amount=10_000, buy_amount=0, fee=5000), order(BOB, buy_amount=0)
    amounts = {"maker_amount": 0, "taker_amount": 0, "taker_fee": 0}
    assert 5000 * 8642 // 10_000 == 4321
    refused(
        state, swap(maker, taker, maker_fee=4330, **{**amounts, "maker_amount": 8642}), context, error=OrderFeeError,
        account_id=0, fee=4330, limit=4320,
    )  # fmt: skip


@pytest.mark.parametrize("parts", [[1] * 7, [3, 3, 1], [7], [2, 5], [0, 7, 0]])
def test_fills_together_pay_at_most_the_signed_fee(state: State, context: Context, parts: list[int]) -> None:
    """Each takes all it may: the sum never exceeds it, however it is split."""
    maker, taker = order(sell_amount=7, buy_amount=0, fee=10), order(BOB, buy_amount=0)
    paid = 0
    for part in parts:
        share = 10 * part // 7
        state.apply(swap(maker, taker, maker_amount=part, taker_amount=0, maker_fee=share, taker_fee=0), context)
        paid += share
    assert held(state) == OrderSlot(1, 7)
    assert state.balance(0, 1) == 1000 - 7 - paid
    assert paid <= 10


def test_fill_fee_in_unlisted_token_refused(state: State, context: Context) -> None:
    maker, taker = order(sell_token=9), order(BOB, buy_token=9)
    refused(state, swap(maker, taker), context, error=FeeTokenNotListedError, token=9, fee_tokens=FEE_TOKENS)
    state.apply(swap(maker, taker, maker_fee=0), context)
    assert state.balance(1, 9) == 100


# Slots and ids


def test_newer_order_of_the_slot_starts_afresh_and_ends_the_older(state: State, context: Context) -> None:
    state.apply(swap(), context)
    state.apply(swap(order(order_id=2)), context)
    assert held(state) == OrderSlot(2, 100)
    refused(
        state, swap(), context, error=OrderReplacedError, account_id=0, slot=ORDER_SLOT, order_id=1, latest=2
    )  # fmt: skip


def test_other_slot_is_another_order(state: State, context: Context) -> None:
    state.apply(swap(order(order_id=9)), context)
    state.apply(swap(order(slot=ORDER_SLOT + 1)), context)
    assert state.order_slots(0) == {ORDER_SLOT: OrderSlot(9, 100), ORDER_SLOT + 1: OrderSlot(1, 100)}


def test_slots_belong_to_their_accounts(state: State, context: Context) -> None:
    state.apply(swap(order(order_id=LAST_ID)), context)
    assert held(state, BOB) == OrderSlot(1, 50)


@pytest.mark.parametrize("first", [0, LAST_ID])
def test_order_smallest_and_largest_id(state: State, context: Context, first: int) -> None:
    state.apply(swap(order(order_id=first)), context)
    state.apply(swap(order(order_id=first)), context)
    assert held(state) == OrderSlot(first, 200)
    refused(state, swap(order(order_id=first)), context, error=OrderOverfilledError, filled=200)


def test_order_id_beyond_32_bits_refused() -> None:
    with pytest.raises(ValueRangeError):
        order(order_id=LAST_ID + 1)


@pytest.mark.parametrize("slot", [0, 1, ORDER_SLOT - 1])
def test_token_slot_as_order_slot_refused(state: State, context: Context, slot: int) -> None:
    """It would write order ids and fills into a balance."""
    for operation in (swap(order(slot=slot)), swap(taker=order(BOB, slot=slot)), cancel_order(slot=slot)):
        refused(
            state, operation, context, error=NotAnOrderSlotError, slot=slot, first_order_slot=ORDER_SLOT
        )  # fmt: skip


@pytest.mark.parametrize("make", [lambda slot: swap(order(slot=slot)), lambda slot: cancel_order(slot=slot)])
def test_slot_beyond_the_tree_refused(state: State, context: Context, make: Any) -> None:
    refused(state, make(64), context, error=ValueRangeError, value=64, limit=64)


@pytest.mark.parametrize(("side", "tokens"), [("maker", (1, ORDER_SLOT)), ("taker", (ORDER_SLOT, 2))])
def test_order_slot_bought_as_money_refused(state: State, context: Context, side: str, tokens: tuple[int, int]) -> None:
    """Its content is no money to anyone: neither sold nor bought."""
    state.touch(Touch(0, ORDER_SLOT, state.account(0), 1 << 128 | 10**6))
    state.touch(Touch(1, ORDER_SLOT, state.account(1), 1 << 128 | 10**6))
    sells, buys = tokens
    slot = ORDER_SLOT + 1
    maker = order(slot=slot, sell_token=sells, buy_token=buys)
    taker = order(BOB, slot=slot, sell_token=buys, buy_token=sells)
    refused(state, swap(maker, taker), context, error=TokenNotMoneyError, token=ORDER_SLOT)


# Cancel


def test_cancel_ends_older_orders_only(state: State, context: Context) -> None:
    state.apply(cancel_order(first_valid_order_id=5), context)
    assert held(state) == OrderSlot(5, 0)
    refused(state, swap(order(order_id=4)), context, error=OrderReplacedError, order_id=4, latest=5)
    state.apply(swap(order(order_id=5)), context)
    assert held(state) == OrderSlot(5, 100)


def test_cancelled_order_replayed_refused_also_if_part_filled(state: State, context: Context) -> None:
    state.apply(swap(), context)
    state.apply(cancel_order(first_valid_order_id=2), context)
    refused(state, swap(), context, error=OrderReplacedError, order_id=1, latest=2)


@pytest.mark.parametrize("first", [0, 1])
def test_cancel_at_or_below_the_latest_refused(state: State, context: Context, first: int) -> None:
    """It would forget how much of the latest order is filled."""
    state.apply(swap(), context)
    refused(
        state, cancel_order(first_valid_order_id=first), context, error=CancelTooLowError,
        account_id=0, slot=ORDER_SLOT, first_valid_order_id=first, latest=1,
    )  # fmt: skip


def test_cancel_twice_cannot_bring_orders_back(state: State, context: Context) -> None:
    state.apply(cancel_order(first_valid_order_id=LAST_ID), context)
    refused(state, cancel_order(nonce=1, first_valid_order_id=LAST_ID), context, error=CancelTooLowError)
    refused(state, swap(order(order_id=LAST_ID - 1)), context, error=OrderReplacedError)


def test_order_of_a_replaced_key_is_dead(state: State, context: Context) -> None:
    dora = replace(DORA, key=ALICE.key)
    state.apply(key_change(key=ALICE.key.public_key), context)
    maker = dora.key.sign(replace(order(), account_id=4, sell_token=3, sell_amount=70, buy_amount=70), DOMAIN)
    taker = order(BOB, buy_token=3, buy_amount=7)
    operation = swap(maker, taker, maker_amount=10, taker_amount=10, maker_fee=0, taker_fee=0)
    state.apply(operation, context)
    state.apply(key_change(nonce=1), context)
    refused(state, operation, context, error=SignatureInvalidError, account_id=4)


def test_old_orders_survive_transfers(state: State, context: Context) -> None:
    """Orders do not count by the nonce."""
    state.apply(transfer(), context)
    state.apply(swap(), context)
    assert held(state) == OrderSlot(1, 100)
