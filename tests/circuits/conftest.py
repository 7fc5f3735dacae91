"""Circuits are compiled once (kept in build/circuits by content) and loaded once per process."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "native"))  # reference_babyjub, the referee of points

from circuit_world import World, populated
from r1cs_reader import R1cs, read_r1cs

from rollup._native import Circuit
from rollup.circuits.blocks import SMALL, Pieces, build_circuits, load_pieces


@pytest.fixture(scope="session")
def pieces() -> Pieces:
    """Open, Step and Close at small depth."""
    return load_pieces(SMALL)


@pytest.fixture(scope="session")
def step(pieces: Pieces) -> Circuit:
    return pieces.step


@pytest.fixture(scope="session")
def step_rows() -> R1cs:
    """The small Step's rows, read by the tests' own reader."""
    compiled = build_circuits(variant=SMALL)["step"]
    return read_r1cs(compiled.r1cs, compiled.sym)


@pytest.fixture(scope="session")
def _populated() -> World:
    return populated()


@pytest.fixture
def world(_populated: World) -> World:
    """Some accounts with money; a copy of its own for each test."""
    copy = World()
    copy.state, copy.number = _populated.state.copy(), _populated.number
    return copy
