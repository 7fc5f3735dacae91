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
from traceback import format_exc

import pytest
from _pytest.runner import runtestprotocol
from circuit_mutants import Mutant, all_mutants
from test_templates import test_every_wire_of_a_template_follows_from_its_inputs

from rollup.circuits import blocks, exit_circuit
from rollup.circuits.compiler import BUILD, CIRCUITS, source_closure
from rollup.circuits.errors import CompilerError

MAINS = {
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
SWAPS = ("lib/link.circom", "lib/order.circom")
LOST = re.compile("it must stay a wire of its own|has no wire of its own")
UNDETERMINED = "do not follow from the inputs"


def is_asked(judge: str, mutant: Mutant) -> bool:
    """Whether the judge compiles the mutant's file."""
    if mutant.file not in ALONE.get(judge, (mutant.file,)):
        return False
    mains = [CIRCUITS / "main" / f"{main}.circom" for main in MAINS[judge]]
    return any((CIRCUITS / mutant.file).resolve() in source_closure(main) for main in mains)


def pytest_runtestloop(session: pytest.Session) -> bool:
    if session.testsfailed:
        raise session.Interrupted("a judge cannot be read")
    mutant = all_mutants()[os.environ["SLUICE_MUTANT"]]
    answer = Path(os.environ["SLUICE_MUTANT_TO"])
    place = answer.with_suffix(".circuits")
    _put(mutant, place)
    try:
        items = _in_order(session.items, mutant)
        verdict = next(filter(None, map(_failure, items, [*items[1:], None])), "lives")
    finally:
        shutil.rmtree(place, ignore_errors=True)
    answer.write_text(verdict)
    return True


def _in_order(items: list[pytest.Item], mutant: Mutant) -> list[pytest.Item]:
    """Likely killers first: what must be accepted still is without an assertion; attacks on Swaps stand last."""
    attacks = [item for item in items if item.path.stem == "test_step_refusals"]
    first = [item for item in items if item.path.stem in ALONE]
    if not mutant.is_weakened:
        attacks.sort(key=lambda item: "unchanged" in item.name)
    if mutant.file in SWAPS:
        attacks.reverse()
    return [*first, *attacks, *(item for item in items if item not in {*first, *attacks})]


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


def _failure(item: pytest.Item, following: pytest.Item | None) -> str:
    """What the test says of the circuits, if not that all is well; what the following needs of its fixtures stays."""
    for report in runtestprotocol(item, log=False, nextitem=following):
        if report.failed:
            return read(item.name, report.longreprtext, called=report.when == "call")
    return ""


def read(test: str, error: str, *, called: bool) -> str:
    """The verdict in what a test failed with."""
    if UNDETERMINED in error:
        return f"undetermined {test}"
    if LOST.search(error):
        return f"unbuilt: {test}"
    if (found := re.search(r"error\[\w+\]: .*", error)) and "CompilerError" in error:
        return f"invalid: {found.group()}"
    return f"test {test}" if called else f"crash: {error[-500:]}"


def judge_alone(mutant: Mutant, place: Path) -> str:
    """What test_templates says of the mutant's template, in this process; empty if all is well."""
    before = blocks.CIRCUITS, blocks.BUILD
    _put(mutant, place)
    try:
        test_every_wire_of_a_template_follows_from_its_inputs(mutant.template)
    except (AssertionError, CompilerError, ValueError):
        return read(
            f"test_every_wire_of_a_template_follows_from_its_inputs[{mutant.template}]", format_exc(), called=True
        )
    finally:
        blocks.CIRCUITS, blocks.BUILD = before
        exit_circuit.CIRCUITS, exit_circuit.BUILD = before
        shutil.rmtree(place)
    return ""
