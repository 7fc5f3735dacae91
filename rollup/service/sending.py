"""The L1 sender of a service: it can be stopped in the middle of a wait, and outlives a full disk."""

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any, Final

from rollup.landing.errors import ActionNotDone, JournalUnusable
from rollup.landing.model import Action, Event, Kind, State
from rollup.landing.sender import POLL_SECONDS, L1Sender
from rollup.service.logs import Event as Logged
from rollup.service.logs import log_values

SLICE_SECONDS: Final = 0.5
_SHOWN: Final = ("transaction", "hash", "nonce", "l1_block")
_TOLD: Final = {Kind.NOTICE: Logged.NOTICE, Kind.CLEARED: Logged.CLEARED}


class ServiceSender(L1Sender):
    """See L1Sender.

    Args:
        arguments, others: L1Sender's.
        stopping: Set when the service stops.
    """

    def __init__(self, *arguments: Any, stopping: threading.Event, **others: Any) -> None:
        super().__init__(*arguments, **others)
        self.stopping = stopping
        self.fault: str | None = None
        self._told = self.journal.last_event()

    def wait(self, key: str, state: State, seconds: float) -> Action:
        """As L1Sender's, but with ActionNotDone when the service stops; the action goes on at the next start."""
        deadline = time.monotonic() + seconds
        while True:
            left = deadline - time.monotonic()
            try:
                return super().wait(key, state, min(SLICE_SECONDS, left))
            except ActionNotDone:
                if left <= SLICE_SECONDS or self.stopping.is_set():
                    raise

    def run(self, stop: threading.Event, poll_seconds: float = POLL_SECONDS) -> None:
        """Step until told to stop; while the disk fails, wait."""
        while not stop.is_set():
            try:
                super().run(stop, poll_seconds)
            except JournalUnusable as error:
                self.fault = str(error)
                stop.wait(poll_seconds)
            else:
                self.fault = None

    def step(self) -> bool:
        """As L1Sender's; once it is through, the disk does not fail."""
        done = super().step()
        self.fault = None
        return done

    def tell(self) -> None:
        """Log what happened since this process started, or since the last call.

        Raises: JournalUnusable.
        """
        events: Sequence[Event] = self.events(self._told)
        for event in events:
            level = logging.WARNING if event.kind == Kind.NOTICE else logging.INFO
            log_values(_TOLD.get(event.kind, Logged.L1), _fields(event), level)
            self._told = event.sequence


def _fields(event: Event) -> dict[str, Any]:
    if event.kind in _TOLD:
        return {name: event.values[name] for name in ("code", "message") if name in event.values}
    shown: dict[str, Any] = {name: event.values[name] for name in _SHOWN if name in event.values}
    return {"kind": str(event.kind), "key": event.key, **shown}
