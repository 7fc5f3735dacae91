"""Waiting until an operation is as far as somebody wants, as flows."""

import json
import time
from collections.abc import Callable
from typing import Any, Final

from rollup.client import answers
from rollup.client.asking import Asking
from rollup.client.errors import ClientError, NodeNotAnswering, NotFinalInTime, Refused
from rollup.client.flow import Channel, Close, Flow, Hear, Lost, Open, Pause, Say, Work
from rollup.client.model import FINAL, Transaction
from rollup.client.retrying import AGAIN

POLL_SECONDS: Final = 2.0
"""How often is looked where nothing tells of news."""
QUIET_SECONDS: Final = 15.0
"""How often is looked where a subscription does."""
LEAST_POLL_SECONDS: Final = 0.05
PATIENCE_SECONDS: Final = 120.0
"""How long a node may be away while one waits for something of it."""


class Waiting(Asking):
    """See Asking for what it is made of."""

    def wait(
        self,
        name: str,
        until: str = FINAL,
        seconds: float | None = None,
        tell: Callable[[Transaction], None] | None = None,
    ) -> Flow[Transaction]:
        """Wait until an operation, by its hash or `queue:N`, is as far as `until`: a subscription wakes, else it looks.

        Args:
            until: A status: confirmed, committed, proven, final.
            seconds: How long; None: as long as it takes.
            tell: Called with what is found on the way.

        Raises: NotFinalInTime; FinalityDenied where L1 is asked; NodeNotAnswering: it was away for too long.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        channel = yield from self._subscribed(name)
        seen, since, failure = "unknown", time.monotonic(), None
        try:
            while True:
                try:
                    found = yield from self.transaction(name)
                    seen, since, failure = found.status, time.monotonic(), None
                    if tell is not None:
                        tell(found)
                    if answers.is_reached(found.status, until):
                        yield from self._check_final(name, found)
                        return found
                except (NodeNotAnswering, Refused) as error:
                    failure = error
                    if time.monotonic() - since > PATIENCE_SECONDS or not _may_pass(error, name):
                        raise
                left = float("inf") if deadline is None else deadline - time.monotonic()
                if left <= 0:
                    raise NotFinalInTime(name, seen, seconds or 0) from failure
                channel = yield from self._next_news(channel, left)
        finally:
            if channel is not None:
                yield Close(channel)

    def _subscribed(self, name: str) -> Flow[Channel | None]:
        channel = yield Open("/v1/subscribe")
        if isinstance(channel, Lost):
            return None
        wanted = json.dumps({"id": 1, "subscribe": "transaction", "hash": name})
        if isinstance((yield Say(channel, wanted)), Lost):
            yield Close(channel)
            return None
        return channel  # type: ignore[no-any-return]  # what Open gave

    def _next_news(self, channel: Channel | None, left: float) -> Flow[Channel | None]:
        """Wait for a sign that something may have changed; what it says is asked, not believed."""
        if channel is None:
            yield Pause(min(POLL_SECONDS, left))
            return None
        heard = yield Hear(channel, min(QUIET_SECONDS, left))
        if isinstance(heard, Lost) or (isinstance(heard, str) and _is_no(heard)):
            yield Close(channel)
            yield Pause(LEAST_POLL_SECONDS)
            return None
        yield Pause(LEAST_POLL_SECONDS)
        return channel

    def _check_final(self, name: str, found: Transaction) -> Flow[None]:
        watch = self.watch
        if watch is None or not found.is_final or found.block is None:
            return
        receipts = [] if found.receipt is None else [found.receipt]
        block = found.block
        yield Work(lambda: watch.check_final(name, receipts, block))


def _may_pass(error: ClientError, name: str) -> bool:
    """Whether waiting helps: the node may be back, and may not have seen an entry of L1's queue yet."""
    if isinstance(error, NodeNotAnswering):
        return True
    return isinstance(error, Refused) and (error.status in AGAIN or (error.status == 404 and name.startswith("queue:")))


def _is_no(text: str) -> bool:
    try:
        said: Any = json.loads(text)
    except (ValueError, RecursionError):
        return True
    return not isinstance(said, dict) or "error" in said
