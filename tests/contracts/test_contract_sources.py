"""Generated sources are fresh, and every contract can be deployed."""

import ast
import re
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import Any

from contract_rig import Refusal

from rollup.core.account import empty_root
from rollup.l1 import constants_source
from rollup.toolchain import ROOT

EIP_170_LIMIT = 24_576
EIP_3860_LIMIT = 2 * EIP_170_LIMIT
OURS = ("Rollup", "Governor", "BlockVerifier", "ExitVerifier")


def test_constants_are_fresh() -> None:
    assert constants_source.PATH.read_text() == constants_source.render(), "run `.venv/bin/sluice build constants`"


def test_empty_root_is_circomlibs() -> None:
    program = """
    const { buildPoseidon } = require("circomlibjs");
    buildPoseidon().then((poseidon) => {
      const hash = (inputs) => poseidon.F.toObject(poseidon(inputs));
      const up = (node, levels) => { while (levels--) node = hash(Array(8).fill(node)); return node; };
      console.log(up(hash([0n, 0n, 0n, 0n, up(0n, 4)]), 8).toString());
      process.exit(0);
    });
    """
    done = subprocess.run(["node", "-e", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) == empty_root()


def test_every_contract_is_within_eip_170(project: Any) -> None:
    for name in OURS:
        contract = getattr(project, name).contract_type
        size = len(bytes.fromhex(contract.runtime_bytecode.bytecode.removeprefix("0x")))
        init_size = len(bytes.fromhex(contract.deployment_bytecode.bytecode.removeprefix("0x")))
        print(f"{name}: {size} bytes, init code {init_size}")
        assert size < EIP_170_LIMIT
        assert init_size < EIP_3860_LIMIT


def test_every_custom_error_has_a_test_of_its_type_and_data() -> None:
    """A test says `Refusal(name, data)` of what came back: the equality is of both."""
    declared = set()
    for path in (ROOT / "contracts").rglob("*.sol"):
        if not {"mocks", "generated", ".cache"} & set(path.parts):
            declared |= set(re.findall(r"^\s*error (\w+)\(", path.read_text(), re.MULTILINE))
    trees = [ast.parse(path.read_text()) for path in Path(__file__).parent.glob("test_*.py")]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    refusals = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Refusal"]
    tested = {ast.literal_eval(call.args[0]) for call in refusals if len(call.args) == len(fields(Refusal))}
    assert len(declared) > 40
    assert declared - tested == set()


def test_accept_all_verifier_is_in_the_tests_alone() -> None:
    assert not [path for path in (ROOT / "contracts").rglob("*.sol") if "AcceptAll" in path.read_text()]
