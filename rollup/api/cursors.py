"""Where a page of a list ends. A cursor names a place, so a list that grows meanwhile neither repeats nor skips."""

from typing import Final

Place = tuple[int, int]
"""Block, and position in it as the database counts: which operation of the block, from 0."""

PLACE: Final = "^([0-9]{1,10})-([0-9]{1,10})$"
NUMBER: Final = "^[0-9]{1,13}$"
_MOST_POSITION: Final = (1 << 31) - 1
"""As the column takes it; no block has so many operations."""


def read_place(cursor: str | None) -> Place | None:
    """The place of a cursor of the form PLACE, None if there is none."""
    if cursor is None:
        return None
    block, position = map(int, cursor.split("-"))
    return block, min(position, _MOST_POSITION)


def write_place(place: Place) -> str:
    """As `read_place` reads it."""
    return f"{place[0]}-{place[1]}"


def read_number(cursor: str | None) -> int | None:
    """The number of a cursor of the form NUMBER, None if there is none."""
    return None if cursor is None else int(cursor)
