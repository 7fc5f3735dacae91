"""From closed blocks to proofs: sealed in order, proven several at once, results in any order, kept in the database."""

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from rollup.core.block import SealedBlock
from rollup.core.errors import SluiceError
from rollup.core.rules import Touch
from rollup.node.database import Database
from rollup.node.errors import DatabaseDamaged, DatabaseUnusable
from rollup.node.ledger import Closed
from rollup.node.provers import Proof, ProverPool
from rollup.node.recovery import Recovered
from rollup.node.sealing import Sealer, broken_promise, header_to_blob, words_to_blob
from rollup.node.tables import Status

FIRST_RETRY_SECONDS: Final = 1.0
LONGEST_RETRY_SECONDS: Final = 60.0
SEALED_AT_ONCE: Final = 8
"""As many chains of hashes as go side by side."""
SMOOTHING: Final = 0.3
"""Weight of the latest block in the mean of how long one takes."""


@dataclass
class _Job:
    """A block that is being proven."""

    number: int
    prove: Callable[[], Future[Proof]]
    future: Future[Proof]
    started: float
    failures: int = 0
    retry_at: float | None = None
    touches: tuple[Touch, ...] = field(default=(), repr=False)


class Pipeline:
    """Driven by one thread, by `run` or `step`; `add` may be called from any.

    Args:
        database: Where results are kept.
        sealer: Its state is after block `recovered.base`.
        pool: Who proves.
        recovered: Where to go on.
        on_proven: Called when another block is ready for L1.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        pool: ProverPool,
        recovered: Recovered,
        on_proven: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._pool = pool
        self._on_proven = on_proven
        self._clock = clock
        self._base = recovered.base
        self._closed: deque[Closed] = deque(recovered.pending)
        self._sealed: deque[tuple[Closed, SealedBlock]] = deque()
        self._jobs: dict[int, _Job] = {}
        self._touches: dict[int, tuple[Touch, ...]] = {}
        self._proven: set[int] = set()
        self._wake = threading.Event()
        self.mean_seconds = 0.0
        self._unkept: list[tuple[Closed, SealedBlock]] = []
        self.fault: str | None = None
        self.storage_fault: str | None = None

    def add(self, closed: Closed) -> None:
        """Have a block sealed and proven."""
        self._closed.append(closed)
        self._wake.set()

    @property
    def waiting(self) -> int:
        """Blocks that are not proven yet."""
        return len(self._closed) + len(self._unkept) + len(self._sealed) + len(self._jobs)

    @property
    def running_seconds(self) -> float:
        """How long a block takes at least, as the oldest that is worked on shows by now."""
        now, started = self._clock(), [job.started for job in list(self._jobs.values())]
        return (now - min(started, default=now)) / max(1, self._pool.capacity)

    @property
    def seconds_a_block(self) -> float:
        """How long one takes once it is its turn."""
        return max(self.mean_seconds, self.running_seconds)

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop.

        Raises: DatabaseDamaged.
        """
        while not stop.is_set():
            try:
                self.step()
                self.storage_fault = None
            except DatabaseUnusable as error:
                # A full disk, a server that is restarted: what was to be kept is kept the next time.
                self.storage_fault = str(error)
            self._wake.wait(FIRST_RETRY_SECONDS)
            self._wake.clear()

    def wake(self) -> None:
        """Look again at once."""
        self._wake.set()

    def keep_done(self) -> None:
        """Keep the proofs that came while all was being stopped. What the disk refuses is proven again."""
        for job in [job for job in self._jobs.values() if job.future.done() and not job.future.cancelled()]:
            with suppress(DatabaseUnusable):
                self._collect(job)

    def step(self) -> None:
        """Keep what is proven, try again what failed, seal what is closed, and give the pool as much as it takes."""
        for job in [job for job in self._jobs.values() if job.future.done()]:
            self._collect(job)
        while self._unkept or self._closed:
            self._seal()
        while self._sealed and (self._is_proven(self._sealed[0][0]) or len(self._jobs) < self._pool.capacity):
            self._prove(*self._sealed[0])
            self._sealed.popleft()

    @staticmethod
    def _is_proven(closed: Closed) -> bool:
        return closed.record.status == Status.PROVEN

    def _seal(self) -> None:
        if not self._unkept:
            blocks = list(islice(self._closed, SEALED_AT_ONCE))
            self._unkept = list(zip(blocks, self._sealer.seal(blocks), strict=True))
            for _ in blocks:
                self._closed.popleft()
        # Sealed once: the sealer's trees are beyond them, whether or not the database takes it this time.
        seals: dict[int, dict[str, Any]] = {}
        for closed, sealed in self._unkept:
            record = closed.record
            header, commitment = header_to_blob(sealed.header), words_to_blob([sealed.commitment])
            if record.header not in (None, header) or record.commitment not in (None, commitment):
                raise DatabaseDamaged(self._database.name, record.number, "it seals to another block than before")
            self._touches[record.number] = closed.touches
            if not self._is_proven(closed):
                seals[record.number] = {"status": Status.SEALED, "header": header, "commitment": commitment}
        self._database.set_blocks(seals)
        self._sealed.extend(self._unkept)
        self._unkept = []

    def _prove(self, closed: Closed, sealed: SealedBlock) -> None:
        number = closed.record.number
        if self._is_proven(closed):
            self._sealer.pass_over(closed)
            self._proven.add(number)
            return
        # Before the witness: after it the sealer's state is beyond the block, whether or not the database answers.
        entries = self._database.entries(number)
        try:
            witnessed = self._sealer.witness(closed, sealed)
        except SluiceError as error:
            raise DatabaseDamaged(self._database.name, number, str(error)) from error
        broken = broken_promise(witnessed, entries)
        if broken is not None:
            raise DatabaseDamaged(self._database.name, number, broken)

        def prove() -> Future[Proof]:
            future = self._pool.submit(witnessed)
            future.add_done_callback(lambda _: self._wake.set())
            return future

        self._jobs[number] = _Job(number, prove, prove(), self._clock())

    def _collect(self, job: _Job) -> None:
        if job.retry_at is not None:
            if self._clock() >= job.retry_at:
                job.retry_at, job.started, job.future = None, self._clock(), job.prove()
            return
        error = job.future.exception()
        if error is not None:
            job.failures += 1
            pause = min(FIRST_RETRY_SECONDS * 2 ** (job.failures - 1), LONGEST_RETRY_SECONDS)
            job.retry_at = self._clock() + pause
            self.fault = f"block {job.number} was not proven, {job.failures} times: {error}"
            return
        self._keep(job, job.future.result())

    def _keep(self, job: _Job, proof: Proof) -> None:
        proven = self._proven | {job.number}
        base = self._base
        changes: list[tuple[int, tuple[Touch, ...]]] = []
        while base + 1 in proven:
            base += 1
            changes.append((base, self._touches[base]))
        self._database.set_proven(job.number, words_to_blob(proof), base, changes)
        for number in range(self._base + 1, base + 1):
            del self._touches[number]
        self._proven = {number for number in proven if number > base}
        self._base = base
        del self._jobs[job.number]
        # Those who prove may all be gone since: then it is as slow as one.
        seconds = (self._clock() - job.started) / max(1, self._pool.capacity)
        self.mean_seconds += (seconds - self.mean_seconds) * (SMOOTHING if self.mean_seconds else 1.0)
        self.fault = None
        self._on_proven()
