"""The contracts' invariants under forge's fuzzer: the *.sol beside this; numbers of runs and calls in foundry.toml."""

import subprocess

import pytest

from rollup.toolchain import ROOT, require_tool, tool_environment

# Both compile to the same place.
pytestmark = pytest.mark.xdist_group("forge")


@pytest.mark.slow
def test_invariants_random_calls_hold() -> None:
    _run("default")


@pytest.mark.long
def test_invariants_many_random_calls_hold() -> None:
    _run("long")


def _run(profile: str) -> None:
    environment = tool_environment() | {"FOUNDRY_PROFILE": profile}
    forge = [str(require_tool("forge")), "test", "--color", "never"]
    done = subprocess.run(forge, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"\n{done.stdout}\n{done.stderr}"
    assert "1 passed" in done.stdout, f"no invariant ran\n{done.stdout}\n{done.stderr}"
