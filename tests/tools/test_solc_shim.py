"""The stand-in for solc (tools/solc): the command line that ape and forge rely on."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from rollup.toolchain import ROOT

SOLC = ROOT / "tools" / "solc"
USES_LIBRARY = 'pragma solidity 0.8.37; import "lib/Base.sol"; contract Top is Base {}'
LIBRARY = "pragma solidity 0.8.37; contract Base { uint256 public x; }"


def run(*flags: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(SOLC), *flags], input=stdin, capture_output=True, text=True, check=False)


def compile_top(*flags: str) -> dict[str, Any]:
    settings = {"outputSelection": {"*": {"*": ["evm.bytecode.object"]}}}
    job = {"language": "Solidity", "sources": {"Top.sol": {"content": USES_LIBRARY}}, "settings": settings}
    done = run("--standard-json", *flags, stdin=json.dumps(job))
    assert done.returncode == 0, done.stderr
    output: dict[str, Any] = json.loads(done.stdout)
    return output


def errors_of(output: dict[str, Any]) -> str:
    return "".join(e["message"] for e in output.get("errors", []) if e["severity"] == "error")


def test_version_matches_every_place_that_names_it() -> None:
    pinned = json.loads((ROOT / "package.json").read_text())["dependencies"]["solc"]
    assert f"Version: {pinned}+commit." in run("--version").stdout
    assert [link.name for link in (ROOT / "tools" / "solcx").iterdir()] == [f"solc-v{pinned}"]
    assert f"version: {pinned}\n" in (ROOT / "ape-config.yaml").read_text()


def test_standard_json_resolves_imports_from_base_and_include_paths(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "Base.sol").write_text(LIBRARY)
    empty = tmp_path / "empty"
    empty.mkdir()
    for flags in (
        ("--base-path", str(tmp_path)),
        ("--base-path", str(empty), "--include-path", str(tmp_path)),
        (f"--base-path={tmp_path}", "--allow-paths", f"{empty},."),
    ):
        output = compile_top(*flags)
        assert errors_of(output) == ""
        assert output["contracts"]["Top.sol"]["Top"]["evm"]["bytecode"]["object"]


def test_standard_json_import_found_nowhere_is_an_error_in_the_output(tmp_path: Path) -> None:
    assert "File not found" in errors_of(compile_top("--base-path", str(tmp_path)))


def test_standard_json_import_outside_the_allowed_folders_is_refused(tmp_path: Path) -> None:
    base, outside = tmp_path / "base" / "lib", tmp_path / "outside"
    base.mkdir(parents=True)
    outside.mkdir()
    (outside / "Base.sol").write_text(LIBRARY)
    (base / "Base.sol").symlink_to(outside / "Base.sol")
    assert "outside of allowed" in errors_of(compile_top("--base-path", str(base.parent)))
    allowed = compile_top("--base-path", str(base.parent), "--allow-paths", str(outside))
    assert errors_of(allowed) == ""


def test_unknown_flag_exits_1_and_names_it() -> None:
    done = run("--standard-json", "--experimental-via-ir")
    assert (done.returncode, done.stdout) == (1, "")
    assert "--experimental-via-ir" in done.stderr


def test_script_named_solc_on_the_path_is_not_asked(tmp_path: Path) -> None:
    """solc-select's, which slither brings, looks on the network for a compiler before it says its version."""
    (tmp_path / "solc").write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\n")
    (tmp_path / "solc").chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run([str(SOLC), "--version"], capture_output=True, text=True, env=os.environ | {"PATH": path})
    assert "Version: " in done.stdout
    assert not (tmp_path / "asked").exists()
