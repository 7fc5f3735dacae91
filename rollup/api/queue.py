"""L1's queue as depositors see it: what was taken in, and what L1 has and the node has not taken yet."""

import threading
import time
from dataclasses import dataclass
from typing import Any, Final

from rollup.api.backend import Backend
from rollup.api.cursors import read_number
from rollup.api.errors import TransactionUnknown
from rollup.api.queries import Queries
from rollup.api.records import QUEUE_PREFIX, operation_to_json, queue_operation_to_json
from rollup.api.stages import stage_of
from rollup.l1.client import Queued
from rollup.l1.errors import L1Error
from rollup.l1.rpc import RpcError
from rollup.node.entries import Entry

KEPT_SECONDS: Final = 5.0
"""However many ask, L1 is asked once in this time."""
WAITING: Final = "waiting"


@dataclass(frozen=True)
class _Seen:
    """When L1 was asked, by the steady clock, and what it had; `seen_at` in unix seconds."""

    at: float
    entries: dict[int, Queued] | None = None
    seen_at: int | None = None


class L1Queue:
    """Args:
    backend: Who asks L1.
    queries: What was taken in.
    """

    def __init__(self, backend: Backend, queries: Queries) -> None:
        self._backend, self._queries = backend, queries
        self._asking = threading.Lock()
        self._seen = _Seen(-KEPT_SECONDS)

    def page(self, cursor: str | None, limit: int) -> dict[str, Any]:
        """The entries that L1 has not executed, by their index."""
        after = read_number(cursor)
        node = self._backend.node
        heads, next_index = node.lander.heads, node.sequencer.queue_end
        start, last = self._first(), self._on_l1()
        seen = last.entries
        taken = {entry.queue_index or 0: entry for entry in self._queries.open_queue(heads.executed, after, limit + 1)}
        waiting = [index for index in sorted(seen or {}) if index >= max(next_index, (after or -1) + 1)]
        indices = [*taken, *(index for index in waiting if index not in taken)][: limit + 1]
        shown = [self._entry(index, taken.get(index), (seen or {}).get(index)) for index in indices[:limit]]
        oldest = (seen or {}).get(start)
        return {
            "first_index": start,
            "next_index": next_index,
            "waiting": None if seen is None else sum(index >= next_index for index in seen),
            "oldest_expiry": None if oldest is None else oldest.expiry,
            "seen_at": last.seen_at,
            "confirmations": self._backend.confirmations,
            "entries": shown,
            "next_cursor": str(indices[limit - 1]) if len(indices) > limit else None,
        }

    def waiting(self, index: int) -> dict[str, Any]:
        """An entry that L1 has and the node has not taken in.

        Raises: TransactionUnknown: L1 has none, or cannot be asked.
        """
        found = (self._on_l1().entries or {}).get(index)
        if found is None:
            raise TransactionUnknown(f"{QUEUE_PREFIX}{index}")
        operation = queue_operation_to_json(found.operation)
        nothing = dict.fromkeys(("block", "position", "confirmed_at", "receipt"))
        on_l1 = dict.fromkeys(("committed", "proven", "executed"))
        return {
            "hash": f"{QUEUE_PREFIX}{index}", "type": operation["type"], "status": WAITING, "is_final": False,
            "accounts": [], "operation": operation, **nothing, "l1": on_l1, "occurrences": [],
        }  # fmt: skip

    def _entry(self, index: int, taken: Entry | None, seen: Queued | None) -> dict[str, Any]:
        expiry = None if seen is None else seen.expiry
        if taken is None:
            assert seen is not None
            operation, status, block = queue_operation_to_json(seen.operation), WAITING, None
        else:
            status = stage_of(taken.block, self._backend.node.lander.heads)
            operation, block = operation_to_json(taken), taken.block
        name = f"{QUEUE_PREFIX}{index}"
        return {
            "index": index, "hash": name, "operation": operation, "status": status, "block": block, "expiry": expiry,
        }  # fmt: skip

    def _first(self) -> int:
        """The first entry that L1 has not executed."""
        node = self._backend.node
        first = self._queries.open_queue(node.lander.heads.executed, None, 1)
        return node.sequencer.queue_end if not first else first[0].queue_index or 0

    def _on_l1(self) -> _Seen:
        """L1's entries that it has not executed, as last seen; none if L1 could not be asked, or was not yet.

        One asks at a time, the others are told what was seen before: however slow L1 is, it keeps one thread.
        """
        if time.monotonic() - self._seen.at >= KEPT_SECONDS and self._asking.acquire(blocking=False):
            try:
                found = self._backend.l1_queue(self._first())
                entries = None if found is None else {entry.index: entry for entry in found}
                self._seen = _Seen(time.monotonic(), entries, None if found is None else int(time.time()))
            except (L1Error, RpcError):
                self._seen = _Seen(time.monotonic())
            finally:
                self._asking.release()
        return self._seen
