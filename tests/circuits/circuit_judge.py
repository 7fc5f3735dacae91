"""A pytest plugin that compiles one mutant of the circuits, and runs tests on it until one fails.

Environment: SLUICE_MUTANT: its name; SLUICE_MUTANT_TO: where the verdict goes.

Verdicts: "test ...": that test failed; "undetermined ...": it failed as the solver of witnesses found values that
follow from nothing; "unbuilt: ...": our build refuses the circuit, as an input or public signal binds nothing;
"invalid: ...": circom refuses the source, so it is no mutant; "crash: ...": no test came to its end; "lives".
"""

import os
import re
import shutil
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol
from circuit_mutants import Mutant, all_mutants

from rollup.circuits import blocks, exit_circuit
from rollup.circuits.compiler import BUILD, CIRCUITS, source_closure

MAINS = {
    "test_templates": (),
    "test_kind": ("gadgets/read_kind",),
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
ALONE = {
    "test_kind": ("lib/kind.circom",),
    "test_gadgets": ("lib/bits.circom", "lib/montgomery.circom", "lib/multiply.circom"),
}
"""The files that a judge of small circuits is asked about."""
LOST = re.compile("it must stay a wire of its own|has no wire of its own")
UNDETERMINED = "do not follow from the inputs"


def is_asked(judge: str, mutant: Mutant) -> bool:
    """Whether the judge compiles the mutant's file; templates alone say nothing of an assertion."""
    if judge == "test_templates":
        return mutant.is_weakened and mutant.file.startswith("lib/")
    if mutant.file not in ALONE.get(judge, (mutant.file,)):
        return False
    mains = [CIRCUITS / "main" / f"{main}.circom" for main in MAINS[judge]]
    return any((CIRCUITS / mutant.file).resolve() in source_closure(main) for main in mains)


def pytest_runtestloop(session: pytest.Session) -> bool:
    mutant = all_mutants()[os.environ["SLUICE_MUTANT"]]
    answer = Path(os.environ["SLUICE_MUTANT_TO"])
    place = answer.with_suffix(".circuits")
    _put(mutant, place)
    try:
        items = [
            item
            for item in session.items
            if item.path.stem != "test_templates" or mutant.template == item.callspec.params["name"]
        ]
        verdict = next(filter(None, map(_failure, items)), "lives")
    finally:
        shutil.rmtree(place, ignore_errors=True)
    answer.write_text(verdict)
    return True


def _put(mutant: Mutant, place: Path) -> None:
    """Copies the circuits with the mistake, for this process to compile from; what is compiled already is found."""
    shutil.rmtree(place, ignore_errors=True)
    circuits, build = place / "circuits", place / "build"
    shutil.copytree(CIRCUITS, circuits)
    (circuits / mutant.file).write_text(mutant.source)
    build.mkdir()
    for folder in BUILD.iterdir():
        if "-" in folder.name and not folder.suffix:  # no partial one
            (build / folder.name).symlink_to(folder)
    blocks.CIRCUITS = exit_circuit.CIRCUITS = circuits
    blocks.BUILD = exit_circuit.BUILD = build


def _failure(item: pytest.Item) -> str:
    """What the test says of the circuits, if not that all is well."""
    for report in runtestprotocol(item, log=False):
        if report.failed:
            text = report.longreprtext
            if UNDETERMINED in text:
                return f"undetermined {item.name}"
            if LOST.search(text):
                return f"unbuilt: {item.name}"
            if (found := re.search(r"error\[\w+\]: .*", text)) and "CompilerError" in text:
                return f"invalid: {found.group()}"
            return f"test {item.name}" if report.when == "call" else f"crash: {text[-500:]}"
    return ""
