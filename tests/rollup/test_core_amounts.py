"""Packed amounts and fees (protocol 3; I-04, I-05)."""

import json
import random
from pathlib import Path

import pytest

from rollup.core import floor_amount, floor_fee, pack_amount, pack_fee, unpack_amount, unpack_fee
from rollup.core.errors import AmountNotCanonicalError, AmountNotRepresentableError, ValueRangeError

LARGEST_MANTISSA = 2**35 - 1


@pytest.mark.parametrize(
    ("value", "mantissa", "exponent"),
    [
        (0, 0, 0),
        (1, 1, 0),
        (10, 10, 0),
        (LARGEST_MANTISSA, LARGEST_MANTISSA, 0),
        (2**35 + 2, 3435973837, 1),
        (10**18, 10**10, 8),
        (123 * 10**6, 123 * 10**6, 0),
        (LARGEST_MANTISSA * 10**27, LARGEST_MANTISSA, 27),
        (34028236692 * 10**28, 34028236692, 28),
    ],
)
def test_pack_amount_representable_value_gives_smallest_exponent(value: int, mantissa: int, exponent: int) -> None:
    assert pack_amount(value) == mantissa << 5 | exponent
    assert unpack_amount(mantissa << 5 | exponent) == value


@pytest.mark.parametrize(
    ("value", "mantissa", "exponent"), [(2047, 2047, 0), (2050, 205, 1), (2047 * 10**31, 2047, 31)]
)
def test_pack_fee_representable_value_gives_smallest_exponent(value: int, mantissa: int, exponent: int) -> None:
    assert pack_fee(value) == mantissa << 5 | exponent
    assert unpack_fee(mantissa << 5 | exponent) == value


@pytest.mark.parametrize(
    ("pack", "value", "lower", "upper"),
    [
        (pack_amount, 2**35, LARGEST_MANTISSA, 2**35 + 2),
        (pack_amount, 2**128 - 1, 34028236692 * 10**28, None),
        (pack_amount, LARGEST_MANTISSA * 10 + 1, LARGEST_MANTISSA * 10, 3435973837 * 100),
        (pack_fee, 2049, 2047, 2050),
        (pack_fee, 2048, 2047, 2050),
        (pack_fee, 20471, 20470, 20500),
        (pack_fee, 2047 * 10**31 + 1, 2047 * 10**31, None),
        (pack_fee, 2048 * 10**31, 2047 * 10**31, None),
    ],
)
def test_pack_other_value_names_nearest(pack: object, value: int, lower: int, upper: int | None) -> None:
    with pytest.raises(AmountNotRepresentableError) as caught:
        pack(value)  # type: ignore[operator]
    assert (caught.value.value, caught.value.lower, caught.value.upper) == (value, lower, upper)
    assert str(lower) in str(caught.value)


@pytest.mark.parametrize("value", [-1, 2**128, True, 1.0, None, "1"])
def test_pack_outside_range_refused(value: object) -> None:
    for pack in (pack_amount, pack_fee):
        with pytest.raises(ValueRangeError) as caught:
            pack(value)  # type: ignore[arg-type]
        assert caught.value.value is value


@pytest.mark.parametrize(
    ("unpack", "packed", "canonical"),
    [
        (unpack_amount, 1, 0),
        (unpack_amount, 1 << 5 | 1, 10 << 5),
        (unpack_amount, 123 << 5 | 6, 123000000 << 5),
        (unpack_amount, 3435973836 << 5 | 1, 34359738360 << 5),
        (unpack_amount, LARGEST_MANTISSA << 5 | 28, None),
        (unpack_amount, 2**40 - 1, None),
        (unpack_fee, 31, 0),
        (unpack_fee, 204 << 5 | 1, 2040 << 5),
    ],
)
def test_unpack_other_encoding_refused(unpack: object, packed: int, canonical: int | None) -> None:
    with pytest.raises(AmountNotCanonicalError) as caught:
        unpack(packed)  # type: ignore[operator]
    assert (caught.value.packed, caught.value.canonical) == (packed, canonical)


def test_unpack_too_many_bits_refused() -> None:
    for unpack, packed in ((unpack_amount, 2**40), (unpack_fee, 2**16), (unpack_amount, 0x307B0000007B)):
        with pytest.raises(ValueRangeError):
            unpack(packed)


def test_unpack_every_fee_accepted_exactly_if_pack_gives_it() -> None:
    accepted = 0
    for packed in range(2**16):
        try:
            value = unpack_fee(packed)
        except AmountNotCanonicalError:
            continue
        assert pack_fee(value) == packed
        accepted += 1
    assert accepted == 2048 + 31 * (2048 - 205)


def test_pack_random_values_round_trip_and_floor_is_nearest() -> None:
    rng = random.Random(3)
    for _ in range(5000):
        value = rng.randrange(2 ** rng.randrange(1, 129))
        for pack, unpack, floor in ((pack_amount, unpack_amount, floor_amount), (pack_fee, unpack_fee, floor_fee)):
            below = floor(value)
            assert below <= value
            assert unpack(pack(below)) == below
            if below == value:
                continue
            with pytest.raises(AmountNotRepresentableError) as caught:
                pack(value)
            assert caught.value.lower == below
            upper = caught.value.upper
            assert upper is None or unpack(pack(upper)) == upper > value


def test_unpack_published_float40_vectors_read_alike_where_canonical() -> None:
    """The published format allows several encodings and values over 2^128; ours does not."""
    shared = Path(__file__).parents[1] / "vectors" / "float40.json"
    for vector in json.loads(shared.read_text())["float40"]:
        packed = int(str(vector["packed"]), 0)
        if "value" not in vector:
            with pytest.raises(ValueRangeError):
                unpack_amount(packed)
            continue
        assert packed == vector["exponent"] << 35 | vector["mantissa"]
        ours = vector["mantissa"] << 5 | vector["exponent"]
        with pytest.raises(AmountNotCanonicalError):
            unpack_amount(ours)
        if int(vector["value"]) < 2**128:
            assert unpack_amount(pack_amount(int(vector["value"]))) == int(vector["value"])
