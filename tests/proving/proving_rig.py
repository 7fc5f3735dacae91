"""A cluster on this machine: processes that talk over TLS. The workers prove nothing, and only when they are let."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from rollup.core.block import SealedBlock
from rollup.l1.anvil import free_port
from rollup.node.provers import Proof
from rollup.proving.certificates import make_certificates, tls_of
from rollup.proving.facts import Facts
from rollup.proving.pool import DaskPool

FACTS: Facts = {"format": "1", "version": "0", "key 7": "seven"}
SECONDS = 60.0
CHILD = str(Path(__file__).parent / "proving_child.py")


def block(number: int) -> SealedBlock:
    """A block with nothing in it, for workers that do not look."""
    piece: Any = SimpleNamespace(signals=lambda: {"number": number})
    witness = SimpleNamespace(open=piece, steps=[piece], close=piece)
    return SimpleNamespace(header=SimpleNamespace(block_number=number, block_size=7), witness=witness)  # type: ignore[return-value]


def check(sealed: SealedBlock, result: dict[str, Any]) -> Proof:
    """What the stand-in's workers say of a block, in the place of a proof."""
    if result.get("proof") != sealed.header.block_number:
        raise ValueError(f"it is {result.get('proof')}")
    return (sealed.header.block_number,) * 8


class Process:
    """A child, its lines as they come."""

    def __init__(self, command: Sequence[str]) -> None:
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.lines: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.strip())

    def begun(self) -> list[int]:
        """Numbers of the blocks it has begun."""
        return [int(line.split()[1]) for line in self.lines if line.startswith("begins ")]

    def says(self, text: str) -> bool:
        return any(text in line for line in self.lines)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(SECONDS)


def until(condition: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {SECONDS} s"
        time.sleep(0.02)


@dataclass
class Cluster:
    """Use as a context manager. `folder` has the certificates."""

    folder: Path
    processes: list[Process] = field(default_factory=list)
    pools: list[DaskPool] = field(default_factory=list)

    def __post_init__(self) -> None:
        make_certificates(self.folder)
        self.port = free_port()
        self.address = f"tls://127.0.0.1:{self.port}"
        self.scheduler = self.start_scheduler()

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        for pool in self.pools:
            pool.close()
        for process in self.processes:
            process.kill()

    def start_scheduler(self) -> Process:
        self.scheduler = self._start("scheduler", {"port": self.port})
        until(lambda: self.scheduler.says("scheduler at"), "the scheduler is there")
        return self.scheduler

    def worker(self, name: str, **options: Any) -> Process:
        return self._start("worker", {"scheduler": self.address, "name": name, "facts": FACTS} | options)

    def pool(self, **options: Any) -> DaskPool:
        pool = DaskPool(self.address, tls_of(self.folder, "node"), FACTS, check, **options)
        self.pools.append(pool)
        return pool

    def release(self, *numbers: int) -> None:
        for number in numbers:
            (self.folder / f"release-{number}").touch()

    def _start(self, kind: str, options: dict[str, Any]) -> Process:
        common = {"certificates": str(self.folder), "folder": str(self.folder)}
        process = Process([sys.executable, CHILD, kind, json.dumps(common | options)])
        self.processes.append(process)
        return process


def names(pool: DaskPool) -> set[str]:
    return {worker.name for worker in pool.state.workers}


def refused(pool: DaskPool) -> dict[str, str]:
    return {worker.name: worker.refused for worker in pool.state.workers if worker.refused}
