"""snarkjs as the other side, circom circuits, and the sections of its files."""

import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from random_circuits import Shape

from rollup.toolchain import ROOT

JOBS = Path(__file__).with_name("snarkjs_jobs.mjs")
SECTION_HEAD_BYTES = 12
G1_BYTES, G2_BYTES = 64, 128
POWER = 7
"""The powers that all tests share are for 2^7 rows."""


@dataclass(frozen=True)
class Made:
    """A circuit with snarkjs's first key, its contribution to that, and circom's witness."""

    shape: Shape
    r1cs: Path
    first: Path
    key: Path
    wtns: Path
    circuit_hash: str


def snarkjs(*jobs: tuple[Any, ...]) -> list[Any]:
    """Run jobs of `snarkjs_jobs.mjs`; return their results, hashes in hexadecimal."""
    text = json.dumps([[str(part) if isinstance(part, Path) else part for part in job] for job in jobs])
    done = subprocess.run(["node", str(JOBS)], input=text, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    results: list[Any] = json.loads(done.stdout[done.stdout.index("[") :])
    return results


class Sections:
    """An iden3 binary file taken apart: bytes by section, to be changed and written again."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        self.head, self.parts, at = data[:8], {}, 12
        while at < len(data):
            kind, size = int.from_bytes(data[at : at + 4], "little"), int.from_bytes(data[at + 4 : at + 12], "little")
            self.parts[kind] = bytearray(data[at + SECTION_HEAD_BYTES : at + SECTION_HEAD_BYTES + size])
            at += SECTION_HEAD_BYTES + size

    def __getitem__(self, kind: int) -> bytearray:
        return self.parts[kind]

    def write(self, path: Path) -> Path:
        body = b"".join(
            kind.to_bytes(4, "little") + len(part).to_bytes(8, "little") + part for kind, part in self.parts.items()
        )
        path.write_bytes(self.head + len(self.parts).to_bytes(4, "little") + body)
        return path

    def replace(self, kind: int, at: int, data: bytes) -> "Sections":
        """Overwrite bytes of a section; they must be others than those there."""
        assert self.parts[kind][at : at + len(data)] != data
        self.parts[kind][at : at + len(data)] = data
        return self

    def swap(self, kind: int, size: int, first: int, second: int) -> "Sections":
        """Exchange two different items of a section of items of one size."""
        part = self.parts[kind]
        left, right = (bytes(part[index * size : (index + 1) * size]) for index in (first, second))
        assert left != right
        part[first * size : (first + 1) * size], part[second * size : (second + 1) * size] = right, left
        return self

    def flip(self, kind: int, at: int) -> "Sections":
        """Flip a bit."""
        self.parts[kind][at] ^= 1
        return self


def make_powers(folder: Path, power: int, names: Iterable[str]) -> Path:
    """snarkjs's powers of tau, contributions of these names and a beacon; `plain.ptau` is the same, not prepared."""
    jobs: list[tuple[Any, ...]] = [("newPowers", folder / "powers0.ptau", power)]
    last = folder / "powers0.ptau"
    for index, name in enumerate(names, 1):
        path = folder / f"powers{index}.ptau"
        jobs.append(("contributePowers", last, path, name, f"entropy {name}"))
        last = path
    plain = folder / "plain.ptau"
    jobs.append(("beaconPowers", last, plain, "beacon", "0102030405060708", 10))
    jobs.append(("preparePowers", plain, folder / "powers.ptau"))
    snarkjs(*jobs)
    return folder / "powers.ptau"
