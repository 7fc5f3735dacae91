"""The node without its API: promises, blocks, proofs, L1. Everything that talks to users sits on top of this.

    intake -> sequencer -> pipeline -> lander
    L1's queue ---^            provers ^    L1

Each arrow crosses the database: after a crash at any of them the node goes on from what is there.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from rollup.core.constants import MAX_TIMESTAMP_BEHIND_SECONDS
from rollup.core.state import State
from rollup.l1.errors import L1Error
from rollup.l1.rpc import RpcError
from rollup.node.chain import Chain
from rollup.node.database import Database
from rollup.node.entries import BlockRecord
from rollup.node.errors import (
    AdmissionError,
    CrashError,
    DatabaseUnusable,
    FaultError,
    L1AheadError,
    NodeError,
    NotConnectedError,
    QueueChangedError,
    StorageError,
)
from rollup.node.intake import Deliver, Intake, all_of
from rollup.node.journal import Journal
from rollup.node.landing import Lander
from rollup.node.ledger import Closed
from rollup.node.listening import Kept, Listener
from rollup.node.pipeline import Pipeline
from rollup.node.plain import Submission
from rollup.node.policy import Policy
from rollup.node.provers import ProverPool
from rollup.node.queue_watch import QueueWatch
from rollup.node.recovery import recover
from rollup.node.sealing import Sealer
from rollup.node.sequencer import Outcome, Sequencer
from rollup.node.signing import ReceiptSigner
from rollup.node.tables import Status

POLL_SECONDS: Final = 2.0
JOIN_SECONDS: Final = 60.0
KEPT_BLOCKS: Final = 64
"""Journal and undo keep so many blocks that L1 has executed: a reorganisation may take them back."""


@dataclass(frozen=True, slots=True)
class Rollup:
    """Which rollup a node is of."""

    domain: int
    fee_tokens: tuple[int, ...]
    block_sizes: list[int]


class Node:
    """Use `start` and `stop`.

    Args:
        database, journal: Its own.
        rollup: Which one.
        signer: Signs receipts; the L2 account of its address gets the fees.
        chain: L1.
        pool: Who proves.
        policy: When blocks are closed and work is refused.
        poll_seconds: How often L1 is looked at.
        clock: Unix seconds.

    Raises: DatabaseDamaged, JournalUnusable.
    """

    def __init__(
        self,
        database: Database,
        journal: Journal,
        rollup: Rollup,
        signer: ReceiptSigner,
        chain: Chain,
        pool: ProverPool,
        policy: Policy,
        poll_seconds: float = POLL_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database, self._journal, self._chain, self._pool = database, journal, chain, pool
        self.policy, self._poll_seconds, self._clock = policy, poll_seconds, clock
        found = recover(database, journal, rollup.domain, rollup.fee_tokens, signer.address, rollup.block_sizes)
        self.lander = Lander(chain, database)
        self._landing = threading.Event()
        self._landing.set()
        sealer = Sealer(found.sealed, rollup.domain, rollup.fee_tokens)
        self.pipeline = Pipeline(database, sealer, pool, found, self._proven)
        self._to_land: deque[BlockRecord] = deque()
        self._validator_set = bytes(32)
        self.sequencer = Sequencer(
            database, journal, found.ledger, found.last, found.queue_end, domain=rollup.domain,
            fee_tokens=rollup.fee_tokens, signer=signer, policy=policy, surroundings=self, clock=clock,
        )  # fmt: skip
        self.intake = Intake(self._take)
        self._listeners: list[Listener] = []
        self._forgotten = 0
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._is_connected = False
        self._queue = QueueWatch()
        self.queue_fault: QueueChangedError | None = None
        self.fault: NodeError | None = None
        self.l1_fault: str | None = None
        self.storage_fault: str | None = None

    def connect(self) -> None:
        """Look at L1 for the first time: how far it is, and what its queue has.

        Raises:
            L1Error.
            L1AheadError: the database is behind.
            ForeignBlockError: L1 has another block than was promised.
        """
        self.lander.heads = heads = self._chain.heads()
        last = self._database.last_block()
        # A block that L1 has takes nothing more, whatever an old copy of the database says of it.
        known = 0 if last is None else last.number - (last.status == Status.OPEN)
        if heads.committed > known:
            raise L1AheadError(known, heads.committed)
        self.lander.block(heads.committed)
        waiting = self._database.blocks(heads.committed + 1)
        self._to_land = deque(record for record in waiting if record.status != Status.OPEN)
        for record in self._database.blocks(heads.executed + 1):
            entries = self._database.entries(record.number)
            self._queue.took((each.queue_index, each.operation()) for each in entries if each.queue_index is not None)
        self.look()
        self._is_connected = True

    def start(self) -> None:
        """Connect, then work until `stop`.

        Raises: What `connect` raises: L1 must be there at the start.
        """
        self.connect()
        for name, work in (
            ("intake", self.intake.run),
            ("pipeline", lambda: self.pipeline.run(self._stop)),
            ("landing", self._land),
            ("watch", self._watch),
        ):
            thread = threading.Thread(target=self._guard, args=(name, work), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Take what waits, then end every thread; proofs that have begun are waited for and kept."""
        self.intake.stop()
        self._stop.set()
        self._landing.set()
        self.pipeline.wake()
        for thread in self._threads:
            thread.join(JOIN_SECONDS)
        self._pool.close()
        self.pipeline.keep_done()
        self._journal.close()

    def submit(self, operations: Sequence[Submission]) -> list[Future[Outcome]]:
        """Have users' operations taken in: a future each, of a receipt or an error."""
        if not self._is_connected:
            return all_of(operations, NotConnectedError())
        return self.intake.submit(operations)

    def hand_in(self, operations: Sequence[Submission], deliver: Deliver) -> None:
        """The same, but all outcomes are given to `deliver` at once, in the node's thread or before this returns."""
        if not self._is_connected:
            deliver([NotConnectedError()] * len(operations))
        else:
            self.intake.hand_in(operations, deliver)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Have someone told of everything from now on; what is returned ends it."""
        self._listeners = [*self._listeners, listener]

        def end() -> None:
            self._listeners = [each for each in self._listeners if each is not listener]

        return end

    # What the sequencer asks

    def validator_set(self) -> bytes:
        """The contract's, as last seen."""
        return self._validator_set

    def key_change_approved(self, owner: str, digest: bytes) -> bool:
        """Whether L1 has the owner's approval; not, if L1 cannot be asked."""
        try:
            return self._chain.key_change_approved(owner, digest)
        except (L1Error, RpcError):
            return False

    def refusal(self) -> AdmissionError | None:
        """Why no new promise may be made. Changes nothing and waits for nobody, so anyone may ask, with no lock."""
        if self.fault is not None:
            return FaultError(str(self.fault))
        if not self._is_connected:
            return NotConnectedError()
        if self.queue_fault is not None:
            return self.queue_fault
        now, block, committed = self._clock(), self.sequencer.ledger.block, self.lander.heads.committed
        due = [record.commit_by for record in list(self._to_land) if record.number > committed]
        due.append(block.record.commit_by if block else int(now) + MAX_TIMESTAMP_BEHIND_SECONDS)
        seconds = max(self.pipeline.mean_seconds or self.policy.assumed_block_seconds, self.pipeline.running_seconds)
        return self.policy.refusal(due, seconds, now)

    def closed(self, block: Closed) -> None:
        """Have a block sealed."""
        while self._to_land and self._to_land[0].number <= self.lander.heads.committed:
            self._to_land.popleft()
        self._to_land.append(block.record)
        self.pipeline.add(block)

    def kept(self, kept: Kept, state: State) -> None:
        """Tell who listens."""
        for listener in self._listeners:
            listener.kept(kept, state)

    # Threads

    def _proven(self) -> None:
        self._landing.set()
        self._moved()

    def _moved(self) -> None:
        for listener in self._listeners:
            listener.moved()

    def _guard(self, name: str, work: Callable[[], object]) -> None:
        """A thread that cannot go on takes the node out of service; what was promised is kept for the next start."""
        try:
            work()
        except NodeError as error:
            self.fault = error
        except Exception as error:
            self.fault = CrashError(name, f"{type(error).__name__}: {error}")
            self.fault.__cause__ = error
        if self.fault is not None:
            self.intake.stop()

    def _take(self, operations: Sequence[Submission]) -> list[Outcome]:
        try:
            return self.sequencer.submit(operations)
        except DatabaseUnusable as error:
            # It could not say whether it holds what it refused before: that is asked again first.
            return [StorageError(str(error))] * len(operations)

    def _land(self) -> None:
        while not self._stop.is_set():
            self._landing.clear()
            with self._patience():
                while self._step() and not self._stop.is_set():
                    pass
                self._prune()
            self._landing.wait(self._poll_seconds)

    def _watch(self) -> None:
        while not self._stop.wait(self._poll_seconds):
            with self._patience():
                self.look()
            try:
                self.sequencer.close_if_due()
            except DatabaseUnusable as error:
                self.storage_fault = str(error)

    @contextmanager
    def _patience(self) -> Iterator[None]:
        """L1 and the disk may fail for a while: what was to be done is done the next time."""
        try:
            yield
            self.l1_fault = self.storage_fault = None
        except (L1Error, RpcError) as error:
            self.l1_fault = str(error)
        except (DatabaseUnusable, StorageError) as error:
            self.storage_fault = str(error)

    def look(self) -> None:
        """Take in what L1's queue has.

        Raises: L1Error.
        """
        self._validator_set = self._chain.validator_set()
        end = self.sequencer.queue_end
        executed = self._database.blocks(self.lander.heads.executed + 1, self.lander.heads.executed + 1)
        self._queue.executed(executed[0].queue_start if executed else end)
        first = self._queue.first
        entries = self._chain.queue(end if first is None else first)
        self.queue_fault = self._queue.changed(entries)
        if self.queue_fault is None:
            new = [entry for entry in entries if entry.index >= end]
            try:
                self.sequencer.take_queue(new)
            finally:
                taken = [entry for entry in new if entry.index < self.sequencer.queue_end]
                self._queue.took((entry.index, entry.operation) for entry in taken)

    def _step(self) -> bool:
        before = self.lander.heads
        has_sent = self.lander.step()
        if self.lander.heads != before:
            self._moved()
        return has_sent

    def _prune(self) -> None:
        last = min(self.lander.heads.executed, self._database.base) - KEPT_BLOCKS
        self._journal.prune(last)
        if last > self._forgotten:
            self._database.forget_undo(last)
            self._forgotten = last
