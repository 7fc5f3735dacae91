"""What a Step refuses: one rule broken at a time, and nothing else (see raw_step)."""

import pytest
from circuit_world import World
from step_attacks import ATTACKS, VALID

from rollup._native import Circuit


@pytest.mark.parametrize("name", VALID)
def test_step_unchanged_is_accepted(step: Circuit, world: World, name: str) -> None:
    inputs = VALID[name](world)
    expected_root = inputs.pop("expected_root")
    witness = step.witness(inputs)
    assert step.check(witness) is None
    assert witness.outputs()["root_out"] == expected_root


@pytest.mark.parametrize("name", ATTACKS)
def test_step_attacked_is_refused(step: Circuit, world: World, name: str) -> None:
    inputs = ATTACKS[name](world)
    inputs.pop("expected_root")
    assert step.check(step.witness(inputs)) is not None
