"""Development keys: made once per content, marked as what they are, and good for a proof."""

import hashlib
import json
from pathlib import Path

import pytest
from circuit_world import ALICE, BOB, World

from rollup._native import check_key, prove, verify
from rollup.circuits import keys
from rollup.circuits.blocks import SMALL, block_witness, circuits_digest, load_block, load_pieces
from rollup.circuits.errors import ExitKitMissingError, ProvingKeyMissingError, ProvingKeyStaleError
from rollup.circuits.exit_circuit import exit_digest, load_exit
from rollup.circuits.keys import (
    DEVELOPMENT_SEED,
    MANIFEST,
    BlockKey,
    build_keys,
    find_exit_kit,
    find_key,
    load_proving_key,
    load_verification_key,
    read_exit_key,
    read_manifest,
)
from rollup.exits.kit import ExitKit


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    build_keys([1], folder=folder, variant=SMALL)
    return folder


@pytest.mark.slow
def test_block_is_proven_and_verified_with_its_key(folder: Path, world: World) -> None:
    sealed = world.block([world.transfer(ALICE, BOB, 0, 12 * 10**17, 21 * 10**14)], 1)
    block = load_block(1, SMALL)
    proof = prove(block, load_proving_key(1, folder, SMALL), block_witness(block, sealed))
    public = [sealed.commitment, sealed.challenge, sealed.evaluation]
    key = load_verification_key(1, folder, SMALL)
    assert proof.public == public
    assert verify(key, proof.to_json(), public)
    for position in range(3):
        other = [*public]
        other[position] += 1
        assert not verify(key, proof.to_json(), other)


@pytest.mark.slow
def test_key_is_made_once_and_again_when_it_is_gone(folder: Path) -> None:
    path = find_key(1, folder, SMALL)
    made = path.stat().st_mtime_ns
    steps: list[tuple[str, float]] = []
    assert build_keys([1, 1], lambda *step: steps.append(step), folder, SMALL) == read_manifest(folder)
    assert path.stat().st_mtime_ns == made
    assert steps[-1] == ("keys", 1.0)
    path.unlink()
    build_keys([1], folder=folder, variant=SMALL)
    assert find_key(1, folder, SMALL) == path


@pytest.mark.slow
def test_key_says_that_it_is_for_development(folder: Path) -> None:
    path = find_key(1, folder, SMALL)
    assert path.name.startswith("development")
    assert check_key(path) == {"development": True, "seed": DEVELOPMENT_SEED}


@pytest.mark.slow
def test_manifest_says_of_a_key_what_the_circuits_say(folder: Path) -> None:
    (entry,) = json.loads((folder / MANIFEST).read_text())["keys"]
    digest, constraints = circuits_digest(SMALL), load_block(1, SMALL).n_constraints
    assert load_pieces(SMALL).digest == digest
    assert BlockKey(**entry) == BlockKey(1, constraints, digest, find_key(1, folder, SMALL).name)


@pytest.mark.slow
def test_key_of_the_small_circuits_is_refused_for_the_real_ones(folder: Path) -> None:
    with pytest.raises(ProvingKeyStaleError) as caught:
        find_key(1, folder)
    assert caught.value.values["present"] == circuits_digest()


@pytest.mark.slow
def test_exit_kit_is_what_the_manifest_says(folder: Path) -> None:
    key, kit = read_exit_key(folder), find_exit_kit(folder)
    data = kit.read_bytes()
    assert kit.name.startswith("development")
    assert (key.kit, key.kit_bytes, key.kit_sha256) == (kit.name, len(data), hashlib.sha256(data).hexdigest())
    assert (key.constraints, key.circuit) == (load_exit().n_constraints, exit_digest())
    opened = ExitKit.open(kit)
    assert opened.circuit.n_constraints == key.constraints
    assert not opened.key.has_coefficients
    shared = load_verification_key(1, folder, SMALL)
    own = opened.verification_key()
    assert own["vk_alpha_1"] == shared["vk_alpha_1"]  # of the same powers of tau
    assert own["vk_delta_2"] != shared["vk_delta_2"]


@pytest.mark.slow
def test_exit_kit_is_made_once_and_again_when_it_is_gone(folder: Path) -> None:
    kit, data = find_exit_kit(folder), find_exit_kit(folder).read_bytes()
    made = kit.stat().st_mtime_ns
    build_keys([1], folder=folder, variant=SMALL)
    assert kit.stat().st_mtime_ns == made
    kit.unlink()
    with pytest.raises(ExitKitMissingError):
        find_exit_kit(folder)
    build_keys([1], folder=folder, variant=SMALL)
    assert find_exit_kit(folder).read_bytes() == data
    assert sorted(path.suffix for path in folder.iterdir() if "exit" in path.name) == [".kit"]


@pytest.mark.slow
def test_exit_kit_of_another_circuit_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "exit_digest", lambda: "another")
    with pytest.raises(ProvingKeyStaleError) as caught:
        find_exit_kit(folder)
    assert (caught.value.of, caught.value.present) == (exit_digest(), "another")


def test_missing_exit_kit_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / MANIFEST).write_text(json.dumps({"keys": []}))  # as it was before there were exits
    for folder in (tmp_path, tmp_path / "old"):
        with pytest.raises(ExitKitMissingError, match="sluice build keys") as caught:
            find_exit_kit(folder)
        assert caught.value.values == {"folder": str(folder)}


def test_missing_key_is_named_with_the_way_out(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) == {}
    with pytest.raises(ProvingKeyMissingError, match="sluice build keys") as caught:
        find_key(7, tmp_path)
    assert caught.value.values == {"steps": 7, "folder": str(tmp_path)}
