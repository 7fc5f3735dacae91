"""One development kit for all tests here, and the circuits' tests' state to exit from."""

import sys
from pathlib import Path

import pytest

from rollup.circuits.keys import build_keys, find_exit_kit
from rollup.core.state import State
from rollup.exits.prover import ExitProver
from rollup.toolchain import ROOT

sys.path.append(str(Path(__file__).parents[1] / "circuits"))

from exit_world import exit_state


@pytest.fixture(scope="session")
def kit() -> Path:
    """A development kit, kept between runs."""
    folder = ROOT / "build" / "exits"
    build_keys([], folder=folder)
    return find_exit_kit(folder)


@pytest.fixture(scope="session")
def prover(kit: Path) -> ExitProver:
    return ExitProver(kit)


@pytest.fixture
def state() -> State:
    return exit_state()
