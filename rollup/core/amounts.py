"""Packed amounts and fees (protocol 3): a decimal mantissa and exponent, one encoding per value.

amount, 40 bits: mantissa 35 | exponent 5
fee,    16 bits: mantissa 11 | exponent 5
"""

from functools import lru_cache

from rollup.core.checks import check_uint
from rollup.core.constants import AMOUNT_MANTISSA_BITS, BALANCE_BITS, EXPONENT_BITS, FEE_MANTISSA_BITS
from rollup.core.errors import AmountNotCanonicalError, AmountNotRepresentableError

_MAX_EXPONENT = (1 << EXPONENT_BITS) - 1
_LIMIT = 1 << BALANCE_BITS


def pack_amount(value: int) -> int:
    """Pack an amount.

    Args:
        value: 0 to 2^128 - 1, at most 35 bits of mantissa.

    Returns:
        The canonical 40-bit encoding.

    Raises:
        ValueRangeError: negative or 2^128 and more.
        AmountNotRepresentableError: too many significant digits; names the nearest values that fit.
    """
    return _pack("amount", value, AMOUNT_MANTISSA_BITS)


def unpack_amount(packed: int) -> int:
    """Unpack a 40-bit amount.

    Raises:
        ValueRangeError: more than 40 bits.
        AmountNotCanonicalError: not the one encoding of its value, or 2^128 and more.
    """
    return _unpack("amount", packed, AMOUNT_MANTISSA_BITS)


def pack_fee(value: int) -> int:
    """Pack a fee into 16 bits, as `pack_amount` does with 11 bits of mantissa."""
    return _pack("fee", value, FEE_MANTISSA_BITS)


def unpack_fee(packed: int) -> int:
    """Unpack a 16-bit fee, as `unpack_amount` does."""
    return _unpack("fee", packed, FEE_MANTISSA_BITS)


def floor_amount(value: int) -> int:
    """The largest representable amount that is not above `value` (0 to 2^128 - 1)."""
    return _floor(check_uint("amount", value, BALANCE_BITS), AMOUNT_MANTISSA_BITS)


def floor_fee(value: int) -> int:
    """The largest representable fee that is not above `value` (0 to 2^128 - 1)."""
    return _floor(check_uint("fee", value, BALANCE_BITS), FEE_MANTISSA_BITS)


@lru_cache(maxsize=1 << 12, typed=True)  # an operation packs the same values for its checks, its message and its chunk
def _pack(kind: str, value: int, mantissa_bits: int) -> int:
    check_uint(kind, value, BALANCE_BITS)
    mantissa, exponent = value, 0
    while mantissa >> mantissa_bits:
        mantissa, rest = divmod(mantissa, 10)
        exponent += 1
        if rest or exponent > _MAX_EXPONENT:
            lower = _floor(value, mantissa_bits)
            raise AmountNotRepresentableError(kind, value, lower, _ceiling(value, mantissa_bits))
    return mantissa << EXPONENT_BITS | exponent


def _unpack(kind: str, packed: int, mantissa_bits: int) -> int:
    check_uint(f"packed {kind}", packed, mantissa_bits + EXPONENT_BITS)
    exponent = packed & _MAX_EXPONENT
    mantissa = packed >> EXPONENT_BITS
    value: int = mantissa * 10**exponent
    if value >= _LIMIT:
        raise AmountNotCanonicalError(kind, packed, None)
    if exponent and not 10 * mantissa >> mantissa_bits:
        raise AmountNotCanonicalError(kind, packed, _pack(kind, value, mantissa_bits))
    return value


def _floor(value: int, mantissa_bits: int) -> int:
    largest = (1 << mantissa_bits) - 1
    mantissa, exponent = value, 0
    while mantissa > largest and exponent < _MAX_EXPONENT:
        mantissa //= 10
        exponent += 1
    floor: int = min(mantissa, largest) * 10**exponent
    # Just above a power of the mantissa's width the largest mantissa with one exponent less is nearer.
    return floor if exponent == 0 else max(floor, largest * 10 ** (exponent - 1))


def _ceiling(value: int, mantissa_bits: int) -> int | None:
    """The smallest representable value that is not below `value`; None if that is 2^128 or more, or there is none."""
    for exponent in range(_MAX_EXPONENT + 1):
        mantissa = -(-value // 10**exponent)
        if not mantissa >> mantissa_bits:
            ceiling: int = mantissa * 10**exponent
            return ceiling if ceiling < _LIMIT else None
    return None
