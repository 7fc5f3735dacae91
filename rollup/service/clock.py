"""This machine's clock, which blocks are dated by, and whether it can be believed.

L1 takes a block dated up to 15 minutes ahead of it or 24 hours behind, and no block may be dated before the last one.
So one block dated by a clock that has jumped would keep all after it from L1 until L1's time has come there: when the
clock leaves the machine's steady one, nothing new is promised until L1's own time bears it out.
"""

import time
from collections.abc import Callable
from typing import Final

from rollup.core.constants import MAX_TIMESTAMP_AHEAD_SECONDS

MOST_SECONDS: Final = MAX_TIMESTAMP_AHEAD_SECONDS // 3
"""So far the clock may move by itself."""
BEHIND_SECONDS: Final = 300
"""So far it may be behind L1's latest block."""
AHEAD_SECONDS: Final = 600
"""So far ahead: L1 makes a block every 12 s, so after so long without one either it or our clock is wrong."""


def _steady() -> float:
    """Seconds that nobody sets, and that go on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Clock:
    """Unix seconds, and how far they can be believed. For any thread.

    Args:
        wall: The machine's clock.
        steady: Seconds that nobody sets.
    """

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = _steady) -> None:
        self._wall, self._steady = wall, steady
        self._offset: float | None = None

    def __call__(self) -> float:
        """Unix seconds, as the machine has them."""
        return self._wall()

    @property
    def is_confirmed(self) -> bool:
        """L1's time bore it out at least once."""
        return self._offset is not None

    def jumped(self) -> int:
        """By how many seconds it was set forward (back, if negative) since it was last borne out; 0 if by few."""
        if self._offset is None:
            return 0
        moved = self._wall() - self._steady() - self._offset
        return round(moved) if abs(moved) > MOST_SECONDS else 0

    def compare(self, l1_at: int) -> int:
        """Hold it to the time of L1's latest block; by how many seconds it is ahead of it, 0 if that is well."""
        ahead = self._wall() - l1_at
        if -BEHIND_SECONDS <= ahead <= AHEAD_SECONDS:
            self._offset = self._wall() - self._steady()
            return 0
        return round(ahead)
