"""Keys offered to a deployment: read from the proving keys themselves, stale and unsafe ones refused by name."""

import json
import shutil
import struct
from pathlib import Path

import pytest

from rollup._native import Circuit, ProvingKey, setup_development
from rollup.circuits import keys
from rollup.circuits.errors import ProvingKeyMissingError, ProvingKeyStaleError
from rollup.core.constants import FIELD_MODULUS, MAX_QUEUE_FEE_GWEI
from rollup.exits.errors import ExitKitError
from rollup.exits.kit import write_kit
from rollup.l1.deployment import Plan, check_plan
from rollup.l1.errors import DeploymentRefused
from rollup.l1.project import built_keys
from rollup.l1.rpc import JsonRpc
from rollup.l1.verifier_source import EXIT, VerificationKey, VerifierKeyError

CIRCUITS = "these"
SIZE = 8
HEADER_AT_ALPHA = 2 * (4 + 32) + 3 * 4
"""Of a key's section 2: both moduli with their lengths; wires, public inputs, rows."""


def tiny_circuit(folder: Path) -> Circuit:
    """wire 4 = wire 1 * wire 2, with three public inputs: circom's two files, by hand."""

    def section(kind: int, data: bytes) -> bytes:
        return struct.pack("<IQ", kind, len(data)) + data

    one = (1).to_bytes(32, "little")
    header = struct.pack("<I", 32) + FIELD_MODULUS.to_bytes(32, "little") + struct.pack("<4IQI", 5, 0, 3, 1, 5, 1)
    row = b"".join(struct.pack("<II", 1, wire) + one for wire in (1, 2, 4))
    labels = struct.pack("<5Q", *range(5))
    sections = section(1, header) + section(2, row) + section(3, labels)
    (folder / "tiny.r1cs").write_bytes(b"r1cs" + struct.pack("<II", 1, 3) + sections)
    (folder / "tiny.sym").write_text("".join(f"{n},{n},0,main.{name}\n" for n, name in enumerate("abcd", 1)))
    return Circuit(folder / "tiny.r1cs", folder / "tiny.sym")


@pytest.fixture(scope="module")
def zkey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("zkey")
    setup_development(tiny_circuit(folder), folder / "tiny.zkey", keys.DEVELOPMENT_SEED)
    return folder / "tiny.zkey"


@pytest.fixture
def folder(zkey: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as `build_keys` leaves it."""
    monkeypatch.setattr(keys, "circuits_digest", lambda _: CIRCUITS)
    monkeypatch.setattr(keys, "exit_digest", lambda: CIRCUITS)
    shutil.copy(zkey, tmp_path / "a.zkey")
    write_kit(tmp_path / "exit.kit", zkey, zkey, zkey)  # of the kit only the key is asked for here
    entry = {"block_size": SIZE, "constraints": 1, "circuits": CIRCUITS, "proving_key": "a.zkey"}
    exit_entry = {"constraints": 2, "circuit": CIRCUITS, "kit": "exit.kit", "kit_bytes": 0, "kit_sha256": ""}
    (tmp_path / keys.MANIFEST).write_text(json.dumps({"keys": [entry], "exit": exit_entry}))
    return tmp_path


def without_mark(data: bytes) -> bytes:
    """The key with its development mark under a section number that nobody reads."""
    at = data.index(b'{"warning"') - 12
    return data[:at] + struct.pack("<I", 101) + data[at + 4 :]


def without_phase_two(data: bytes) -> bytes:
    """The key with gamma in the place of delta."""
    sections, at = {}, 12
    while at < len(data):
        kind, size = struct.unpack_from("<IQ", data, at)
        sections[kind] = at + 12
        at += 12 + size
    gamma = sections[2] + HEADER_AT_ALPHA + 64 + 64 + 128
    delta = gamma + 128 + 64
    return data[:delta] + data[gamma : gamma + 128] + data[delta + 128 :]


def test_built_keys_come_from_the_proving_key(folder: Path) -> None:
    offer, exit_offer = built_keys(folder)
    assert (offer.block_size, offer.constraints, offer.development) == (SIZE, 1, True)
    assert (exit_offer.block_size, exit_offer.constraints, exit_offer.development) == (EXIT, 2, True)
    assert offer.verification_key == ProvingKey(folder / "a.zkey").verification_key() == exit_offer.verification_key
    VerificationKey.from_snarkjs(SIZE, offer.verification_key)


def test_built_keys_development_key_without_its_mark_is_known(folder: Path) -> None:
    path = folder / "a.zkey"
    path.write_bytes(without_mark(path.read_bytes()))
    assert built_keys(folder)[0].development


@pytest.mark.parametrize("marked", [True, False])
def test_built_keys_phase_two_skipped_is_refused(folder: Path, marked: bool) -> None:
    path = folder / "a.zkey"
    data = without_phase_two(path.read_bytes())
    path.write_bytes(data if marked else without_mark(data))
    with pytest.raises(DeploymentRefused, match=r"a\.zkey: .*phase 2 was skipped"):
        built_keys(folder)


@pytest.mark.parametrize("development", [True, False])
def test_check_plan_phase_two_skipped_is_refused_for_every_class(folder: Path, development: bool) -> None:
    offer, _ = built_keys(folder)
    offer.verification_key["vk_delta_2"] = offer.verification_key["vk_gamma_2"]
    plan = Plan([type(offer)(SIZE, 1, development, offer.verification_key)], [], [], allow_development_key=True)
    with pytest.raises(VerifierKeyError, match="phase 2"):
        check_plan(plan, JsonRpc("http://never.asked"), "0x00")


@pytest.mark.parametrize("fee_gwei", [-1, 0, MAX_QUEUE_FEE_GWEI + 1])
def test_check_plan_queue_fee_out_of_range_is_refused(fee_gwei: int) -> None:
    plan = Plan([], [], [], queue_fee_gwei=fee_gwei)
    with pytest.raises(DeploymentRefused, match=f"queue fee of {fee_gwei} gwei.*from 1 to"):
        check_plan(plan, JsonRpc("http://never.asked"), "0x00")


def test_find_key_of_other_circuits_is_refused_by_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "circuits_digest", lambda _: "others")
    for action in (keys.find_key, keys.load_proving_key, keys.load_verification_key):
        with pytest.raises(ProvingKeyStaleError) as caught:
            action(SIZE, folder)
        assert caught.value.values == {"path": str(folder / "a.zkey"), "of": CIRCUITS, "present": "others"}
    with pytest.raises(ProvingKeyStaleError):
        built_keys(folder)


@pytest.mark.parametrize("marked", [True, False])
def test_built_keys_exit_key_phase_two_skipped_is_refused(folder: Path, tmp_path: Path, marked: bool) -> None:
    data = without_phase_two((folder / "a.zkey").read_bytes())
    bad = tmp_path / "bad.zkey"
    bad.write_bytes(data if marked else without_mark(data))
    write_kit(folder / "exit.kit", bad, bad, bad)
    with pytest.raises(DeploymentRefused, match="phase 2 was skipped"):
        built_keys(folder)


def test_built_keys_damaged_kit_is_refused(folder: Path) -> None:
    (folder / "exit.kit").write_bytes(b"PK")
    with pytest.raises(ExitKitError):
        built_keys(folder)


def test_find_key_missing_is_refused(folder: Path) -> None:
    (folder / "a.zkey").unlink()
    for size in (SIZE, SIZE + 1):
        with pytest.raises(ProvingKeyMissingError) as caught:
            keys.find_key(size, folder)
        assert caught.value.values == {"steps": size, "folder": str(folder)}
