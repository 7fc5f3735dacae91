"""Many submitters, one sequencer: what arrives while a batch is made durable is the next batch."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final

from rollup.core.wire import WireOperation
from rollup.node.errors import QueueFullError, StoppingError
from rollup.node.sequencer import Outcome

MOST_AT_ONCE: Final = 512
MOST_WAITING: Final = 20_000


class Intake:
    """Args:
    submit: Takes a batch.
    most_at_once: Operations of a batch.
    most_waiting: More are refused.
    """

    def __init__(
        self,
        submit: Callable[[Sequence[WireOperation]], list[Outcome]],
        most_at_once: int = MOST_AT_ONCE,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._submit = submit
        self._most_at_once, self._most_waiting = most_at_once, most_waiting
        self._waiting: deque[tuple[WireOperation, Future[Outcome]]] = deque()
        self._ready = threading.Condition()
        self._is_stopping = False

    @property
    def waiting(self) -> int:
        """Operations that are not taken yet."""
        return len(self._waiting)

    def submit(self, operations: Sequence[WireOperation]) -> list[Future[Outcome]]:
        """Have operations taken in, in order; a future each, of a receipt or an error. Returns at once."""
        futures: list[Future[Outcome]] = [Future() for _ in operations]
        with self._ready:
            if self._is_stopping:
                return _done(futures, StoppingError())
            if len(self._waiting) + len(operations) > self._most_waiting:
                return _done(futures, QueueFullError(len(self._waiting), self._most_waiting))
            self._waiting.extend(zip(operations, futures, strict=True))
            self._ready.notify()
        return futures

    def run(self) -> None:
        """Take batches until stopped; what waits then is still taken.

        Raises: what the sequencer raises; whoever waits then gets it too.
        """
        try:
            while batch := self._next():
                self._take(batch)
        finally:
            self.stop()
            for _, future in self._waiting:
                future.set_result(StoppingError())

    def stop(self) -> None:
        """Refuse what comes, and end `run` when nothing waits."""
        with self._ready:
            self._is_stopping = True
            self._ready.notify()

    def _next(self) -> list[tuple[WireOperation, Future[Outcome]]]:
        with self._ready:
            self._ready.wait_for(lambda: self._waiting or self._is_stopping)
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), self._most_at_once))]

    def _take(self, batch: list[tuple[WireOperation, Future[Outcome]]]) -> None:
        try:
            outcomes = self._submit([operation for operation, _ in batch])
        except BaseException as error:
            for _, future in batch:
                future.set_exception(error)
            raise
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            future.set_result(outcome)


def all_of(operations: Sequence[WireOperation], outcome: Outcome) -> list[Future[Outcome]]:
    """The same outcome for all."""
    return _done([Future() for _ in operations], outcome)


def _done(futures: list[Future[Outcome]], outcome: Outcome) -> list[Future[Outcome]]:
    for future in futures:
        future.set_result(outcome)
    return futures
