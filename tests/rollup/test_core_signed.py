"""What an account signs with its L2 key: every way to forge, change, replay or mistime it, for every such operation.

Where several conditions fail, an operation names one; here each operation is right but for one thing.
"""

from dataclasses import replace
from typing import Any

import pytest
from core_users import (
    ALICE,
    BOB,
    CAROL,
    DOMAIN,
    DORA,
    FEE_TOKENS,
    ORDER_SLOT,
    TIME,
    cancel_order,
    forced_exit,
    make_user,
    order,
    payments,
    refused,
    swap,
    transfer,
    transfer_to_address,
    withdraw,
)

from rollup.core import Context, Deposit, Signature, State
from rollup.core.account import Account
from rollup.core.constants import FIELD_MODULUS
from rollup.core.errors import (
    AccountMissingError,
    BalanceTooLowError,
    FeeTokenNotListedError,
    KeyMissingError,
    LinkMismatchError,
    NonceExhaustedError,
    NonceMismatchError,
    OrderFeeError,
    OutsideValidityError,
    SignatureInvalidError,
    SignatureMissingError,
    TokenNotMoneyError,
    ValueRangeError,
)
from rollup.core.rules import Touch

SUBGROUP_ORDER = 2736030358979909402780800718157159386076813972158567259200215660948447373041
SINGLE = [transfer, transfer_to_address, withdraw, forced_exit, cancel_order]
"""Those that a nonce counts."""


def maker(sender: Any = ALICE, **changes: Any) -> Any:
    """A swap whose maker is the sender, with changes to his order."""
    sides = {"sell_token": 1, "buy_token": 2, "sell_amount": 200, "buy_amount": 100}
    return swap(order(sender, **sides | changes), maker_fee=9)


def signed_part(operation: Any) -> Any:
    return getattr(operation, "maker", operation)


def with_signed_part(operation: Any, part: Any) -> Any:
    return replace(operation, maker=part) if hasattr(operation, "maker") else part


each = pytest.mark.parametrize("make", SINGLE)
each_and_order = pytest.mark.parametrize("make", [*SINGLE, maker])


def poison(state: State, account_id: int, key: tuple[int, int]) -> None:
    """Give the account another key, whatever L1 would say of it."""
    account = state.account(account_id)
    state.touch(Touch(account_id, 1, Account(key, account.address, account.nonce), state.leaf(account_id, 1)))


# The message binds every field

COMMON = {"fee": 2, "valid_from": 1, "valid_until": TIME}
CHANGES: list[tuple[Any, dict[str, Any]]] = [
    (transfer, COMMON | {"from_id": 1, "to_id": 2, "to_address": CAROL.address, "token": 9, "amount": 99}),
    (transfer_to_address, COMMON | {"from_id": 1, "to_address": 0x98, "token": 9, "amount": 99}),
    (withdraw, COMMON | {"from_id": 1, "address": 0xBEEE, "token": 9, "amount": 99}),
    (forced_exit, COMMON | {"from_id": 1, "account_id": 5, "address": 0x55, "token": 9, "fee_token": 9}),
    (cancel_order, COMMON | {"account_id": 1, "slot": ORDER_SLOT + 1, "first_valid_order_id": 4, "fee_token": 9}),
    (
        maker,
        {"fee": 21, "valid_from": 1, "valid_until": TIME, "account_id": 1, "slot": ORDER_SLOT + 1, "order_id": 2}
        | {"sell_amount": 201, "buy_amount": 99},
    ),
]


@pytest.mark.parametrize(
    ("make", "field", "value"), [(make, field, value) for make, fields in CHANGES for field, value in fields.items()]
)
def test_signed_operation_changed_after_signing_refused(
    state: State, context: Context, make: Any, field: str, value: Any
) -> None:
    operation = make()
    changed = with_signed_part(operation, replace(signed_part(operation), **{field: value}))
    refused(state, changed, context, error=SignatureInvalidError)
    state.apply(operation, context)


@pytest.mark.parametrize(("field", "sells", "buys"), [("buy_token", 3, 1), ("sell_token", 2, 3)])
def test_order_with_other_tokens_than_signed_refused(
    state: State, context: Context, field: str, sells: int, buys: int
) -> None:
    """The taker's order fits the changed one."""
    state.apply(Deposit(BOB.account_id, 3, 1000, BOB.address), context)
    state.apply(Deposit(ALICE.account_id, 3, 1000, ALICE.address), context)
    changed = replace(order(), **{field: 3})
    refused(state, swap(changed, order(BOB, sell_token=sells, buy_token=buys)), context, error=SignatureInvalidError)


@each
def test_signed_operation_moved_to_the_next_nonce_refused(state: State, context: Context, make: Any) -> None:
    """The nonce is signed, not only compared."""
    state.apply(withdraw(amount=1, fee=0), context)
    refused(state, replace(make(), nonce=1), context, error=SignatureInvalidError, account_id=0)


def test_transfer_to_address_account_is_the_operators_choice(state: State, context: Context) -> None:
    state.apply(replace(transfer_to_address(), to_id=11), context)
    assert state.account(11).address == 0x99


def test_signatures_are_of_one_operation_kind_only(state: State, context: Context) -> None:
    """The same fields and signature as another operation."""
    signature = transfer(to_id=0, to_address=0x99).signature
    refused(state, transfer_to_address().signed(signature), context, error=SignatureInvalidError)
    refused(state, withdraw(address=0x99).signed(signature), context, error=SignatureInvalidError)


# Once, here, now


@each
@pytest.mark.parametrize(("nonce", "at"), [(1, 0), (2**32 - 1, 0), (0, 1), (4, 5)])
def test_signed_operation_at_another_nonce_refused(
    state: State, context: Context, make: Any, nonce: int, at: int
) -> None:
    account = state.account(0)
    state.touch(Touch(0, 1, Account(account.key, account.address, at), 1000))
    refused(state, make(nonce=nonce), context, error=NonceMismatchError, account_id=0, expected=at, got=nonce)


@each
def test_signed_operation_replayed_refused(state: State, context: Context, make: Any) -> None:
    operation = make()
    state.apply(operation, context)
    refused(state, operation, context, error=NonceMismatchError, expected=1, got=0)


@each_and_order
@pytest.mark.parametrize("other", [DOMAIN + 1, DOMAIN + (1 << 160)])
def test_signed_operation_on_another_deployment_refused(state: State, make: Any, other: int) -> None:
    """The same operation on another address or chain."""
    elsewhere = Context(other, TIME, FEE_TOKENS)
    message = signed_part(make()).message_hash(other)
    refused(state, make(), elsewhere, error=SignatureInvalidError, account_id=0, message_hash=message)


@each_and_order
def test_signed_operation_outside_its_window_refused(state: State, context: Context, make: Any) -> None:
    refused(
        state, make(valid_from=TIME + 1), context, error=OutsideValidityError,
        timestamp=TIME, valid_from=TIME + 1, valid_until=2**40 - 1,
    )  # fmt: skip
    refused(state, make(valid_until=TIME - 1), context, error=OutsideValidityError, valid_until=TIME - 1)
    state.apply(make(valid_from=TIME, valid_until=TIME), context)


@each
def test_signed_operation_at_last_nonce_refused(state: State, context: Context, make: Any) -> None:
    account, last = state.account(0), 2**32 - 1
    state.touch(Touch(0, 1, Account(account.key, account.address, last - 1), 1000))
    mark = state.mark()
    state.apply(make(nonce=last - 1), context)
    assert state.account(0).nonce == last
    state.rollback(mark)
    state.touch(Touch(0, 1, Account(account.key, account.address, last), 1000))
    refused(state, make(nonce=last), context, error=NonceExhaustedError, account_id=0, nonce=last)


def test_order_at_last_nonce_still_fills(state: State, context: Context) -> None:
    account = state.account(0)
    state.touch(Touch(0, 1, Account(account.key, account.address, 2**32 - 1), 1000))
    state.apply(swap(), context)
    assert state.account(0).nonce == 2**32 - 1


# Whose signature


@each_and_order
def test_signed_operation_bad_signature_refused(state: State, context: Context, make: Any) -> None:
    good = make()
    part = signed_part(good)
    sig = part.signature
    refused(state, with_signed_part(good, part.signed(None)), context, error=SignatureMissingError, account_id=0)
    forgeries = [
        BOB.key.sign(part, DOMAIN).signature,
        Signature(sig.r8x, sig.r8y, sig.s + SUBGROUP_ORDER),
        Signature(sig.r8x, sig.r8y, SUBGROUP_ORDER),
        Signature(sig.r8x, sig.r8y, sig.s ^ 1),
        Signature(FIELD_MODULUS - sig.r8x, sig.r8y, sig.s),
        Signature(sig.r8x ^ 1, sig.r8y, sig.s),
        Signature(0, 1, 0),
        Signature(0, FIELD_MODULUS - 1, 0),
        Signature(0, 0, 0),
    ]
    for forgery in forgeries:
        forged = with_signed_part(good, part.signed(forgery))
        refused(state, forged, context, error=SignatureInvalidError, account_id=0)
    state.apply(good, context)


@each_and_order
def test_account_without_key_cannot_sign(state: State, context: Context, make: Any) -> None:
    poison(state, 0, (0, 0))
    refused(state, make(), context, error=KeyMissingError, account_id=0)
    part = signed_part(make()).signed(Signature(0, 1, 0))
    refused(state, with_signed_part(make(), part), context, error=KeyMissingError, account_id=0)


@each_and_order
@pytest.mark.parametrize("key", [(0, 1), (0, FIELD_MODULUS - 1), (0, 5), (1, 0), (5, 7)])
def test_poisoned_key_signs_nothing(state: State, context: Context, make: Any, key: tuple[int, int]) -> None:
    """Of small order, or off the curve."""
    poison(state, 0, key)
    for signature in (Signature(0, 1, 0), Signature(0, FIELD_MODULUS - 1, 0), signed_part(make()).signature):
        forged = with_signed_part(make(), signed_part(make()).signed(signature))
        refused(state, forged, context, error=SignatureInvalidError, account_id=0)


@each_and_order
def test_signed_operation_of_nobody_refused(state: State, context: Context, make: Any) -> None:
    refused(state, make(make_user(7)), context, error=AccountMissingError, account_id=7)
    refused(state, make(make_user(64)), context, error=ValueRangeError, value=64, limit=64)
    refused(state, make(make_user(7), **{_payer(make): 2**24 - 1}), context, error=ValueRangeError, value=2**24 - 1)


def _payer(make: Any) -> str:
    return "account_id" if make in (cancel_order, maker) else "from_id"


# Paying


def _token(make: Any) -> str:
    return {maker: "sell_token", forced_exit: "fee_token", cancel_order: "fee_token"}.get(make, "token")


@each
def test_signed_operation_fee_in_unlisted_token_refused(state: State, context: Context, make: Any) -> None:
    refused(
        state, make(**{_token(make): 9}), context, error=FeeTokenNotListedError, token=9, fee_tokens=FEE_TOKENS
    )  # fmt: skip
    state.apply(make(**{_token(make): 9, "fee": 0}), context)


@each_and_order
@pytest.mark.parametrize("slot", [ORDER_SLOT, ORDER_SLOT + 1, 63])
def test_signed_operation_paid_from_an_order_slot_refused(state: State, context: Context, make: Any, slot: int) -> None:
    """Not even when the slot holds a number that would do (I-11)."""
    state.touch(Touch(0, slot, state.account(0), 1 << 128 | 10**6))
    operation = make(**{_token(make): slot})
    if make is maker:
        operation = replace(operation, taker=order(BOB, sell_token=2, buy_token=slot))
    refused(state, operation, context, error=TokenNotMoneyError, token=slot, first_order_slot=ORDER_SLOT)


@pytest.mark.parametrize("make", [transfer, transfer_to_address, withdraw])
@pytest.mark.parametrize(("amount", "fee"), [(1000, 1), (1, 1000), (0, 1010), (2**120, 0)])
def test_payment_beyond_the_balance_refused(state: State, context: Context, make: Any, amount: int, fee: int) -> None:
    amount = 34028236692 * 10**28 if amount > 10**9 else amount
    refused(
        state, make(amount=amount, fee=fee), context, error=BalanceTooLowError,
        account_id=0, token=1, balance=1000, amount=amount, fee=fee,
    )  # fmt: skip


@pytest.mark.parametrize("make", [transfer, transfer_to_address, withdraw])
@pytest.mark.parametrize(("amount", "fee"), [(0, 0), (1, 0), (0, 1), (999, 1), (1000, 0), (0, 1000)])
def test_payment_within_the_balance_debits_exactly(
    state: State, context: Context, make: Any, amount: int, fee: int
) -> None:
    applied = state.apply(make(amount=amount, fee=fee), context)
    assert (state.balance(0, 1), state.account(0).nonce) == (1000 - amount - fee, 1)
    assert applied.fees == (((1, fee),) if fee else ())


@pytest.mark.parametrize("make", [forced_exit, cancel_order])
@pytest.mark.parametrize("fee", [0, 1, 1000])
def test_service_debits_exactly_the_fee(state: State, context: Context, make: Any, fee: int) -> None:
    refused(state, make(fee=1010), context, error=BalanceTooLowError, balance=1000, amount=0, fee=1010)
    assert state.apply(make(fee=fee), context).fees == (((1, fee),) if fee else ())
    assert (state.balance(0, 1), state.account(0).nonce) == (1000 - fee, 1)


def test_order_pays_no_more_than_signed(state: State, context: Context) -> None:
    refused(state, swap(maker_fee=11), context, error=OrderFeeError, account_id=0, fee=11, limit=10)


# Alone or in a batch


@each
@pytest.mark.parametrize("link", [1, FIELD_MODULUS - 1])
def test_signed_operation_of_a_batch_alone_refused(state: State, context: Context, make: Any, link: int) -> None:
    refused(state, make(link=link), context, error=LinkMismatchError, account_id=0, expected=0, got=link)
    state.apply(make(), context)


def test_batch_member_without_its_link_refused(state: State, context: Context) -> None:
    """Signed within the batch, so not good outside of it; and the other way round."""
    member = payments().operations[0]
    refused(state, replace(member, link=0), context, error=SignatureInvalidError, account_id=0)
    alone = transfer()
    whole = payments()
    smuggled = replace(whole, operations=(replace(alone, link=member.link), whole.operations[1]))
    refused(state, smuggled, context, error=SignatureInvalidError, account_id=0)


def test_keyless_owner_is_the_one_who_cannot_sign(state: State, context: Context) -> None:
    """Dora's account exists and has money, but no key."""
    refused(state, transfer(DORA, token=3, amount=1, fee=0), context, error=KeyMissingError, account_id=4)


def test_signed_operation_found_valid_before_is_not_verified_again(state: State) -> None:
    """The claim is of this key, this message, this signature: anything else is verified."""
    forged = BOB.key.sign(transfer(), DOMAIN)
    claim = ALICE.key.public_key, forged.message_hash(DOMAIN), forged.signature.as_tuple()  # type: ignore[union-attr]
    for wrong in ((BOB.key.public_key, *claim[1:]), (claim[0], claim[1] + 1, claim[2]), (*claim[:2], (1, 2, 3))):
        with pytest.raises(SignatureInvalidError):
            state.apply(forged, Context(DOMAIN, TIME, FEE_TOKENS, verified={wrong}))
    state.apply(forged, Context(DOMAIN, TIME, FEE_TOKENS, verified={claim}))
