"""Small circom circuits that differ in what keys and provers may get wrong: wires, rows, public signals."""

import random
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Shape:
    """A circuit: its source, inputs for it, and how far circom simplifies it."""

    name: str
    source: str
    inputs: dict[str, Any]
    level: str = "--O2"


def _chain(
    name: str, rows: int, public: str, seed: int, unused: int = 0, outputs: bool = True, level: str = "--O2"
) -> Shape:
    """`rows` products of random linear forms of two inputs and what came before; `unused` inputs that no row has."""
    rng = random.Random(seed)

    def form() -> str:
        terms = [f"{rng.choice([1, -1, rng.randrange(1, 2 ** rng.randrange(1, 253))])} * {wire}" for wire in ("a", "b")]
        return " + ".join([*terms, str(rng.randrange(2**253))])

    lines = [f"signal input a; signal input b; signal x[{rows}];"]
    lines += [f"signal input spare[{unused}];"] if unused else []
    for row in range(rows):
        before = f" + x[{row - 1}]" if row else ""
        lines.append(f"x[{row}] <== ({form()}{before}) * ({form()});")
    lines += [f"signal output out; out <== x[{rows - 1}];"] if outputs else []
    main = f"component main {public}= {name}();"
    source = f"template {name}() {{\n{chr(10).join(lines)}\n}}\n{main}\n"
    inputs: dict[str, Any] = {"a": rng.randrange(2**64), "b": rng.randrange(2**64)}
    return Shape(
        name, source, inputs | ({"spare": [rng.randrange(2**64) for _ in range(unused)]} if unused else {}), level
    )


SHAPES = (
    _chain("OneRow", 1, "", 1),
    _chain("NothingPublic", 5, "", 2, outputs=False),
    _chain("OneRowNothingPublic", 1, "", 3, outputs=False),
    _chain("AllPublic", 12, "{public [a, b]} ", 4),
    _chain("ManyUnused", 3, "{public [a]} ", 5, unused=50, level="--O0"),
    _chain("UnusedPublic", 3, "{public [spare, b]} ", 6, unused=20),
    _chain("JustOneDomain", 29, "{public [b]} ", 7),
    _chain("JustAboveADomain", 30, "{public [a, b]} ", 8),
)
"""With an output and one public input, 29 rows and the 3 of the public wires fill a domain of 32."""
