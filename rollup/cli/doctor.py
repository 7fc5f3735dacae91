"""`sluice doctor`: are the tools there, in the versions this needs, and has everything been built?"""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import click

from rollup.toolchain import ROOT, ToolMissing, require_tool

TOOLS: dict[str, Callable[[Any], str]] = {
    "node": lambda package: package["engines"]["node"],
    "anvil": lambda package: package["dependencies"]["@foundry-rs/anvil-linux-amd64"],
    "solc": lambda package: package["dependencies"]["solc"],
    "circom2": lambda package: package["dependencies"]["circom2"],
}
"""Where package.json has the version of each tool."""
SECONDS_PER_TOOL = 60


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `way_out` is empty if it is well."""

    what: str
    found: str
    way_out: str = ""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(as_json: bool) -> None:
    """Check tools, packages and artefacts; name what is missing and how to mend it."""
    findings = [*_python(), *_tools(), *_packages(), *_artefacts()]
    is_well = not any(finding.way_out for finding in findings)
    if as_json:
        click.echo(json.dumps({"ok": is_well, "findings": [asdict(finding) for finding in findings]}))
    else:
        for finding in findings:
            mark, colour = ("ok     ", "green") if not finding.way_out else ("missing", "red")
            click.echo(f"{click.style(mark, fg=colour)} {finding.what:<22} {finding.found}  {finding.way_out}".rstrip())
    sys.exit(0 if is_well else 1)


def needed_tools(root: Path = ROOT) -> dict[str, str]:
    """Return the oldest version of each tool that does, from package.json."""
    package = json.loads((root / "package.json").read_text())
    return {name: str(version(package)).removeprefix(">=") for name, version in TOOLS.items()}


def needed_packages(root: Path = ROOT) -> dict[str, str]:
    """Return the exact versions of ape's packages, from pyproject.toml: other sets break on import."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    return dict(pin.split("==") for pin in project["optional-dependencies"]["ape"])


def _python() -> list[Finding]:
    found = ".".join(map(str, sys.version_info[:3]))
    return [Finding("python", found, "" if sys.version_info >= (3, 11) else "install Python 3.11 or newer")]


def _tools() -> list[Finding]:
    return [_tool(name, needed) for name, needed in needed_tools().items()]


def _tool(name: str, needed: str) -> Finding:
    try:
        path = require_tool(name)
        ran = subprocess.run(
            [str(path), "--version"], capture_output=True, text=True, check=False, timeout=SECONDS_PER_TOOL, cwd=ROOT
        )
    except ToolMissing:
        return Finding(name, "not found", f"needs {needed} or newer: run `make setup` in {ROOT}")
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding(name, f"does not run ({error})", f"run `make setup` in {ROOT}")
    match = re.search(r"\d+(\.\d+)+", ran.stdout + ran.stderr)
    found = match[0] if match else "unknown version"
    is_enough = match is not None and _numbers(found) >= _numbers(needed)
    return Finding(name, found, "" if is_enough else f"needs {needed} or newer: run `make setup` in {ROOT}")


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def _packages() -> list[Finding]:
    findings = []
    for name, needed in needed_packages().items():
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            found = "not installed"
        findings.append(Finding(name, found, "" if found == needed else f"needs exactly {needed}: run `make setup`"))
    return findings


def _artefacts() -> list[Finding]:
    looked_at: dict[str, tuple[Callable[[], bool], str]] = {
        "native extension": (lambda: any((ROOT / "rollup").glob("_native*.so")), "run `make setup`"),
        "circuits": (lambda: _any(ROOT / "build" / "circuits", "step-*/step.r1cs"), "run `sluice build circuits`"),
        "development keys": (lambda: _any(ROOT / "build" / "keys", "*.zkey"), "run `sluice build keys`"),
        "exit kit": (lambda: _any(ROOT / "build" / "keys", "*.kit"), "run `sluice build keys`"),
        "verifier source": (
            lambda: (ROOT / "contracts" / "generated" / "BlockVerifier.sol").is_file(),
            "run `sluice build contracts`",
        ),
    }
    return [
        Finding(what, "built" if is_there() else "not built", "" if is_there() else way_out)
        for what, (is_there, way_out) in looked_at.items()
    ]


def _any(folder: Path, pattern: str) -> bool:
    return folder.is_dir() and any(folder.glob(pattern))
