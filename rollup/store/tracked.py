"""A state that remembers what it held before it was changed, so that a store can write the change and the way back."""

from rollup.core.account import Account
from rollup.core.constants import ACCOUNT_LEVELS, BALANCE_LEVELS
from rollup.core.rules import Touch
from rollup.core.state import State


class TrackedState(State):
    """A `State` whose touches since the last `take` are known."""

    def __init__(self, account_levels: int = ACCOUNT_LEVELS, balance_levels: int = BALANCE_LEVELS) -> None:
        super().__init__(account_levels, balance_levels)
        self._accounts_before: dict[int, Account] = {}
        self._leaves_before: dict[tuple[int, int], int] = {}

    def touch(self, touch: Touch) -> None:
        """Make one planned change, and remember what was there."""
        place = touch.account_id, touch.slot
        if place not in self._leaves_before:
            self._leaves_before[place] = self.leaf(*place)
        if touch.account_id not in self._accounts_before:
            self._accounts_before[touch.account_id] = self.account(touch.account_id)
        super().touch(touch)

    def take(self) -> list[Touch]:
        """What every account and slot touched since the last call held before; applied in any order, it is undone."""
        before = [
            Touch(account_id, slot, self._accounts_before[account_id], leaf)
            for (account_id, slot), leaf in self._leaves_before.items()
        ]
        self._accounts_before.clear()
        self._leaves_before.clear()
        return before
