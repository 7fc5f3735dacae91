"""Swap and CancelOrder. An order slot holds the latest order's id and what it has sold (protocol 2)."""

from rollup.core.account import OrderSlot
from rollup.core.amounts import floor_fee
from rollup.core.checks import check_below
from rollup.core.constants import ORDER_AMOUNT_BITS
from rollup.core.errors import (
    CancelTooLowError,
    NotAnOrderSlotError,
    OrderEmptyError,
    OrderFeeError,
    OrderOverfilledError,
    OrderPriceError,
    OrderReplacedError,
    SwapTokensError,
)
from rollup.core.operations import CancelOrderData, Fill, FillData, SettlementData, Swap, SwapData
from rollup.core.rules.base import (
    Context,
    Overlay,
    Step,
    Touch,
    View,
    charged,
    check_consent,
    check_money,
    credited,
    debit,
    keyed,
)


def swap(view: View, operation: Swap, context: Context) -> tuple[Step, ...]:
    """Three steps, with all conditions of both orders."""
    maker, taker, settlement = operation.steps()
    if (maker.order.sell_token, maker.order.buy_token) != (taker.order.buy_token, taker.order.sell_token):
        raise SwapTokensError(
            maker.order.sell_token, maker.order.buy_token, taker.order.sell_token, taker.order.buy_token
        )
    after, steps = Overlay(view), []
    for side in (maker, taker):
        _check_order(after, side, context)
        step = _fill(after, side.published(), context.fee_tokens)
        after.put(*step.touches)
        steps.append(step.of(side))
    return *steps, _settle(after, settlement.published()).of(settlement)


def published_swap(view: View, data: SwapData, fee_tokens: tuple[int, ...]) -> tuple[Step, ...]:
    """The same from what is published: the orders' limits, signatures and windows are the proof's to check."""
    maker, taker, settlement = data.steps()
    after, steps = Overlay(view), []
    for side in (maker, taker):
        step = _fill(after, side, fee_tokens)
        after.put(*step.touches)
        steps.append(step)
    return *steps, _settle(after, settlement)


def cancel_order(view: View, data: CancelOrderData, fee_tokens: tuple[int, ...]) -> Step:
    """The fee's debit; then older orders of the slot are dead."""
    first = debit(view, data.account_id, data.fee_token, 0, data.fee, fee_tokens)
    held = _held(view, data.account_id, data.slot)
    if data.first_valid_order_id <= held.order_id:
        raise CancelTooLowError(data.account_id, data.slot, data.first_valid_order_id, held.order_id)
    second = Touch(data.account_id, data.slot, first.account, OrderSlot(data.first_valid_order_id, 0).leaf)
    return Step(data, first, second, data.fee_token, data.fee)


def _held(view: View, account_id: int, slot: int) -> OrderSlot:
    check_below("slot", slot, view.shape.slots)
    if slot < view.shape.first_order_slot:
        raise NotAnOrderSlotError(slot, view.shape.first_order_slot)
    return OrderSlot.of_leaf(view.leaf(account_id, slot))


def _filled(view: View, account_id: int, slot: int, order_id: int) -> int:
    """What the order has sold before: 0 if it is newer than the slot's."""
    held = _held(view, account_id, slot)
    if order_id < held.order_id:
        raise OrderReplacedError(account_id, slot, order_id, held.order_id)
    return held.filled if order_id == held.order_id else 0


def _check_order(view: View, side: Fill, context: Context) -> None:
    """What the order limits and nobody publishes: I-17. All comparisons are exact."""
    order, sells, gets = side.order, side.amount, side.counter_amount
    check_money(view, order.sell_token)
    check_money(view, order.buy_token)
    account = keyed(view, order.account_id)
    if not order.sell_amount:
        raise OrderEmptyError(order.account_id, order.slot)
    filled = _filled(view, order.account_id, order.slot, order.order_id)
    if filled + sells > order.sell_amount:
        raise OrderOverfilledError(order.account_id, order.slot, order.sell_amount, filled, sells)
    if gets * order.sell_amount < sells * order.buy_amount:
        raise OrderPriceError(order.account_id, order.sell_amount, order.buy_amount, sells, gets)
    if side.fee * order.sell_amount > order.fee * sells:
        raise OrderFeeError(order.account_id, side.fee, floor_fee(order.fee * sells // order.sell_amount))
    check_consent(order.account_id, account, order, context)


def _fill(view: View, data: FillData, fee_tokens: tuple[int, ...]) -> Step:
    """One side sells: debit, then the order's slot; the nonce stays."""
    check_money(view, data.token)
    account = keyed(view, data.account_id)
    filled = _filled(view, data.account_id, data.slot, data.order_id) + data.amount
    if filled >> ORDER_AMOUNT_BITS:
        raise OrderOverfilledError(
            data.account_id, data.slot, (1 << ORDER_AMOUNT_BITS) - 1, filled - data.amount, data.amount
        )
    rest = charged(view, data.account_id, data.token, data.amount, data.fee, fee_tokens)
    first = Touch(data.account_id, data.token, account, rest)
    second = Touch(data.account_id, data.slot, account, OrderSlot(data.order_id, filled).leaf)
    return Step(data, first, second, data.token, data.fee)


def _settle(view: View, data: SettlementData) -> Step:
    """Each side gets what the other sold: first the maker, then the taker, who may be the same account."""
    after = Overlay(view)
    first = _credit(after, data.maker.account_id, data.taker.token, data.taker.amount)
    after.put(first)
    return Step(data, first, _credit(after, data.taker.account_id, data.maker.token, data.maker.amount))


def _credit(view: View, account_id: int, token: int, amount: int) -> Touch:
    return Touch(account_id, token, view.account(account_id), credited(view, account_id, token, amount))
