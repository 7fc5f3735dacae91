"""The rollup's state: accounts, balances and their root (protocol 2)."""

from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from rollup.core.account import Account, AccountTree, OrderSlot, Shape
from rollup.core.checks import check_below
from rollup.core.constants import ACCOUNT_LEVELS, BALANCE_LEVELS, SHARED_NODES
from rollup.core.operations import Operation, PublishedOperation
from rollup.core.rules import Applied, Context, Touch, plan, plan_fee, plan_published

_Undo: TypeAlias = tuple[int, int, Account, int]
"""Account and slot, and what they held."""
_NOBODY: Final = Account()


class State:
    """Accounts with balances, changed by operations only, all or nothing.

    Changes are kept in dictionaries and reach the trees when the root or a path is asked for, so that many operations
    cost one update of the trees. A journal takes changes back: `mark` a place, `rollback` to it, `forget` it when it
    is no longer needed.

    Args:
        account_levels, balance_levels: depths of the 8-ary trees; other than the protocol's only in tests.
        has_trees: without, there is neither root nor path, and nothing is noted for them.
    """

    def __init__(
        self, account_levels: int = ACCOUNT_LEVELS, balance_levels: int = BALANCE_LEVELS, has_trees: bool = True
    ) -> None:
        self._shape = Shape(account_levels, balance_levels)
        self._accounts: dict[int, Account] = {}
        self._leaves: dict[int, dict[int, int]] = {}
        self._by_address: dict[int, list[int]] = {}
        self._tree = AccountTree(self._shape)
        self._has_trees = has_trees
        self._dirty: dict[int, set[int]] = {}
        self._journal: list[_Undo] = []
        self._journal_start = 0

    # Reading

    @property
    def shape(self) -> Shape:
        """Depths and limits."""
        return self._shape

    @property
    def root(self) -> int:
        """The state root."""
        self._flush()
        return self._tree.root

    def account(self, account_id: int) -> Account:
        """The account, the empty one if there is none."""
        return self._accounts.get(account_id, _NOBODY)

    def leaf(self, account_id: int, slot: int) -> int:
        """What a slot of the balance tree holds, money or not; 0 if it is empty."""
        leaves = self._leaves.get(account_id)
        return leaves.get(slot, 0) if leaves else 0

    def balance(self, account_id: int, token: int) -> int:
        """The balance in the token's smallest unit, 0 if there is none; an order slot holds no money."""
        return self.leaf(account_id, token) if token < self._shape.first_order_slot else 0

    def balances(self, account_id: int) -> dict[int, int]:
        """All balances of an account that are not 0, by token."""
        leaves, tokens = self._leaves.get(account_id, {}), self._shape.first_order_slot
        return {slot: leaf for slot, leaf in leaves.items() if leaf and slot < tokens}

    def order_slots(self, account_id: int) -> dict[int, OrderSlot]:
        """All order slots of an account that were ever used, by slot."""
        leaves, tokens = self._leaves.get(account_id, {}), self._shape.first_order_slot
        return {slot: OrderSlot.of_leaf(leaf) for slot, leaf in leaves.items() if leaf and slot >= tokens}

    def accounts(self) -> Iterator[tuple[int, Account]]:
        """All existing accounts by id, in no order."""
        return ((account_id, account) for account_id, account in self._accounts.items() if account.exists)

    def find(self, address: int) -> tuple[int, ...]:
        """The accounts of an address, oldest first; mostly one or none."""
        return tuple(self._by_address.get(address, ()))

    def account_path(self, account_id: int) -> list[list[int]]:
        """Per level, bottom first, the eight children on the way from the account's leaf to the root."""
        self._flush()
        return self._tree.account_path(account_id)

    def shared_nodes(self) -> list[int]:
        """The nodes that the steps of a block share, in the order of the ids under them (protocol 15)."""
        return [self.shared_node(number) for number in range(SHARED_NODES)]

    def shared_node(self, number: int) -> int:
        """One of them."""
        self._flush()
        return self._tree.shared_node(number)

    def balance_path(self, account_id: int, slot: int) -> list[list[int]]:
        """As `account_path`, from the slot's leaf to the account's balances root."""
        self._flush()
        return self._tree.balance_path(account_id, slot)

    # Changing

    def apply(self, operation: Operation, context: Context) -> Applied:
        """Apply an operation after checking all that the circuit checks; if it is refused nothing has changed.

        Returns:
            What changed, with the operation as it goes into a block. Its fees are not credited yet: that is the
            block's last act (`credit_fee`).

        Raises:
            OperationError: the operation cannot be included.
        """
        applied = plan(self, operation, context)
        for touch in applied.touches:
            self.touch(touch)
        return applied

    def apply_published(self, operation: PublishedOperation, fee_tokens: tuple[int, ...]) -> Applied:
        """Apply an operation read from L1, where a proof vouches for signature, nonce, window and recipient."""
        applied = plan_published(self, operation, fee_tokens)
        for touch in applied.touches:
            self.touch(touch)
        return applied

    def credit_fee(self, fee_account: int, token: int, fee: int) -> None:
        """Credit what a block took of one fee token."""
        self.touch(plan_fee(self, fee_account, token, fee))

    def touch(self, touch: Touch) -> None:
        """Make one planned change."""
        account_id, slot = touch.account_id, touch.slot
        self._journal.append((account_id, slot, self.account(account_id), self.leaf(account_id, slot)))
        self._put(account_id, slot, touch.account, touch.leaf)

    # Undoing

    def mark(self) -> int:
        """A place to roll back to."""
        return self._journal_start + len(self._journal)

    def rollback(self, mark: int) -> None:
        """Take back every change since `mark`.

        Raises:
            ValueRangeError: the mark is of the future, or was forgotten.
        """
        check_below("mark", mark - self._journal_start, len(self._journal) + 1)
        while self.mark() > mark:
            self._put(*self._journal.pop())

    def forget(self, mark: int | None = None) -> None:
        """Give up the way back to places before `mark` (None: before now)."""
        mark = self.mark() if mark is None else mark
        count = check_below("mark", mark - self._journal_start, len(self._journal) + 1)
        del self._journal[:count]
        self._journal_start = mark

    # Whole states

    def fill(self, contents: Iterable[tuple[int, Account, dict[int, int]]]) -> None:
        """Put accounts with what their slots hold into an empty state, which keeps the dictionaries; no way back."""
        for account_id, account, leaves in contents:
            self._accounts[account_id] = account
            self._leaves[account_id] = leaves
            if account.address:
                self._by_address.setdefault(account.address, []).append(account_id)
            if self._has_trees:
                self._dirty[account_id] = set(leaves)

    def tree(self) -> AccountTree:
        """A copy of the trees as they stand now."""
        self._flush()
        return self._tree.copy()

    def copy(self, has_trees: bool = True) -> "State":
        """An independent copy, without the journal; without trees if this one has none."""
        has_trees = has_trees and self._has_trees
        copied = State(self._shape.account_levels, self._shape.balance_levels, has_trees)
        if has_trees:
            copied._tree = self.tree()
        copied._accounts = dict(self._accounts)
        copied._leaves = {account_id: dict(leaves) for account_id, leaves in self._leaves.items()}
        copied._by_address = {address: list(ids) for address, ids in self._by_address.items()}
        return copied

    def _put(self, account_id: int, slot: int, account: Account, leaf: int) -> None:
        before = self._accounts.get(account_id, _NOBODY)
        if before.address != account.address:
            self._move(account_id, before.address, account.address)
        self._accounts[account_id] = account
        leaves = self._leaves.get(account_id)
        if leaves is None:
            leaves = self._leaves[account_id] = {}
        leaves[slot] = leaf
        if self._has_trees:
            dirty = self._dirty.get(account_id)
            if dirty is None:
                dirty = self._dirty[account_id] = set()
            dirty.add(slot)

    def _move(self, account_id: int, before: int, after: int) -> None:
        if before:
            self._by_address[before].remove(account_id)
        if after:
            self._by_address.setdefault(after, []).append(account_id)

    def _flush(self) -> None:
        assert self._has_trees, "this state was made without trees"
        if not self._dirty:
            return
        self._tree.update(
            (account_id, self.account(account_id), [(slot, self.leaf(account_id, slot)) for slot in slots])
            for account_id, slots in self._dirty.items()
        )
        self._dirty.clear()
