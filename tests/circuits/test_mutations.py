"""Break the circuits on purpose: each assertion dropped, each assignment weakened to `<--`; a test must die of it.

By hand: SLUICE_MUTATE=close.circom pytest tests/circuits/test_mutations.py -m long -k dropped -s. Verdicts are added to
build/mutants/dropped.jsonl as they come, so that a run which was stopped goes on where it was: remove it to begin anew.
"""

import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from circuit_mutants import Mutant, assertions_dropped, assignments_weakened
from circuit_mutation import is_final, judge

from rollup.toolchain import ROOT

# Shares the machine with other tests, not their files.
pytestmark = pytest.mark.xdist_group("circuit_mutants")

HERE = Path(__file__).parent
RESULTS = ROOT / "build" / "mutants"
REVIEWED: dict[str, str] = json.loads((HERE / "circuit_survivors.json").read_text())
"""Why a mutant may live: by its name."""
TEMPLATES = 43


def first_of_each_template() -> list[Mutant]:
    """The first assignment of every template."""
    return list({(mutant.file, mutant.template): mutant for mutant in reversed(assignments_weakened())}.values())


def _check(mutants: Sequence[Mutant], results: Path) -> None:
    """All must be killed or reviewed; one that was reviewed and is killed by now is no survivor any more."""
    wanted = os.environ.get("SLUICE_MUTATE", "")
    verdicts = judge([mutant for mutant in mutants if wanted in mutant.name], results)
    print(Counter(verdict.split()[0].rstrip(":") for verdict in verdicts.values()))
    alive = {name for name, verdict in verdicts.items() if not is_final(verdict)}
    assert alive == set(REVIEWED) & set(verdicts)


def test_mutants_are_found_and_no_reason_is_left_over() -> None:
    dropped, weakened = assertions_dropped(), assignments_weakened()
    names = [mutant.name for mutant in dropped + weakened]
    assert len(set(names)) == len(names)
    assert len(dropped) > 100
    assert len(first_of_each_template()) == TEMPLATES
    assert set(REVIEWED) <= set(names), "a reviewed statement has changed"


def test_weakened_assignment_constrains_nothing() -> None:
    mutants = {mutant.name: mutant.source for mutant in assignments_weakened()}
    assert "\nroot <-- top.out;" in mutants["lib/shared_nodes.circom SharedRoot: root <== top.out;"]
    anonymous = mutants["exit.circom Exit: signal owner_is_zero <== IsZero()(owner);"]
    assert "signal weak <== IsZero()(owner); signal owner_is_zero <-- weak;" in anonymous


@pytest.mark.slow
def test_few_assertions_dropped_kill_a_test_each(tmp_path: Path) -> None:
    """Of what compiles quickly."""
    mutants = [mutant for mutant in assertions_dropped() if mutant.file in ("exit.circom", "open.circom")]
    _check(mutants[:4], tmp_path / "verdicts")


@pytest.mark.long
def test_assertion_dropped_kills_a_test() -> None:
    _check(assertions_dropped(), RESULTS / "dropped.jsonl")


@pytest.mark.long
def test_first_assignment_of_each_template_weakened_kills_a_test() -> None:
    _check(first_of_each_template(), RESULTS / "weakened.jsonl")


@pytest.mark.long
def test_assignment_weakened_kills_a_test() -> None:
    """All 424: half an hour of a CPU, most of them by their template alone."""
    _check(assignments_weakened(), RESULTS / "weakened.jsonl")
