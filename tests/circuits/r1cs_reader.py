"""A second reader of .r1cs and .sym files, slow and plain, that checks single rows: the judge of the tamper tests."""

import struct
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from rollup.core.constants import FIELD_MODULUS

Row = tuple[dict[int, int], dict[int, int], dict[int, int]]


@dataclass
class R1cs:
    """Rows as (A, B, C), each wire to coefficient."""

    n_outputs: int
    n_public: int
    n_private: int
    n_wires: int
    rows: list[Row]
    wires: dict[str, int] = field(default_factory=dict)
    """Names without `main.`, of signals that are wires."""
    names: dict[int, str] = field(default_factory=dict)
    uses: dict[int, list[int]] = field(default_factory=dict)
    """Rows in which a wire stands."""

    def holds(self, row: int, values: list[int]) -> bool:
        a, b, c = (sum(values[wire] * factor for wire, factor in side.items()) for side in self.rows[row])
        return (a * b - c) % FIELD_MODULUS == 0

    def violated_by(self, changed: dict[int, int], values: list[int]) -> str | None:
        """The first row that breaks when these wires of a valid witness take other values."""
        other = list(values)
        for wire, value in changed.items():
            other[wire] = value
        for row in sorted({row for wire in changed for row in self.uses.get(wire, [])}):
            if not self.holds(row, other):
                return self.render(row)
        return None

    def violated(self, values: list[int]) -> str | None:
        return next((self.render(row) for row in range(len(self.rows)) if not self.holds(row, values)), None)

    def render(self, row: int) -> str:
        def side(terms: dict[int, int]) -> str:
            shown = [
                f"{factor if 2 * factor < FIELD_MODULUS else factor - FIELD_MODULUS}*{self.names.get(wire, wire)}"
                for wire, factor in terms.items()
            ]
            return " + ".join(shown[:12]) or "0"

        a, b, c = map(side, self.rows[row])
        return f"row {row}: ({a}) * ({b}) = {c}"


def read_r1cs(r1cs: Path, sym: Path) -> R1cs:
    data = r1cs.read_bytes()
    sections, at = {}, 12
    while at < len(data):
        kind, size = struct.unpack_from("<IQ", data, at)
        sections[kind] = at + 12
        at += 12 + size
    n_wires, n_outputs, n_inputs, n_private, _labels, n_rows = struct.unpack_from("<4IQI", data, sections[1] + 36)
    at = sections[2]
    rows: list[Row] = []
    uses: dict[int, list[int]] = defaultdict(list)
    for row in range(n_rows):
        sides = []
        for _ in range(3):
            (count,) = struct.unpack_from("<I", data, at)
            at += 4
            terms = {}
            for _ in range(count):
                (wire,) = struct.unpack_from("<I", data, at)
                terms[wire] = int.from_bytes(data[at + 4 : at + 36], "little")
                at += 36
            sides.append(terms)
        rows.append((sides[0], sides[1], sides[2]))
        for wire in set().union(*sides):
            uses[wire].append(row)
    result = R1cs(n_outputs, n_outputs + n_inputs, n_private, n_wires, rows, uses=dict(uses))
    for line in sym.read_text().splitlines():
        _label, wire, _, name = line.split(",", 3)
        if wire != "-1":
            result.wires[name.removeprefix("main.")] = int(wire)
            result.names.setdefault(int(wire), name.removeprefix("main."))
    return result
