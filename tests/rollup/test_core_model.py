"""The state machine against the reference model, on random operations, valid and invalid.

What they must agree on: whether each operation is accepted (and, if not, that the model knows the reason given), what
an exit takes, every balance, nonce, key, address and order slot, that the money is all there after every operation,
the root at every block's end, and the state rebuilt from the streams alone.

A failure prints its seed: run again with SLUICE_SEED=<seed>. SLUICE_MODEL_OPERATIONS=<count> makes a longer run:

    SLUICE_MODEL_OPERATIONS=5000000 python -m pytest tests/rollup/test_core_model.py -k reference_model
"""

import os
import random
import time
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from random_operations import KINDS, T
from random_world import RandomChoices, World

OPERATIONS = int(os.environ.get("SLUICE_MODEL_OPERATIONS", "100000"))
SHARES = {(2, 2): 0.8, (8, 4): 0.2}
"""Of the operations, by depths of the trees: the deep ones are the protocol's."""


def seeded() -> random.Random:
    seed = int(os.environ.get("SLUICE_SEED", random.SystemRandom().randrange(2**32)))
    print(f"SLUICE_SEED={seed}")
    return random.Random(seed)


@pytest.mark.slow
@pytest.mark.parametrize("levels", SHARES)
def test_state_random_operations_agree_with_the_reference_model(levels: tuple[int, int]) -> None:
    rng = seeded()
    world, choices = World(levels), RandomChoices(rng)
    wanted, started = int(OPERATIONS * SHARES[levels]), time.process_time()
    while world.tried < wanted:
        world.attempt(rng.choice(KINDS), choices)
    world.close_block()
    print(f"{time.process_time() - started:.1f} s of CPU", world.accepted, world.refused, sep="\n")
    assert world.accepted.total() > wanted // 4
    assert world.refused.total() > wanted // 5


def test_block_abandoned_at_random_leaves_nothing() -> None:
    rng = seeded()
    world, choices = World((2, 2), blocks_of=40), RandomChoices(rng)
    world.close_block()
    for number in range(20):
        for _ in range(30):
            world.attempt(rng.choice(KINDS), choices)
        if number % 2:
            world.abandon_block()
    world.close_block()
    assert world.accepted.total() > 100


class DrawnChoices:
    """From hypothesis, which then knows how to make a failure shorter."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data

    def choose(self, options: Sequence[T]) -> T:
        return options[self.below(len(options))]

    def below(self, limit: int) -> int:
        return self._data.draw(st.integers(0, limit - 1))


class ModelMachine(RuleBasedStateMachine):
    """The same with few operations, of which hypothesis keeps what a failure needs."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World((2, 2), blocks_of=12)

    @rule(kind=st.sampled_from(sorted(set(KINDS))), data=st.data())
    def attempt(self, kind: str, data: st.DataObject) -> None:
        self.world.attempt(kind, DrawnChoices(data))

    @rule(witness=st.booleans())
    def close_block(self, witness: bool) -> None:
        self.world.close_block(witness)

    @rule()
    def abandon_block(self) -> None:
        if self.world.number > 1:  # the first block makes the fee account
            self.world.abandon_block()

    def teardown(self) -> None:
        self.world.close_block()


@pytest.mark.slow
def test_state_drawn_operations_agree_with_the_reference_model() -> None:
    """A failure prints what to decorate the machine with to see it again (`print_blob`)."""
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        ModelMachine,
        settings=settings(
            max_examples=60, stateful_step_count=30, deadline=None, print_blob=True, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
