"""The contracts' tests of single calls (*.t.sol but Rollup.t.sol), fuzzed where they can be, and what they reach."""

import re
from pathlib import Path

import pytest
from forge import forge
from toys import PATH, toys_source

# Both compile to the same place.
pytestmark = pytest.mark.xdist_group("forge")
NOT_OURS = ("contracts/generated/", "contracts/mocks/")
"""The key constants, which tests/contracts check, and the demo's token."""


def test_toys_are_fresh() -> None:
    assert PATH.read_text() == toys_source(), "run `.venv/bin/python tests/forge/toys.py`"


@pytest.mark.slow
def test_units_hold_and_reach_every_line_and_branch(tmp_path: Path) -> None:
    """`forge coverage`, which runs the tests too; unoptimised, as it counts the source's own branches."""
    report = tmp_path / "lcov.info"
    arguments = ("--no-match-contract", "RollupTest|Properties$", "--report", "lcov", "--report-file", str(report))
    said = forge("coverage", *arguments, place="coverage")
    assert " passed" in said
    missed, branches = _read(report.read_text())
    assert missed == [], "no forge test reaches these"
    assert branches > 90, "far fewer than the contracts have"


@pytest.mark.slow
def test_fuzzed_units_hold() -> None:
    _fuzz("default", {10_000, 256})


@pytest.mark.long
def test_fuzzed_units_hold_a_million_times() -> None:
    _fuzz("long", {1_000_000, 100_000})


def _fuzz(profile: str, runs: set[int]) -> None:
    """The fewer runs are of properties that take a deployment each: test_symbolic.py proves those."""
    said = forge("test", "--match-test", "^testFuzz_", place="optimised", environment={"FOUNDRY_PROFILE": profile})
    counts = [int(found) for found in re.findall(r"\(runs: (\d+)", said)]
    assert set(counts) == runs


def _read(lcov: str) -> tuple[list[str], int]:
    """Places that were not reached, and the number of branches."""
    missed, branches, source = [], 0, ""
    for line in lcov.splitlines():
        kind, _, values = line.partition(":")
        if kind == "SF":
            source = values
        if not source.startswith("contracts/") or source.startswith(NOT_OURS):
            continue
        if kind in ("DA", "BRDA"):
            number, *_, count = values.split(",")
            branches += kind == "BRDA"
            if count in ("0", "-"):
                missed.append(f"{source}:{number}")
    return missed, branches
