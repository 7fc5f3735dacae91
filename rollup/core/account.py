"""What the state tree holds (protocol 2): accounts, their leaves, and the empty roots."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from rollup._native import StateTree, poseidon
from rollup.core.checks import check_uint
from rollup.core.constants import (
    ACCOUNT_LEVELS,
    ARITY,
    ARITY_BITS,
    BALANCE_BITS,
    BALANCE_LEVELS,
    SHARED_LEVELS,
)
from rollup.core.operations import NO_KEY, Key


@dataclass(frozen=True, slots=True)
class Account:
    """An account without its balances. The empty account is `Account()`."""

    key: Key = NO_KEY
    address: int = 0
    nonce: int = 0

    @property
    def exists(self) -> bool:
        """Only an existing account has an address (I-01)."""
        return self.address != 0

    @property
    def has_key(self) -> bool:
        """(0, 0) is no key; every other pair is one, on the curve or not."""
        return self.key != NO_KEY


@dataclass(frozen=True, slots=True)
class OrderSlot:
    """What an order slot holds: the latest order that used it, and how much of what that order sells is sold."""

    order_id: int = 0
    filled: int = 0

    @property
    def leaf(self) -> int:
        """`order_id 32 | filled 128`."""
        return self.order_id << BALANCE_BITS | self.filled

    @classmethod
    def of_leaf(cls, leaf: int) -> "OrderSlot":
        """The slot of a leaf."""
        return cls(leaf >> BALANCE_BITS, leaf & (1 << BALANCE_BITS) - 1)


@dataclass(frozen=True, slots=True)
class Shape:
    """Depths of the two trees; only tests use other than the protocol's."""

    account_levels: int = ACCOUNT_LEVELS
    balance_levels: int = BALANCE_LEVELS

    @property
    def accounts(self) -> int:
        """Number of account ids."""
        return 1 << ARITY_BITS * self.account_levels

    def shared_node_of(self, account_id: int) -> int:
        """Under which of the shared nodes an account lies."""
        return account_id >> ARITY_BITS * (self.account_levels - SHARED_LEVELS)

    @property
    def slots(self) -> int:
        """Number of balance slots of an account."""
        return 1 << ARITY_BITS * self.balance_levels

    @property
    def first_order_slot(self) -> int:
        """Slots from here up are never money."""
        return self.slots // 2


def account_leaf(account: Account, balances_root: int) -> int:
    """`Poseidon(5)(ax, ay, address, nonce, balances_root)`."""
    return poseidon([*account.key, account.address, account.nonce, balances_root])


@cache
def empty_balances_root(balance_levels: int = BALANCE_LEVELS) -> int:
    """EMPTY_BALANCES_ROOT: the root of the all-zero balance tree."""
    return _uniform_root(balance_levels, 0)


@cache
def empty_account_leaf(balance_levels: int = BALANCE_LEVELS) -> int:
    """The leaf of the empty account."""
    return account_leaf(Account(), empty_balances_root(balance_levels))


@cache
def empty_root(account_levels: int = ACCOUNT_LEVELS, balance_levels: int = BALANCE_LEVELS) -> int:
    """EMPTY_ROOT: the state before block 1."""
    return _uniform_root(account_levels, empty_account_leaf(balance_levels))


def _uniform_root(levels: int, leaf: int) -> int:
    for _ in range(levels):
        leaf = poseidon([leaf] * ARITY)
    return leaf


class AccountTree:
    """The tree of accounts over one balance tree each, brought up to date for many accounts at once."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._tree = StateTree(shape.account_levels, shape.balance_levels)

    @property
    def root(self) -> int:
        """The state root."""
        return self._tree.root

    def update(self, changes: Iterable[tuple[int, Account, Sequence[tuple[int, int]]]]) -> None:
        """Set accounts as (id, account, [(slot, balance)]); slots not named keep their balance."""
        self._tree.update(
            [(number, account.key, account.address, account.nonce, slots) for number, account, slots in changes]
        )

    def account_path(self, account_id: int) -> list[list[int]]:
        """Per level, bottom first, the eight children on the way from the account to the root."""
        return self._tree.account_path(check_uint("account_id", account_id, ARITY_BITS * self._shape.account_levels))

    def shared_node(self, number: int) -> int:
        """One of the SHARED_NODES nodes that lie SHARED_LEVELS below the root."""
        return self._tree.account_node(SHARED_LEVELS, number)

    def balance_path(self, account_id: int, slot: int) -> list[list[int]]:
        """As `account_path`, from the balance to the account's balances root."""
        return self._tree.balance_path(account_id, check_uint("slot", slot, ARITY_BITS * self._shape.balance_levels))

    def copy(self) -> "AccountTree":
        """An independent copy."""
        copied = AccountTree(self._shape)
        copied._tree = self._tree.copy()
        return copied
