"""kill -9 at any point, and again: the store is always at a block, with the state after it, and goes on from there."""

import contextlib
import json
import os
import random
import select
import signal
import subprocess
import sys
from concurrent.futures import Future
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import pytest
from restore_rig import Rig
from rpc_server import Answer, RpcServer

from rollup.store import Store
from rollup.store.errors import StoreUnusable
from rollup.toolchain import ROOT

CHILD = Path(__file__).with_name("restore_child.py")
LONGEST_SECONDS = 0.3
MOST_STATEMENTS = 250
MOST_QUESTIONS = 40


class Runner:
    """Runs restores in processes of their own. Use as a context manager."""

    def __enter__(self) -> Self:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        pipe = subprocess.PIPE
        command = [sys.executable, str(CHILD)]
        # Not buffered: `has_ended` must see what `_line` has not read.
        self._process = subprocess.Popen(command, bufsize=0, env=environment, stdin=pipe, stdout=pipe)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def start(self, *job: object) -> int:
        """Start a job; return the id of its process."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job).encode() + b"\n")
        return self._line()

    def end(self) -> int:
        """Wait for the job's end; return its exit status."""
        return self._line()

    def has_ended(self, seconds: float) -> bool:
        """Wait so long at most for the job's end."""
        ready, _, _ = select.select([self._process.stdout], [], [], seconds)
        return bool(ready)

    def _line(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())


@pytest.mark.slow
def test_restore_killed_50_times_gives_the_operators_state(rig: Rig) -> None:
    _kill_and_resume(rig, 50)


@pytest.mark.long
def test_restore_killed_500_times_gives_the_operators_state(rig: Rig) -> None:
    _kill_and_resume(rig, 500)


def _kill_and_resume(rig: Rig, wanted: int) -> None:
    """Kill at a question, at an SQL statement, or at any time; now and then L1 is reorganised between two runs."""
    seed = int(os.environ.get("SLUICE_SEED") or random.SystemRandom().randrange(2**32))
    print(f"SLUICE_SEED={seed}")
    rng = random.Random(seed)
    kills = {"question": 0, "statement": 0, "time": 0}
    with RpcServer(rig.l1.answer) as server, Runner() as runner:
        while sum(kills.values()) < wanted:
            if rng.random() < 0.1 and len(rig.operator.chain) > 10:
                rig.reorganise(rng.randrange(1, 12))
            if _left(rig) < 6:
                rig.blocks(rng.randrange(2, 9), operations=2)
            # A process often ends before its statement comes: the rarest kill gets every other turn
            how = min(kills, key=lambda kind: kills[kind]) if rng.random() < 0.5 else rng.choice(sorted(kills))
            kills[how] += _run(rig, server, runner, rng, how)
            _check_some_block(rig)
        server.fault = None
        assert min(kills.values()) > wanted // 10, kills
        rig.restore()
    rig.check()


def _run(rig: Rig, server: RpcServer, runner: Runner, rng: random.Random, how: str) -> bool:
    """Restore in a process of its own, and kill it; return whether it was killed before it was done."""
    left = rng.randrange(1, MOST_QUESTIONS)
    pid: Future[int] = Future()

    def kill(answer: Answer, method: str, params: tuple[Any, ...]) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(pid.result(), signal.SIGKILL)
        return answer(method, *params)

    server.fault = kill if how == "question" else None
    kill_at = rng.randrange(1, MOST_STATEMENTS) if how == "statement" else 0
    pid.set_result(runner.start(server.url, str(rig.path), asdict(rig.l1.origin), kill_at))
    if how == "time" and not runner.has_ended(rng.uniform(0, LONGEST_SECONDS)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid.result(), signal.SIGKILL)
    status = runner.end()
    assert status in (0, -signal.SIGKILL)
    return status != 0


def _left(rig: Rig) -> int:
    """Blocks that are proven and not in the store."""
    with contextlib.suppress(StoreUnusable), Store(rig.path) as store:
        return rig.l1.contract.proven - store.tip.block.number
    return rig.l1.contract.proven


def _check_some_block(rig: Rig) -> None:
    """What is in the store is the state after its tip: loading compares the root."""
    if rig.path.exists():
        with Store(rig.path, rig.l1.origin) as store:
            store.load()
