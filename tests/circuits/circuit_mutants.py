"""Mistakes to plant in the circuits: each assertion dropped, each assignment weakened so that it constrains nothing."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rollup.circuits.compiler import CIRCUITS

REFERENCE = "block.circom"
"""Never proven: linked blocks are compared with it (test_blocks)."""
ASSERTION = re.compile(r"^ *+(?!//|\*|/\*)(?:[^;\n]*===|_ <==)[^;]*;", re.MULTILINE)
"""Also range checks whose bits nobody uses."""
ASSIGNMENT = re.compile(r"^ *+(?!//|\*|/\*|_ )([^;{}\n]*?) <== ([^;]*);", re.MULTILINE)
ANONYMOUS = re.compile(r"\w+\([^;]*\)\(")
"""`Name(parameters)(inputs)`: what it gives can be assigned by `<==` only."""
DECLARED = re.compile(r"(signal(?: output)?|\w+\([^;]*\)) (\w+)((?:\[[^;]*\])?)$")
TYPES = {
    "decoded.from_digits": "signal weak[ACCOUNT_LEVELS][ARITY()]",
    "decoded.to_digits": "signal weak[ACCOUNT_LEVELS][ARITY()]",
    "decoded.token_digits": "signal weak[BALANCE_LEVELS][ARITY()]",
    "decoded.to_slot_digits": "signal weak[BALANCE_LEVELS][ARITY()]",
    "bits": "signal weak[WIDE]",
    "fees_out": "signal weak[FEE_TOKENS()]",
    "words": "Words() weak",
}
"""Of what is assigned from an anonymous component elsewhere than it is declared, where it is more than a signal."""


@dataclass(frozen=True)
class Mutant:
    """One statement of a template, and the source with the mistake in its place."""

    file: str
    template: str
    statement: str
    source: str

    @property
    def is_weakened(self) -> bool:
        return not ASSERTION.match(self.statement)

    @property
    def name(self) -> str:
        return f"{self.file} {self.template}: {' '.join(self.statement.split())}"


def assertions_dropped() -> list[Mutant]:
    """Every `===` and every `_ <==`, left out."""
    return [mutant for file, text in _sources() for mutant in _mutants(file, text, ASSERTION, lambda _: "")]


def assignments_weakened() -> list[Mutant]:
    """Every other `<==` as `<--`: whoever makes the witness chooses the value."""
    return [mutant for file, text in _sources() for mutant in _mutants(file, text, ASSIGNMENT, _weakened)]


def all_mutants() -> dict[str, Mutant]:
    """By name."""
    return {mutant.name: mutant for mutant in assertions_dropped() + assignments_weakened()}


def _sources() -> Iterator[tuple[str, str]]:
    paths = sorted([*CIRCUITS.glob("*.circom"), *(CIRCUITS / "lib").glob("*.circom")])
    return ((str(path.relative_to(CIRCUITS)), path.read_text()) for path in paths if path.name != REFERENCE)


def _mutants(
    file: str, text: str, statement: re.Pattern[str], change: Callable[[re.Match[str]], str]
) -> Iterator[Mutant]:
    for match in statement.finditer(text):
        template = re.findall(r"^template (\w+)", text[: match.start()], re.MULTILINE)[-1]
        mutated = text[: match.start()] + change(match) + text[match.end() :]
        yield Mutant(file, template, match.group().strip(), mutated)


def _weakened(match: re.Match[str]) -> str:
    left, right = match.groups()
    if not ANONYMOUS.match(right):
        return f"{left} <-- {right};"
    if left.startswith("("):
        first, rest = left[1:].split(", ", 1)
        return f"{TYPES[first]}; (weak, {rest} <== {right}; {first} <-- weak;"
    if declared := DECLARED.match(left):
        kind, _, size = declared.groups()
        return f"{kind} weak{size} <== {right}; {left} <-- weak;"
    if left.endswith("[i]"):  # nothing can be declared in a loop, and whoever makes the witness chooses anyway
        return f"{left} <-- 0;"
    return f"{TYPES.get(left, 'signal weak')}; weak <== {right}; {left} <-- weak;"
