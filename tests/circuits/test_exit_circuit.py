"""The exit circuit says of a state what the state says, and nothing else: by its constraints' own verdict."""

import random
from typing import Any

import pytest
from circuit_world import Inputs
from exit_attacks import ATTACKS, reduced
from exit_world import ALICE_ID, LAST_ID, TOKEN, claim_word, exit_state, honest_inputs, random_state
from r1cs_reader import read_r1cs
from test_step_tampering import FREE_ALONE, free_wires

from rollup._native import Circuit
from rollup.circuits.exit_circuit import build_exit, load_exit
from rollup.core.constants import FIELD_MODULUS, FIRST_ORDER_SLOT, SLOT_BITS
from rollup.core.errors import AccountMissingError, NothingToExitError, TokenNotMoneyError
from rollup.core.state import State
from rollup.exits.claim import exit_inputs

PUBLIC = ("root", "claim", "amount")


@pytest.fixture(scope="module")
def circuit() -> Circuit:
    return load_exit()


def _accepts(circuit: Circuit, inputs: Inputs) -> bool:
    return circuit.check(circuit.witness(reduced(inputs))) is None


def _python_proves(state: State, account_id: int, slot: int) -> bool:
    try:
        assert exit_inputs(state, account_id, slot).signals() == honest_inputs(state, account_id, slot)
    except (AccountMissingError, NothingToExitError, TokenNotMoneyError):
        return False
    return True


def test_public_inputs_are_root_claim_and_amount_in_this_order(circuit: Circuit) -> None:
    assert tuple(circuit.public_inputs) == PUBLIC
    assert circuit.public_outputs == []
    inputs = honest_inputs(exit_state())
    assert circuit.witness(inputs).public() == [inputs[name] for name in PUBLIC]


@pytest.mark.parametrize("seed", range(4))
def test_circuit_on_random_states_accepts_exactly_what_exists_and_is_money(circuit: Circuit, seed: int) -> None:
    rng = random.Random(seed)
    state, places = random_state(rng)
    empty = [(rng.randrange(LAST_ID), place.slot) for place in places[:10]]
    unused = [(place.account_id, rng.randrange(1 << SLOT_BITS)) for place in places[:10]]
    proven = 0
    for account_id, slot in [*((place.account_id, place.slot) for place in places), *empty, *unused]:
        accepted = _accepts(circuit, honest_inputs(state, account_id, slot))
        assert accepted == (state.account(account_id).exists and slot < FIRST_ORDER_SLOT)
        # Python says no to an amount of 0 too: true, and of no use
        assert _python_proves(state, account_id, slot) == (accepted and state.balance(account_id, slot) > 0)
        proven += accepted
    assert 0 < proven < len(places)


@pytest.mark.parametrize("name", ATTACKS)
def test_exit_attacked_is_refused(circuit: Circuit, name: str) -> None:
    assert not _accepts(circuit, ATTACKS[name]())


def test_exit_unattacked_is_accepted(circuit: Circuit) -> None:
    for account_id in (ALICE_ID, LAST_ID):
        for token in (TOKEN, 0):
            assert _accepts(circuit, honest_inputs(exit_state(), account_id, token))


@pytest.mark.parametrize("change", [1, -1])
@pytest.mark.parametrize("name", PUBLIC)
def test_exit_public_input_changed_is_refused(circuit: Circuit, name: str, change: int) -> None:
    inputs = honest_inputs(exit_state())
    assert not _accepts(circuit, inputs | {name: inputs[name] + change})


@pytest.mark.parametrize("name", PUBLIC)
def test_exit_public_input_plus_r_is_no_witness(circuit: Circuit, name: str) -> None:
    inputs = honest_inputs(exit_state())
    with pytest.raises(ValueError, match="not below the field's order"):
        circuit.witness(inputs | {name: inputs[name] + FIELD_MODULUS})


@pytest.mark.parametrize("name", ["balance_path", "account_path"])
@pytest.mark.parametrize("shape", ["short", "long", "empty", "seven children", "nine children"])
def test_exit_path_of_another_shape_is_no_witness(circuit: Circuit, name: str, shape: str) -> None:
    path = honest_inputs(exit_state())[name]
    shapes = {
        "short": path[1:],
        "long": [*path, path[-1]],
        "empty": [],
        "seven children": [path[0][:7], *path[1:]],
        "nine children": [[*path[0], 0], *path[1:]],
    }
    with pytest.raises(ValueError, match=name):
        circuit.witness(honest_inputs(exit_state()) | {name: shapes[shape]})


def _numbers(value: Any) -> int:
    return 1 if isinstance(value, int) else sum(_numbers(item) for item in value)


def _with_number(value: Any, index: int, change: int) -> Any:
    """The nested lists with one number changed, counted from the left."""
    if isinstance(value, int):
        return (value + change) % FIELD_MODULUS
    items = list(value)
    for position, item in enumerate(items):
        if index < (count := _numbers(item)):
            items[position] = _with_number(item, index, change)
            return items
        index -= count
    raise AssertionError("no such number")


@pytest.mark.parametrize("change", [1, -1])
def test_exit_any_private_input_changed_is_refused(circuit: Circuit, change: int) -> None:
    """A claim has one witness: nothing private is free."""
    inputs = honest_inputs(exit_state())
    private = [name for name in inputs if name not in PUBLIC]
    forged = [
        inputs | {name: _with_number(inputs[name], index, change)}
        for name in private
        for index in range(_numbers(inputs[name]))
    ]
    assert len(forged) == len(circuit.inputs) - len(PUBLIC)
    assert [circuit.check(witness) for witness in circuit.witness_many(forged)].count(None) == 0


def test_exit_one_wire_changed_is_refused(circuit: Circuit) -> None:
    compiled = build_exit()
    rows = read_r1cs(compiled.r1cs, compiled.sym)
    values = circuit.witness(honest_inputs(exit_state())).values()
    assert rows.violated(values) is None
    assert not [rows.names[wire] for wire in free_wires(rows, values) if not FREE_ALONE.search(rows.names[wire])]


def test_exit_any_hinted_wire_forced_is_refused(circuit: Circuit) -> None:
    """Each bit takes the values 1 - b and 2 (a digit of 8 and more), and all that is derived from it follows."""
    inputs = honest_inputs(exit_state())
    honest = circuit.witness(inputs)
    names = circuit.hinted_signals()
    assert len(names) > 300
    accepted = {
        name
        for name in names
        for value in {1 - honest.get(name), 2}
        if circuit.check(circuit.witness(inputs, {name: value % FIELD_MODULUS})) is None
    }
    assert not [name for name in accepted if not FREE_ALONE.search(name)]


@pytest.mark.parametrize("name", ["slot", "id"])
@pytest.mark.parametrize("level", [0, 3])
def test_exit_digit_of_two_children_or_none_is_refused(circuit: Circuit, name: str, level: int) -> None:
    inputs = honest_inputs(exit_state())
    honest = circuit.witness(inputs)
    for child in range(8):
        signal = f"{name}.digits[{level}][{child}]"
        try:
            forged = circuit.witness(inputs, {signal: 1 - honest.get(signal)})
        except KeyError:
            continue  # a slot's highest digit is below 4: the others are no wires
        assert circuit.check(forged) is not None


def test_claim_is_packed_as_the_page_says() -> None:
    assert claim_word(0xABCDEF, 0x123, 0x45) == 0xABCDEF123 << 160 | 0x45
