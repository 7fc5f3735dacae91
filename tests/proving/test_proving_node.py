"""A node whose blocks are proven by workers of a scheduler: what it promised lands, whatever becomes of them."""

import sys
from pathlib import Path

import pytest
from proving_rig import Cluster, until

sys.path.insert(0, str(Path(__file__).parents[1] / "node"))
from node_rig import ALICE, BOB, OPERATOR, Rig

from rollup.core.receipt import Receipt

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("proving")]
BLOCKS = 6


def test_node_with_workers_that_come_die_and_lie_lands_every_promise(tmp_path: Path) -> None:
    with Cluster(tmp_path / "tls") as cluster:
        first = cluster.worker("first", held=True)
        pool = cluster.pool()
        rig = Rig(tmp_path, f"sqlite:///{tmp_path / 'node.db'}", pool=pool)
        rig.chain.entries.clear()
        rig.deposit(OPERATOR, ALICE, BOB)
        rig.node.start()
        until(lambda: pool.capacity == 2, "one worker, and a block that waits")
        for future in rig.node.submit([ALICE.pay(BOB, nonce) for nonce in range(8 * BLOCKS - 3)]):
            outcome = future.result()
            assert isinstance(outcome, Receipt), outcome
            rig.receipts.append(outcome)
        until(lambda: first.begun() == [1], "it has begun")
        assert len(pool._jobs) <= 2
        cluster.worker("evil", evil=True)
        second = cluster.worker("second")
        until(lambda: second.begun(), "another proves")
        first.kill()
        cluster.release(*range(1, BLOCKS + 1))
        until(lambda: rig.chain.executed == BLOCKS, "all are executed")
        rig.node.stop()
        rig.check()
        assert [worker.name for worker in pool.state.workers if worker.refused] in ([], ["evil"])
