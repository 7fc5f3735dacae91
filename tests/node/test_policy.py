"""When blocks are closed and work is refused, by a clock that the test moves: promises are kept if proofs are slow."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from node_rig import ALICE, BOB, NOW, OPERATOR, SIZES, HeldPool, Rig, user

from rollup.core.receipt import Receipt
from rollup.l1.abi import L1Block, NewBlock
from rollup.node.errors import BacklogError
from rollup.node.policy import Policy
from rollup.node.provers import Proof

HOUR = 3_600
TURN = 600
TURNS = 3 * 24 * HOUR // TURN


def test_idle_hour_sends_nothing_and_writes_nothing(tmp_path: Path) -> None:
    rig = Rig(tmp_path, f"sqlite:///{tmp_path / 'node.db'}")
    rig.deposit(OPERATOR, ALICE, BOB)
    rig.promised(ALICE.pay(BOB, 0))
    rig.finish()
    sent = list(rig.chain.sent)

    def files() -> dict[str, tuple[int, int]]:
        found = (path for path in tmp_path.rglob("*") if path.is_file())
        return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in found}

    rig.node.look()
    before = files()
    for _ in range(HOUR // 2):
        rig.clock.now += 2
        rig.node.look()
        rig.node.sequencer.close_if_due()
        rig.node.pipeline.step()
        assert not rig.node.lander.step()
    assert rig.chain.sent == sent
    assert files() == before


@pytest.mark.parametrize(("entries", "seconds"), [(0, 60), (1, 40), (2, 30), (6, 15)])
def test_close_by_age_sooner_the_more_of_the_queue_waits(tmp_path: Path, entries: int, seconds: int) -> None:
    policy = Policy(max_age_seconds=60, queue_pressure=2)
    rig = Rig(tmp_path, f"sqlite:///{tmp_path / 'node.db'}", policy)
    rig.deposit(OPERATOR, ALICE, BOB)
    rig.finish()
    rig.promised(ALICE.pay(BOB, 0))
    rig.deposit(*(user(10 + n) for n in range(entries)))
    rig.clock.now += seconds - 1
    assert not rig.node.sequencer.close_if_due()
    rig.clock.now += 1
    assert rig.node.sequencer.close_if_due()


class Slow:
    """A rig whose prover takes the time it is told, and an L1 that notes when each block came."""

    def __init__(self, folder: Path, policy: Policy, workers: int) -> None:
        self.pool = HeldPool(workers)
        self.rig = Rig(folder, f"sqlite:///{folder / 'node.db'}", policy, pool=self.pool)
        self.rig.node.pipeline._clock = self.rig.clock
        self.came: dict[int, float] = {}
        self.began: dict[int, float] = {}
        chain = self.rig.chain
        commit, whole = chain.commit, chain.commit_prove_execute

        def noting(parent: L1Block, blocks: Sequence[NewBlock]) -> None:
            commit(parent, blocks)
            self.came |= {parent.number + n: self.rig.clock.now for n in range(1, len(blocks) + 1)}

        def one(parent: L1Block, block: NewBlock, proof: Proof) -> None:
            whole(parent, block, proof)
            self.came[parent.number + 1] = self.rig.clock.now

        chain.commit, chain.commit_prove_execute = noting, one  # type: ignore[method-assign]

    def turn(self, seconds_a_proof: float) -> None:
        """What the node's threads do in so many seconds."""
        rig = self.rig
        rig.clock.now += TURN
        for number in self.pool.jobs:
            self.began.setdefault(number, rig.clock.now)
        for number in [n for n in self.pool.jobs if rig.clock.now - self.began[n] >= seconds_a_proof]:
            self.pool.finish(number)
        rig.node.sequencer.close_if_due()
        rig.node.pipeline.step()
        while rig.node.lander.step():
            pass


@pytest.mark.parametrize(("seconds_a_proof", "workers"), [(5 * HOUR, 1), (2 * HOUR, 1), (5 * HOUR, 3)])
def test_submit_faster_than_proofs_are_made_is_refused_and_promises_are_kept(
    tmp_path: Path, seconds_a_proof: float, workers: int
) -> None:
    """A block is full every ten minutes, for three days."""
    policy = Policy(max_age_seconds=HOUR, assumed_block_seconds=seconds_a_proof / workers)
    slow = Slow(tmp_path, policy, workers)
    rig = slow.rig
    rig.deposit(OPERATOR, ALICE, BOB)
    taken = refused = 0
    for _ in range(TURNS):
        for _ in range(SIZES[-1]):
            (outcome,) = rig.submit(ALICE.pay(BOB, taken, amount=1))
            if isinstance(outcome, Receipt):
                taken += 1
            else:
                assert isinstance(outcome, BacklogError), outcome
                refused += 1
                break
        slow.turn(seconds_a_proof)
    while rig.node.lander.heads.executed < len(rig.database.blocks()):
        rig.node.sequencer.close()
        slow.turn(seconds_a_proof)
    late = [receipt for receipt in rig.receipts if slow.came[receipt.block_number] > receipt.commit_by]
    assert late == []
    assert refused > 0
    # It is not refused for nothing: the prover is never without work for long.
    capacity = (rig.clock.now - NOW) / seconds_a_proof * workers
    assert len(slow.came) > 0.8 * capacity
    rig.check()


def test_submit_prover_that_gets_slow_is_seen_before_its_proof_is_there(tmp_path: Path) -> None:
    slow = Slow(tmp_path, Policy(max_age_seconds=TURN), workers=1)
    rig = slow.rig
    rig.deposit(OPERATOR, ALICE, BOB)
    for nonce in range(10):
        rig.promised(ALICE.pay(BOB, nonce))
        slow.turn(TURN)
    usual = rig.node.pipeline.mean_seconds
    for nonce in range(10, 10 + 24 * 6):
        (outcome,) = rig.submit(ALICE.pay(BOB, nonce))
        if isinstance(outcome, BacklogError):
            break
        slow.turn(10**9)
    assert isinstance(outcome, BacklogError)
    assert rig.node.pipeline.mean_seconds == usual < rig.node.pipeline.running_seconds
    # Long before what was promised while it was not seen is due.
    assert rig.clock.now < NOW + 12 * HOUR
