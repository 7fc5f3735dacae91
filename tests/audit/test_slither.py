"""slither over all contracts that are deployed: every finding was looked at, and stays for a reason."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from rollup.toolchain import ROOT

SOURCES = [
    f"contracts/{name}.sol" for name in ("Rollup", "Governor", "generated/BlockVerifier", "generated/ExitVerifier")
]
REVIEWED: dict[str, dict[str, str]] = json.loads((Path(__file__).parent / "slither.json").read_text())
"""Reasons, by detector and by what it is about; "*" is for whatever a detector says."""
OPTIONS = [
    "--solc", str(ROOT / "tools" / "solc"), "--solc-args", "--evm-version prague --optimize",
    "--solc-remaps", "@openzeppelin/contracts/=node_modules/@openzeppelin/contracts/",
    "--filter-paths", "node_modules", "--json", "-",
]  # fmt: skip


@cache
def findings() -> dict[str, set[str]]:
    """What each detector is about."""
    found: dict[str, set[str]] = {}
    for source in SOURCES:
        command = [str(Path(sys.executable).parent / "slither"), source, *OPTIONS]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=dict(os.environ))
        report: dict[str, Any] = json.loads(done.stdout)
        assert report["success"], report["error"]
        for finding in report["results"].get("detectors", []):
            found.setdefault(finding["check"], set()).add(about(finding))
    return found


def about(finding: dict[str, Any]) -> str:
    """The first thing that a finding names, with its contract."""
    first = finding["elements"][0]
    parent = first.get("type_specific_fields", {}).get("parent", {})
    outer = parent.get("type_specific_fields", {}).get("parent", {})
    return ".".join(each["name"] for each in (outer, parent, first) if each and each.get("type") != "file")


@pytest.mark.slow
def test_slither_finds_nothing_that_was_not_looked_at() -> None:
    unexplained = {
        check: sorted(names - REVIEWED.get(check, {}).keys())
        for check, names in findings().items()
        if "*" not in REVIEWED.get(check, {}) and names - REVIEWED.get(check, {}).keys()
    }
    assert unexplained == {}, "mend it, or give the reason in tests/audit/slither.json"


@pytest.mark.slow
def test_no_reason_is_left_for_what_slither_does_not_find() -> None:
    found = findings()
    stale = {
        check: sorted(reasons.keys() - {"*"} - found.get(check, set()))
        for check, reasons in REVIEWED.items()
        if reasons.keys() - {"*"} - found.get(check, set()) or check not in found
    }
    assert stale == {}
