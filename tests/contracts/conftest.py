"""One ape project of the contracts and the tests' own sources, one deployment, and a snapshot around every test."""

import fcntl
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rollup.l1.verifier_source import render, render_exit
from rollup.toolchain import ROOT

ape = pytest.importorskip("ape")
sys.path.insert(0, str(Path(__file__).parent))

from contract_rig import BASE_FEE_GWEI, CAP, SIZES, TOYS, Rig, error_table, with_changed_ic  # noqa: E402

from rollup.l1.project import CONFIG, contract_sources, mirror_project  # noqa: E402

HERE = Path(__file__).parent
PROJECT = ROOT / "build" / "contract-tests"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("contracts"))


@pytest.fixture(scope="session")
def project() -> Any:
    """The contracts, both verifiers of toy keys, and tests/contracts/sources, at the same relative paths as here."""
    folder = Path("src")
    files = {folder / path.relative_to(ROOT): path.read_text() for path in _contracts()}
    files |= {folder / path.relative_to(ROOT): path.read_text() for path in (HERE / "sources").glob("*.sol")}
    verifier = render([(toy["block_size"], toy["key"]) for toy in TOYS])
    generated = folder / "contracts" / "generated"
    files[generated / "BlockVerifier.sol"] = verifier
    files[generated / "ChangedBlockVerifier.sol"] = with_changed_ic(verifier)
    files[generated / "ExitVerifier.sol"] = render_exit(TOYS[0]["key"])
    PROJECT.mkdir(parents=True, exist_ok=True)
    with (PROJECT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        config = (ROOT / CONFIG).read_text().replace("contracts_folder: contracts", f"contracts_folder: {folder}")
        if mirror_project(PROJECT, files, config):
            # ape compiles a changed file, but not always what inherits from it
            shutil.rmtree(PROJECT / ".build", ignore_errors=True)
        # ape sees 500 files of a folder at most, and its own copy of OpenZeppelin there has more
        shutil.rmtree(PROJECT / folder / ".cache", ignore_errors=True)
        project = ape.Project(PROJECT)
        project.load_contracts()
    return project


@pytest.fixture(scope="session")
def provider() -> Iterator[Any]:
    with ape.networks.ethereum.local.use_provider("foundry") as connected:
        yield connected


@pytest.fixture(scope="session")
def deployed(project: Any, provider: Any) -> Rig:
    accounts = ape.accounts.test_accounts
    owner, validator = accounts[0], accounts[1]
    governor = owner.deploy(project.Governor, owner, CAP, [validator.address])
    verifier = owner.deploy(project.AcceptAllVerifier, SIZES)
    exit_verifier = owner.deploy(project.AcceptAllExitVerifier)
    rollup = owner.deploy(project.Rollup, governor, governor, verifier, exit_verifier, BASE_FEE_GWEI)
    contracts = [project.Rollup, project.Governor, project.BlockVerifier, project.BlockingToken]
    abis = [[item.model_dump(by_alias=True, mode="json") for item in c.contract_type.abi] for c in contracts]
    errors = error_table(*abis, FOREIGN_ERRORS)
    return Rig(project, provider, accounts, governor, verifier, exit_verifier, rollup, errors)


@pytest.fixture
def rig(deployed: Rig) -> Iterator[Rig]:
    """The deployment, as new for every test."""
    with deployed.undone():
        yield deployed


FOREIGN_ERRORS = [
    {"type": "error", "name": name, "inputs": [{"name": "value", "type": kind}]}
    for name, kind in (("SafeERC20FailedOperation", "address"), ("Panic", "uint256"), ("Error", "string"))
]


def _contracts() -> list[Path]:
    """What is committed: not the verifiers of this checkout's own keys."""
    generated = ("BlockVerifier.sol", "ExitVerifier.sol")
    return [path for path in contract_sources(ROOT / "contracts") if path.name not in generated]
