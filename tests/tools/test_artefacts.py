"""docs/artefacts.json: what a build of this commit gives, here and a second time from nothing."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from bench.sizes import PROVABLE
from rollup import artefacts
from rollup.circuits.compiler import CIRCUITS, compile_circuit
from rollup.circuits.keys import build_keys, find_exit_kit, find_key
from rollup.l1.project import compiled_contracts, contract_sources, mirror_project
from rollup.toolchain import ROOT

LISTED: dict[str, Any] = json.loads(artefacts.PATH.read_text())
SMALLEST = PROVABLE[0]
pytestmark = pytest.mark.xdist_group("contracts")


def test_artefacts_are_those_that_are_listed() -> None:
    assert artefacts.artefact_hashes() == LISTED, "a source has changed: `sluice build hashes` lists them anew"


@pytest.mark.slow
def test_circuit_compiled_a_second_time_is_the_same(tmp_path: Path) -> None:
    again = compile_circuit(CIRCUITS / "main" / "exit.circom", tmp_path)
    assert artefacts.file_hash(again.r1cs) == LISTED["r1cs"]["exit"]


@pytest.mark.slow
def test_keys_made_a_second_time_are_the_same(tmp_path: Path) -> None:
    build_keys([SMALLEST], folder=tmp_path)
    assert artefacts.file_hash(find_key(SMALLEST, tmp_path)) == LISTED["key"][f"block of {SMALLEST} steps"]
    assert artefacts.file_hash(find_exit_kit(tmp_path)) == LISTED["key"]["exit"]


@pytest.mark.slow
def test_contracts_compiled_a_second_time_elsewhere_are_the_same(tmp_path: Path) -> None:
    sources = contract_sources(ROOT / "contracts")
    mirror_project(tmp_path, {path.relative_to(ROOT): path.read_text() for path in sources})
    contracts = compiled_contracts(tmp_path)
    for name, expected in LISTED["bytecode"].items():
        code = bytes.fromhex(contracts(name).contract_type.deployment_bytecode.bytecode[2:])
        assert hashlib.sha256(code).hexdigest() == expected, name
