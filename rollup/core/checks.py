"""Range checks shared by all encodings."""

from rollup.core.constants import FIELD_MODULUS
from rollup.core.errors import ValueRangeError


def check_below(field: str, value: int, limit: int) -> int:
    """Return `value` if it is an integer in [0, limit).

    Raises:
        ValueRangeError: it is not.
    """
    if type(value) is not int or not 0 <= value < limit:
        raise ValueRangeError(field, value, limit)
    return value


def check_uint(field: str, value: int, bits: int) -> int:
    """Return `value` if it fits in `bits` bits."""
    return check_below(field, value, 1 << bits)


def check_word(field: str, value: int) -> int:
    """Return `value` if it is a word: below the field's modulus."""
    return check_below(field, value, FIELD_MODULUS)


def pack(*fields: tuple[int, int]) -> int:
    """Join (value, bits) pairs, the first in the most significant bits. The values are in range already."""
    word = 0
    for value, bits in fields:
        word = word << bits | value
    return word


def unpack(word: int, *widths: int) -> list[int]:
    """Split `word` into fields of these widths, the most significant first; bits above them come first of all."""
    values = []
    for bits in reversed(widths):
        values.append(word & ((1 << bits) - 1))
        word >>= bits
    values.append(word)
    return values[::-1]
