"""A pool of provers on other machines, behind the interface that the pipeline has (`rollup.node.provers`)."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from rollup.circuits.keys import KEYS
from rollup.core.block import SealedBlock
from rollup.node.provers import Proof
from rollup.proving.errors import PoolClosed, ProofWrong, SchedulerUnusable, WorkerFailed
from rollup.proving.facts import Facts, facts
from rollup.proving.job import MOST_SLOTS, check_result, job_of
from rollup.proving.tls import Tls

QUEUED: Final = 1
"""So many blocks more than there are workers, so that none waits for its next one to be sealed."""
JOB_SECONDS: Final = 1_800.0
RESTART_SECONDS: Final = 1.0
STOP_SECONDS: Final = 5.0
MOST_LINE_BYTES: Final = 1 << 20
"""Of the dispatcher; an honest line has 2,000, or 200 a worker."""
MOST_WORKERS: Final = 1_024
_KEPT_ENVIRONMENT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV")
"""What the dispatcher gets to see; what a node is told by its environment is not its business."""

Check = Callable[[SealedBlock, dict[str, Any]], Proof]
"""The proof in a result; raises ValueError if it is none of the block."""


@dataclass(frozen=True, slots=True)
class WorkerState:
    """A worker. `slots` jobs at once, `busy` now; `refused` says why it gets none."""

    name: str
    slots: int
    busy: int
    refused: str | None


@dataclass(frozen=True, slots=True)
class PoolState:
    """Whether the scheduler is there, why not, and its workers."""

    connected: bool = False
    reason: str | None = "not connected yet"
    workers: tuple[WorkerState, ...] = ()

    @property
    def slots(self) -> int:
        """Blocks that can be proven at once."""
        return sum(worker.slots for worker in self.workers if worker.refused is None)

    def problems(self) -> list[str]:
        """What a person should know."""
        lost = [] if self.connected else [f"the scheduler of the provers cannot be used: {self.reason}"]
        refused = [f"prover {each.name} gets no jobs: {each.refused}" for each in self.workers if each.refused]
        idle = ["no prover can be used: blocks are not proven"] if self.connected and not self.slots else []
        return lost + refused + idle


@dataclass
class _Job:
    """A block that is out. `job` is kept, so that it can be given again."""

    block: SealedBlock
    job: str
    future: Future[Proof]


class DaskPool:
    """Proves with the workers of a Dask scheduler; `open_pool` makes one. May be used from any thread.

    Args:
        scheduler: tls://host:port.
        tls: Our files.
        expected: What workers must have in common with us.
        check: Verifies each result.
        job_seconds: How long a worker may take for a block.
    """

    def __init__(
        self, scheduler: str, tls: Tls, expected: Facts, check: Check, job_seconds: float = JOB_SECONDS
    ) -> None:
        self._check = check
        paths = {name: str(path) for name, path in asdict(tls).items()}
        self._connect = {"scheduler": scheduler, "facts": expected, "job_seconds": job_seconds} | paths
        self._jobs: dict[int, _Job] = {}
        self._given = 0
        self._distrusted: dict[str, str] = {}
        self._state = PoolState()
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="provers", daemon=True)
        self._thread.start()

    @property
    def capacity(self) -> int:
        """How many blocks are taken at once; 0 while there is no worker."""
        slots = self._state.slots
        return slots + QUEUED if slots else 0

    @property
    def state(self) -> PoolState:
        """What is there, as last seen."""
        return self._state

    def submit(self, block: SealedBlock) -> Future[Proof]:
        """Have a block proven. A wrong proof is not given back: another worker gets the block.

        The future raises WorkerFailed, PoolClosed.
        """
        with self._lock:
            self._given += 1
            job = _Job(block, job_of(block), Future())
            self._jobs[self._given] = job
            self._say({"job": self._given, "payload": job.job})
        return job.future

    def close(self) -> None:
        """Stop; what is not proven is proven after the next start."""
        self._closed.set()
        if not self._lock.acquire(timeout=STOP_SECONDS):
            # Somebody tells a dispatcher that does not listen.
            if self._child is not None:
                self._child.kill()
            self._lock.acquire()
        try:
            child = self._child
            if child is not None and child.stdin is not None:
                with suppress(OSError):
                    child.stdin.close()
        finally:
            self._lock.release()
        if child is not None:
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
        self._thread.join(STOP_SECONDS)
        for job in self._jobs.values():
            job.future.set_exception(PoolClosed(job.block.header.block_number))
        self._jobs.clear()

    # The dispatcher

    def _run(self) -> None:
        while not self._closed.is_set():
            child = self._start()
            assert child.stdout is not None
            try:
                # A line of its whole length has no end: it is no message.
                while line := child.stdout.readline(MOST_LINE_BYTES):
                    self._hear(json.loads(line))
            except (ValueError, TypeError, KeyError, RecursionError):
                # Whoever has taken it over says what he likes.
                pass
            child.kill()
            child.wait()
            child.stdout.close()
            self._state = PoolState(reason="the dispatcher has ended and is started again")
            self._closed.wait(RESTART_SECONDS)

    def _start(self) -> "subprocess.Popen[bytes]":
        environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        command = [sys.executable, "-m", "rollup.proving.dispatcher"]
        with self._lock:
            child = self._child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True
            )
            self._say({"connect": self._connect})
            for name, reason in self._distrusted.items():
                self._say({"distrust": name, "reason": reason})
            for number, job in self._jobs.items():
                self._say({"job": number, "payload": job.job})
            if self._closed.is_set() and child.stdin is not None:
                child.stdin.close()
        return child

    def _say(self, message: dict[str, Any]) -> None:
        """Tell the dispatcher; if it is gone, the next one is told all anew."""
        if self._child is None or self._child.stdin is None:
            return
        try:
            self._child.stdin.write(json.dumps(message).encode() + b"\n")
            self._child.stdin.flush()
        except (OSError, ValueError):
            return

    def _hear(self, message: dict[str, Any]) -> None:
        if "state" in message:
            state = message["state"]
            workers = tuple(WorkerState(**worker) for worker in state["workers"][:MOST_WORKERS])
            for each in workers:
                if type(each.slots) is not int or not 0 <= each.slots <= MOST_SLOTS:
                    raise ValueError(f"{each.slots} slots")
            self._state = PoolState(bool(state["connected"]), state["reason"], workers)
        elif (job := self._jobs.get(message["done"])) is not None:
            self._take(message["done"], job, message["worker"], message["result"])

    def _take(self, number: int, job: _Job, worker: str, text: str) -> None:
        block_number = job.block.header.block_number
        try:
            result = _parsed(text)
            error = result.get("error")
            proof = None if error is not None else self._check(job.block, result)
        except ValueError as reason:
            wrong = ProofWrong(block_number, worker, str(reason))
            with self._lock:
                self._distrusted[worker] = str(wrong)
                self._say({"distrust": worker, "reason": str(wrong)})
                self._say({"job": number, "payload": job.job})
            return
        with self._lock:
            del self._jobs[number]
        if proof is None:
            job.future.set_exception(WorkerFailed(block_number, worker, str(error)))
        else:
            job.future.set_result(proof)


def _parsed(text: str) -> dict[str, Any]:
    if not isinstance(text, str):
        raise ValueError("it is no text")
    try:
        result = json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(result, dict):
        raise ValueError("it is no JSON object")
    return result


def open_pool(scheduler: str, tls: Tls, keys: Path = KEYS, job_seconds: float = JOB_SECONDS) -> DaskPool:
    """A pool of the workers of a scheduler, which need not be there yet.

    Args:
        scheduler: tls://host:port.
        tls: The node's certificate and key, and the authority's certificate.
        keys: Folder of the proving keys; workers must have the same.
        job_seconds: How long a worker may take for a block before it is given up.

    Raises: CertificateUnusable, SchedulerUnusable.
    """
    check_address(scheduler)
    tls.check()
    return DaskPool(scheduler, tls, facts(keys), lambda block, result: check_result(block, result, keys), job_seconds)


def check_address(scheduler: str) -> tuple[str, int]:
    """Host and port of a scheduler's address.

    Raises: SchedulerUnusable.
    """
    try:
        parts = urlsplit(scheduler)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise SchedulerUnusable(scheduler, str(error)) from error
    if parts.scheme != "tls" or not host or not port or parts.path or parts.username:
        raise SchedulerUnusable(scheduler, "it is no such address")
    return host, port
