"""What of the state machine its own tests run, lines and branches."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rollup.toolchain import ROOT

LEAST_PERCENT = 95


@pytest.mark.long
def test_core_is_covered_by_its_tests(tmp_path: Path) -> None:
    data, report = tmp_path / "data", tmp_path / "report.json"
    coverage = [sys.executable, "-m", "coverage"]
    judged = ["-m", "pytest", "-q", "-p", "no:ape_test", "-p", "no:cacheprovider", "-o", "addopts=", "tests/rollup"]
    run = ["run", f"--data-file={data}", "--branch", "--source=rollup/core", *judged]
    subprocess.run([*coverage, *run], cwd=ROOT, check=True)
    subprocess.run([*coverage, "json", f"--data-file={data}", "-o", str(report)], cwd=ROOT, check=True)
    totals = json.loads(report.read_text())["totals"]
    branches = 100 * totals["covered_branches"] / totals["num_branches"]
    print(f"rollup/core: {totals['percent_covered']:.1f}% of lines and branches, {branches:.1f}% of branches")
    assert totals["percent_covered"] >= LEAST_PERCENT
    assert branches >= LEAST_PERCENT
