"""The semantics of protocol 4: what each operation requires and what it changes.

Nothing here changes a state: `plan` checks everything and returns the changes, so that applying is all or nothing.
A plan has at most two touches, in order; the second starts from where the first ended. The circuit's step always has
two, a debit and a credit: `block.py` says which of them a plan's only touch is.
"""

from dataclasses import dataclass, replace
from typing import Protocol, assert_never

from rollup._native import eddsa_verify
from rollup.core.account import Account, Shape
from rollup.core.checks import check_below, check_uint
from rollup.core.constants import BALANCE_BITS, DOMAIN_BITS, NONCE_BITS, TIMESTAMP_BITS
from rollup.core.errors import (
    AccountMissingError,
    AccountTakenError,
    AddressZeroError,
    BalanceOverflowError,
    BalanceTooLowError,
    ExitAmountError,
    FeeTokenNotListedError,
    KeyMissingError,
    NonceExhaustedError,
    NonceMismatchError,
    OutsideValidityError,
    RecipientMismatchError,
    SignatureInvalidError,
    SignatureMissingError,
    TokenNotMoneyError,
)
from rollup.core.operations import (
    Deposit,
    FullExit,
    Noop,
    Operation,
    PublishedOperation,
    SignedOperation,
    Transfer,
    TransferData,
    Withdraw,
    WithdrawData,
)

_LAST_NONCE = (1 << NONCE_BITS) - 1


@dataclass(frozen=True, slots=True)
class Context:
    """What an operation is judged by besides the state: the header's domain, timestamp and fee tokens."""

    domain: int
    timestamp: int
    fee_tokens: tuple[int, ...]

    def __post_init__(self) -> None:
        check_uint("domain", self.domain, DOMAIN_BITS)
        check_uint("timestamp", self.timestamp, TIMESTAMP_BITS)


@dataclass(frozen=True, slots=True)
class Touch:
    """One account and one of its slots, as they stand after the change."""

    account_id: int
    slot: int
    account: Account
    balance: int


@dataclass(frozen=True, slots=True)
class Applied:
    """What an operation does. `operation` is as it goes into the block: a FullExit with its amount."""

    operation: Operation | PublishedOperation
    touches: tuple[Touch, ...]
    fee_token: int = 0
    fee: int = 0


class View(Protocol):
    """What the rules read of a state."""

    @property
    def shape(self) -> Shape: ...

    def account(self, account_id: int) -> Account: ...

    def balance(self, account_id: int, slot: int) -> int: ...


def plan(view: View, operation: Operation, context: Context) -> Applied:
    """Check an operation against everything the circuit checks and return its effect.

    Raises:
        OperationError: a condition of protocol 4 fails; the subclass says which.
        ValueRangeError: an id is beyond the trees of this state.
    """
    match operation:
        case Noop():
            return Applied(operation, ())
        case Deposit():
            return _deposit(view, operation)
        case FullExit():
            return _full_exit(view, operation)
        case Transfer():
            _check_money(view, operation.token)
            _check_signed(view, operation, context)
            _check_recipient(view, operation)
            applied = _transfer(view, operation.published(), context.fee_tokens)
        case Withdraw():
            _check_money(view, operation.token)
            _check_signed(view, operation, context)
            applied = _withdraw(view, operation.published(), context.fee_tokens)
        case _:
            assert_never(operation)
    return replace(applied, operation=operation)


def plan_published(view: View, operation: PublishedOperation, fee_tokens: tuple[int, ...]) -> Applied:
    """The effect of an operation as published, for a rebuild: the proof stands for what only the signer knew."""
    match operation:
        case Deposit():
            return _deposit(view, operation)
        case FullExit():
            return _full_exit(view, operation)
        case TransferData():
            return _transfer(view, operation, fee_tokens)
        case WithdrawData():
            return _withdraw(view, operation, fee_tokens)
        case _:
            assert_never(operation)


def plan_fee(view: View, fee_account: int, token: int, fee: int) -> Touch:
    """The credit of one fee token's fees at the end of a block; the fee account exists."""
    account = view.account(fee_account)
    return Touch(fee_account, token, account, _credited(fee_account, token, view.balance(fee_account, token), fee))


def _deposit(view: View, deposit: Deposit) -> Applied:
    if deposit.refused:
        return Applied(deposit, ())
    _check_money(view, deposit.token)
    _check_id(view, deposit.account_id)
    if not deposit.owner:
        raise AddressZeroError("owner")
    account = view.account(deposit.account_id)
    if account.exists and account.address != deposit.owner:
        raise AccountTakenError(deposit.account_id, deposit.owner, account.address)
    # An off-curve key is set as any other: it can sign nothing, and no deposit may ever block the queue.
    key = deposit.key if deposit.sender_is_owner and not account.has_key else account.key
    balance = view.balance(deposit.account_id, deposit.token)
    credited = _credited(deposit.account_id, deposit.token, balance, deposit.amount)
    after = Account(key, deposit.owner, account.nonce)
    return Applied(deposit, (Touch(deposit.account_id, deposit.token, after, credited),))


def _full_exit(view: View, full_exit: FullExit) -> Applied:
    _check_id(view, full_exit.account_id)
    check_below("token", full_exit.token, view.shape.slots)
    account = view.account(full_exit.account_id)
    balance = view.balance(full_exit.account_id, full_exit.token)
    leaves = account.address == full_exit.owner and full_exit.token < view.shape.first_order_slot
    amount = balance if leaves else 0
    if full_exit.amount not in (None, amount):
        raise ExitAmountError(full_exit.account_id, full_exit.token, amount, full_exit.amount or 0)
    touch = Touch(full_exit.account_id, full_exit.token, account, balance - amount)
    return Applied(replace(full_exit, amount=amount), (touch,))


def _transfer(view: View, transfer: TransferData, fee_tokens: tuple[int, ...]) -> Applied:
    debit = _debit(view, transfer, fee_tokens)
    _check_id(view, transfer.to_id)
    if transfer.to_id == transfer.from_id:
        to_account, to_balance = debit.account, debit.balance
    else:
        to_account = view.account(transfer.to_id)
        to_balance = view.balance(transfer.to_id, transfer.token)
    if not to_account.exists:
        raise AccountMissingError(transfer.to_id)
    to_balance = _credited(transfer.to_id, transfer.token, to_balance, transfer.amount)
    credit = Touch(transfer.to_id, transfer.token, to_account, to_balance)
    return Applied(transfer, (debit, credit), transfer.token, transfer.fee)


def _withdraw(view: View, withdraw: WithdrawData, fee_tokens: tuple[int, ...]) -> Applied:
    if not withdraw.address:
        raise AddressZeroError("address")
    return Applied(withdraw, (_debit(view, withdraw, fee_tokens),), withdraw.token, withdraw.fee)


def _debit(view: View, operation: TransferData | WithdrawData, fee_tokens: tuple[int, ...]) -> Touch:
    _check_money(view, operation.token)
    _check_id(view, operation.from_id)
    account = view.account(operation.from_id)
    if not account.exists:
        raise AccountMissingError(operation.from_id)
    if not account.has_key:
        raise KeyMissingError(operation.from_id)
    if account.nonce >= _LAST_NONCE:
        raise NonceExhaustedError(operation.from_id, account.nonce)
    if operation.fee and operation.token not in fee_tokens:
        raise FeeTokenNotListedError(operation.token, fee_tokens)
    balance = view.balance(operation.from_id, operation.token)
    rest = balance - operation.amount - operation.fee
    if rest < 0:
        raise BalanceTooLowError(operation.from_id, operation.token, balance, operation.amount, operation.fee)
    after = Account(account.key, account.address, account.nonce + 1)
    return Touch(operation.from_id, operation.token, after, rest)


def _check_signed(view: View, operation: SignedOperation, context: Context) -> None:
    """Key, nonce, window, signature: the cheap ones first."""
    _check_id(view, operation.from_id)
    account = view.account(operation.from_id)
    if not account.exists:
        raise AccountMissingError(operation.from_id)
    if not account.has_key:
        raise KeyMissingError(operation.from_id)
    if operation.nonce != account.nonce:
        raise NonceMismatchError(operation.from_id, account.nonce, operation.nonce)
    if not operation.valid_from <= context.timestamp <= operation.valid_until:
        raise OutsideValidityError(context.timestamp, operation.valid_from, operation.valid_until)
    if operation.signature is None:
        raise SignatureMissingError(operation.from_id)
    message = operation.message_hash(context.domain)
    if not eddsa_verify(account.key, message, operation.signature.as_tuple()):
        raise SignatureInvalidError(operation.from_id, message)


def _check_recipient(view: View, transfer: Transfer) -> None:
    _check_id(view, transfer.to_id)
    if not transfer.to_address:
        raise AddressZeroError("to_address")
    to_account = view.account(transfer.to_id)
    if not to_account.exists:
        raise AccountMissingError(transfer.to_id)
    if to_account.address != transfer.to_address:
        raise RecipientMismatchError(transfer.to_id, transfer.to_address, to_account.address)


def _check_money(view: View, token: int) -> None:
    if token >= view.shape.first_order_slot:
        raise TokenNotMoneyError(token, view.shape.first_order_slot)


def _check_id(view: View, account_id: int) -> None:
    check_below("account_id", account_id, view.shape.accounts)


def _credited(account_id: int, token: int, balance: int, amount: int) -> int:
    if (balance + amount) >> BALANCE_BITS:
        raise BalanceOverflowError(account_id, token, balance, amount)
    return balance + amount
