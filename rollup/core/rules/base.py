"""What the rules of all operations share: what they read, what they give, and the conditions that several have."""

from collections.abc import Container
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from rollup._native import eddsa_verify
from rollup.core.account import Account, Shape
from rollup.core.checks import check_below, check_uint
from rollup.core.constants import BALANCE_BITS, DOMAIN_BITS, NONCE_BITS, TIMESTAMP_BITS
from rollup.core.errors import (
    AccountMissingError,
    BalanceOverflowError,
    BalanceTooLowError,
    FeeTokenNotListedError,
    KeyMissingError,
    LinkMismatchError,
    NonceExhaustedError,
    NonceMismatchError,
    OutsideValidityError,
    SignatureInvalidError,
    SignatureMissingError,
    TokenNotMoneyError,
)
from rollup.core.operations import (
    Key,
    Operation,
    Order,
    PublishedOperation,
    PublishedStep,
    SignedOperation,
    StepOperation,
)

_LAST_NONCE = (1 << NONCE_BITS) - 1

Claim: TypeAlias = tuple[Key, int, tuple[int, int, int]]
"""That a key signed a message so: key, message hash, (R8x, R8y, S)."""


@dataclass(frozen=True, slots=True)
class Context:
    """What an operation is judged by besides the state: the header's domain, timestamp and fee tokens.

    `key_approvals` holds (owner's address, digest) of the key changes that their owners approved on L1: the caller
    vouches that he has looked. Anybody can approve any digest, for himself. It may grow while the context is in use.
    `verified` holds (key, message, signature) of what the caller found to be valid before, many at once.
    """

    domain: int
    timestamp: int
    fee_tokens: tuple[int, ...]
    key_approvals: Container[tuple[int, bytes]] = frozenset()
    verified: Container[Claim] = frozenset()

    def __post_init__(self) -> None:
        check_uint("domain", self.domain, DOMAIN_BITS)
        check_uint("timestamp", self.timestamp, TIMESTAMP_BITS)


@dataclass(frozen=True, slots=True)
class Touch:
    """One account and what one of its slots holds, as they stand after the change."""

    account_id: int
    slot: int
    account: Account
    leaf: int


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of the circuit does.

    The circuit always has two touches, the second on what the first left: `first` is mostly the debit, `second` the
    credit, None what changes nothing. `batch_rest` is R_(i+1) if the operation is the i-th of a batch, else None.
    """

    operation: StepOperation | PublishedStep
    first: Touch | None = None
    second: Touch | None = None
    fee_token: int = 0
    fee: int = 0
    batch_rest: int | None = None

    @property
    def touches(self) -> tuple[Touch, ...]:
        """The changes, in order."""
        return tuple(touch for touch in (self.first, self.second) if touch is not None)

    def of(self, operation: StepOperation) -> "Step":
        """The same step of the operation as it was signed."""
        return Step(operation, self.first, self.second, self.fee_token, self.fee)


@dataclass(frozen=True, slots=True)
class Applied:
    """What an operation does. `operation` is as it goes into the block: exits with their amounts."""

    operation: Operation | PublishedOperation
    steps: tuple[Step, ...]

    @property
    def touches(self) -> tuple[Touch, ...]:
        """The changes of all steps, in order."""
        return tuple(touch for step in self.steps for touch in step.touches)

    @property
    def fees(self) -> tuple[tuple[int, int], ...]:
        """(token, fee) of each step that pays one."""
        return tuple((step.fee_token, step.fee) for step in self.steps if step.fee)


class View(Protocol):
    """What the rules read of a state."""

    @property
    def shape(self) -> Shape: ...

    def account(self, account_id: int) -> Account: ...

    def leaf(self, account_id: int, slot: int) -> int: ...


class Overlay:
    """A view with touches made on top of it, for the later steps of an operation."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._accounts: dict[int, Account] = {}
        self._leaves: dict[tuple[int, int], int] = {}

    @property
    def shape(self) -> Shape:
        """The view's."""
        return self._view.shape

    def account(self, account_id: int) -> Account:
        """The account after the touches."""
        return self._accounts.get(account_id) or self._view.account(account_id)

    def leaf(self, account_id: int, slot: int) -> int:
        """What the slot holds after the touches."""
        leaf = self._leaves.get((account_id, slot))
        return self._view.leaf(account_id, slot) if leaf is None else leaf

    def put(self, *touches: Touch) -> None:
        """Make these touches."""
        for touch in touches:
            self._accounts[touch.account_id] = touch.account
            self._leaves[touch.account_id, touch.slot] = touch.leaf


def check_id(view: View, account_id: int) -> None:
    """The trees have such an account."""
    check_below("account_id", account_id, view.shape.accounts)


def check_money(view: View, token: int) -> None:
    """The slot is a token's (I-11)."""
    if token >= view.shape.first_order_slot:
        raise TokenNotMoneyError(token, view.shape.first_order_slot)


def existing(view: View, account_id: int) -> Account:
    """The account, which exists."""
    check_id(view, account_id)
    account = view.account(account_id)
    if not account.exists:
        raise AccountMissingError(account_id)
    return account


def keyed(view: View, account_id: int) -> Account:
    """The account, which exists and has a key."""
    account = existing(view, account_id)
    if not account.has_key:
        raise KeyMissingError(account_id)
    return account


def next_nonce(account_id: int, account: Account) -> Account:
    """The account after one more nonce."""
    if account.nonce >= _LAST_NONCE:
        raise NonceExhaustedError(account_id, account.nonce)
    return Account(account.key, account.address, account.nonce + 1)


def charged(view: View, account_id: int, token: int, amount: int, fee: int, fee_tokens: tuple[int, ...]) -> int:
    """The balance after it paid amount and fee."""
    check_money(view, token)
    if fee and token not in fee_tokens:
        raise FeeTokenNotListedError(token, fee_tokens)
    balance = view.leaf(account_id, token)
    rest = balance - amount - fee
    if rest < 0:
        raise BalanceTooLowError(account_id, token, balance, amount, fee)
    return rest


def credited(view: View, account_id: int, token: int, amount: int) -> int:
    """The balance after a credit."""
    balance = view.leaf(account_id, token)
    if (balance + amount) >> BALANCE_BITS:
        raise BalanceOverflowError(account_id, token, balance, amount)
    return balance + amount


def debit(view: View, account_id: int, token: int, amount: int, fee: int, fee_tokens: tuple[int, ...]) -> Touch:
    """The payer of a signed operation pays, and his nonce grows."""
    check_money(view, token)
    after = next_nonce(account_id, keyed(view, account_id))
    return Touch(account_id, token, after, charged(view, account_id, token, amount, fee, fee_tokens))


def check_signed(view: View, account_id: int, operation: SignedOperation, context: Context, link: int) -> None:
    """Link, nonce, and all of `check_consent`: the cheap ones first."""
    account = keyed(view, account_id)
    if operation.link != link:
        raise LinkMismatchError(account_id, link, operation.link)
    if operation.nonce != account.nonce:
        raise NonceMismatchError(account_id, account.nonce, operation.nonce)
    check_consent(account_id, account, operation, context)


def check_consent(account_id: int, account: Account, operation: SignedOperation | Order, context: Context) -> None:
    """The account signed it, and the window is open."""
    if not operation.valid_from <= context.timestamp <= operation.valid_until:
        raise OutsideValidityError(context.timestamp, operation.valid_from, operation.valid_until)
    if operation.signature is None:
        raise SignatureMissingError(account_id)
    claim = account.key, operation.message_hash(context.domain), operation.signature.as_tuple()
    if claim not in context.verified and not eddsa_verify(*claim):
        raise SignatureInvalidError(account_id, claim[1])
