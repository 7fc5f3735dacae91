"""Another witness for the same step: every wire changed alone, every input and hint changed with all that follows.

"Refused" here is the constraints' own verdict; the solver only proposes values.
"""

import re
from typing import Any

import pytest
from circuit_world import ALICE, BOB, DOMAIN, Inputs, World, array, one_of_each, populated, step_inputs
from r1cs_reader import R1cs

from rollup._native import Circuit, poseidon
from rollup.core.constants import FIELD_MODULUS, SHARED_NODES

NAMES = tuple(one_of_each(populated()))

FREE_ALONE = re.compile(r"\.inv$")
"""Reviewed: the inverse inside an IsZero whose input is 0 stands in no other constraint than inv * 0 = 1 - out."""


def free_wires(rows: R1cs, values: list[int]) -> dict[int, int | None]:
    """Wires of a valid witness that can take another value while all others keep theirs, decided for the whole field.

    A wire w enters a row as (A + a d) (B + b d) = C + c d for a change d. The row allows d = 0 and, if a b != 0, one
    other d; if a b = 0, any d or none. None means any value, a number that one other value.
    """
    sides = [
        [sum(values[wire] * factor for wire, factor in side.items()) % FIELD_MODULUS for side in row[:2]]
        for row in rows.rows
    ]
    free: dict[int, int | None] = {}
    for wire in range(1, rows.n_wires):
        deltas: set[int | None] = set()
        for row in rows.uses.get(wire, []):
            a, b, c = (side.get(wire, 0) for side in rows.rows[row])
            linear, square = (a * sides[row][1] + b * sides[row][0] - c) % FIELD_MODULUS, a * b % FIELD_MODULUS
            if square:
                deltas.add(-linear * pow(square, -1, FIELD_MODULUS) % FIELD_MODULUS)
            elif linear:
                deltas.add(0)
            if len(deltas) > 1 or 0 in deltas:
                break
        if not deltas:
            free[wire] = None
        elif len(deltas) == 1 and 0 not in deltas:
            free[wire] = (values[wire] + deltas.pop()) % FIELD_MODULUS
    return free


@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("name", NAMES)
def test_step_one_wire_changed_is_refused(
    step: Circuit, step_rows: R1cs, world: World, name: str, position: int
) -> None:
    values = step.witness(step_inputs(world, one_of_each(world)[name], position)).values()
    assert step_rows.violated(values) is None
    free = free_wires(step_rows, values)
    # Public inputs are the other circuits' outputs: held there, not here.
    names = {step_rows.names[wire] for wire in free if not step_rows.n_outputs < wire <= step_rows.n_public}
    assert not [found for found in names if not FREE_ALONE.search(found)]


def test_step_shared_nodes_pass_through_but_the_two_that_it_touches(step: Circuit, world: World) -> None:
    """Each node alone, in the state before and in what the step says it leaves."""
    inputs = step_inputs(world, (world.transfer(ALICE, BOB, 0, 7, 1), 0))
    touched = {world.state.shape.shared_node_of(who.account_id) for who in (ALICE, BOB)}
    honest = array(step.witness(inputs).outputs(), "nodes_out")
    for number in range(SHARED_NODES):
        assert step.check(step.witness(inputs, {f"nodes_out[{number}]": honest[number] + 1})) is not None
        nodes = list(inputs["nodes_in"])
        nodes[number] += 1
        witness = step.witness(inputs | {"nodes_in": nodes})
        assert (step.check(witness) is None) == (number not in touched)
        if number not in touched:
            left = [*honest[:number], nodes[number], *honest[number + 1 :]]
            assert array(witness.outputs(), "nodes_out") == left


def _leaves(inputs: Inputs, names: list[str]) -> list[tuple[str, tuple[int, ...]]]:
    """Every number of these inputs, as (name, place in the nested lists)."""

    def walk(value: Any, place: tuple[int, ...]) -> list[tuple[int, ...]]:
        if isinstance(value, int):
            return [place]
        return [leaf for index, item in enumerate(value) for leaf in walk(item, (*place, index))]

    return [(name, place) for name in names for place in walk(inputs[name], ())]


def _put(value: Any, place: tuple[int, ...], change: int) -> Any:
    if not place:
        return (value + change) % FIELD_MODULUS
    return [_put(item, place[1:], change) if index == place[0] else item for index, item in enumerate(value)]


@pytest.mark.parametrize("change", [1, -1])
@pytest.mark.parametrize("name", NAMES)
def test_step_private_input_changed_is_refused_or_published(
    step: Circuit, world: World, name: str, change: int
) -> None:
    """What is accepted with another input shows in the commitment, as it is another operation with other data, or in
    what the next step finds: a maker's order does not publish what it gets.
    """
    inputs = step_inputs(world, one_of_each(world)[name], 1)
    honest = step.witness(inputs).outputs()
    public = {found.split("[")[0] for found in step.public_inputs}
    leaves = _leaves(inputs, [found for found in inputs if found not in public])
    assert len(leaves) == sum(found.split("[")[0] not in public for found in step.inputs)
    forged = [inputs | {found: _put(inputs[found], place, change)} for found, place in leaves]
    for leaf, witness in zip(leaves, step.witness_many(forged), strict=True):
        if step.check(witness) is None:
            outputs = witness.outputs()
            assert any(outputs[name] != honest[name] for name in ("commitment_out", "link_out", "rest_out")), leaf


def _check_hints_forced(step: Circuit, inputs: Inputs, every: int) -> None:
    """Forces each `every`-th hinted wire of the signature check, and all others."""
    honest = step.witness(inputs)
    outputs = honest.outputs()
    names = [
        name
        for index, name in enumerate(sorted(step.hinted_signals()))
        if ".signature." not in name or index % every == 0
    ]
    assert len(names) > 2000 // every
    accepted = set()
    for name in names:
        value = honest.get(name)
        other = 1 - value if value in (0, 1) else value + 1
        witness = step.witness(inputs, {name: other % FIELD_MODULUS})
        if step.check(witness) is None:
            accepted.add(name)
            assert witness.outputs() == outputs, name
    assert not [name for name in accepted if not FREE_ALONE.search(name)]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["deposit_new", "maker"])
def test_step_hinted_wire_forced_is_refused(step: Circuit, world: World, name: str) -> None:
    """The hint takes another value, and everything that the solver derives from it follows."""
    _check_hints_forced(step, step_inputs(world, one_of_each(world)[name], 1), 8)


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_step_every_hinted_wire_forced_is_refused(step: Circuit, world: World, name: str) -> None:
    _check_hints_forced(step, step_inputs(world, one_of_each(world)[name], 1), 1)


def test_step_bits_of_the_hash_plus_r_are_refused(step: Circuit, world: World) -> None:
    """h + r has 254 bits too when h is small: the scalar h + r would be another one in the subgroup."""
    for amount in range(1, 200):
        operation = world.transfer(ALICE, BOB, 0, amount, 0)
        signature = operation.signature
        assert signature is not None
        h = poseidon([signature.r8x, signature.r8y, *ALICE.key, operation.message_hash(DOMAIN)])
        if h + FIELD_MODULUS < 1 << 254:
            break
    inputs = step_inputs(world, (operation, 0))
    honest, plus_r = step.witness(inputs), {}
    for index in range(253):  # the last one is what the others leave of the hash: a wire for it is not kept
        name = f"authorise.signature.times_key.bits[{index}]"
        assert honest.get(name) == h >> index & 1
        plus_r[name] = (h + FIELD_MODULUS) >> index & 1
    assert step.check(honest) is None
    assert step.check(step.witness(inputs, plus_r)) is not None
