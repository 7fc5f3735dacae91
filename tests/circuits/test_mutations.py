"""Break the circuits on purpose: each assertion of ours is dropped in a copy, and a test must die of it.

A `<==` weakened to `<--` needs no run of its own: then a wire follows from nothing, and no witness can be planned.

By hand, one statement or file: pytest tests/circuits/test_mutations.py -m long -k "close.circom"
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rollup.circuits.compiler import BUILD, CIRCUITS
from rollup.toolchain import ROOT

JUDGES = (
    "test_exit_circuit.py",
    "test_step_refusals.py",
    "test_open_and_close.py",
    "test_gadgets.py",
    "test_step_tampering.py",
)
STATEMENT = re.compile(r"^ *(?!//|\*)(?:[^;\n]*===|_ <==)[^;]*;", re.MULTILINE)
"""Assertions, and range checks whose bits nobody uses."""

REDUNDANT = {
    # Reviewed: the other constraints imply these; they are kept because they say the rule outright.
    "enabled * no_key === 0;": "(0, 0) is not on the curve, and key_on_curve refuses it",
    "(1 - kind.signed) * op.signature_r[0] === 0;": "signature_r[1] = 1 leaves only x = 0 on the curve",
    "second_inverse * (p[0] - middle) === 1;": "p[0] = middle leaves 0 = 2 p[1], and no point of odd order has that",
    "op.is_batched * (op.is_batched - 1) === 0;": "link and batch_rest are 0 for any other, and no hash is 0",
}


def _statements() -> list[tuple[str, int, str]]:
    """(file, number within the file, text) of every assertion of ours."""
    found = []
    for path in sorted([*CIRCUITS.glob("*.circom"), *(CIRCUITS / "lib").glob("*.circom")]):
        texts = [match.group().strip() for match in STATEMENT.finditer(path.read_text())]
        found += [(str(path.relative_to(CIRCUITS)), index, text) for index, text in enumerate(texts)]
    return found


def _mutant(file: str, index: int) -> Path:
    """A copy of the circuits without one statement."""
    folder = BUILD / "mutants" / f"{file.replace('/', '_')}-{index}"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(CIRCUITS, folder)
    path = folder / file
    count = -1

    def drop(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return "" if count == index else match.group()

    path.write_text(STATEMENT.sub(drop, path.read_text()))
    return folder


def _survives(circuits: Path) -> bool:
    judges = [str(Path(__file__).parent / judge) for judge in JUDGES]
    options = ["-x", "-q", "-p", "no:ape_test", "-o", "addopts=", "-m", "not slow and not long"]
    command = [sys.executable, "-m", "pytest", *options, *judges]
    environment = os.environ | {"SLUICE_MUTANT": str(circuits)}
    finished = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode in (0, 1), finished.stdout + finished.stderr
    return finished.returncode == 0


def test_statements_are_found() -> None:
    texts = [text for _, _, text in _statements()]
    assert len(texts) > 100
    assert set(REDUNDANT) <= set(texts)


@pytest.mark.long
@pytest.mark.parametrize(("file", "index", "text"), _statements())
def test_dropped_constraint_kills_a_test(file: str, index: int, text: str) -> None:
    mutant = _mutant(file, index)
    try:
        assert _survives(mutant) == (text in REDUNDANT)
    finally:
        shutil.rmtree(mutant)
