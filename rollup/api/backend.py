"""What the API stands on: the running node, and what only the service around it knows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rollup.core.errors.base import SluiceError
from rollup.l1.manifest import Manifest
from rollup.node.core import Node
from rollup.node.database import Database


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


def _none() -> Sequence[SluiceError]:
    return ()


def _no_trace(operation_hash: bytes) -> Sequence[Mapping[str, Any]] | None:
    return None


@dataclass(frozen=True)
class Backend:
    """One node, for `create_app`. All callables are called from any thread, and answer at once.

    Args:
        node: Running, or about to.
        database: Its database.
        manifest: Of the rollup; its list of tokens may grow.
        signer: Address that signs receipts.
        confirmations: L1 blocks on top of a queue entry before it is taken in.
        l1_status: L1 as the service last saw it.
        notices: What an operator must know, as long as it is so.
        trace: An operation's stages with their times, by its hash; None: not known (any more).
        metrics: Prometheus' text.
    """

    node: Node
    database: Database
    manifest: Manifest
    signer: int
    confirmations: int = 0
    l1_status: Callable[[], L1Status] = L1Status
    notices: Callable[[], Sequence[SluiceError]] = _none
    trace: Callable[[bytes], Sequence[Mapping[str, Any]] | None] = _no_trace
    metrics: Callable[[], bytes] = bytes

    def symbol(self, token: int) -> str:
        """What a token is called in answers: its symbol, or its id where the manifest has no symbol of its own."""
        found = next((each for each in self.manifest.tokens if each.token_id == token), None)
        same = [each for each in self.manifest.tokens if found is not None and each.symbol == found.symbol]
        return f"token_{token}" if found is None or len(same) > 1 else found.symbol
