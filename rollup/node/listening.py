"""Who wants to know at once what a node has done."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rollup.core.state import State
from rollup.node.entries import BlockRecord, Entry


@dataclass(frozen=True, slots=True)
class Kept:
    """What a batch of the sequencer made durable."""

    opened: Sequence[BlockRecord]
    entries: Sequence[Entry]
    closed: Sequence[BlockRecord]


class Listener(Protocol):
    """Told in the node's own threads, so it is quick about it; what it raises is a fault of the node."""

    def kept(self, kept: Kept, state: State) -> None:
        """After each batch that changed something; `state` is durable, and stands still until this returns."""
        ...

    def moved(self) -> None:
        """Some block has come further, here or on L1."""
        ...
