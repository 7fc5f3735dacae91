"""halmos proves tests/forge/properties for every value of their arguments; each of them fails on a planted mistake.

What it takes for granted: keccak256 has no collisions, and no hash is 0 where a property says so.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from forge import OUT
from plants import PLANTS, Plant, batches

from rollup.toolchain import ROOT, tool_environment

pytestmark = pytest.mark.xdist_group("forge")
HALMOS = ROOT / "build" / "halmos" / "bin"
SLOW = {
    "depositETH_accountsForAllThatCame",
    "negate_isTheOtherPointOfItsX",
    "approveKeyChange_inRangeAndForItsSenderOnly",
}
"""A third of all time; left to the long run."""
NAMES = {
    line.split("(")[0].removeprefix("    function testFuzz_")
    for path in (ROOT / "tests" / "forge" / "properties").glob("*.t.sol")
    for line in path.read_text().splitlines()
    if line.startswith("    function testFuzz_")
}


def prove(root: Path, names: set[str], *, seconds: int, optimised: bool = True) -> dict[str, int]:
    """halmos's exit code of each property: 0 proved, 1 refuted.

    Args:
        root: of a copy of contracts and tests, or of the repository.
        names: of the properties, without testFuzz_.
        seconds: that the solver may take for one query.
        optimised: as it is deployed; else it compiles in a third of the time.
    """
    if not (HALMOS / "halmos").exists():
        raise FileNotFoundError("halmos is not installed: make test does it")
    out, report = Path("build") / "forge" / "properties", root / "build" / "forge" / "halmos.json"
    report.parent.mkdir(parents=True, exist_ok=True)
    settings = {
        "FOUNDRY_OPTIMIZER": str(optimised).lower(),
        "FOUNDRY_PROFILE": "properties",
        "FOUNDRY_OUT": str(out / "out"),
        "FOUNDRY_CACHE_PATH": str(out / "cache"),
    }
    environment = tool_environment() | settings
    environment["PATH"] += os.pathsep + str(HALMOS)
    command = [str(HALMOS / "halmos"), "--root", str(root), "--forge-build-out", str(out / "out"), "--no-status"]
    command += ["--match-contract", "Properties$", "--match-test", f"^testFuzz_({'|'.join(sorted(names))})\\("]
    command += ["--loop", "8", "--solver-command", str(HALMOS / "z3"), "--solver-threads", "1"]
    command += ["--solver-timeout-assertion", f"{seconds}s", "--json-output", str(report)]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert report.exists(), f"\n{done.stdout}\n{done.stderr}"
    results: Mapping[str, list[dict[str, object]]] = json.loads(report.read_text())["test_results"]
    report.unlink()
    codes = {str(each["name"]): each["exitcode"] for found in results.values() for each in found}
    said = {name.split("(")[0].removeprefix("testFuzz_"): code for name, code in codes.items()}
    assert said.keys() == names, f"\n{done.stdout}\n{done.stderr}"
    return {name: int(str(code)) for name, code in said.items()}


def test_at_least_20_properties_each_with_a_plant() -> None:
    assert len(NAMES) >= 20
    assert {name for plant in PLANTS for name in plant.refutes} == NAMES


@pytest.mark.slow
def test_properties_are_proved() -> None:
    names = NAMES - SLOW
    assert prove(ROOT, names, seconds=60, optimised=False) == dict.fromkeys(names, 0)


@pytest.mark.long
def test_properties_are_proved_of_what_is_deployed() -> None:
    assert prove(ROOT, NAMES, seconds=600) == dict.fromkeys(NAMES, 0)


@pytest.mark.long
@pytest.mark.parametrize("batch", batches(), ids=lambda batch: batch[0].refutes[0])
def test_properties_are_refuted_on_a_planted_mistake(batch: list[Plant]) -> None:
    root = OUT / "planted"
    root.mkdir(parents=True, exist_ok=True)
    for part in ("contracts", "tests/forge", "tests/contracts/sources"):
        shutil.copytree(ROOT / part, root / part, dirs_exist_ok=True)
    for part in ("node_modules", "tools"):
        (root / part).unlink(missing_ok=True)
        (root / part).symlink_to(ROOT / part)
    shutil.copy(ROOT / "foundry.toml", root)
    for plant in batch:
        source = root / plant.path
        text = source.read_text()
        assert text.count(plant.before) == 1, f"the line of a plant has changed: {plant}"
        source.write_text(text.replace(plant.before, plant.after))
    names = {name for plant in batch for name in plant.refutes}
    assert prove(root, names, seconds=60, optimised=False) == dict.fromkeys(names, 1)
