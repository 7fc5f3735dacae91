"""What a Step refuses: one rule broken at a time, and nothing else (see raw_step)."""

import payment_attacks  # noqa: F401  (these three fill the table)
import pytest
import signature_attacks  # noqa: F401
import swap_attacks  # noqa: F401
from attack_table import ATTACKS, VALID
from circuit_world import World

from rollup._native import Circuit


@pytest.mark.parametrize("name", VALID)
def test_step_unchanged_is_accepted(step: Circuit, world: World, name: str) -> None:
    expected = VALID[name](world)
    witness = step.witness(expected.inputs)
    assert step.check(witness) is None
    outputs = witness.outputs()
    assert {name: outputs[name] for name in expected.outputs} == expected.outputs


@pytest.mark.parametrize("name", ATTACKS)
def test_step_attacked_is_refused(step: Circuit, world: World, name: str) -> None:
    assert step.check(step.witness(ATTACKS[name](world))) is not None
