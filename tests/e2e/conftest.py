"""A whole rollup with real proofs: keys for the smallest useful block, its verifier, an anvil, people with money.

Everything is in one xdist group: it shares keys, one anvil and ape's one active provider.
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "rollup"))  # model, the reference of what operations do

from e2e_rig import STEPS, assigned, deposit_three, ignore_progress, rebuilt, snapshot, validator_of
from exodus_rig import Sluice, make_past, replay

from rollup.circuits.keys import build_keys, find_exit_kit, load_verification_key
from rollup.demo.users import User
from rollup.demo.world import World, build_world
from rollup.exits.kit import ExitKit
from rollup.l1.abi import L1Block, NewBlock
from rollup.l1.anvil import Anvil
from rollup.l1.project import Contracts, ape_on, built_keys, compiled_contracts, contract_sources, mirror_project
from rollup.l1.verifier_source import render, render_exit
from rollup.node.validator import Validator
from rollup.prover import BlockProver, ProvenBlock
from rollup.toolchain import ROOT

HERE = Path(__file__).parent
BUILD = ROOT / "build" / "e2e"
PEOPLE = (User("alice", None, {}), User("bob", None, {}), User("carol", None, {}))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("e2e"))


@pytest.fixture(scope="session")
def keys() -> Path:
    """Development keys for blocks of STEPS steps, kept between runs."""
    folder = BUILD / "keys"
    build_keys([STEPS], folder=folder)
    return folder


@pytest.fixture(scope="session")
def contracts(keys: Path) -> Contracts:
    """The contracts of the checkout with the verifiers of these keys, compiled by ape in a project of their own."""
    files = {path.relative_to(ROOT): path.read_text() for path in contract_sources(ROOT / "contracts")}
    block_keys = [(STEPS, load_verification_key(STEPS, keys))]
    exit_key = ExitKit.open(find_exit_kit(keys)).verification_key()
    files[Path("contracts/generated/BlockVerifier.sol")] = render(block_keys)
    files[Path("contracts/generated/ExitVerifier.sol")] = render_exit(exit_key, block_keys)
    mirror_project(BUILD / "project", files)
    return compiled_contracts(BUILD / "project")


@pytest.fixture(scope="session")
def deployed(keys: Path, contracts: Contracts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The contracts on an anvil of their own, with three people who have keys and nothing on L2."""
    manifest = tmp_path_factory.mktemp("e2e") / "manifest.json"
    with Anvil() as anvil, ape_on(anvil.url) as provider:
        yield build_world(provider, contracts, PEOPLE, built_keys(keys), manifest, ignore_progress)


@pytest.fixture
def world(deployed: World) -> Iterator[World]:
    """The deployment, as new for every test."""
    with snapshot(deployed):
        yield deployed


@pytest.fixture(scope="session")
def prover(keys: Path) -> BlockProver:
    """Makes real proofs."""
    return BlockProver(keys)


@pytest.fixture
def validator(world: World, prover: BlockProver) -> Validator:
    """A validator with an empty state."""
    return validator_of(world, prover)


@pytest.fixture(scope="session")
def proof_one(deployed: World, prover: BlockProver) -> ProvenBlock:
    """Block 1, proven: it takes in what `deposit_three` queues."""
    with snapshot(deployed):
        deposit_three(deployed)
        validator = validator_of(deployed, prover)
        return prover.prove(validator.seal(assigned(validator), STEPS))


@pytest.fixture
def started(world: World, proof_one: ProvenBlock, prover: BlockProver) -> tuple[World, Validator]:
    """A chain with block 1 executed, and a validator that has read it from L1 and goes on."""
    deposit_three(world)
    new = NewBlock.of(proof_one.block)
    world.client.commit_prove_execute(world.operator.account, L1Block.genesis(), new, proof_one.proof)
    return world, validator_of(world, prover, rebuilt(world))


@pytest.fixture
def block_one(world: World, proof_one: ProvenBlock) -> tuple[World, ProvenBlock]:
    """A chain with three deposits queued, and the block that takes them in, not sent yet."""
    deposit_three(world)
    return world, proof_one


@pytest.fixture(scope="session")
def past(deployed: World, proof_one: ProvenBlock, prover: BlockProver) -> list[ProvenBlock]:
    """What a rollup's first three blocks are in the tests of exodus, proven."""
    with snapshot(deployed):
        return make_past(deployed, proof_one, prover)


@pytest.fixture
def grown(world: World, past: list[ProvenBlock]) -> World:
    """A chain at the end of the past, in which bob has just demanded his dollars."""
    replay(world, past)
    bob = world.people[1]
    world.client.request_full_exit(bob.signer, 2, 1)
    return world


@pytest.fixture
def sluice(world: World, keys: Path, tmp_path: Path) -> Sluice:
    """`sluice` in a folder with what a user who leaves has."""
    folder = tmp_path / "mine"
    folder.mkdir()
    world.manifest.save(folder / "deployment.json")
    shutil.copy(find_exit_kit(keys), folder / "exit.kit")
    return Sluice(folder, world.sender.rpc.url)
