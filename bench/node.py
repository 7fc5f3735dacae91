"""The node's intake: signed Transfers a second taken in with durable receipts, by many submitters at once, no HTTP."""

import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from bench.workload import ACCOUNTS, DOMAIN, ETH, FEE_TOKENS, account_address, account_key, transfers
from rollup._native import eddsa_public_key
from rollup.core import Deposit
from rollup.core.block import SealedBlock
from rollup.core.receipt import Receipt
from rollup.l1.abi import L1Block, NewBlock
from rollup.l1.client import Queued
from rollup.l1.errors import NodeUnreachable
from rollup.l1.feed import Origin
from rollup.l1.published import Published
from rollup.node.chain import Heads
from rollup.node.core import Node, Rollup
from rollup.node.database import Database
from rollup.node.journal import Journal
from rollup.node.policy import Policy
from rollup.node.provers import LocalPool, Proof
from rollup.node.signing import LocalSigner

SIZES = [8, 37, 153]
IN_FLIGHT = 256
"""Operations that wait for their receipt at a time: so many submitters, each with one."""
ORIGIN = Origin(31337, "0x" + f"{0x5155:040x}", 0, "0x00")
SIGNER = LocalSigner(bytes([7]) * 32)


_TAKES_NONE = NodeUnreachable("the bench's L1", "it takes no block")
"""As L1 that is down: the node goes on, and tries again later."""


class DepositsOnly:
    """An L1 that has the deposits, and takes no block while it is measured."""

    def __init__(self, accounts: int = ACCOUNTS, validator: int = ACCOUNTS) -> None:
        """Deposits of so many accounts, and of the validator's before account `validator`."""
        far = int(time.time()) + 10**6
        owners = [(account_address(n), eddsa_public_key(account_key(n))) for n in range(accounts)]
        owners.insert(validator, (SIGNER.address, eddsa_public_key(account_key(accounts))))
        deposits = [Deposit(0, ETH, 10**20, address, key, True) for address, key in owners]
        self._queue = [Queued(index, deposit, far) for index, deposit in enumerate(deposits)]

    def heads(self) -> Heads:
        """None is there."""
        return Heads(0, 0, 0)

    def queue(self, start: int) -> list[Queued]:
        """A deposit of each account."""
        return self._queue[start:]

    def validator_set(self) -> bytes:
        """Any."""
        return bytes(32)

    def key_change_approved(self, owner: str, digest: bytes) -> bool:
        """Nothing is."""
        return False

    def find(self, number: int) -> Published:
        """There is none."""
        raise _TAKES_NONE

    def commit(self, parent: L1Block, blocks: Sequence[NewBlock]) -> None:
        """It takes none."""
        raise _TAKES_NONE

    def prove(self, blocks: Sequence[L1Block], proofs: Sequence[Proof]) -> None:
        """It takes none."""
        raise _TAKES_NONE

    def execute(self, blocks: Sequence[L1Block], l1_streams: Sequence[bytes]) -> None:
        """It takes none."""
        raise _TAKES_NONE

    def commit_prove_execute(self, parent: L1Block, block: NewBlock, proof: Proof) -> None:
        """It takes none."""
        raise _TAKES_NONE


def measure(operations: int, folder: Path) -> dict[str, Any]:
    """Take in so many Transfers; proofs never end, so one block is sealed and the others wait."""
    signed = transfers(operations)
    release = threading.Event()

    def never(_: SealedBlock) -> Proof:
        release.wait()
        return (0,) * 8

    with Database(f"sqlite:///{folder / 'node.db'}", ORIGIN) as database:
        rollup = Rollup(DOMAIN, FEE_TOKENS, SIZES)
        policy = Policy(max_backlog=10**9, promise_margin_seconds=-(10**9))
        journal, pool = Journal(folder / "journal", DOMAIN), LocalPool(never)
        node = Node(database, journal, rollup, SIGNER, DepositsOnly(), pool, policy)
        node.start()
        window, latencies = threading.Semaphore(IN_FLIGHT), []
        started, cpu = time.perf_counter(), time.process_time()
        futures: list[Future[Any]] = []
        for transfer in signed:
            window.acquire()
            submitted = time.perf_counter()

            def done(_: object, submitted: float = submitted) -> None:
                latencies.append(time.perf_counter() - submitted)
                window.release()

            (future,) = node.submit([transfer])
            future.add_done_callback(done)
            futures.append(future)
        outcomes = [future.result() for future in futures]
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        release.set()
        node.stop()
    if not all(isinstance(outcome, Receipt) for outcome in outcomes):
        raise SystemExit(f"refused: {next(each for each in outcomes if not isinstance(each, Receipt))}")
    latencies.sort()
    return {
        "operations": operations,
        "operations_per_second": round(operations / seconds),
        "cpu_seconds": round(cpu, 2),
        "p50_ms": round(1000 * latencies[len(latencies) // 2], 1),
        "p99_ms": round(1000 * latencies[len(latencies) * 99 // 100], 1),
        "in_flight": IN_FLIGHT,
    }


def reopen(folder: Path) -> float:
    """CPU seconds until a node on what `measure` left could promise again."""
    started = time.process_time()
    with Database(f"sqlite:///{folder / 'node.db'}", ORIGIN) as database:
        rollup, journal = Rollup(DOMAIN, FEE_TOKENS, SIZES), Journal(folder / "journal", DOMAIN)
        Node(database, journal, rollup, SIGNER, DepositsOnly(), LocalPool(lambda _: (0,) * 8), Policy())
        return time.process_time() - started


def run(operations: int) -> dict[str, Any]:
    """Both, on a folder that is thrown away."""
    with tempfile.TemporaryDirectory() as name:
        measured = measure(operations, Path(name))
        return measured | {"restart_cpu_seconds": round(reopen(Path(name)), 2)}
