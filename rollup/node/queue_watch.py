"""Holds L1's queue to what was taken of it: a reorganisation deeper than the node waits for may change it afterwards.

A block with an entry that L1 does not have at its place cannot be committed, nor anything after it.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from rollup.core.operations import Operation, QueueOperation
from rollup.core.queue import requested
from rollup.l1.client import Queued
from rollup.node.errors import QueueChangedError

MISSING_LOOKS: Final = 3
"""So often in a row an entry must be missing: another node of L1 may only be a block behind."""


class QueueWatch:
    """The entries that were taken and that L1 has not executed. For one thread."""

    def __init__(self) -> None:
        self._taken: dict[int, QueueOperation] = {}
        self._missing = 0

    def took(self, entries: Iterable[tuple[int, Operation]]) -> None:
        """Remember what was taken, by index."""
        for index, operation in entries:
            assert isinstance(operation, QueueOperation)
            self._taken[index] = requested(operation)

    @property
    def first(self) -> int | None:
        """Index of the first that is remembered; None if none is."""
        return next(iter(self._taken), None)

    def executed(self, end: int) -> None:
        """Forget what L1 has executed: all before an index."""
        for index in [index for index in self._taken if index < end]:
            del self._taken[index]

    def changed(self, entries: Sequence[Queued]) -> QueueChangedError | None:
        """What L1 has now in the place of the first that is not as it was; None if all are.

        Args:
            entries: L1's, from `first` on.
        """
        now = {entry.index: requested(entry.operation) for entry in entries}
        for index, operation in self._taken.items():
            found = now.get(index)
            if found is None:
                self._missing += 1
                return QueueChangedError(index, str(operation), "nothing") if self._missing >= MISSING_LOOKS else None
            if found != operation:
                return QueueChangedError(index, str(operation), str(found))
        self._missing = 0
        return None
