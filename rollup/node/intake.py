"""Many submitters, one sequencer: what arrives while a batch is made durable is the next batch."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final, TypeAlias

from rollup.node.errors import QueueFullError, StoppingError
from rollup.node.plain import Submission
from rollup.node.sequencer import Outcome

MOST_AT_ONCE: Final = 512
MOST_WAITING: Final = 20_000

Deliver: TypeAlias = Callable[[Sequence[Outcome] | BaseException], None]
"""Gets an outcome for each operation of one submission; or why there is none, when the sequencer failed."""


class Intake:
    """Args:
    submit: Takes a batch.
    most_at_once: A batch takes no further submission once it has so many operations.
    most_waiting: More are refused.
    """

    def __init__(
        self,
        submit: Callable[[Sequence[Submission]], list[Outcome]],
        most_at_once: int = MOST_AT_ONCE,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._submit = submit
        self._most_at_once, self._most_waiting = most_at_once, most_waiting
        self._waiting: deque[tuple[Sequence[Submission], Deliver]] = deque()
        self._count = 0
        self._ready = threading.Condition()
        self._is_stopping = False

    @property
    def waiting(self) -> int:
        """Operations that are not taken yet."""
        return self._count

    def submit(self, operations: Sequence[Submission]) -> list[Future[Outcome]]:
        """Have operations taken in, in order; a future each, of a receipt or an error. Returns at once."""
        futures: list[Future[Outcome]] = [Future() for _ in operations]

        def deliver(outcomes: Sequence[Outcome] | BaseException) -> None:
            if isinstance(outcomes, BaseException):
                for future in futures:
                    future.set_exception(outcomes)
            else:
                _settle(futures, outcomes)

        self.hand_in(operations, deliver)
        return list(futures)

    def hand_in(self, operations: Sequence[Submission], deliver: Deliver) -> None:
        """The same, but `deliver` gets all outcomes at once: in the sequencer's thread, or before this returns."""
        with self._ready:
            refusal = self._refusal(len(operations))
            if refusal is None:
                self._waiting.append((operations, deliver))
                self._count += len(operations)
                self._ready.notify()
        if refusal is not None:
            deliver([refusal] * len(operations))

    def _refusal(self, count: int) -> StoppingError | QueueFullError | None:
        if self._is_stopping:
            return StoppingError()
        if self._count + count > self._most_waiting:
            return QueueFullError(self._count, self._most_waiting)
        return None

    def run(self) -> None:
        """Take batches until stopped; what waits then is still taken.

        Raises: what the sequencer raises; whoever waits then gets it too.
        """
        try:
            while batch := self._next():
                self._take(batch)
        finally:
            self.stop()
            for operations, deliver in self._waiting:
                deliver([StoppingError()] * len(operations))

    def stop(self) -> None:
        """Refuse what comes, and end `run` when nothing waits."""
        with self._ready:
            self._is_stopping = True
            self._ready.notify()

    def _next(self) -> list[tuple[Sequence[Submission], Deliver]]:
        with self._ready:
            self._ready.wait_for(lambda: self._waiting or self._is_stopping)
            batch: list[tuple[Sequence[Submission], Deliver]] = []
            count = 0
            while self._waiting and (not batch or count + len(self._waiting[0][0]) <= self._most_at_once):
                batch.append(self._waiting.popleft())
                count += len(batch[-1][0])
            self._count -= count
            return batch

    def _take(self, batch: list[tuple[Sequence[Submission], Deliver]]) -> None:
        try:
            outcomes = self._submit([operation for operations, _ in batch for operation in operations])
        except BaseException as error:
            for _, deliver in batch:
                deliver(error)
            raise
        start = 0
        for operations, deliver in batch:
            deliver(outcomes[start : start + len(operations)])
            start += len(operations)


def all_of(operations: Sequence[Submission], outcome: Outcome) -> list[Future[Outcome]]:
    """The same outcome for all."""
    futures: list[Future[Outcome]] = [Future() for _ in operations]
    _settle(futures, [outcome] * len(futures))
    return futures


def _settle(futures: Sequence[Future[Outcome]], outcomes: Sequence[Outcome]) -> None:
    for future, outcome in zip(futures, outcomes, strict=True):
        future.set_result(outcome)
