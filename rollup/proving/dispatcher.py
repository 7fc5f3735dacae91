"""Gives jobs to Dask's workers: a process of its own, which the node starts and talks to in lines of JSON.

    in    {"connect": {"scheduler", "ca", "certificate", "key", "facts"}}     once, first
          {"job": id, "payload": job}      {"distrust": worker, "reason"}     the end of the input ends the process
    out   {"done": id, "worker", "result"}      {"state": {"connected", "reason", "workers": [...]}}

A worker gets one job at a time for each of its slots, and none before its facts were compared with the node's. Whose
worker is gone, or does not answer in time, is given to another. When the scheduler is gone all are, once it is back.
"""

import asyncio
import json
import logging
import os
import sys
import uuid
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import distributed
from distributed.client import FutureCancelledError
from distributed.comm.core import CommClosedError

from rollup.proving import job
from rollup.proving.facts import STATED_AS, Facts, difference
from rollup.proving.tls import Tls

LOOK_SECONDS: Final = 0.5
"""How often the scheduler is asked which workers there are."""
ANSWER_SECONDS: Final = 10.0
RETRY_SECONDS: Final = 1.0
MOST_LOSSES: Final = 3
MOST_LINE_BYTES: Final = 1 << 28
MOST_RESULT_CHARACTERS: Final = 1 << 16
"""An honest result has 2,000."""
_CLIENT: Final[Any] = distributed.Client  # its signature has no types
LOST: Final = (OSError, TimeoutError, CommClosedError, RuntimeError)
"""What Dask raises when the scheduler is gone."""


@dataclass
class Worker:
    """A worker as last seen. `refused` says why it gets no jobs."""

    address: str
    name: str
    slots: int
    refused: str | None
    busy: set[int] = field(default_factory=set)

    def summary(self) -> dict[str, Any]:
        """As the node is told."""
        return {"name": self.name, "slots": self.slots, "busy": len(self.busy), "refused": self.refused}


class Dispatcher:
    """For one event loop.

    Args:
        scheduler: tls://host:port.
        tls: Our files.
        expected: The node's facts.
        job_seconds: A worker that has not proven its block by then is given no more.
    """

    def __init__(self, scheduler: str, tls: Tls, expected: Facts, job_seconds: float) -> None:
        self._scheduler, self._tls, self._expected, self._job_seconds = scheduler, tls, expected, job_seconds
        self._jobs: dict[int, str] = {}
        self._waiting: deque[int] = deque()
        self._workers: dict[str, Worker] = {}
        self._distrusted: dict[str, str] = {}
        self._failures: Counter[str] = Counter()
        self._losses: Counter[int] = Counter()
        self._following: dict[int, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self._told = ""

    def take(self, message: dict[str, Any]) -> None:
        """Act on a message of the node's."""
        if "job" in message:
            self._jobs[message["job"]] = message["payload"]
            self._waiting.append(message["job"])
        elif "distrust" in message:
            self._distrusted[message["distrust"]] = message["reason"]
        self._changed.set()

    async def run(self) -> None:
        """Connect, and stay connected."""
        while True:
            try:
                async with _CLIENT(
                    self._scheduler, security=self._tls.security(), asynchronous=True, set_as_default=False,
                    timeout=ANSWER_SECONDS, name="sluice-node",
                ) as client:  # fmt: skip
                    await self._serve(client)
                reason = "the connection is lost"
            except LOST as error:
                reason = str(error) or type(error).__name__
            for task in list(self._following.values()):
                task.cancel()
            self._waiting.extendleft(sorted(self._following, reverse=True))
            self._following.clear()
            self._workers.clear()
            self._tell(reason)
            await asyncio.sleep(RETRY_SECONDS)

    async def _serve(self, client: Any) -> None:
        while client.status == "running":
            self._changed.clear()
            seen = await asyncio.wait_for(client.scheduler.identity(n_workers=-1), ANSWER_SECONDS)
            self._look(seen["workers"])
            self._assign(client)
            self._tell(None)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), LOOK_SECONDS)

    def _look(self, seen: dict[str, dict[str, Any]]) -> None:
        for address, known in list(self._workers.items()):
            if address not in seen or str(seen[address]["name"]) != known.name:
                del self._workers[address]
                for number in known.busy:
                    self._following.pop(number).cancel()
                    self._lost(number, known.name)
        for address, worker in seen.items():
            name, slots = str(worker["name"]), min(int(worker["nthreads"]), job.MOST_SLOTS)
            refused = self._distrusted.get(name) or difference(self._expected, worker.get(STATED_AS))
            known = self._workers.setdefault(address, Worker(address, name, slots, refused))
            known.refused = refused

    def _assign(self, client: Any) -> None:
        idle = [worker for worker in self._workers.values() if worker.refused is None]
        while self._waiting:
            free = [worker for worker in idle if len(worker.busy) < worker.slots]
            if not free:
                return
            worker = min(free, key=lambda each: (self._failures[each.name], len(each.busy)))
            number = self._waiting.popleft()
            worker.busy.add(number)
            self._following[number] = asyncio.create_task(self._follow(client, worker, number))

    async def _follow(self, client: Any, worker: Worker, number: int) -> None:
        """See a job through at its worker."""
        future = client.submit(
            job.run, self._jobs[number], key=f"sluice-{number}-{uuid.uuid4()}", workers=[worker.address],
            allow_other_workers=False, pure=False, retries=0,
        )  # fmt: skip
        result, is_taken_back = None, False
        try:
            result = await asyncio.wait_for(future.result(), self._job_seconds)
        except asyncio.CancelledError:
            future.release()
            raise
        except FutureCancelledError:
            is_taken_back = True  # as the scheduler is gone
        except TimeoutError:
            self._distrusted[worker.name] = f"it has not proven a block within {self._job_seconds:.0f} s"
        except Exception:
            result = None  # a job itself raises nothing (job.py)
        future.release()
        if self._following.get(number) is not asyncio.current_task():
            return  # it was taken away meanwhile
        worker.busy.discard(number)
        del self._following[number]
        self._changed.set()
        if is_taken_back:
            self._waiting.appendleft(number)
        elif not isinstance(result, str) or len(result) > MOST_RESULT_CHARACTERS:
            self._lost(number, worker.name)
        else:
            self._done(number, worker.name, result)

    def _lost(self, number: int, worker: str) -> None:
        """Have a job done by another worker, but not by one after the other for ever: it may be what kills them."""
        self._failures[worker] += 1
        self._losses[number] += 1
        if self._losses[number] < MOST_LOSSES:
            self._waiting.appendleft(number)
        else:
            self._done(number, worker, json.dumps({"error": f"{MOST_LOSSES} workers were lost over it"}))

    def _done(self, number: int, worker: str, result: str) -> None:
        self._failures[worker] += result.startswith('{"error"')
        del self._jobs[number]
        self._losses.pop(number, None)
        _say({"done": number, "worker": worker, "result": result})

    def _tell(self, reason: str | None) -> None:
        workers = [worker.summary() for worker in self._workers.values()]
        state = {"connected": reason is None, "reason": reason, "workers": workers}
        if (told := json.dumps(state, sort_keys=True)) != self._told:
            self._told = told
            _say({"state": state})


def _say(message: dict[str, Any]) -> None:
    os.write(_OUT, json.dumps(message).encode() + b"\n")


_OUT = 1


def _end(running: "asyncio.Task[None]") -> None:
    """What nobody foresaw: the node starts another process."""
    print(f"dispatcher: {running.exception()!r}", file=sys.stderr, flush=True)
    os._exit(1)


async def _main() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=MOST_LINE_BYTES)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    connect = json.loads(await reader.readline())["connect"]
    tls = Tls(*(Path(connect[name]) for name in ("ca", "certificate", "key")))
    dispatcher = Dispatcher(connect["scheduler"], tls, connect["facts"], connect["job_seconds"])
    running = asyncio.create_task(dispatcher.run())
    running.add_done_callback(_end)
    while line := await reader.readline():
        dispatcher.take(json.loads(line))
    # The node is gone or wants no more: what the workers do is done for nobody.
    os._exit(0)


if __name__ == "__main__":
    # What Dask or anyone prints must not be taken for a message.
    _OUT = os.dup(1)
    os.dup2(2, 1)
    logging.disable(logging.CRITICAL)  # Dask tells every connection; what matters is in the state
    asyncio.run(_main())
