"""What signatures and amounts are checked by, alone: at the ends of ranges, and where a prover would like to be."""

import random
from collections.abc import Callable

import pytest
from reference_babyjub import IDENTITY, ORDER, A, D, R, add, curve_points, multiply

from rollup._native import BASE8, SIGNATURE_CHALLENGE_BOUND, SIGNATURE_S_BOUND, Circuit
from rollup.circuits import blocks
from rollup.circuits.compiler import compile_circuit

Make = Callable[[str], Circuit]
BITS = 254


@pytest.fixture(scope="module")
def gadget() -> Make:
    def make(name: str) -> Circuit:
        compiled = compile_circuit(blocks.CIRCUITS / "main" / "gadgets" / f"{name}.circom", blocks.BUILD)
        return Circuit(compiled.r1cs, compiled.sym)

    return make


def test_bits_of_every_number_are_refused_exactly_above_the_limit(gadget: Make) -> None:
    circuit = gadget("bits_at_most")
    for number in range(128):
        bits = [number >> i & 1 for i in range(7)]
        accepted = [circuit.check(circuit.witness({"enabled": on, "bits": bits})) is None for on in (0, 1)]
        assert accepted == [True, number <= 51], number


def _multiplied(circuit: Circuit, **inputs: object) -> tuple[int, int] | None:
    witness = circuit.witness(inputs)
    if circuit.check(witness) is not None:
        return None
    outputs = witness.outputs()
    return outputs["out[0]"], outputs["out[1]"]


def _edges(bound: int) -> list[int]:
    last = bound - 1
    rng = random.Random(bound)
    powers = [1 << i for i in range(0, last.bit_length(), 29)]
    return [
        0,
        1,
        2,
        3,
        7,
        8,
        last,
        last - 1,
        *powers,
        *(power - 1 for power in powers),
        *(rng.randrange(last) for _ in range(9)),
    ]


def test_bounds_of_signatures_are_the_order_and_the_field_without_low_bits() -> None:
    assert (SIGNATURE_S_BOUND, SIGNATURE_CHALLENGE_BOUND) == (ORDER >> 131 << 131, R >> 134 << 134)


def test_multiply_base_scalars_of_its_range_agree_with_the_reference(gadget: Make) -> None:
    circuit = gadget("multiply_base")
    for scalar in [*_edges(SIGNATURE_S_BOUND), (1 << 249) - 1, 1 << 249, 3 << 249]:
        expected = multiply(BASE8, scalar) if scalar < ORDER else None
        assert _multiplied(circuit, scalar=scalar) == expected, scalar


def test_multiply_base_scalar_beyond_the_order_is_refused(gadget: Make) -> None:
    circuit = gadget("multiply_base")
    for scalar in (SIGNATURE_S_BOUND, ORDER - 1, ORDER, ORDER + 5, (1 << 251) - 1, 1 << 251, R - 1):
        assert _multiplied(circuit, scalar=scalar) is None, scalar


def _points() -> list[tuple[int, int]]:
    found = (multiply(point, 8) for point in curve_points())
    return [BASE8, next(found), next(found)]


def test_multiply_key_scalars_of_its_range_agree_with_the_reference(gadget: Make) -> None:
    circuit = gadget("multiply_key")
    for point in _points():
        for scalar in [*_edges(SIGNATURE_CHALLENGE_BOUND), ORDER + 5, 7 * ORDER + 3]:
            assert _multiplied(circuit, scalar=scalar, point=point) == multiply(point, scalar), scalar


def test_multiply_key_scalar_at_the_fields_order_is_refused(gadget: Make) -> None:
    circuit = gadget("multiply_key")
    for scalar in (SIGNATURE_CHALLENGE_BOUND, R - 1):
        assert _multiplied(circuit, scalar=scalar, point=BASE8) is None


def test_multiply_key_bits_of_the_scalar_plus_r_are_refused(gadget: Make) -> None:
    """They sum up to the same in the field. The last bit is what the others leave."""
    circuit, inputs = gadget("multiply_key"), {"scalar": 5, "point": BASE8}
    forced = {f"bits[{i}]": (5 + R) >> i & 1 for i in range(BITS - 1)}
    assert circuit.check(circuit.witness(inputs)) is None
    assert circuit.check(circuit.witness(inputs, forced)) is not None


def test_multiply_key_of_the_identity_is_refused(gadget: Make) -> None:
    assert _multiplied(gadget("multiply_key"), scalar=5, point=IDENTITY) is None


def _signed_digits() -> list[int]:
    value, digits = 14 * ORDER - (1 << BITS), []
    for _ in range(BITS):
        digit = 2 - value % 4 if value % 2 else 0
        digits.append(digit)
        value = (value - digit) // 2
    assert value == 0
    return digits


DIGITS = _signed_digits()


def _factor(prefix: int, index: int) -> int:
    """What the accumulator is times the point, before bit `index`, when the scalar's bits above it are `prefix`."""
    factor = 3
    for i in range(BITS - 1, index, -1):
        factor = 2 * factor + 2 * (prefix >> (i - index - 1) & 1) - 1 + 2 * DIGITS[i]
    return factor


def _meeting(index: int) -> list[int]:
    """Scalars that make the accumulator, before bit `index`, plus or minus what is added, or twice it minus that."""
    wanted = [(multiple * ORDER + sign * of, None) for multiple in range(1, 24) for sign in (1, -1) for of in (1, 3)]
    wanted += [((multiple * ORDER - added) // 2, added) for multiple in range(1, 24) for added in (-3, -1, 1, 3)]
    found = []
    for factor, _ in wanted:
        prefix = (factor - _factor(0, index)) // 2
        scalars = [(prefix << 1 | bit) << index for bit in (0, 1)]
        found += [
            scalar
            for scalar, bit in zip(scalars, (0, 1), strict=True)
            if 0 <= scalar < R - (1 << 140) and _factor(prefix, index) == factor and _meets(factor, bit, index)
        ]
    return found


def _meets(factor: int, bit: int, index: int) -> bool:
    added = 2 * bit - 1 + 2 * DIGITS[index]
    return 0 in ((factor - added) % ORDER, (factor + added) % ORDER, (2 * factor + added) % ORDER)


def test_multiply_key_scalar_that_meets_an_addition_without_a_slope_is_refused(gadget: Make) -> None:
    """There the slope would be the prover's to choose. They are in the last five steps alone."""
    circuit = gadget("multiply_key")
    meeting = {index: _meeting(index) for index in range(1, BITS)}
    assert [index for index, scalars in meeting.items() if scalars][-1] <= 5
    scalars = {scalar | low for index, found in meeting.items() for scalar in found for low in range(1 << index)}
    assert len(scalars) == 72
    for scalar in scalars:
        assert _multiplied(circuit, scalar=scalar, point=BASE8) is None, scalar


def _montgomery(point: tuple[int, int]) -> list[int]:
    x, y = point
    u = (1 + y) * pow(1 - y, -1, R) % R
    return [u, u * pow(x, -1, R) % R]


@pytest.mark.parametrize("checked", [0, 1])
def test_double_and_add_agrees_with_the_reference(gadget: Make, checked: int) -> None:
    circuit = gadget(f"double_and_add_{checked}")
    p, q = _points()[:2]
    expected = add(add(p, p), q)
    assert _multiplied(circuit, p=_montgomery(p), q=_montgomery(q)) == tuple(_montgomery(expected))


@pytest.mark.parametrize("factor", [1, -1, -2])
def test_double_and_add_checked_without_a_slope_is_refused(gadget: Make, factor: int) -> None:
    """q = p, -p, or -2 p."""
    circuit, p = gadget("double_and_add_1"), _points()[1]
    inputs = {"p": _montgomery(p), "q": _montgomery(multiply(p, factor % ORDER))}
    assert _multiplied(circuit, **inputs) is None


def test_montgomery_form_is_that_of_the_curve() -> None:
    """A = 2 (a + d) / (a - d), B = 4 / (a - d) = 1."""
    assert (2 * (A + D) * pow(A - D, -1, R) % R, A - D) == (168698, 4)
