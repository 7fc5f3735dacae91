"""circomspect over all circuits that are proven: every finding was looked at, and stays for a reason.

It reads no buses, so it is given the circuits without them; that those are the same circuits is a test too.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from circom_buses import bus_inputs, without_buses

from rollup.circuits.compiler import CIRCUITS, compile_circuit
from rollup.toolchain import ROOT

TOOL = ROOT / "build" / "circomspect" / "bin" / "circomspect"
"""By `make circomspect`."""
REFERENCE = "block.circom"
"""Never proven: linked blocks are compared with it (circuits/test_blocks)."""
REVIEWED: dict[str, dict[str, str]] = json.loads((Path(__file__).parent / "circomspect.json").read_text())
"""Reasons, by circomspect's rule, and by file and line."""
UNUSED = "CS0006"
PLAIN = {
    str(path.relative_to(CIRCUITS)): path.read_text()
    for path in sorted(CIRCUITS.rglob("*.circom"))
    if path.name != REFERENCE
}


@pytest.fixture(scope="module")
def flat() -> Path:
    """The circuits without buses, in a folder of the checkout."""
    folder = ROOT / "build" / "audit" / "circuits"
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in without_buses(PLAIN).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@cache
def findings(folder: Path) -> dict[str, set[str]]:
    """What each rule is about; of a bus only what no template uses."""
    found: dict[str, set[str]] = {}
    unused: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for rule, file, line, message in _told(folder):
        about = PLAIN[file].splitlines()[line - 1].strip()
        if rule == UNUSED and (port := bus_inputs(about)):
            bus, name = port
            part = message.split("`")[1].split("[")[0].removeprefix(f"{name}_")
            unused.setdefault((bus, part), set()).add((file, str(line)))
        else:
            found.setdefault(rule, set()).add(f"{file}: {about}")
    ports = [port[0] for text in PLAIN.values() for line in text.splitlines() if (port := bus_inputs(line.strip()))]
    for (bus, part), places in unused.items():
        if len(places) == ports.count(bus):
            found.setdefault(UNUSED, set()).add(f"bus {bus}: {part}")
    return found


def _told(folder: Path) -> Iterator[tuple[str, str, int, str]]:
    """(rule, file, line, message)"""
    assert TOOL.exists(), "make circomspect"
    answer = folder.parent / "answer.sarif"
    for file in PLAIN:
        if file.startswith("main/"):
            continue
        command = [TOOL, folder / file, "--library", ROOT / "node_modules", "--sarif-file", answer]
        answer.unlink(missing_ok=True)
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert answer.exists(), done.stdout + done.stderr
        for result in json.loads(answer.read_text())["runs"][0]["results"]:
            place = result["locations"][0]["physicalLocation"]
            assert place["artifactLocation"]["uri"].endswith(f"/{file}"), place
            yield result["ruleId"], file, place["region"]["startLine"], result["message"]["text"]


@pytest.mark.parametrize("main", ["step_small", "close_small", "exit"])
@pytest.mark.slow
def test_circuits_without_buses_are_the_same_circuits(flat: Path, main: str) -> None:
    ours, theirs = (compile_circuit(folder / "main" / f"{main}.circom") for folder in (CIRCUITS, flat))
    assert ours.r1cs.read_bytes() == theirs.r1cs.read_bytes()
    assert ours.digest != theirs.digest


@pytest.mark.long
def test_circomspect_finds_nothing_that_was_not_looked_at(flat: Path) -> None:
    found = {rule: names - REVIEWED.get(rule, {}).keys() for rule, names in findings(flat).items()}
    unexplained = {rule: sorted(names) for rule, names in found.items() if names}
    assert unexplained == {}, "mend it, or give the reason in tests/audit/circomspect.json"


@pytest.mark.long
def test_no_reason_is_left_for_what_circomspect_does_not_find(flat: Path) -> None:
    found = findings(flat)
    stale = {rule: sorted(reasons.keys() - found.get(rule, set())) for rule, reasons in REVIEWED.items()}
    assert {rule: names for rule, names in stale.items() if names} == {}
