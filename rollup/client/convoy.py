"""Operations of one account that are submitted at the same time go together, in the order of their nonces: what comes
while a request is on its way is the next one.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rollup.client.core import Core
from rollup.client.flow import Flow, Pause
from rollup.client.model import Confirmed
from rollup.client.retrying import is_repeatable
from rollup.core.errors import SluiceError
from rollup.core.wire import WireOperation

FOLLOW_SECONDS: Final = 0.004
"""How often who is not at the head looks whether his answer is there."""


@dataclass(eq=False)
class _Seat:
    """An operation that is to be submitted, and what became of it."""

    operation: WireOperation
    place: int
    outcome: Confirmed | SluiceError | None = None


class Convoy:
    """Args:
    core: The node.
    """

    def __init__(self, core: Core) -> None:
        self._core, self._lock = core, threading.Lock()
        self._waiting: list[_Seat] = []
        self._has_head = False

    def submit(self, operation: WireOperation, place: int) -> Flow[Confirmed]:
        """Submit an operation, with what else waits; `place` is its nonce.

        Raises: What `Core.submit` raises.
        """
        if not is_repeatable(operation):
            return (yield from self._core.submit(operation))
        seat = _Seat(operation, place)
        self._change(lambda: self._waiting.append(seat))
        try:
            while seat.outcome is None:
                group = self._lead()
                if group is None:
                    yield Pause(FOLLOW_SECONDS)
                    continue
                try:
                    yield from self._take(group)
                finally:
                    self._disband(group)
        finally:
            # Who is cancelled leaves; that his operation may have been sent already is for him to remember.
            self._change(lambda: self._waiting.remove(seat) if seat in self._waiting else None)
        if isinstance(seat.outcome, SluiceError):
            raise seat.outcome
        return seat.outcome

    def _take(self, group: list[_Seat]) -> Flow[None]:
        if len(group) == 1:
            try:
                group[0].outcome = yield from self._core.submit(group[0].operation)
            except SluiceError as error:
                group[0].outcome = error
            return
        try:
            outcomes = yield from self._core.submit_many([seat.operation for seat in group])
        except SluiceError as error:
            outcomes = [error] * len(group)
        for seat, outcome in zip(group, outcomes, strict=True):
            seat.outcome = outcome

    def _lead(self) -> list[_Seat] | None:
        """All that wait, in order, for who is at the head; None: somebody else is."""
        with self._lock:
            if self._has_head:
                return None
            self._has_head = True
            group, self._waiting = sorted(self._waiting, key=lambda seat: seat.place), []
            return group

    def _disband(self, group: list[_Seat]) -> None:
        """Those without an answer wait again: whoever is next at the head submits them again, and nothing twice."""
        with self._lock:
            self._waiting += [seat for seat in group if seat.outcome is None]
            self._has_head = False

    def _change(self, change: Callable[[], object]) -> None:
        with self._lock:
            change()
