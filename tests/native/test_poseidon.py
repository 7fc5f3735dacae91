"""Poseidon is circomlib's, for every number of inputs."""

import re

import pytest

from rollup._native import FIELD_MODULUS, poseidon, poseidon_many


def rows_of(vectors):
    return [([int(x) for x in vector["in"]], int(vector["out"])) for vector in vectors["poseidon"]]


def test_poseidon_every_arity_equals_circomlibjs(crypto_vectors):
    rows = rows_of(crypto_vectors)
    assert {len(inputs) for inputs, _ in rows} == set(range(1, 17))
    for inputs, expected in rows:
        assert poseidon(inputs) == expected, f"{len(inputs)} inputs"


def test_poseidon_published_vectors_equal():
    """From circomlib's own tests, whatever our script computes."""
    one_two = 7853200120776062878684798364095072458815029376092732009249414926327459813530
    one_to_four = 18821383157269793795438455681495246036402687001665670618754263018637548127333
    assert poseidon([1, 2]) == one_two
    assert poseidon([1, 2, 3, 4]) == one_to_four


def test_poseidon_many_rows_of_mixed_arity_equals_single(crypto_vectors):
    rows = rows_of(crypto_vectors)
    assert poseidon_many([inputs for inputs, _ in rows]) == [out for _, out in rows]
    assert poseidon_many([]) == []


@pytest.mark.parametrize("value", [FIELD_MODULUS, FIELD_MODULUS + 1, -1, 2**256, 2**256 + 1, -(2**300)])
def test_poseidon_value_out_of_field_raises_value_error(value):
    message = re.escape(f"inputs[1] must be 0 <= value < {FIELD_MODULUS}, got {value}")
    with pytest.raises(ValueError, match=f"^{message}$"):
        poseidon([1, value])
    with pytest.raises(ValueError, match=re.escape(f"rows[1][0] must be 0 <= value < {FIELD_MODULUS}, got {value}")):
        poseidon_many([[1], [value]])


@pytest.mark.parametrize("count", [0, 17, 1000])
def test_poseidon_unsupported_arity_raises_value_error(count):
    with pytest.raises(ValueError, match=f"^poseidon takes 1 to 16 inputs, got {count}$"):
        poseidon([1] * count)
    with pytest.raises(ValueError, match=f"^poseidon takes 1 to 16 inputs, got {count}$"):
        poseidon_many([[1], [1] * count])


@pytest.mark.parametrize("value", ["1", 1.0, None, b"\x01"])
def test_poseidon_not_an_int_raises_type_error(value):
    with pytest.raises(TypeError):
        poseidon([value])
