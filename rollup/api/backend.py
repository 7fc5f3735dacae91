"""What the API stands on: the running node, and what only the service around it knows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rollup.api.pricing import Pricing
from rollup.core.errors.base import SluiceError
from rollup.l1.client import Queued
from rollup.l1.manifest import Manifest
from rollup.node.core import Node
from rollup.node.database import Database
from rollup.node.entries import Entry


@dataclass(frozen=True, slots=True)
class L1Status:
    """L1 as last seen.

    Args:
        head: Number of its last block; None: it was never reached.
        base_fee_wei: Of the next block, per gas.
        sender: Who pays for the node's transactions, with checksum.
        sender_balance_wei: What is left there.
        seen_at: When that was, unix seconds.
    """

    head: int | None = None
    base_fee_wei: int | None = None
    sender: str | None = None
    sender_balance_wei: int | None = None
    seen_at: int | None = None


def _no_notices() -> Sequence[SluiceError]:
    return ()


def _no_trace(entry: Entry) -> Sequence[Mapping[str, Any]] | None:
    return None


def _no_queue(start: int) -> Sequence[Queued] | None:
    return None


@dataclass(frozen=True)
class Backend:
    """One node, for `create_app`. The callables are called from any thread.

    Args:
        node: Running, or about to.
        database: Its database.
        manifest: Of the rollup; its list of tokens may grow.
        signer: Address that signs receipts.
        confirmations: L1 blocks on top of a queue entry before it is taken in.
        l1_status: L1 as the service last saw it; answers at once.
        notices: What an operator must know, as long as it is so; answers at once.
        trace: An operation's stages with their times; None: what the database has is shown.
        metrics: Prometheus' text.
        l1_queue: The queue's entries from an index on, as L1 has them now; may ask L1, and raise L1Error. None: it
            cannot be asked.
        pricing: What fees are reckoned with.
    """

    node: Node
    database: Database
    manifest: Manifest
    signer: int
    confirmations: int = 0
    l1_status: Callable[[], L1Status] = L1Status
    notices: Callable[[], Sequence[SluiceError]] = _no_notices
    trace: Callable[[Entry], Sequence[Mapping[str, Any]] | None] = _no_trace
    metrics: Callable[[], bytes] = bytes
    l1_queue: Callable[[int], Sequence[Queued] | None] = _no_queue
    pricing: Pricing = field(default_factory=Pricing)

    def symbol(self, token: int) -> str:
        """What a token is called in answers: its symbol, or its id where the manifest has no symbol of its own."""
        found = next((each for each in self.manifest.tokens if each.token_id == token), None)
        same = [each for each in self.manifest.tokens if found is not None and each.symbol == found.symbol]
        return f"token_{token}" if found is None or len(same) > 1 else found.symbol
