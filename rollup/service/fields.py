"""Reads tables of TOML into frozen dataclasses, strictly: each unknown key, wrong type and value out of range is named.

A dataclass says what a table holds: field names are the keys, types what is taken, defaults make a key optional. An
annotation (`Setting`) narrows the values and says what one is.
"""

import difflib
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

from rollup.service.errors import Problem

_NAMES: Final = {str: "text", int: "a whole number", float: "a number", bool: "true or false", Path: "a path"}
_MISSING: Final = object()

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Setting:
    """What a field of a table is, in its annotation.

    Args:
        help: What it is, its unit, for the file that `sluice node init` writes.
        least, most: Of a number.
        one_of: Of a text.
        check: Says why a value cannot be, and what can; None if it can.
    """

    help: str
    least: float | None = None
    most: float | None = None
    one_of: Sequence[str] = ()
    check: Callable[[Any], str | None] | None = None


ANY: Final = Setting("name it")


def settings_of(kind: type) -> dict[str, tuple[Any, Setting]]:
    """The type of each field, and what it is."""
    hints = get_type_hints(kind, include_extras=True)
    found: dict[str, tuple[Any, Setting]] = {}
    for each in fields(kind):
        hint, of = hints[each.name], ANY
        if get_origin(hint) is Annotated:
            hint, of = get_args(hint)[:2]
        found[each.name] = hint, of
    return found


def read_table(kind: type[T], table: Mapping[str, Any], base: Path, problems: list[Problem], at: str = "") -> T | None:
    """Return the dataclass of a table; what is wrong goes to `problems`, and then the value is None.

    Args:
        kind: Which dataclass.
        table: As tomllib gives it.
        base: What paths are relative to.
        problems: Added to.
        at: The table's key.
    """
    before = len(problems)
    settings = settings_of(kind)
    known = {each.name: each for each in fields(kind)}  # type: ignore[arg-type]
    for key in table.keys() - known.keys():
        problems.append(Problem(_join(at, key), _unknown(key, list(known))))
    values: dict[str, Any] = {}
    for name, each in known.items():
        value = table.get(name, _MISSING)
        if value is not _MISSING:
            values[name] = _read(*settings[name], value, base, problems, _join(at, name))
        elif each.default is MISSING and each.default_factory is MISSING:
            problems.append(Problem(_join(at, name), f"is missing: {settings[name][1].help}"))
    return kind(**values) if len(problems) == before else None


def _read(hint: Any, of: Setting, value: Any, base: Path, problems: list[Problem], at: str) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        (hint,) = [each for each in get_args(hint) if each is not type(None)]
    if is_dataclass(hint) and isinstance(hint, type):
        if isinstance(value, Mapping):
            return read_table(hint, value, base, problems, at)
        return _wrong(problems, at, f"is {value!r}, not a table: write [{at}]")
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is tuple:
        if not isinstance(value, list):
            return _wrong(problems, at, f"is {value!r}, not a list: write [..]")
        return tuple(_read(arguments[0], of, each, base, problems, f"{at}[{i}]") for i, each in enumerate(value))
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            return _wrong(problems, at, f"is {value!r}, not a table: write {{ NAME = .. }}")
        return {key: _read(arguments[1], of, each, base, problems, _join(at, key)) for key, each in value.items()}
    return _scalar(hint, of, value, base, problems, at)


def _scalar(hint: Any, of: Setting, value: Any, base: Path, problems: list[Problem], at: str) -> Any:
    kinds = {float: (int, float), Path: (str,)}.get(hint, (hint,))
    # A bool is an int to Python, and not to people.
    if not isinstance(value, kinds) or (isinstance(value, bool) and hint is not bool):
        return _wrong(problems, at, f"is {value!r}, not {_NAMES.get(hint, hint)}")
    if hint in (int, float) and not _is_between(value, of):
        bounds = f"at least {of.least}" if of.most is None else f"from {of.least} to {of.most}"
        return _wrong(problems, at, f"is {value}: it may be {bounds}")
    if of.one_of and value not in of.one_of:
        return _wrong(problems, at, f"is {value!r}: it may be {', '.join(map(repr, of.one_of))}")
    if of.check is not None and (reason := of.check(value)) is not None:
        return _wrong(problems, at, reason)
    if hint is Path:
        return base / value
    return hint(value) if hint is float else value


def _is_between(value: float, of: Setting) -> bool:
    return (of.least is None or value >= of.least) and (of.most is None or value <= of.most) and isfinite(value)


def _wrong(problems: list[Problem], at: str, reason: str) -> None:
    problems.append(Problem(at, reason))


def _unknown(key: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(key, known, 1)
    return f"is no setting; did you mean {close[0]!r}?" if close else f"is no setting; there are {', '.join(known)}"


def _join(at: str, key: str) -> str:
    return f"{at}.{key}" if at else key
