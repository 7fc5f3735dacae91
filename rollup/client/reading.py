"""Reads JSON answers strictly: what is not of the form that the API promises is no answer."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from rollup.client.errors import AnswerInvalid
from rollup.core.addresses import parse_address, show_address
from rollup.core.constants import BALANCE_BITS
from rollup.core.errors import AddressTextError

MAX_NESTING: Final = 64
MAX_BRACKETS: Final = 100_000
_BRACKETS: Final = re.compile(rb"[\[\]{}]")
_MAX_DIGITS: Final = len(str(1 << BALANCE_BITS))
_HASH_DIGITS: Final = 64
_SHOWN: Final = 80
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reader:
    """A JSON value of an answer, and where it stands.

    Args:
        value: As `json.loads` gives it.
        path: Of the question.
        where: Its place in the answer.
    """

    value: Any
    path: str
    where: str = "(all)"

    def wrong(self, reason: str) -> AnswerInvalid:
        """The error that says so."""
        return AnswerInvalid(self.path, self.where, reason)

    def _is(self, kind: type[T], what: str) -> T:
        if not isinstance(self.value, kind) or (isinstance(self.value, bool) and kind is not bool):
            raise self.wrong(f"{_short(self.value)} where {what} belongs")
        return self.value

    def object(self) -> Mapping[str, Any]:
        """The value, an object."""
        return self._is(dict, "an object")

    def has(self, name: str) -> bool:
        """Whether the object has a field, and not null."""
        return self.object().get(name) is not None

    def at(self, name: str) -> "Reader":
        """A field of the object, which must be there."""
        values = self.object()
        where = name if self.where == "(all)" else f"{self.where}.{name}"
        if name not in values:
            raise AnswerInvalid(self.path, where, "it is missing")
        return Reader(values[name], self.path, where)

    def maybe(self, name: str, read: Callable[["Reader"], T]) -> T | None:
        """A field that may be missing or null."""
        return read(self.at(name)) if self.has(name) else None

    def items(self) -> list["Reader"]:
        """The value's items, a list's."""
        values = self._is(list, "a list")
        return [Reader(value, self.path, f"{self.where}[{index}]") for index, value in enumerate(values)]

    def fields(self) -> dict[str, "Reader"]:
        """The object's fields, whatever they are called, if that can be shown."""
        for name in self.object():
            if not name.isprintable():
                raise self.wrong(f"the name {_short(name)} cannot be shown")
        return {name: self.at(name) for name in self.object()}

    def text(self) -> str:
        """The value, a string that can be shown: without a terminal's control characters."""
        text = self._is(str, "a string")
        if not text.isprintable():
            raise self.wrong(f"{_short(text)} cannot be shown")
        return text

    def words(self) -> str:
        """The value, what somebody says: what cannot be shown of it is marked."""
        return "".join(each if each.isprintable() else "?" for each in self._is(str, "a string"))

    def flag(self) -> bool:
        """The value, true or false."""
        return self._is(bool, "true or false")

    def number(self) -> int:
        """The value, an integer from 0 on."""
        number = self._is(int, "an integer")
        if number < 0:
            raise self.wrong(f"{number} is negative")
        return number

    def amount(self) -> int:
        """The value, an amount in smallest units as decimal digits in a string."""
        text = self.text()
        if not (text.isascii() and text.isdecimal()) or len(text) > _MAX_DIGITS or (text[0] == "0" and text != "0"):
            raise self.wrong(f"{_short(text)} where an amount belongs, decimal digits in a string")
        return int(text)

    def address(self) -> str:
        """The value, an L1 address, with its checksum."""
        try:
            return show_address(parse_address(self.text()))
        except AddressTextError as error:
            raise self.wrong(str(error)) from error

    def word(self) -> str:
        """The value, 32 bytes in hex."""
        text = self.text()
        if len(text) != 2 + _HASH_DIGITS or not text.startswith("0x") or not set(text[2:]) <= _HEX:
            raise self.wrong(f"{_short(text)} where 0x and {_HASH_DIGITS} hexadecimal digits belong")
        return text.lower()


_HEX: Final = set("0123456789abcdefABCDEF")


def read_json(body: bytes, path: str) -> Reader:
    """An answer's body.

    Raises: AnswerInvalid.
    """
    if _is_deep(body):
        raise AnswerInvalid(path, "(all)", f"more than {MAX_NESTING} lists and objects in each other, or too many")
    try:
        return Reader(json.loads(body), path)
    except (ValueError, RecursionError) as error:
        raise AnswerInvalid(path, "(all)", f"not JSON ({type(error).__name__})") from error


def _is_deep(body: bytes) -> bool:
    """Whether Python's reader, which recurs, must not see it. Brackets in strings count too, mostly in pairs."""
    if body.count(b"[") + body.count(b"{") > MAX_BRACKETS:
        return True
    depth = deepest = 0
    for bracket in _BRACKETS.findall(body):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest > MAX_NESTING


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
