"""Powers of tau, first keys, contributions and beacons: byte for byte snarkjs's, and each accepts the other's."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from groth16_rig import POWER, Made, snarkjs

from rollup._native import Circuit, PowersOfTau, ProvingKey
from rollup.groth16 import (
    Contribution,
    KeyFileError,
    PowersFileError,
    add_beacon,
    check_powers,
    contribute,
    new_key,
    prove_files,
    read_ceremony,
    verify_key,
)
from rollup.toolchain import ROOT

pytestmark = pytest.mark.xdist_group("groth16")
BEACON = bytes.fromhex("00" * 20 + "c0ffee")


def test_new_key_of_every_circuit_is_the_same_bytes_as_snarkjs_makes(
    powers: Path, made: dict[str, Made], tmp_path: Path
) -> None:
    for name, circuit in made.items():
        path = tmp_path / f"{name}.zkey"
        assert new_key(circuit.r1cs, powers, path) == circuit.circuit_hash
        assert path.read_bytes() == circuit.first.read_bytes(), name


def test_new_key_from_powers_without_lagrange_forms_is_the_same(
    powers: Path, made: dict[str, Made], tmp_path: Path
) -> None:
    plain = powers.with_name("plain.ptau")
    assert not check_powers(plain).prepared
    for name in ("JustAboveADomain", "OneRowNothingPublic"):
        new_key(made[name].r1cs, plain, tmp_path / "plain.zkey")
        assert (tmp_path / "plain.zkey").read_bytes() == made[name].first.read_bytes()


def test_new_key_that_fills_the_powers_is_the_same(tmp_path: Path, made: dict[str, Made], powers: Path) -> None:
    """The topmost Lagrange form lacks a power; snarkjs takes zero for it."""
    small = tmp_path / "small.ptau"
    snarkjs(("newPowers", tmp_path / "a.ptau", 5), ("contributePowers", tmp_path / "a.ptau", small, "one", "entropy"))
    prepared = tmp_path / "prepared.ptau"
    circuit = made["JustOneDomain"]
    hashes = snarkjs(("preparePowers", small, prepared), ("newKey", circuit.r1cs, prepared, tmp_path / "theirs.zkey"))
    for source in (prepared, small):
        assert new_key(circuit.r1cs, source, tmp_path / "ours.zkey") == hashes[1]
        assert (tmp_path / "ours.zkey").read_bytes() == (tmp_path / "theirs.zkey").read_bytes()
    with pytest.raises(PowersFileError, match=r"small\.ptau: 2\^5 rows, the circuit needs 2\^6: take a larger file"):
        new_key(made["JustAboveADomain"].r1cs, small, tmp_path / "none.zkey")


def test_new_key_of_a_circuit_object_is_that_of_its_file(powers: Path, made: dict[str, Made], tmp_path: Path) -> None:
    circuit = made["ManyUnused"]
    new_key(Circuit(circuit.r1cs, circuit.r1cs.with_suffix(".sym")), powers, tmp_path / "object.zkey")
    assert (tmp_path / "object.zkey").read_bytes() == circuit.first.read_bytes()


def test_check_powers_shows_the_contributions(powers: Path) -> None:
    checked = check_powers(powers)
    assert (checked.power, checked.prepared) == (POWER, True)
    assert [name for name, _ in checked.contributions] == ["first", "second", "beacon"]
    assert len({response for _, response in checked.contributions}) == 3


def test_check_powers_of_the_beginning_of_a_ceremony_is_accepted(powers: Path, tmp_path: Path) -> None:
    snarkjs(("truncatePowers", powers, tmp_path / "part_"))
    part = PowersOfTau(tmp_path / "part_05.ptau")
    assert (part.power, part.ceremony_power) == (5, POWER)
    part.check_prepared()


def test_contributions_of_both_sides_are_accepted_by_both(powers: Path, made: dict[str, Made], tmp_path: Path) -> None:
    circuit = made["AllPublic"]
    ours, theirs, final = (tmp_path / f"{name}.zkey" for name in ("ours", "theirs", "final"))
    first = contribute(circuit.key, ours, "ours", b"some text")
    second, accepted = snarkjs(
        ("contribute", ours, theirs, "theirs too", "entropy"), ("verifyKey", circuit.r1cs, powers, ours)
    )
    assert accepted is True
    third = add_beacon(theirs, final, BEACON, 11, "the end")
    (accepted,) = snarkjs(("verifyKey", circuit.r1cs, powers, final))
    assert accepted is True
    found = verify_key(circuit.r1cs, powers, final)
    assert found == read_ceremony(final)
    assert found.circuit == circuit.circuit_hash
    assert [step.name for step in found.contributions] == ["theirs", "ours", "theirs too", "the end"]
    assert [step.hash for step in found.contributions[1:]] == [first, second, third]
    assert found.contributions[3] == Contribution("the end", third, BEACON.hex(), 11)
    prove_files(final, circuit.wtns)
    ProvingKey(final).check_points()


def test_beacon_is_the_same_bytes_as_snarkjs_makes(made: dict[str, Made], tmp_path: Path) -> None:
    for name in ("ManyUnused", "OneRowNothingPublic"):
        (theirs,) = snarkjs(("beacon", made[name].key, tmp_path / "theirs.zkey", "end", BEACON.hex(), 10))
        assert add_beacon(made[name].key, tmp_path / "ours.zkey", BEACON, 10, "end") == theirs
        assert (tmp_path / "ours.zkey").read_bytes() == (tmp_path / "theirs.zkey").read_bytes()


def test_contribute_twice_with_the_same_text_gives_different_secrets(made: dict[str, Made], tmp_path: Path) -> None:
    keys = [tmp_path / "a.zkey", tmp_path / "b.zkey"]
    hashes = {contribute(made["OneRow"].key, key, "same", b"same") for key in keys}
    deltas = {str(ProvingKey(key).verification_key()["vk_delta_2"]) for key in keys}
    assert len(hashes) == len(deltas) == 2


def test_contribute_name_or_beacon_out_of_range_is_refused(made: dict[str, Made], tmp_path: Path) -> None:
    key, out = made["OneRow"].key, tmp_path / "out.zkey"
    contribute(key, out, "é" * 32)
    with pytest.raises(KeyFileError, match="the name has 65 bytes, at most 64 fit"):
        contribute(key, out, "x" * 65)
    for value, log, reason in (
        (b"", 10, "a beacon of 0 bytes"),
        (bytes(256), 10, "256 bytes"),
        (b"x", 9, r"2\^9 hashes"),
    ):
        with pytest.raises(KeyFileError, match=reason):
            add_beacon(key, out, value, log)
    add_beacon(key, out, bytes(255))
    assert read_ceremony(out).contributions[-1].beacon == "00" * 255


def test_contribute_to_a_damaged_key_is_refused_and_leaves_nothing(made: dict[str, Made], tmp_path: Path) -> None:
    cut = tmp_path / "cut.zkey"
    cut.write_bytes(made["OneRow"].key.read_bytes()[:-1])
    with pytest.raises(KeyFileError, match=r"cut\.zkey: the key file is cut off"):
        contribute(cut, tmp_path / "out.zkey")
    assert list(tmp_path.iterdir()) == [cut]


@pytest.mark.long
def test_new_key_of_more_than_2_14_rows_has_the_circuit_hash_of_snarkjs(tmp_path: Path) -> None:
    """Above 2^14 rows snarkjs hashes a point too many, here from beyond the powers (`overrun.rs`)."""
    from circom_reference import compile_circom
    from groth16_rig import make_powers

    rows = 16_400
    source = f"""
    template Long() {{
        signal input a; signal x[{rows}]; signal output out;
        x[0] <== a * a;
        for (var i = 1; i < {rows}; i++) {{ x[i] <== x[i - 1] * (x[i - 1] + a); }}
        out <== x[{rows - 1}];
    }}
    component main = Long();"""
    compiled = compile_circom("Long", source)
    powers = make_powers(tmp_path, 15, ["one"])
    theirs, ours = tmp_path / "theirs.zkey", tmp_path / "ours.zkey"
    (circuit_hash,) = snarkjs(("newKey", compiled.r1cs, powers, theirs))
    assert new_key(compiled.r1cs, powers, ours) == circuit_hash
    assert ours.read_bytes() == theirs.read_bytes()


def test_keys_page_typed_as_it_stands_makes_a_key_that_verifies(
    powers: Path, made: dict[str, Made], tmp_path: Path
) -> None:
    """docs/operations.md, on a small circuit; what needs the rollup's own circuits is tested in tests/l1."""
    page = (ROOT / "docs" / "operations.md").read_text()
    _, page = page.split("\n## Keys: ")
    page = page.split("\n## ")[0]
    lines = [line for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]
    assert all(line.startswith("sluice ") for line in lines)
    assert [line.split()[1] for line in lines[-2:]] == ["ceremony", "build"]
    (tmp_path / "powers.ptau").symlink_to(powers)
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "CIRCUIT": str(made["AllPublic"].r1cs)}
    for line in lines[:-2]:
        done = subprocess.run(
            ["sh", "-c", line], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{line}\n{done.stderr}"
    assert "final.zkey: sound, 3 contributions" in done.stdout
