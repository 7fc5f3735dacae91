"""Keys of a ceremony on their way to a deployment: verified, installed, offered with their contributions."""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from test_built_keys import SIZE, tiny_circuit, without_mark

sys.path.append(str(Path(__file__).parents[1] / "groth16"))

from groth16_rig import make_powers

from rollup._native import setup_development
from rollup.circuits import keys
from rollup.circuits.keys import CEREMONY, DEVELOPMENT_SEED, build_keys, install_exit_key, install_key, read_manifest
from rollup.groth16 import Ceremony, Contribution, KeyFileError, add_beacon, contribute, new_key
from rollup.l1.deployment import Deployment, KeyOffer, Plan, check_plan
from rollup.l1.errors import DeploymentRefused
from rollup.l1.manifest import CEREMONY_CLASS
from rollup.l1.project import built_keys
from rollup.l1.verifier_source import EXIT, VerificationKey

pytestmark = pytest.mark.xdist_group("groth16")
DEPLOYER = "0x000000000000000000000000000000000000dEaD"


@dataclass(frozen=True)
class Made:
    """Powers, and two keys of one circuit from them: every deployment needs a delta of its own for each circuit."""

    folder: Path
    powers: Path
    key: Path
    exit_key: Path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("ceremony")
    circuit = tiny_circuit(folder)
    powers = make_powers(folder, 3, ["powers"])
    new_key(circuit, powers, folder / "first.zkey")
    contribute(folder / "first.zkey", folder / "one.zkey", "Ada")
    add_beacon(folder / "one.zkey", folder / "key.zkey", b"block", name="L1")
    contribute(folder / "first.zkey", folder / "exit.zkey", "Bob")
    return Made(folder, powers, folder / "key.zkey", folder / "exit.zkey")


@pytest.fixture
def folder(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for keys of a checkout whose every circuit is the tiny one, with development keys in it."""
    circuit = tiny_circuit(tmp_path)
    compiled = SimpleNamespace(digest="exit", r1cs=tmp_path / "tiny.r1cs", sym=tmp_path / "tiny.sym")
    monkeypatch.setattr(keys, "circuits_digest", lambda _="": "blocks")
    monkeypatch.setattr(keys, "exit_digest", lambda: "exit")
    monkeypatch.setattr(keys, "load_pieces", lambda _="": SimpleNamespace(digest="blocks"))
    monkeypatch.setattr(keys, "load_block", lambda _size, _variant="": circuit)
    monkeypatch.setattr(keys, "block_constraints", lambda _size, _variant="": 1)
    monkeypatch.setattr(keys, "build_exit", lambda: compiled)
    monkeypatch.setattr(keys, "load_exit", lambda: circuit)
    build_keys([SIZE], folder=tmp_path / "keys")
    return tmp_path / "keys"


def test_install_key_takes_the_place_of_the_development_key_and_stays(made: Made, folder: Path) -> None:
    assert [offer.development for offer in built_keys(folder)] == [True, True]
    installed = install_key(SIZE, made.powers, made.key, folder)
    assert installed.proving_key.startswith(CEREMONY)
    assert (folder / installed.proving_key).read_bytes() == made.key.read_bytes()
    exit_key = install_exit_key(made.powers, made.exit_key, folder)
    before = (folder / keys.MANIFEST).read_text()
    build_keys([SIZE], folder=folder)
    assert (folder / keys.MANIFEST).read_text() == before
    block, exits = built_keys(folder)
    assert (block.development, exits.development) == (False, False)
    assert block.ceremony is not None
    assert [step.name for step in block.ceremony.contributions] == ["Ada", "L1"]
    assert block.ceremony.contributions[1].beacon == b"block".hex()
    assert exits.ceremony is not None
    assert [step.name for step in exits.ceremony.contributions] == ["Bob"]
    assert exit_key.kit.startswith(CEREMONY)


def test_build_keys_installed_key_of_other_circuits_is_replaced(
    made: Made, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_key(SIZE, made.powers, made.key, folder)
    monkeypatch.setattr(keys, "load_pieces", lambda _="": SimpleNamespace(digest="others"))
    assert build_keys([SIZE], folder=folder)[SIZE].proving_key.startswith("development")


def test_install_key_that_does_not_verify_is_refused_and_changes_nothing(
    made: Made, folder: Path, tmp_path: Path
) -> None:
    before = read_manifest(folder)
    setup_development(tiny_circuit(tmp_path), tmp_path / "development.zkey", DEVELOPMENT_SEED, coefficients=True)
    for key, reason in (
        (made.folder / "first.zkey", "phase 2 was skipped"),
        (tmp_path / "development.zkey", "section 100"),
    ):
        with pytest.raises(KeyFileError, match=reason):
            install_key(SIZE, made.powers, key, folder)
        with pytest.raises(KeyFileError, match=reason):
            install_exit_key(made.powers, key, folder)
    assert read_manifest(folder) == before


def test_built_keys_of_an_unknown_seed_without_contributions_are_refused(folder: Path, tmp_path: Path) -> None:
    setup_development(tiny_circuit(tmp_path), tmp_path / "other.zkey", "a seed that nobody here knows")
    path = folder / read_manifest(folder)[SIZE].proving_key
    path.write_bytes(without_mark((tmp_path / "other.zkey").read_bytes()))
    with pytest.raises(DeploymentRefused, match="section 10: no contributions: it is of no ceremony"):
        built_keys(folder)


class Mainnet:
    """Answers like a node of Ethereum's mainnet."""

    def chain_id(self) -> int:
        return 1

    def __call__(self, method: str, *_: Any) -> str:
        assert method == "web3_clientVersion"
        return "Geth/v1"


def test_check_plan_on_mainnet_takes_keys_with_contributions_only(made: Made, folder: Path) -> None:
    install_key(SIZE, made.powers, made.key, folder)
    mixed = built_keys(folder)
    with pytest.raises(DeploymentRefused, match="a development key, with which anyone can forge proofs, on chain 1"):
        check_plan(Plan(mixed, [], [], allow_development_key=True), Mainnet(), DEPLOYER)  # type: ignore[arg-type]
    install_exit_key(made.powers, made.exit_key, folder)
    offers = built_keys(folder)
    check_plan(Plan(offers, [], []), Mainnet(), DEPLOYER)  # type: ignore[arg-type]
    for ceremony in (None, Ceremony("00" * 64, ())):
        block, exits = offers
        bare = KeyOffer(block.block_size, 1, False, block.verification_key, ceremony)
        with pytest.raises(DeploymentRefused, match=f"the key for block size {SIZE} has no contributions, on chain 1"):
            check_plan(Plan([bare, exits], [], []), Mainnet(), DEPLOYER)  # type: ignore[arg-type]


def test_deployment_manifest_has_the_contributions_of_its_keys(made: Made, folder: Path) -> None:
    install_key(SIZE, made.powers, made.key, folder)
    offers = built_keys(folder)
    hashes = [VerificationKey.from_snarkjs(offer.block_size, offer.verification_key).key_hash() for offer in offers]
    answers = iter(hashes)
    sender = SimpleNamespace(rpc=SimpleNamespace(call=lambda _to, _data: next(answers)))
    manifest = SimpleNamespace(keys=[], exit_key=None)
    deployment = Deployment(sender, SimpleNamespace(), lambda _: None, made.folder)  # type: ignore[arg-type]
    deployment._check_keys(manifest, Plan(offers, [], []), DEPLOYER, DEPLOYER)  # type: ignore[arg-type]
    (key,) = manifest.keys
    assert key.key_class == CEREMONY_CLASS
    assert offers[0].ceremony is not None
    assert json.loads(json.dumps(asdict(key)))["ceremony"]["contributions"] == [
        asdict(step) for step in offers[0].ceremony.contributions
    ]
    assert isinstance(offers[0].ceremony.contributions[0], Contribution)
    assert (manifest.exit_key.ceremony, offers[1].block_size) == (None, EXIT)
