"""Our Groth16 against snarkjs in both directions, and against py_ecc as the independent referee."""

from __future__ import annotations

import copy
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pairing_referee import py_ecc_accepts
from py_ecc.optimized_bn128 import FQ2, b2, curve_order, field_modulus, is_on_curve, multiply

from rollup import _native
from rollup.toolchain import require_tool

SEED = "test"
R, Q = curve_order, field_modulus
CIRCUIT = """
pragma circom 2.1.0;
include "circomlib/circuits/poseidon.circom";
include "circomlib/circuits/bitify.circom";

// A hash of a secret and a public salt, an 8-bit range check, and a public input that nothing uses.
template Sample() {
    signal input salt;
    signal input unused;
    signal input secret;
    signal output hash;
    component bits = Num2Bits(8);
    bits.in <== secret;
    component poseidon = Poseidon(2);
    poseidon.inputs[0] <== secret;
    poseidon.inputs[1] <== salt;
    hash <== poseidon.out;
}
component main {public [salt, unused]} = Sample();
"""
INPUTS = {"salt": 5, "unused": 7, "secret": 201}


@dataclass(frozen=True)
class Sample:
    """A compiled circuit with our key and a witness."""

    folder: Path
    circuit: _native.Circuit
    key_path: Path
    key: _native.ProvingKey
    witness: _native.Witness
    wtns: Path
    report: dict[str, Any]


def snarkjs(*arguments: str | Path) -> str:
    command = [require_tool("snarkjs"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def write_json(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value))
    return path


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    folder = tmp_path_factory.mktemp("groth16")
    (folder / "sample.circom").write_text(CIRCUIT)
    # circom2 (WASM) finds files reliably only below its own folder.
    library = require_tool("circom2").parents[1] / "circomlib" / "circuits"
    shutil.copytree(library, folder / "circomlib" / "circuits")
    command = [require_tool("circom2"), "sample.circom", "--r1cs", "--sym", "--O2"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    circuit = _native.Circuit(folder / "sample.r1cs", folder / "sample.sym")
    path = folder / "ours.zkey"
    report = _native.setup_development(circuit, path, SEED, coefficients=True)
    witness = circuit.witness(INPUTS)
    witness.write_wtns(folder / "sample.wtns")
    return Sample(folder, circuit, path, _native.ProvingKey(path), witness, folder / "sample.wtns", report)


@pytest.fixture(scope="module")
def proof(sample: Sample) -> _native.Proof:
    return _native.prove(sample.circuit, sample.key, sample.witness)


@pytest.fixture(scope="module")
def snarkjs_key(sample: Sample) -> dict[str, Path]:
    """A key with snarkjs's own powers of tau and phase 2; also the one before phase 2."""
    folder = sample.folder
    snarkjs("powersoftau", "new", "bn128", "8", folder / "0.ptau")
    snarkjs("powersoftau", "contribute", folder / "0.ptau", folder / "1.ptau", "--name=a", "-e=entropy")
    snarkjs("powersoftau", "prepare", "phase2", folder / "1.ptau", folder / "2.ptau")
    snarkjs("groth16", "setup", folder / "sample.r1cs", folder / "2.ptau", folder / "phase1.zkey")
    snarkjs("zkey", "contribute", folder / "phase1.zkey", folder / "theirs.zkey", "--name=b", "-e=more")
    return {"phase1": folder / "phase1.zkey", "final": folder / "theirs.zkey"}


def snarkjs_accepts(folder: Path, key: dict[str, Any], proof: dict[str, Any], public: list[int]) -> bool:
    paths = [
        write_json(folder / "check_vk.json", key),
        write_json(folder / "check_public.json", [str(value) for value in public]),
        write_json(folder / "check_proof.json", proof),
    ]
    return "OK!" in snarkjs("groth16", "verify", *paths)


def test_proof_is_accepted_by_us_snarkjs_and_py_ecc(sample: Sample, proof: _native.Proof) -> None:
    key = sample.key.verification_key()
    assert proof.public == sample.witness.public()
    assert proof.public[1:] == [INPUTS["salt"], INPUTS["unused"]]
    assert _native.verify(key, proof.to_json(), proof.public)
    assert snarkjs_accepts(sample.folder, key, proof.to_json(), proof.public)
    assert py_ecc_accepts(key, proof.solidity(), proof.public)


PROVE = """
import json, sys
from rollup import _native
proof = _native.prove_zkey(sys.argv[1], sys.argv[2])
print(json.dumps({"proof": proof.to_json(), "public": [str(value) for value in proof.public]}))
"""


@pytest.mark.parametrize("kernels", ["ifma", "scalar"])
def test_proof_by_forced_kernels_is_accepted(sample: Sample, kernels: str) -> None:
    if kernels == "ifma" and "avx512ifma" not in Path("/proc/cpuinfo").read_text():
        pytest.skip("this machine has no AVX-512 IFMA: its kernels were NOT tested")
    # A process decides once.
    command = [sys.executable, "-c", PROVE, sample.key_path, sample.wtns]
    environment = os.environ | {"SLUICE_KERNELS": kernels}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    proven = json.loads(done.stdout)
    public = [int(value) for value in proven["public"]]
    assert public == sample.witness.public()
    assert _native.verify(sample.key.verification_key(), proven["proof"], public)


def test_flipped_public_input_is_rejected(sample: Sample, proof: _native.Proof) -> None:
    key = sample.key.verification_key()
    for index in range(len(proof.public)):
        public = list(proof.public)
        public[index] ^= 1
        assert not _native.verify(key, proof.to_json(), public)
    assert not py_ecc_accepts(key, proof.solidity(), [proof.public[0] ^ 1, *proof.public[1:]])


def test_proof_accessors_agree(proof: _native.Proof) -> None:
    document = proof.to_json()
    (x0, x1), (y0, y1) = proof.b
    assert proof.solidity() == [*proof.a, x1, x0, y1, y0, *proof.c]
    assert document["pi_a"] == [*map(str, proof.a), "1"]
    assert document["pi_b"] == [[str(x0), str(x1)], [str(y0), str(y1)], ["1", "0"]]
    assert (document["protocol"], document["curve"]) == ("groth16", "bn128")
    assert {"eval", "ntt", "msm A", "msm B1", "msm B2", "msm C", "msm H"} <= proof.timings.keys()


def test_two_proofs_of_one_witness_differ(sample: Sample, proof: _native.Proof) -> None:
    again = _native.prove(sample.circuit, sample.key, sample.witness)
    assert again.solidity() != proof.solidity()


def test_verification_key_equals_the_one_snarkjs_exports(sample: Sample) -> None:
    path = sample.folder / "exported.json"
    snarkjs("zkey", "export", "verificationkey", sample.key_path, path)
    assert json.loads(path.read_text()) == sample.key.verification_key()


def test_proof_of_snarkjs_with_our_key_is_accepted(sample: Sample) -> None:
    folder = sample.folder
    snarkjs("groth16", "prove", sample.key_path, sample.wtns, folder / "p.json", folder / "u.json")
    public = [int(value) for value in json.loads((folder / "u.json").read_text())]
    assert _native.verify(sample.key.verification_key(), json.loads((folder / "p.json").read_text()), public)


def test_solidity_words_equal_the_call_of_snarkjs(sample: Sample, proof: _native.Proof) -> None:
    public = write_json(sample.folder / "call_public.json", [str(value) for value in proof.public])
    document = write_json(sample.folder / "call_proof.json", proof.to_json())
    call = snarkjs("zkey", "export", "soliditycalldata", public, document)
    numbers = [
        int(word, 16) for word in call.replace("[", " ").replace("]", " ").replace(",", " ").replace('"', " ").split()
    ]
    assert numbers == proof.solidity() + proof.public


def test_key_of_snarkjs_proves_with_and_without_its_coefficients(sample: Sample, snarkjs_key: dict[str, Path]) -> None:
    key = _native.ProvingKey(snarkjs_key["final"])
    key.check_points()
    assert _native.check_key(snarkjs_key["final"], [SEED]) == {"development": False, "seed": None}
    ours = _native.prove_zkey(snarkjs_key["final"], sample.wtns)
    for made in (ours, _native.prove(sample.circuit, key, sample.witness)):
        assert _native.verify(key.verification_key(), made.to_json(), made.public)
        assert snarkjs_accepts(sample.folder, key.verification_key(), made.to_json(), made.public)


def test_key_without_phase_2_is_refused(sample: Sample, snarkjs_key: dict[str, Path]) -> None:
    with pytest.raises(ValueError, match="gamma equals delta: phase 2 was skipped"):
        _native.check_key(snarkjs_key["phase1"])
    key = _native.ProvingKey(snarkjs_key["phase1"]).verification_key()
    made = _native.prove_zkey(snarkjs_key["phase1"], sample.wtns)
    with pytest.raises(ValueError, match="gamma equals delta"):
        _native.verify(key, made.to_json(), made.public)
    key["vk_gamma_2"] = key["vk_beta_2"]
    with pytest.raises(ValueError, match="delta is the generator"):
        _native.verify(key, made.to_json(), made.public)


def test_our_key_is_known_for_a_development_key(sample: Sample, tmp_path: Path) -> None:
    assert _native.check_key(sample.key_path) == {"development": True, "seed": SEED}
    # Without its mark it is still known by its alpha.
    data = sample.key_path.read_bytes()
    at = data.index(b'{"warning"') - 12
    unmarked = tmp_path / "unmarked.zkey"
    unmarked.write_bytes(data[:at] + struct.pack("<I", 101) + data[at + 4 :])
    assert _native.check_key(unmarked) == {"development": False, "seed": None}
    assert _native.check_key(unmarked, ["other", SEED]) == {"development": True, "seed": SEED}


def test_setup_of_one_seed_gives_the_same_bytes(sample: Sample, tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    again = _native.setup_development(
        sample.circuit, tmp_path / "again.zkey", SEED, coefficients=True, progress=lambda *now: told.append(now)
    )
    assert (tmp_path / "again.zkey").read_bytes() == sample.key_path.read_bytes()
    assert again["hash"] == sample.report["hash"] == sample.key.hash
    assert sample.report["unsafe"] is True
    assert told
    assert all(0 <= fraction <= 1 for _, fraction in told)
    assert list(tmp_path.iterdir()) == [tmp_path / "again.zkey"]


def test_setup_of_another_seed_gives_other_secrets(sample: Sample, tmp_path: Path) -> None:
    _native.setup_development(sample.circuit, tmp_path / "other.zkey", "other")
    other = _native.ProvingKey(tmp_path / "other.zkey")
    assert not other.has_coefficients
    for name in ("vk_alpha_1", "vk_beta_2", "vk_delta_2"):
        assert other.verification_key()[name] != sample.key.verification_key()[name]
    with pytest.raises(ValueError, match="no coefficients"):
        _native.prove_zkey(tmp_path / "other.zkey", sample.wtns)
    made = _native.prove(sample.circuit, other, sample.witness)
    assert _native.verify(other.verification_key(), made.to_json(), made.public)
    assert not _native.verify(sample.key.verification_key(), made.to_json(), made.public)


def test_witness_that_breaks_a_constraint_is_refused(sample: Sample, tmp_path: Path) -> None:
    data = bytearray(sample.wtns.read_bytes())
    data[-32] ^= 1
    (tmp_path / "bad.wtns").write_bytes(data)
    with pytest.raises(ValueError, match="does not satisfy"):
        _native.prove_zkey(sample.key_path, tmp_path / "bad.wtns")


@pytest.mark.parametrize("value", [R, R + 5, Q - 1, Q, 2**256 - 1])
def test_public_input_from_r_up_is_refused(sample: Sample, proof: _native.Proof, value: int) -> None:
    for index in range(len(proof.public)):
        public = list(proof.public)
        public[index] = value if value != R + 5 else public[index] + R
        with pytest.raises(ValueError, match=rf"public\[{index}\] = \d+ is not below the modulus"):
            _native.verify(sample.key.verification_key(), proof.to_json(), public)


def test_wrong_number_of_public_inputs_is_refused(sample: Sample, proof: _native.Proof) -> None:
    for public in ([], proof.public[:-1], [*proof.public, 0]):
        with pytest.raises(ValueError, match="the key has 3"):
            _native.verify(sample.key.verification_key(), proof.to_json(), public)


def _set(path: list[Any], value: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        for part in path[:-1]:
            document = document[part]
        document[path[-1]] = value

    return change


def _shift_by_q(document: dict[str, Any]) -> None:
    document["pi_a"][0] = str(int(document["pi_a"][0]) + Q)


ZERO_G2 = [["0", "0"], ["0", "0"], ["1", "0"]]
BAD_PROOFS: dict[str, Callable[[dict[str, Any]], None]] = {
    "zero a": _set(["pi_a"], ["0", "0", "1"]),
    "zero b": _set(["pi_b"], ZERO_G2),
    "zero c": _set(["pi_c"], ["0", "0", "1"]),
    "infinite a": _set(["pi_a"], ["0", "1", "0"]),
    "infinite b": _set(["pi_b"], [["0", "0"], ["1", "0"], ["0", "0"]]),
    "infinite c": _set(["pi_c"], ["0", "1", "0"]),
    "a off the curve": _set(["pi_a", 0], "5"),
    "b off the curve": _set(["pi_b", 1, 0], "5"),
    "a above q": _shift_by_q,
    "b above q": _set(["pi_b", 0, 1], str(Q)),
    "negative": _set(["pi_c", 0], "-1"),
    "hexadecimal": _set(["pi_c", 0], "0x1"),
    "float": _set(["pi_c", 0], 1.5),
    "short point": _set(["pi_a"], ["1", "2"]),
    "no point": _set(["pi_a"], None),
    "other protocol": _set(["protocol"], "plonk"),
    "other curve": _set(["curve"], "bls12381"),
}


@pytest.mark.parametrize("name", BAD_PROOFS)
def test_malformed_proof_is_refused(sample: Sample, proof: _native.Proof, name: str) -> None:
    document = copy.deepcopy(proof.to_json())
    BAD_PROOFS[name](document)
    with pytest.raises(ValueError, match="proof: "):
        _native.verify(sample.key.verification_key(), document, proof.public)


def test_b_outside_the_subgroup_is_refused(sample: Sample, proof: _native.Proof) -> None:
    point = _point_outside_the_subgroup()
    document = proof.to_json()
    document["pi_b"][:2] = [[str(int(part)) for part in coordinate.coeffs] for coordinate in point]
    with pytest.raises(ValueError, match="pi_b is not in the subgroup"):
        _native.verify(sample.key.verification_key(), document, proof.public)


def _point_outside_the_subgroup() -> tuple[FQ2, FQ2]:
    """Nearly every point of the twist is outside: its cofactor is about 2^254."""
    for first in range(1, 100):
        x = FQ2([first, 1])
        square = x * x * x + b2
        root = square ** ((Q**2 + 15) // 32)
        # q^2 = 9 mod 16: a root is this power times a 16th root of unity's power; try them all.
        unit = FQ2([1, 1]) ** ((Q**2 - 1) // 16)
        for _ in range(16):
            if root * root == square:
                point = (x, root, FQ2.one())
                assert is_on_curve(point, b2)
                assert multiply(point, R)[2] != FQ2.zero()
                return x, root
            root *= unit
    raise AssertionError("no point found")


def test_verification_key_with_a_bad_point_is_refused(sample: Sample, proof: _native.Proof) -> None:
    for name in ("vk_alpha_1", "vk_beta_2", "vk_gamma_2", "vk_delta_2"):
        key = sample.key.verification_key()
        key[name][0] = key[name][1]
        with pytest.raises(ValueError, match=f"key: {name} is not on the curve"):
            _native.verify(key, proof.to_json(), proof.public)
    key = sample.key.verification_key()
    key["IC"].pop()
    with pytest.raises(ValueError, match=r"nPublic \+ 1"):
        _native.verify(key, proof.to_json(), proof.public)


def test_truncated_key_is_an_error_at_every_length(sample: Sample, tmp_path: Path) -> None:
    data = sample.key_path.read_bytes()
    path = tmp_path / "short.zkey"
    for length in [*range(0, 1200, 7), *range(1200, len(data), 997), len(data) - 1]:
        path.write_bytes(data[:length])
        with pytest.raises((ValueError, OSError), match="key"):
            _native.ProvingKey(path)


def test_damaged_key_is_an_error_or_no_proof(sample: Sample, tmp_path: Path) -> None:
    data = sample.key_path.read_bytes()
    path = tmp_path / "damaged.zkey"
    for at in [0, 4, 8, 12, *range(24, 1000, 11)]:
        changed = bytearray(data)
        changed[at] ^= 0xFF
        path.write_bytes(changed)
        try:
            _native.ProvingKey(path)
            _native.prove_zkey(path, sample.wtns)
        except ValueError:
            continue
        # The mark of a development key is the only text that a proof does not need.
        assert b"UNSAFE" in data[at - 400 : at + 400]


def test_point_off_the_curve_in_the_key_is_found(sample: Sample, tmp_path: Path) -> None:
    sample.key.check_points()
    changed = bytearray(sample.key_path.read_bytes())
    at = changed.index(struct.pack("<IQ", 9, 64 * sample.key.domain_size)) + 12
    changed[at] ^= 1
    path = tmp_path / "off.zkey"
    path.write_bytes(changed)
    key = _native.ProvingKey(path)
    with pytest.raises(ValueError, match="point 0 of section 9"):
        key.check_points()
    with pytest.raises(ValueError, match="witness"):
        _native.prove(sample.circuit, key, sample.witness)


def test_key_of_another_circuit_is_refused(sample: Sample, tmp_path: Path) -> None:
    (tmp_path / "other.circom").write_text(
        "pragma circom 2.1.0; template T() { signal input x; signal output y; y <== x * x; } component main = T();"
    )
    subprocess.run(
        [require_tool("circom2"), "other.circom", "--r1cs", "--sym"], cwd=tmp_path, check=True, capture_output=True
    )
    other = _native.Circuit(tmp_path / "other.r1cs", tmp_path / "other.sym")
    with pytest.raises(ValueError, match="those of the key"):
        _native.prove(other, sample.key, other.witness({"x": 3}))
    with pytest.raises(ValueError, match="values for"):
        _native.prove(sample.circuit, sample.key, other.witness({"x": 3}))
    # alpha and beta are shared between the circuits of a seed; delta is not.
    _native.setup_development(other, tmp_path / "other.zkey", SEED)
    key, ours = _native.ProvingKey(tmp_path / "other.zkey").verification_key(), sample.key.verification_key()
    assert key["vk_alphabeta_12"] == ours["vk_alphabeta_12"]
    assert key["vk_delta_2"] != ours["vk_delta_2"]


def test_error_of_the_progress_callback_stops_setup_and_leaves_no_file(sample: Sample, tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def progress(_phase: str, _fraction: float) -> None:
        raise Stop

    with pytest.raises(Stop):
        _native.setup_development(sample.circuit, tmp_path / "stopped.zkey", SEED, progress=progress)
    assert [path for path in tmp_path.iterdir() if "partial" in path.name] == []


def test_ctrl_c_stops_setup(sample: Sample, tmp_path: Path) -> None:
    def interrupt(_phase: str, _fraction: float) -> None:
        signal.raise_signal(signal.SIGINT)

    # Python's own handler, whatever a plugin has installed (ape's makes it an exit)
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            _native.setup_development(sample.circuit, tmp_path / "stopped.zkey", SEED, progress=interrupt)
    finally:
        signal.signal(signal.SIGINT, handler)


def test_missing_files_are_os_errors(sample: Sample, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="absent"):
        _native.ProvingKey(tmp_path / "absent.zkey")
    with pytest.raises(OSError, match="absent"):
        _native.prove_zkey(sample.key_path, tmp_path / "absent.wtns")
    with pytest.raises(OSError, match="absent"):
        _native.setup_development(sample.circuit, tmp_path / "absent" / "x.zkey", SEED)


def test_gil_is_free_while_proving(sample: Sample) -> None:
    ticks = 0
    stop = threading.Event()

    def count() -> None:
        nonlocal ticks
        while not stop.is_set():
            ticks += 1
            os.sched_yield()

    thread = threading.Thread(target=count)
    thread.start()
    try:
        before = ticks
        _native.prove(sample.circuit, sample.key, sample.witness)
        assert ticks > before
    finally:
        stop.set()
        thread.join()
