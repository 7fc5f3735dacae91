"""kill -9 at every boundary, and again: nothing gets two nonces, nothing is lost, and it comes back by itself."""

import json
import os
import random
import select
import signal
import subprocess
import sys
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Self

import pytest
from landing_rig import SENDER, call
from rpc_server import Answer, RpcServer

from bench.l1_simulator import CHAIN_ID, GWEI, Simulator
from rollup.landing.journal import Journal
from rollup.landing.model import Kind, State
from rollup.toolchain import ROOT

HERE = Path(__file__).parent
MOST_STATEMENTS = 90
MOST_QUESTIONS = 40
MOST_SIGNATURES = 3
LONGEST_SECONDS = 0.2
MOST_BOUNDARIES = 60


class Runner:
    """Runs senders in processes of their own. Use as a context manager."""

    def __enter__(self) -> Self:
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{HERE}"}
        pipe = subprocess.PIPE
        # Not buffered: `has_ended` must see what `_line` has not read.
        command = [sys.executable, str(HERE / "landing_child.py")]
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


class Trial:
    """One L1 and one journal, and the processes that die over them."""

    def __init__(self, path: Path, runner: Runner, server: RpcServer, l1: Simulator, rng: random.Random) -> None:
        self.path, self.runner, self.server, self.l1, self.rng = path, runner, server, l1, rng
        self.submitted = 0

    def run(self, how: str, at: int, new: int = 1, steps: int = 2) -> bool:
        """Submit `new` calls and step in a process of its own, killed at a point; return whether it was killed."""
        left = at
        pid: Future[int] = Future()

        def kill(answer: Answer, method: str, params: tuple[Any, ...]) -> Any:
            nonlocal left
            left -= 1
            if left == 0 and how == "question":
                os.kill(pid.result(), signal.SIGKILL)
            found = answer(method, *params)
            if left == 0 and how == "answer":
                os.kill(pid.result(), signal.SIGKILL)
            return found

        self.server.fault = kill if how in ("question", "answer") else None
        calls = list(range(self.submitted, self.submitted + new))
        self.submitted += new
        statement, signature = at if how == "statement" else 0, at if how == "signature" else 0
        pid.set_result(self.runner.start([self.server.url], str(self.path), calls, steps, statement, signature))
        if how == "time" and not self.runner.has_ended(self.rng.uniform(0, LONGEST_SECONDS)):
            os.kill(pid.result(), signal.SIGKILL)
        status = self.runner.end()
        assert status in (0, -signal.SIGKILL)
        self.server.fault = None
        return status != 0

    def move_l1(self) -> None:
        """Time goes by on L1: blocks, some without ours, higher fees, a reorganisation."""
        if self.rng.random() < 0.6:
            waiting = [each.hash for each in self.l1.mempool.values()]
            self.l1.mine(self.rng.randrange(1, 3), without=waiting if self.rng.random() < 0.3 else ())
        if self.rng.random() < 0.15:
            self.l1.next_base_fee = self.rng.choice([GWEI, 5 * GWEI, 20 * GWEI])
        if self.rng.random() < 0.15 and len(self.l1.blocks) > 8:
            depth = self.rng.randrange(1, 7)
            self.l1.reorganise(depth, keep=self.rng.random() < 0.5)
            self.l1.mine(depth + 1, without=[each.hash for each in self.l1.mempool.values()])

    def check_ends(self) -> None:
        """Without kills everything lands, each call once, and the journal says so."""
        for _ in range(40):
            self.run("never", 0, new=0, steps=2)
            self.l1.mine(3)
            with Journal(self.path, CHAIN_ID) as journal:
                if all(action.state == State.MINED for action in journal.unfinished()):
                    break
        landed = [each for each in self.l1.landed() if each.sender == SENDER]
        assert [each.nonce for each in landed] == list(range(len(landed)))
        data = [each.data for each in landed]
        assert len(set(data)) == len(data)
        with Journal(self.path, CHAIN_ID) as journal:
            known = {action.key: action for action in map(journal.action, _keys(journal))}
        # A process killed before its call was journaled has not taken it: its caller submits it again.
        assert sorted(data) == sorted(call(int(key)).data for key in known)
        assert {action.state for action in known.values()} <= {State.MINED, State.FINAL}
        assert len({action.nonce for action in known.values()}) == len(known)


def _keys(journal: Journal) -> list[str]:
    keys, after = [], 0
    while events := journal.events(after):
        keys += [event.key for event in events if event.kind == Kind.QUEUED and event.key is not None]
        after = events[-1].sequence
    return keys


def test_sender_killed_at_every_boundary_of_one_action_lands_it_once(tmp_path: Path) -> None:
    """Before each SQL statement, each question and each answer, and between signing and writing that down."""
    l1 = Simulator()
    killed = dict.fromkeys(("signature", "answer", "question", "statement"), 0)
    with RpcServer(l1.answer) as server, Runner() as runner:
        trial = Trial(tmp_path / "journal.db", runner, server, l1, random.Random(1))
        trial.run("never", 0)
        for how in killed:
            for at in range(1, MOST_BOUNDARIES):
                if not trial.run(how, at, steps=1):
                    break
                killed[how] += 1
                trial.run("never", 0, new=0, steps=1)
                l1.mine(70)  # final, so that every action has as many boundaries
        trial.check_ends()
    assert max(killed.values()) < MOST_BOUNDARIES - 1, killed
    assert killed["signature"] >= 1
    assert min(killed["answer"], killed["question"]) >= 8, killed
    assert killed["statement"] >= 20, killed


@pytest.mark.slow
def test_sender_killed_60_times_at_random_loses_and_repeats_nothing(tmp_path: Path) -> None:
    _kill_and_go_on(tmp_path / "journal.db", 60)


@pytest.mark.long
def test_sender_killed_1000_times_at_random_loses_and_repeats_nothing(tmp_path: Path) -> None:
    _kill_and_go_on(tmp_path / "journal.db", 1_000)


def _kill_and_go_on(path: Path, wanted: int) -> None:
    seed = int(os.environ.get("SLUICE_SEED") or random.SystemRandom().randrange(2**32))
    print(f"SLUICE_SEED={seed}")
    rng = random.Random(seed)
    l1 = Simulator()
    most = {
        "question": MOST_QUESTIONS,
        "answer": MOST_QUESTIONS,
        "statement": MOST_STATEMENTS,
        "signature": MOST_SIGNATURES,
    }
    kills = dict.fromkeys((*most, "time"), 0)
    with RpcServer(l1.answer) as server, Runner() as runner:
        trial = Trial(path, runner, server, l1, rng)
        while sum(kills.values()) < wanted:
            how = min(kills, key=lambda kind: kills[kind]) if rng.random() < 0.5 else rng.choice(sorted(kills))
            kills[how] += trial.run(how, rng.randrange(1, most.get(how, 1) + 1), new=rng.randrange(3))
            trial.move_l1()
        trial.check_ends()
    assert min(kills.values()) > wanted // 20, kills
