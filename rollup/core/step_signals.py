"""What a step's operation is, as private inputs of the circuit Step (`circuits/step.circom`), name for name.

What an operation does not use is pinned to one value, so that a step has exactly one witness.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TypeAlias, assert_never

from rollup.core.account import OrderSlot
from rollup.core.amounts import pack_amount, pack_fee
from rollup.core.checks import pack
from rollup.core.constants import ACCOUNT_ID_BITS, AMOUNT_BITS, ORDER_ID_BITS, SLOT_BITS
from rollup.core.operations import (
    NO_KEY,
    CancelOrder,
    ChangePubKey,
    Deposit,
    Fill,
    ForcedExit,
    FullExit,
    Noop,
    Settlement,
    Signable,
    Signature,
    StepOperation,
    Transfer,
    TransferToAddress,
    Withdraw,
)

Signal: TypeAlias = "int | Sequence[Signal]"
Inputs: TypeAlias = dict[str, Signal]

NO_SIGNATURE = Signature(0, 1, 0)
"""What the signature check always accepts, where nothing is signed."""

_KINDS: dict[type, str] = {
    Noop: "noop",
    Deposit: "deposit",
    FullExit: "full_exit",
    Transfer: "transfer",
    TransferToAddress: "transfer_to_address",
    Withdraw: "withdraw",
    ChangePubKey: "change_pub_key",
    ForcedExit: "forced_exit",
    Fill: "maker",
    Settlement: "settlement",
    CancelOrder: "cancel_order",
}
_TAKER = "taker"
KINDS = (*_KINDS.values(), _TAKER)
"""Of the signals is_*, exactly one is 1."""
_UNUSED = (
    "amount",
    "amount_packed",
    "fee_packed",
    "address",
    "aux",
    "sender_is_owner",
    "refused",
    "counter_token",
    "counter_amount",
    "counter_amount_packed",
    "order_id",
    "counter_order_id",
    "sell_amount",
    "buy_amount",
    "max_fee_packed",
    "link",
    "valid_from",
    "valid_until",
)

PENDING_MAKER, PENDING_BOTH, PENDING_BATCH = 1, 2, 3
_TAKER_ID_AT = ACCOUNT_ID_BITS
_MAKER_ORDER_AT = 2 * ACCOUNT_ID_BITS
_TAKER_ORDER_AT = 2 * ACCOUNT_ID_BITS + ORDER_ID_BITS
"""`rest` of a Swap: `taker's order id 32 | maker's order id 32 | taker 24 | maker 24`."""


@dataclass(frozen=True, slots=True)
class TouchedSlots:
    """Which accounts and slots a step opens: touch 1 `token` of `from_id`, then touch 2 `to_slot` of `to_id`."""

    from_id: int
    to_id: int
    token: int
    to_slot: int


def touched_slots(operation: StepOperation) -> TouchedSlots:
    """What a step opens."""
    match operation:
        case Noop():
            return TouchedSlots(0, 0, 0, 0)
        case Deposit() | FullExit():
            return TouchedSlots(operation.account_id, operation.account_id, operation.token, operation.token)
        case Transfer() | TransferToAddress():
            return TouchedSlots(operation.from_id, operation.to_id, operation.token, operation.token)
        case Withdraw():
            return TouchedSlots(operation.from_id, operation.from_id, operation.token, operation.token)
        case ChangePubKey():
            return TouchedSlots(operation.account_id, operation.account_id, operation.fee_token, operation.fee_token)
        case ForcedExit():
            return TouchedSlots(operation.from_id, operation.account_id, operation.fee_token, operation.token)
        case Fill(order=order):
            return TouchedSlots(order.account_id, order.account_id, order.sell_token, order.slot)
        case Settlement(swap=swap):
            maker, taker = swap.maker, swap.taker
            return TouchedSlots(maker.account_id, taker.account_id, maker.buy_token, maker.sell_token)
        case CancelOrder():
            return TouchedSlots(operation.account_id, operation.account_id, operation.fee_token, operation.slot)
        case _:
            assert_never(operation)


def linkage(operation: StepOperation, batch_rest: int | None, link: int, rest: int) -> tuple[int, int, int]:
    """(pending, link, rest) after a step, from link and rest before it.

    pending 0: nothing is. 1: a maker's order waits for its taker's; 2: both wait for their settlement; then `link` is
    the trade as the maker sees it, `rest` who trades under which orders. 3: a batch; then `link` is its hash and `rest`
    that of its operations to come.
    """
    match operation:
        case Fill(order=order, is_taker=False):
            trade = pack(
                (order.sell_token, SLOT_BITS),
                (order.buy_token, SLOT_BITS),
                (pack_amount(operation.amount), AMOUNT_BITS),
                (pack_amount(operation.counter_amount), AMOUNT_BITS),
            )
            return PENDING_MAKER, trade, order.order_id << _MAKER_ORDER_AT | order.account_id
        case Fill(order=order):
            return PENDING_BOTH, link, rest + (order.order_id << _TAKER_ORDER_AT) + (order.account_id << _TAKER_ID_AT)
    return (PENDING_BATCH, operation.link, batch_rest) if batch_rest else (0, 0, 0)  # type: ignore[union-attr]


def slot_signals(operation: StepOperation, held: int) -> Inputs:
    """What the order slot holds before the step; 0 where none is used."""
    held = held if isinstance(operation, Fill | CancelOrder) else 0
    slot = OrderSlot.of_leaf(held)
    return {"slot_order_id": slot.order_id, "slot_filled": slot.filled}


def operation_signals(operation: StepOperation, batch_rest: int | None = None) -> Inputs:
    """A step's private inputs that say what the operation is: all but the order slot's and the touches'."""
    kind = _TAKER if isinstance(operation, Fill) and operation.is_taker else _KINDS[type(operation)]
    slots = touched_slots(operation)
    signals: Inputs = {f"is_{name}": int(name == kind) for name in KINDS}
    signals |= {field.name: getattr(slots, field.name) for field in fields(slots)}
    signals |= dict.fromkeys(_UNUSED, 0) | {"key": NO_KEY}
    signals |= _own_signals(operation)
    signals |= {"is_batched": int(batch_rest is not None), "batch_rest": batch_rest or 0}
    signed = operation.order if isinstance(operation, Fill) else operation
    signature = NO_SIGNATURE
    if isinstance(signed, Signable):
        signals |= {"valid_from": signed.valid_from, "valid_until": signed.valid_until}
        signature = signed.signature or NO_SIGNATURE
    return signals | {"signature_r": (signature.r8x, signature.r8y), "signature_s": signature.s}


def _own_signals(operation: StepOperation) -> Inputs:
    """Those that this kind of operation uses, but for slots, signature and window."""
    match operation:
        case Noop():
            return {}
        case Deposit():
            flags = {"sender_is_owner": int(operation.sender_is_owner), "refused": int(operation.refused)}
            owner: Inputs = {"address": operation.owner, "aux": operation.queue_fee_gwei, "key": operation.key}
            return {"amount": operation.amount, **owner, **flags}
        case FullExit():
            return {"amount": operation.amount or 0, "address": operation.owner, "aux": operation.queue_fee_gwei}
        case ChangePubKey():
            fee = {"amount": operation.fee, "fee_packed": pack_fee(operation.fee)}
            return {"address": operation.owner, "key": operation.key, "aux": operation.nonce, **fee}
        case Fill():
            return _fill_signals(operation)
        case Settlement(swap=swap):
            return {
                **_two_amounts(swap.taker_amount, swap.maker_amount),
                "counter_token": swap.maker.sell_token,
                "order_id": swap.maker.order_id,
                "counter_order_id": swap.taker.order_id,
            }
    signals: Inputs = {"fee_packed": pack_fee(operation.fee), "link": operation.link}
    match operation:
        case Transfer() | TransferToAddress():
            packed = pack_amount(operation.amount)
            return signals | {"address": operation.to_address, "amount": operation.amount, "amount_packed": packed}
        case Withdraw() | ForcedExit():
            return signals | {"address": operation.address, "amount": operation.amount or 0}
        case CancelOrder():
            return signals | {"order_id": operation.first_valid_order_id}
        case _:
            assert_never(operation)


def _fill_signals(fill: Fill) -> Inputs:
    order = fill.order
    return {
        **_two_amounts(fill.amount, fill.counter_amount),
        "fee_packed": pack_fee(fill.fee),
        "counter_token": order.buy_token,
        "order_id": order.order_id,
        "sell_amount": order.sell_amount,
        "buy_amount": order.buy_amount,
        "max_fee_packed": pack_fee(order.fee),
    }


def _two_amounts(amount: int, counter_amount: int) -> Inputs:
    return {
        "amount": amount,
        "amount_packed": pack_amount(amount),
        "counter_amount": counter_amount,
        "counter_amount_packed": pack_amount(counter_amount),
    }
