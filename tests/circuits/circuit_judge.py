"""A pytest plugin that compiles one mutant of the circuits, and runs tests on it until one fails.

Environment: SLUICE_MUTANT: its name, or empty for the circuits as they are; SLUICE_MUTANT_TO: where the verdict goes.

Verdicts: "test ...": that test failed; "undetermined ...": it failed as the solver of witnesses found values that
follow from nothing; "unbuilt: ...": our build refuses the circuit, as an input binds nothing; "invalid: ...": circom
refuses the source, so it is no mutant; "lives". Anything else that goes wrong is no verdict.
"""

import os
import shutil
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol
from circuit_mutants import Mutant, all_mutants

from rollup.circuits import blocks, exit_circuit
from rollup.circuits.compiler import BUILD, CIRCUITS, compile_circuit, source_closure
from rollup.circuits.errors import CompilerError

MAINS = {
    "test_gadgets": (
        "gadgets/bits_at_most",
        "gadgets/double_and_add_1",
        "gadgets/multiply_base",
        "gadgets/multiply_key",
    ),
    "test_step_refusals": ("step_small",),
    "test_step_tampering": ("step_small",),
    "test_open_and_close": ("open_small", "close_small"),
    "test_exit_circuit": ("exit",),
}
"""What each judge compiles, in the order in which they are asked."""
GADGETS = ("lib/bits.circom", "lib/montgomery.circom", "lib/multiply.circom")
"""The files that test_gadgets is asked about."""
LOST_INPUT = "it must stay a wire of its own"
UNDETERMINED = "do not follow from the inputs"


def mains_of(judge: str, file: str) -> list[str]:
    """What the judge compiles that includes the file."""
    if judge == "test_gadgets" and file not in GADGETS:
        return []
    paths = {main: CIRCUITS / "main" / f"{main}.circom" for main in MAINS[judge]}
    return [main for main, path in paths.items() if (CIRCUITS / file).resolve() in source_closure(path)]


def pytest_runtestloop(session: pytest.Session) -> bool:
    name = os.environ["SLUICE_MUTANT"]
    file, place = "", Path(os.environ["SLUICE_MUTANT_TO"]).with_suffix(".circuits")
    if name:
        mutant = all_mutants()[name]
        file = mutant.file
        _put(mutant, place)
    try:
        verdict = _verdict(session, file)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    Path(os.environ["SLUICE_MUTANT_TO"]).write_text(verdict)
    return True


def _put(mutant: Mutant, place: Path) -> None:
    """Copies the circuits with the mistake, for this process to compile from; what is compiled already is found."""
    shutil.rmtree(place, ignore_errors=True)
    circuits, build = place / "circuits", place / "build"
    shutil.copytree(CIRCUITS, circuits)
    (circuits / mutant.file).write_text(mutant.source)
    build.mkdir()
    for folder in BUILD.iterdir():
        if folder.is_dir():
            (build / folder.name).symlink_to(folder)
    blocks.CIRCUITS = exit_circuit.CIRCUITS = circuits
    blocks.BUILD = exit_circuit.BUILD = build


def _verdict(session: pytest.Session, file: str) -> str:
    compiled = set()
    for item in session.items:
        for main in mains_of(item.path.stem, file) if file else ():
            if main not in compiled and (refusal := _refusal(main)):
                return refusal
            compiled.add(main)
        if failure := _failure(item):
            return failure
    return "lives"


def _refusal(main: str) -> str:
    try:
        compile_circuit(blocks.CIRCUITS / "main" / f"{main}.circom", blocks.BUILD)
    except CompilerError as error:
        lines = [line for line in str(error).splitlines() if "error[" in line or LOST_INPUT in line]
        return f"{'unbuilt' if LOST_INPUT in str(error) else 'invalid'}: {' '.join(lines)[:300]}"
    return ""


def _failure(item: pytest.Item) -> str:
    """What the test says of the circuits, if not that all is well.

    Raises: RuntimeError if it did not come so far.
    """
    for report in runtestprotocol(item, log=False):
        if report.failed:
            if UNDETERMINED in report.longreprtext:
                return f"undetermined {item.name}"
            if report.when != "call":
                raise RuntimeError(report.longreprtext)
            return f"test {item.name}"
    return ""
