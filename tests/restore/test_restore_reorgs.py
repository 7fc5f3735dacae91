"""Reorganisations of L1, to the depth of finality and beyond, before, between and in the middle of restores."""

import os
import random
from pathlib import Path
from typing import Any

import pytest
from fake_l1 import DEPLOYED_AT
from restore_rig import Direct, Rig

from rollup.l1.errors import ReorgTooDeep
from rollup.l1.feed import REORG_DEPTH
from rollup.store import Store

STEPS = 60


@pytest.mark.parametrize("depth", [1, 2, 9, 32, REORG_DEPTH - 1, REORG_DEPTH])
def test_restore_after_a_reorganisation_gives_the_new_chain(rig: Rig, depth: int) -> None:
    rig.blocks(REORG_DEPTH, operations=3)
    rig.restore()
    before = list(rig.operator.chain)
    rig.reorganise(depth)
    rig.blocks(depth // 4 + 1, operations=3)
    assert (rig.operator.chain[: len(before)] != before) == (depth > 1)  # one L1 block back is a proof alone
    rig.restore()
    rig.check()


def test_restore_after_a_reorganisation_to_nothing_gives_the_empty_state(rig: Rig) -> None:
    rig.blocks(5)
    rig.restore()
    rig.reorganise(10)
    rig.l1.mine(20)
    rig.restore()
    rig.check(0)


def test_restore_proof_taken_back_takes_the_block_back(rig: Rig) -> None:
    """The commit stays, its proof does not: exits are against proven roots."""
    rig.blocks(2)
    rig.l1.mine(3)
    rig.operator.block(6)
    rig.l1.commit(rig.operator, 3, 3)
    rig.l1.mine(40)
    rig.l1.prove(3)
    rig.restore()
    rig.check(3)
    rig.l1.reorganise(1)
    rig.l1.mine(5)
    rig.restore()
    rig.check(2)
    rig.l1.prove(3)
    rig.restore()
    rig.check(3)


def test_restore_commit_long_before_its_proof_can_still_be_taken_back(rig: Rig) -> None:
    """Final is what was proven long ago, not what was committed long ago."""
    rig.blocks(1)
    rig.operator.block(6)
    rig.l1.commit(rig.operator, 2, 2)
    rig.l1.mine(3 * REORG_DEPTH)
    rig.l1.prove(2)
    rig.restore()
    rig.check(2)
    rig.l1.reorganise(1)
    rig.l1.revert(1)
    rig.operator.go_back(1)
    rig.blocks(2)
    rig.restore()
    rig.check(3)


def test_restore_same_blocks_found_earlier_after_a_reorganisation(rig: Rig) -> None:
    """A block's commit may come to stand before where it was read: the next one's is not missed."""
    rig.blocks(2)
    rig.blocks(2, publish=False)
    rig.l1.mine(50)
    rig.l1.commit(rig.operator, 3, 3)
    rig.l1.prove(3)
    rig.restore()
    rig.l1.reorganise(52)
    rig.l1.commit(rig.operator, 3, 3)
    rig.l1.commit(rig.operator, 4, 4)
    rig.l1.prove(4)
    rig.l1.mine(60)
    assert rig.restore().operations == 6
    rig.check(4)


@pytest.mark.parametrize("shorter", [False, True])
def test_restore_reorganisation_of_what_was_final_is_refused(rig: Rig, shorter: bool) -> None:
    rig.blocks(10)
    rig.l1.mine(REORG_DEPTH)
    rig.restore()
    rig.reorganise(REORG_DEPTH + 2)
    if not shorter:
        rig.blocks(1, operations=2)
    rig.l1.mine(3)
    with pytest.raises(ReorgTooDeep) as error:
        rig.restore()
    assert (error.value.block_number, error.value.depth, error.value.url) == (10, REORG_DEPTH, "http://fake")
    assert ("says that 9 blocks are proven" if shorter else "says that its hash is 0x") in error.value.reason


def test_restore_reorganised_while_it_reads_gives_the_new_chain(tmp_path: Path) -> None:
    """At every question it asks, once: from there on the node answers from the other chain."""
    asked = _reorganise_at(tmp_path / "never", None)
    assert asked > 15
    for at in range(asked):
        _reorganise_at(tmp_path / f"store{at}", at)


def _reorganise_at(path: Path, at: int | None) -> int:
    rig = Rig(path)
    rig.blocks(3, operations=2)
    rig.restore()
    rig.blocks(3, operations=2)
    asked = 0

    def answer(method: str, *params: Any) -> Any:
        nonlocal asked
        if asked == at:
            rig.reorganise(9)
            rig.blocks(2, operations=3)
        asked += 1
        return rig.l1.answer(method, *params)

    rig.restore(Direct(answer), checkpoint_operations=4)
    rig.check()
    return asked


def test_restore_blocks_reverted_while_it_reads_gives_what_is_proven(tmp_path: Path) -> None:
    """At every question it asks, once: unproven blocks are void, and others are committed under their numbers."""
    asked = _revert_at(tmp_path / "never", None)
    assert asked > 10
    for at in range(asked):
        _revert_at(tmp_path / f"store{at}", at)


def _revert_at(path: Path, at: int | None) -> int:
    rig = Rig(path)
    rig.blocks(3, operations=2)
    rig.blocks(2, operations=2, publish=False)
    rig.l1.commit(rig.operator, 4, 5)
    asked = 0

    def answer(method: str, *params: Any) -> Any:
        nonlocal asked
        if asked == at:
            rig.l1.revert(3)
            rig.operator.go_back(3)
            rig.blocks(3, operations=2)
        asked += 1
        return rig.l1.answer(method, *params)

    rig.restore(Direct(answer), checkpoint_operations=4)
    with Store(path) as store:
        number = store.tip.block.number
    assert number == 3 if at is None else number in (3, 6)  # what was proven when it looked last
    rig.check(number)
    rig.restore()
    rig.check()
    return asked


def test_restore_random_life_of_a_chain_follows_it(rig: Rig) -> None:
    """Commits, proofs, reverts, empty blocks and reorganisations at random. SLUICE_SEED=<seed> repeats a failure."""
    seed = int(os.environ.get("SLUICE_SEED") or random.SystemRandom().randrange(2**32))
    print(f"SLUICE_SEED={seed}")
    rng = random.Random(seed)
    depth = 0  # of the reorganisations since the last restore, so that none is deeper than L1 allows
    for _ in range(STEPS):
        committed, proven = len(rig.l1.contract.hashes) - 1, rig.l1.contract.proven
        match rng.randrange(8):
            case 0 | 1:
                rig.blocks(rng.randrange(1, 4), operations=rng.randrange(1, 5), publish=False)
            case 2 if len(rig.operator.chain) > committed + 1:
                rig.l1.commit(rig.operator, committed + 1, rng.randrange(committed + 1, len(rig.operator.chain)))
            case 3:
                rig.l1.prove(rng.randrange(proven, committed + 1))
            case 4:
                rig.l1.mine(rng.randrange(1, 20))
            case 5 if rng.random() < 0.5:
                rig.l1.revert(rng.randrange(proven, committed + 1))
                rig.operator.go_back(len(rig.l1.contract.hashes) - 1)
            case 6:
                most = min(REORG_DEPTH - depth, rig.l1.head.number - DEPLOYED_AT)
                back = min(rng.choice([1, 3, 30, REORG_DEPTH]), most)
                depth += back
                rig.l1.reorganise(back)
                hashes = [block.hash() for block in rig.operator.chain]
                if hashes[: len(rig.l1.contract.hashes)] != list(rig.l1.contract.hashes):
                    rig.l1.revert(rig.l1.contract.proven)  # blocks are back that the operator had given up
                rig.operator.go_back(len(rig.l1.contract.hashes) - 1)
            case 7:
                rig.restore(checkpoint_operations=rng.choice([1, 5, 1000]))
                rig.check()
                depth = 0
    rig.restore()
    rig.check()
