"""Where a page of a list ends. A cursor names a place, so a list that grows meanwhile neither repeats nor skips."""

import re
from typing import Final

from rollup.api.errors import ParameterInvalid
from rollup.core.constants import BLOCK_NUMBER_BITS

Place = tuple[int, int]
"""Block, and position in it as the database counts: which operation of the block, from 0."""

_PLACE: Final = re.compile(r"([0-9]{1,10})-([0-9]{1,10})")
_NUMBER: Final = re.compile(r"[0-9]{1,13}")


def read_place(cursor: str | None) -> Place | None:
    """The place of a cursor, None if there is none.

    Raises: ParameterInvalid.
    """
    if cursor is None:
        return None
    match = _PLACE.fullmatch(cursor)
    if match is None or int(match[1]) >> BLOCK_NUMBER_BITS or int(match[2]) >> BLOCK_NUMBER_BITS - 1:
        raise _invalid(cursor)
    return int(match[1]), int(match[2])


def write_place(place: Place) -> str:
    """As `read_place` reads it."""
    return f"{place[0]}-{place[1]}"


def read_number(cursor: str | None) -> int | None:
    """The number of a cursor that is one.

    Raises: ParameterInvalid.
    """
    if cursor is None:
        return None
    if not _NUMBER.fullmatch(cursor):
        raise _invalid(cursor)
    return int(cursor)


def _invalid(cursor: str) -> ParameterInvalid:
    return ParameterInvalid(
        "cursor", repr(cursor)[:80], "give a next_cursor as it was given, or none for the first page"
    )
