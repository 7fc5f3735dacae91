"""Proofs from files with keys of snarkjs, for circuits of many shapes: snarkjs and py_ecc are the referees."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from groth16_rig import Made, Sections, snarkjs
from pairing_referee import py_ecc_accepts
from random_circuits import SHAPES

from rollup._native import Circuit, setup_development
from rollup.groth16 import (
    DocumentError,
    FileAccessError,
    KeyFileError,
    WitnessFileError,
    prove_files,
    read_verification_key,
    verify_files,
)
from rollup.toolchain import ROOT

pytestmark = pytest.mark.xdist_group("groth16")
HEADER, COEFFICIENTS, H = 2, 4, 9
N_PUBLIC_AT = 2 * (4 + 32) + 4
FIELD_ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617


@pytest.fixture
def one(made: dict[str, Made]) -> Made:
    return made["AllPublic"]


def test_prove_random_circuits_is_accepted_by_snarkjs_py_ecc_and_us(made: dict[str, Made], tmp_path: Path) -> None:
    jobs = []
    for name, circuit in made.items():
        proof, public = tmp_path / f"{name}.proof.json", tmp_path / f"{name}.public.json"
        result = prove_files(circuit.key, circuit.wtns, proof, public)
        assert json.loads(public.read_text()) == [str(value) for value in result.public]
        assert json.loads(proof.read_text()) == result.to_json()
        assert verify_files(circuit.key, public, proof)
        assert py_ecc_accepts(read_verification_key(circuit.key), result.solidity(), list(result.public))
        jobs.append(("verifyProof", circuit.key, public, proof))
    assert snarkjs(*jobs) == [True] * len(SHAPES)


def test_shapes_are_what_their_names_say(made: dict[str, Made]) -> None:
    counts = {}
    for name, circuit in made.items():
        header = Sections(circuit.key)[HEADER]
        at = N_PUBLIC_AT - 4
        counts[name] = [int.from_bytes(header[at + 4 * index : at + 4 * index + 4], "little") for index in range(3)]
    assert counts["OneRowNothingPublic"][1:] == [0, 2]
    assert counts["NothingPublic"][1] == 0
    assert counts["JustOneDomain"][1:] == [2, 32]
    assert counts["JustAboveADomain"][1:] == [3, 64]
    assert counts["UnusedPublic"][1] == 22
    assert counts["ManyUnused"][0] > 50


def test_verify_changed_public_input_is_false(one: Made, tmp_path: Path) -> None:
    proof, public = tmp_path / "proof.json", tmp_path / "public.json"
    prove_files(one.key, one.wtns, proof, public)
    values = json.loads(public.read_text())
    for index in range(len(values)):
        changed = [*values]
        changed[index] = str(int(changed[index]) ^ 1)
        public.write_text(json.dumps(changed))
        assert not verify_files(one.key, public, proof)


def test_verify_exported_key_is_the_same_as_inside_the_zkey(one: Made, tmp_path: Path) -> None:
    (exported,) = snarkjs(("exportKey", one.key))
    path = tmp_path / "verification_key.json"
    path.write_text(json.dumps(exported))
    assert read_verification_key(path) == read_verification_key(one.key)
    proof, public = tmp_path / "proof.json", tmp_path / "public.json"
    prove_files(one.key, one.wtns, proof, public)
    assert verify_files(path, public, proof)


def test_verify_key_without_phase_two_is_refused(one: Made, tmp_path: Path) -> None:
    proof, public = tmp_path / "proof.json", tmp_path / "public.json"
    prove_files(one.first, one.wtns, proof, public)
    with pytest.raises(KeyFileError, match=r"first\.zkey: gamma equals delta: phase 2 was skipped.*; get"):
        verify_files(one.first, public, proof)


def test_prove_without_coefficients_is_refused_with_file_and_section(one: Made, tmp_path: Path) -> None:
    circuit = Circuit(one.r1cs, one.r1cs.with_suffix(".sym"))
    setup_development(circuit, tmp_path / "small.zkey", "seed")
    with pytest.raises(KeyFileError, match=r"small\.zkey: .*no coefficients \(section 4\)"):
        prove_files(tmp_path / "small.zkey", one.wtns)


@pytest.mark.parametrize(
    ("kind", "at", "data", "reason"),
    [
        (1, 0, b"\x02", r"protocol 2 is not Groth16"),
        (HEADER, 5, b"\xff", r"the base field is not that of BN254"),
        (HEADER, N_PUBLIC_AT, b"\xff", r"255 public of \d+ wires"),
        (HEADER, N_PUBLIC_AT + 4, b"\x03", r"domain size 3 is not a power of two"),
        (HEADER, N_PUBLIC_AT + 8, b"\xff" * 32, r"alpha in G1 is not a point of the group"),
        (3, 0, b"\xff" * 32, r"IC point 0 is not on the curve"),
        (COEFFICIENTS, 0, b"\xff", r"section 4 has \d+ bytes, not 255 coefficients"),
        (COEFFICIENTS, 4, b"\x07", r"coefficient 0 \(matrix 7"),
        (COEFFICIENTS, 16, b"\xff" * 32, r"the value of coefficient 0 is not below r"),
    ],
)
def test_prove_damaged_key_is_refused_with_file_and_value(
    one: Made, tmp_path: Path, kind: int, at: int, data: bytes, reason: str
) -> None:
    path = Sections(one.key).replace(kind, at, data).write(tmp_path / "bad.zkey")
    with pytest.raises(KeyFileError, match=rf"bad\.zkey: {reason}.*; get the key again and compare its hash") as caught:
        prove_files(path, one.wtns)
    assert caught.value.values["path"] == str(path)


def test_prove_short_section_is_refused_with_its_number(one: Made, tmp_path: Path) -> None:
    sections = Sections(one.key)
    del sections[H][-64:]
    path = sections.write(tmp_path / "short.zkey")
    with pytest.raises(KeyFileError, match=r"short\.zkey: section 9 \(H\) has \d+ bytes, not \d+ points of 64"):
        prove_files(path, one.wtns)


@pytest.mark.parametrize(
    ("kind", "at", "data", "reason"),
    [
        (1, 0, b"\x08", r"header: field elements of 8 bytes"),
        (1, 4, b"\x00", r"header: the prime is not the BN254 scalar field's"),
        (1, 36, b"\xff", r"values: \d+ bytes for 255 wires"),
        (2, 32, b"\xff" * 32, r"values: value >= r at byte 32"),
        (2, 0, b"\x02", r"wire 0 is 2, not one"),
        (2, 64, b"\x02", r"it does not satisfy the circuit of this key"),
    ],
)
def test_prove_damaged_witness_is_refused_with_file_and_value(
    one: Made, tmp_path: Path, kind: int, at: int, data: bytes, reason: str
) -> None:
    path = Sections(one.wtns).replace(kind, at, data).write(tmp_path / "bad.wtns")
    with pytest.raises(WitnessFileError, match=rf"bad\.wtns: {reason}.*; compute the witness again"):
        prove_files(one.key, path)


def test_prove_witness_of_another_circuit_is_refused(made: dict[str, Made]) -> None:
    with pytest.raises(WitnessFileError, match=r"OneRow\.wtns: \d+ values for \d+ wires"):
        prove_files(made["AllPublic"].key, made["OneRow"].wtns)


def test_prove_truncated_files_are_refused(one: Made, tmp_path: Path) -> None:
    for source, name, kind in ((one.key, "cut.zkey", KeyFileError), (one.wtns, "cut.wtns", WitnessFileError)):
        data, path = source.read_bytes(), tmp_path / name
        for length in range(0, len(data), 1 + len(data) // 60):
            path.write_bytes(data[:length])
            key, wtns = (path, one.wtns) if kind is KeyFileError else (one.key, path)
            with pytest.raises((kind, FileAccessError), match=r"cut\."):
                prove_files(key, wtns)


def test_prove_missing_or_unwritable_files_are_refused(one: Made, tmp_path: Path) -> None:
    for key, wtns in ((tmp_path / "no.zkey", one.wtns), (one.key, tmp_path / "no.wtns")):
        with pytest.raises(FileAccessError, match=r"no\.(zkey|wtns): .*; mend the path"):
            prove_files(key, wtns)
    with pytest.raises(FileAccessError, match=r"absent/proof\.json: No such file"):
        prove_files(one.key, one.wtns, tmp_path / "absent" / "proof.json")


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("public", "[1]", "public input 1 is not a decimal string"),
        ("public", '["-1"]', "public input '-1' is not"),
        ("public", '{"a": 1}', "a dict, where a list is expected"),
        ("public", "[", "not JSON"),
        ("public", "[" * 100_000, "lists more than 16 deep"),
        ("proof", "[]", "a list, where a dict is expected"),
        ("proof", '{"pi_a": ["1", "2", "1"]}', "pi_b is missing"),
        ("public", f'["{FIELD_ORDER}", "1", "1"]', r"public\[0\] = \d+ is not below the modulus"),
    ],
)
def test_verify_malformed_document_is_refused(one: Made, tmp_path: Path, name: str, text: str, reason: str) -> None:
    paths = {"proof": tmp_path / "proof.json", "public": tmp_path / "public.json"}
    prove_files(one.key, one.wtns, paths["proof"], paths["public"])
    paths[name].write_text(text)
    with pytest.raises(DocumentError, match=rf"\.json: {reason}"):
        verify_files(one.key, paths["public"], paths["proof"])


def test_command_line_proves_and_verifies_in_the_order_of_rapidsnark(one: Made, tmp_path: Path) -> None:
    proof, public = tmp_path / "proof.json", tmp_path / "public.json"
    done = sluice("prover", "prove", one.key, one.wtns, proof, public)
    assert done.returncode == 0, done.stderr
    assert sluice("prover", "verify", one.key, public, proof).stdout == "valid\n"
    public.write_text(json.dumps(["0"] * len(json.loads(public.read_text()))))
    refused = sluice("prover", "verify", one.key, public, proof)
    assert (refused.returncode, refused.stdout) == (1, "INVALID\n")
    missing = sluice("prover", "prove", tmp_path / "no.zkey", one.wtns, proof, public)
    assert missing.returncode == 1
    assert "no.zkey: No such file" in missing.stderr
    assert "Traceback" not in missing.stderr


def test_prove_needs_nothing_of_the_rest_of_the_product(one: Made) -> None:
    script = (
        "import sys; from pathlib import Path; from rollup.groth16 import prove_files;"
        f"prove_files(Path({str(one.key)!r}), Path({str(one.wtns)!r}));"
        "print(sorted(name for name in sys.modules if name.split('.')[0] in ('ape', 'web3', 'eth_account')"
        " or name.startswith(('rollup.l1', 'rollup.node', 'rollup.circuits'))))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def sluice(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("sluice")), *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
