"""Transfer, TransferToAddress, Withdraw, ForcedExit: their effects, from what is published of them."""

from dataclasses import replace

from rollup.core.account import Account
from rollup.core.errors import (
    AccountMissingError,
    AccountTakenError,
    AddressZeroError,
    ExitAmountError,
    KeyPresentError,
    NothingToExitError,
    OwnerMismatchError,
    RecipientMismatchError,
)
from rollup.core.operations import ForcedExitData, Transfer, TransferData, TransferToAddressData, WithdrawData
from rollup.core.rules.base import Overlay, Step, Touch, View, check_id, check_money, credited, debit, existing


def check_recipient(view: View, operation: Transfer) -> None:
    """The recipient's account is whose the payer signed; the chunk does not say."""
    check_id(view, operation.to_id)
    if not operation.to_address:
        raise AddressZeroError("to_address")
    account = existing(view, operation.to_id)
    if account.address != operation.to_address:
        raise RecipientMismatchError(operation.to_id, operation.to_address, account.address)


def transfer(view: View, data: TransferData, fee_tokens: tuple[int, ...]) -> Step:
    """Debit, then credit."""
    first = debit(view, data.from_id, data.token, data.amount, data.fee, fee_tokens)
    check_id(view, data.to_id)
    after = _after(view, first, data.to_id)
    account = after.account(data.to_id)
    if not account.exists:
        raise AccountMissingError(data.to_id)
    second = Touch(data.to_id, data.token, account, credited(after, data.to_id, data.token, data.amount))
    return Step(data, first, second, data.token, data.fee)


def transfer_to_address(view: View, data: TransferToAddressData, fee_tokens: tuple[int, ...]) -> Step:
    """Debit, then credit to an account of the address or an empty one, which becomes the address's."""
    first = debit(view, data.from_id, data.token, data.amount, data.fee, fee_tokens)
    check_id(view, data.to_id)
    if not data.to_address:
        raise AddressZeroError("to_address")
    after = _after(view, first, data.to_id)
    account = after.account(data.to_id)
    if account.exists and account.address != data.to_address:
        raise AccountTakenError(data.to_id, data.to_address, account.address)
    receiver = Account(account.key, data.to_address, account.nonce)
    second = Touch(data.to_id, data.token, receiver, credited(after, data.to_id, data.token, data.amount))
    return Step(data, first, second, data.token, data.fee)


def withdraw(view: View, data: WithdrawData, fee_tokens: tuple[int, ...]) -> Step:
    """Debit; L1 owes the amount."""
    if not data.address:
        raise AddressZeroError("address")
    first = debit(view, data.from_id, data.token, data.amount, data.fee, fee_tokens)
    return Step(data, first, fee_token=data.token, fee=data.fee)


def forced_exit(view: View, data: ForcedExitData, fee_tokens: tuple[int, ...]) -> Step:
    """The payer's debit, then the whole balance of an account without key, which L1 owes to its address."""
    first = debit(view, data.from_id, data.fee_token, 0, data.fee, fee_tokens)
    check_money(view, data.token)
    if not data.address:
        raise AddressZeroError("address")
    # The payer has a key and this account none, so they are two: the debit does not show here.
    account = existing(view, data.account_id)
    if account.address != data.address:
        raise OwnerMismatchError(data.account_id, data.address, account.address)
    if account.has_key:
        raise KeyPresentError(data.account_id)
    amount = view.leaf(data.account_id, data.token)
    if not amount:
        raise NothingToExitError(data.account_id, data.token)
    if data.amount not in (None, amount):
        raise ExitAmountError(data.account_id, data.token, amount, data.amount or 0)
    second = Touch(data.account_id, data.token, account, 0)
    return Step(replace(data, amount=amount), first, second, data.fee_token, data.fee)


def _after(view: View, touch: Touch, account_id: int) -> View:
    """The view that a second touch, of this account, opens."""
    if touch.account_id != account_id:
        return view
    after = Overlay(view)
    after.put(touch)
    return after
