"""A node with its API as a process of its own, for `bench.http`: `python -m bench.served_node FOLDER PROVING`.

Says its port, and when its input ends, what it used. Its L1 has the deposits and takes no block. PROVING is `off`:
proofs never come, and every block is sealed and waits; or `on`: blocks are proven, by threads of the lowest priority.
"""

import json
import os
import resource
import sys
import threading
import time
from pathlib import Path

from bench import node as bench_node
from bench.load import FIRST_ID, USERS
from bench.sizes import PROVABLE, SIZES
from bench.workload import DOMAIN, FEE_TOKENS
from rollup.api import Backend, Limits, create_app
from rollup.api.serve import ApiServer, server_config
from rollup.core.addresses import show_address
from rollup.core.block import SealedBlock
from rollup.l1.manifest import DeployedToken, Manifest
from rollup.node.core import Node, Rollup
from rollup.node.database import Database
from rollup.node.journal import Journal
from rollup.node.policy import Policy
from rollup.node.provers import LocalPool, Proof
from rollup.prover import BlockProver
from rollup.service.collector import calm

STEPS = {"off": SIZES, "on": PROVABLE}
LIMITS = Limits(requests_per_second=0, connections_of_one=0)


def prover(proving: str, proven: list[int]) -> tuple[LocalPool, threading.Event]:
    """Who proves, and what ends him."""
    release = threading.Event()

    def never(_: SealedBlock) -> Proof:
        release.wait()
        return (0,) * 8

    def prove(block: SealedBlock) -> Proof:
        proof = BlockProver().prove(block).proof
        proven.append(block.header.block_number)
        return proof

    pool = LocalPool(never if proving == "off" else prove, niceness=19)
    return pool, release


def cpu_by_thread() -> dict[str, float]:
    """CPU seconds of Python's threads by name; `native` are those of the arithmetic."""
    names = {thread.native_id: thread.name for thread in threading.enumerate()}
    seconds: dict[str, float] = {}
    for task in Path("/proc/self/task").iterdir():
        # Not `stat`, which samples at each tick: threads that work in short bursts are seldom met.
        ran = int((task / "schedstat").read_text().split()[0]) / 1e9
        name = names.get(int(task.name), "native")
        seconds[name] = seconds.get(name, 0.0) + ran
    return seconds


def main() -> None:
    """Serve until the input ends."""
    folder, proving = Path(sys.argv[1]), sys.argv[2]
    zero = show_address(0)
    manifest = Manifest(31337, "0x00", zero, 0, tokens=[DeployedToken(0, "ETH", 18, zero, 1 << 100)])
    proven: list[int] = []
    pool, release = prover(proving, proven)
    with Database(f"sqlite:///{folder / 'node.db'}", bench_node.ORIGIN) as database:
        # The load is many times what these cores prove: it would be refused within the first minutes.
        policy = Policy(max_backlog=10**9, promise_margin_seconds=-(10**9))
        journal = Journal(folder / "journal", DOMAIN)
        rollup = Rollup(DOMAIN, FEE_TOKENS, STEPS[proving])
        node = Node(
            database, journal, rollup, bench_node.SIGNER, bench_node.DepositsOnly(USERS, FIRST_ID - 1), pool, policy
        )
        node.start()
        app = create_app(Backend(node, database, manifest, bench_node.SIGNER.address), LIMITS)
        with ApiServer(server_config(app, LIMITS, "127.0.0.1", 0)) as server:
            calm()
            print(server.port, flush=True)
            sys.stdin.readline()
            cpu, before, blocks = time.process_time(), cpu_by_thread(), len(database.blocks())
            sys.stdin.read()
            used = time.process_time() - cpu
            closed = [block for block in database.blocks() if block.status != "open"]
            result = {
                "node_cpu_seconds": round(used, 2),
                "threads": {name: seconds - before.get(name, 0.0) for name, seconds in cpu_by_thread().items()},
                "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
                "blocks": len(closed) - blocks + 1,
                "not_sealed": sum(block.status == "closed" for block in closed),
                "proven": len(proven),
            }
            print(json.dumps(result), flush=True)
        # A proof takes seconds: the process ends without it.
        release.set()
        os._exit(0)


if __name__ == "__main__":
    main()
