"""Proofs of exits with a real key: accepted by us and by py_ecc for their claim, for no other; and damaged kits."""

import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from exit_world import ALICE_ID, AMOUNT, BOB, LAST_ID, TOKEN, exit_state
from pairing_referee import py_ecc_accepts

from rollup._native import Circuit, setup_development, verify
from rollup.circuits.compiler import CIRCUITS, compile_circuit
from rollup.circuits.exit_circuit import build_exit, load_exit
from rollup.circuits.keys import DEVELOPMENT_SEED
from rollup.core.account import Account
from rollup.core.constants import FIELD_MODULUS
from rollup.core.rules import Touch
from rollup.core.state import State
from rollup.exits.claim import exit_inputs
from rollup.exits.errors import ExitKitError, ExitProofError
from rollup.exits.kit import ExitKit, write_kit
from rollup.exits.prover import ExitProver, ProvenExit
from rollup.l1.verifier_source import proof_words

PUBLISHED_BYTES = 20_000_000
"""The most a kit may have."""


@pytest.fixture(scope="module")
def proven(prover: ExitProver) -> ProvenExit:
    return prover.prove(exit_state(), ALICE_ID, TOKEN)


def test_proof_is_accepted_for_its_claim_by_us_and_by_py_ecc(prover: ExitProver, proven: ProvenExit) -> None:
    key, public = prover.kit.verification_key(), list(proven.claim.public_inputs())
    assert proven.claim.amount == AMOUNT
    assert verify(key, proven.proof_json, public)
    assert py_ecc_accepts(key, list(proven.proof), public)
    assert proven.proof == proof_words(proven.proof_json)


OTHERS = [{"owner": BOB}, {"amount": AMOUNT + 1}, {"account_id": LAST_ID}, {"token": 0}, {"root": 1}]


@pytest.mark.parametrize("change", OTHERS)
def test_proof_is_refused_for_another_claim(prover: ExitProver, proven: ProvenExit, change: dict[str, int]) -> None:
    key, other = prover.kit.verification_key(), replace(proven.claim, **change)
    assert not verify(key, proven.proof_json, list(other.public_inputs()))


def test_proof_is_refused_by_py_ecc_for_another_claim(prover: ExitProver, proven: ProvenExit) -> None:
    other = replace(proven.claim, owner=BOB)
    assert not py_ecc_accepts(prover.kit.verification_key(), list(proven.proof), list(other.public_inputs()))


@pytest.mark.parametrize("position", range(3))
def test_public_input_plus_r_is_refused(prover: ExitProver, proven: ProvenExit, position: int) -> None:
    public = list(proven.claim.public_inputs())
    public[position] += FIELD_MODULUS
    with pytest.raises(ValueError, match="not below the modulus"):
        verify(prover.kit.verification_key(), proven.proof_json, public)


def test_last_account_and_last_token_with_the_most_money_exit(prover: ExitProver) -> None:
    state = State()
    state.touch(Touch(LAST_ID, 2047, Account((0, 0), (1 << 160) - 1, (1 << 32) - 1), (1 << 128) - 1))
    claim = prover.prove(state, LAST_ID, 2047).claim
    assert (claim.word(), claim.amount) == ((LAST_ID << 12 | 2047) << 160 | (1 << 160) - 1, (1 << 128) - 1)


def test_untrue_claim_is_not_proven(prover: ExitProver, state: State) -> None:
    inputs = exit_inputs(state, ALICE_ID, TOKEN)
    for change in OTHERS:
        claim = replace(inputs.claim, **change)
        with pytest.raises(ExitProofError, match="not satisf") as caught:
            prover.prove_inputs(replace(inputs, claim=claim))
        assert (caught.value.account_id, caught.value.token) == (claim.account_id, claim.token)


def test_prover_needs_no_ape_and_no_compiler(kit: Path) -> None:
    """Where nothing is installed but the package: no tool on the path, and no module of ape's in the process."""
    program = f"""
import sys
from pathlib import Path
from rollup.core.account import Account
from rollup.core.rules import Touch
from rollup.core.state import State
from rollup.exits.prover import ExitProver
state = State()
state.touch(Touch(1, 0, Account((0, 0), 5, 0), 7))
assert ExitProver(Path({str(kit)!r})).prove(state, 1, 0).claim.amount == 7
print(sorted(name for name in sys.modules if name.split(".")[0] in ("ape", "web3")))
"""
    done = subprocess.run([sys.executable, "-c", program], env={"PATH": ""}, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# ---- The kit ----


def test_kit_is_small_enough_to_publish(kit: Path) -> None:
    assert kit.stat().st_size <= PUBLISHED_BYTES
    with zipfile.ZipFile(kit) as archive:
        assert sum(member.file_size for member in archive.infolist()) <= PUBLISHED_BYTES


def test_kit_of_the_same_files_is_the_same(kit: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(kit) as archive:
        archive.extractall(tmp_path)
    write_kit(tmp_path / "again.kit", tmp_path / "exit.r1cs", tmp_path / "exit.sym", tmp_path / "exit.zkey")
    assert (tmp_path / "again.kit").read_bytes() == kit.read_bytes()


def test_kit_with_the_key_of_another_setup_has_another_key_hash(kit: Path, state: State, tmp_path: Path) -> None:
    """It proves; that it is not the deployment's is told by the hash."""
    compiled = build_exit()
    setup_development(load_exit(), tmp_path / "exit.zkey", "another seed")
    write_kit(tmp_path / "other.kit", compiled.r1cs, compiled.sym, tmp_path / "exit.zkey")
    other = ExitProver(tmp_path / "other.kit")
    assert other.kit.key_hash() != ExitKit.open(kit).key_hash()
    assert other.prove(state, ALICE_ID, TOKEN).claim.amount == AMOUNT


def test_kit_with_the_key_of_another_circuit_proves_nothing(state: State, tmp_path: Path) -> None:
    compiled = build_exit()
    part = compile_circuit(CIRCUITS / "main" / "parts" / "unpack_fee.circom", keep_inputs=False)
    setup_development(Circuit(part.r1cs, part.sym), tmp_path / "part.zkey", DEVELOPMENT_SEED)
    write_kit(tmp_path / "other.kit", compiled.r1cs, compiled.sym, tmp_path / "part.zkey")
    with pytest.raises(ExitProofError, match="get the deployment's own kit"):
        ExitProver(tmp_path / "other.kit").prove(state, ALICE_ID, TOKEN)


def test_kit_missing_or_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.kit").write_text("no kit")
    for name in ("absent.kit", "text.kit"):
        with pytest.raises(ExitKitError, match="published with the deployment") as caught:
            ExitKit.open(tmp_path / name)
        assert caught.value.values["path"] == str(tmp_path / name)


def test_kit_without_its_key_is_refused(kit: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(kit) as whole, zipfile.ZipFile(tmp_path / "part.kit", "w") as part:
        for name in ("exit.r1cs", "exit.sym"):
            part.writestr(name, whole.read(name))
    with pytest.raises(ExitKitError, match=r"exit\.zkey"):
        ExitKit.open(tmp_path / "part.kit")


def test_kit_damaged_anywhere_is_refused_or_the_same(kit: Path, tmp_path: Path) -> None:
    data, path = bytearray(kit.read_bytes()), tmp_path / "damaged.kit"
    for at in [0, 5, 8, 14, 40, *range(60, len(data), len(data) // 12), len(data) - 40, len(data) - 1]:
        changed = bytearray(data)
        changed[at] ^= 0x55
        path.write_bytes(changed)
        try:
            opened = ExitKit.open(path)
        except ExitKitError:
            continue
        # A byte that nobody reads: a date, or the like
        assert opened.key.hash == ExitKit.open(kit).key.hash
        assert opened.circuit.n_wires == ExitKit.open(kit).circuit.n_wires


def test_kit_cut_off_is_refused(kit: Path, tmp_path: Path) -> None:
    data, path = kit.read_bytes(), tmp_path / "short.kit"
    for length in (0, 1, 100, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:length])
        with pytest.raises(ExitKitError):
            ExitKit.open(path)
