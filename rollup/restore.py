"""`restore`: brings a store to what L1 has proven, from L1 alone, and leaves it whole whenever it is cut off.

Work is done from checkpoint to checkpoint. Between two, blocks are replayed without touching the trees; at a checkpoint
the trees are updated once for all of them, the root is compared with the last block's, and the store takes blocks and
state in one transaction. Each block's hash was compared with the contract's before it was replayed.
"""

from dataclasses import dataclass
from typing import Final, Protocol

from rollup.core.errors import BlockError
from rollup.core.header import Header
from rollup.core.operations import PublishedOperation
from rollup.core.rebuild import replay_operations
from rollup.core.rules import Touch
from rollup.l1.abi import L1Block
from rollup.l1.errors import FalseBlock, L1BlockReplaced, L1Error, ReaderError, ReorgTooDeep
from rollup.l1.feed import REORG_DEPTH, Feed, View
from rollup.l1.published import Published
from rollup.store import Store, TrackedState
from rollup.store.errors import StoreDamaged

CHECKPOINT_OPERATIONS: Final = 1_000
"""Roots are compared no further apart than this many operations, and after every block that is larger."""
ROUNDS: Final = 4
"""How often a contradiction is looked at again before the node is named: it may have been a reorganisation."""


class Progress(Protocol):
    """Is told how far a restore has come."""

    def loading(self, done: int, total: int) -> None:
        """So many balances of the store are in memory."""

    def restoring(self, block: int, proven: int, operations: int) -> None:
        """The store is at `block`, L1 at `proven`; `operations` were replayed by this process."""


@dataclass(frozen=True, slots=True)
class Restored:
    """The store is at L1's last proven block. `l1_block` is the L1 block as of which that is so."""

    tip: L1Block
    state: TrackedState
    l1_block: int
    operations: int


def restore(
    store: Store, feed: Feed, progress: Progress | None = None, checkpoint_operations: int = CHECKPOINT_OPERATIONS
) -> Restored:
    """Bring a store to the last proven block.

    Args:
        store: Where the state is kept; it goes on from what it holds.
        feed: The rollup on L1.
        progress: Is told.
        checkpoint_operations: Most operations between two comparisons of the root.

    Raises:
        StoreError: The store cannot be used.
        WrongChain, WrongContract: The node is not the one of this rollup.
        NodeUnreachable, NodeFaulty: The node gave no answer; run it again, and it goes on.
        ReaderError: What the node gave is not what the contract keeps.
        ReorgTooDeep: L1 took back what was final.
        FalseBlock: L1 accepted a block whose data do not lead to its root.
    """
    return _Restore(store, feed, progress or _Silent(), checkpoint_operations).run()


class _Silent:
    def loading(self, done: int, total: int) -> None:
        pass

    def restoring(self, block: int, proven: int, operations: int) -> None:
        pass


class _Restore:
    def __init__(self, store: Store, feed: Feed, progress: Progress, checkpoint_operations: int) -> None:
        feed.check()
        self._store = store
        self._feed = feed
        self._progress = progress
        self._checkpoint_operations = checkpoint_operations
        self._state = store.load(progress.loading)
        self._tip, self._found_at = self._store_tip()
        self._operations = 0
        # Since the last checkpoint: the state's place there, the blocks replayed, and what each of them found.
        self._mark = self._state.mark()
        self._blocks: list[Published] = []
        self._before: list[list[Touch]] = []
        self._blocks_operations = 0

    def run(self) -> Restored:
        failures = 0
        while True:
            start = self._tip.number
            try:
                view = self._feed.pin()
                self._return_to(view)
                if self._tip.number == view.proven:
                    self._store.settle(view.final)
                    return Restored(self._tip, self._state, view.head.number, self._operations)
                self._advance(view)
                failures = 0
            except (ReaderError, ReorgTooDeep, L1BlockReplaced):
                failures = failures + 1 if self._tip.number <= start else 1
                if failures == ROUNDS:
                    raise
                self._feed.node.wait(failures)

    def _return_to(self, view: View) -> None:
        """Take back the blocks that L1 does not have, or not proven, any more."""
        floor = min(self._store.final, self._tip.number)
        number = min(self._tip.number, view.proven)
        if number < floor:
            raise self._too_deep(floor, f"it says that {view.proven} blocks are proven")
        while (kept := view.block_hash(number)) != self._store.block(number).hash:
            if number == floor:
                raise self._too_deep(floor, f"it says that its hash is 0x{kept.hex()}")
            number -= 1
        if number == self._tip.number:
            return
        for touch in self._store.cut(self._tip.number, number):
            self._state.touch(touch)
        self._tip, self._found_at = self._store_tip()
        self._begin()
        if self._state.root != self._tip.new_root:
            raise StoreDamaged(self._store.path, number, self._tip.new_root, self._state.root)

    def _advance(self, view: View) -> None:
        """Take in proven blocks, and keep those that came before an error."""
        try:
            for published in self._feed.published(view, self._tip, self._found_at):
                header, operations = published.decode()
                if self._blocks_operations + len(operations) > self._checkpoint_operations:
                    self._checkpoint(view)
                self._replay(published, header, operations)
        except L1Error:
            self._checkpoint(view)
            raise
        self._checkpoint(view)

    def _replay(self, published: Published, header: Header, operations: list[PublishedOperation]) -> None:
        mark = self._state.mark()
        try:
            replay_operations(self._state, header, operations)
        except BlockError as error:
            self._state.rollback(mark)
            self._state.take()
            raise FalseBlock(published.block.number, error.message) from error
        self._blocks.append(published)
        self._before.append(self._state.take())
        self._blocks_operations += len(operations)

    def _checkpoint(self, view: View) -> None:
        if not self._blocks:
            return
        last = self._blocks[-1]
        if self._state.root != last.block.new_root:
            raise self._first_false(view)
        self._store.append(self._blocks, self._before, self._state, view.final)
        self._tip, self._found_at = last.block, last.l1_block
        self._operations += self._blocks_operations
        self._begin()
        self._progress.restoring(self._tip.number, view.proven, self._operations)

    def _begin(self) -> None:
        """Start anew from the store's tip, where the state is."""
        self._state.forget()
        self._state.take()
        self._mark = self._state.mark()
        self._blocks, self._before, self._blocks_operations = [], [], 0

    def _first_false(self, view: View) -> FalseBlock:
        """Which of the blocks since the checkpoint has the wrong root: compare after each. Those before it are kept."""
        blocks = self._blocks
        self._state.rollback(self._mark)
        self._begin()
        for published in blocks:
            mark = self._state.mark()
            self._replay(published, *published.decode())
            root = self._state.root
            if root != published.block.new_root:
                break
        self._state.rollback(mark)
        del self._blocks[-1], self._before[-1]
        self._checkpoint(view)
        roots = f"its data lead to root {root:#066x}, it claims {published.block.new_root:#066x}"
        return FalseBlock(published.block.number, roots)

    def _store_tip(self) -> tuple[L1Block, int]:
        tip = self._store.tip
        return tip.block, tip.l1_block

    def _too_deep(self, number: int, reason: str) -> ReorgTooDeep:
        return ReorgTooDeep(self._feed.node.name, number, REORG_DEPTH, reason)
