"""Files of ceremonies that lie: each check of `native/src/ceremony` has the lie that only it finds."""

from collections.abc import Callable
from pathlib import Path

import pytest
from groth16_rig import G1_BYTES, G2_BYTES, POWER, Made, Sections, make_powers
from py_ecc.optimized_bn128 import field_modulus

from rollup._native import Circuit, setup_development
from rollup.groth16 import (
    CircuitFileError,
    KeyFileError,
    PowersFileError,
    check_powers,
    contribute,
    new_key,
    read_ceremony,
    verify_key,
)

pytestmark = pytest.mark.xdist_group("groth16")
Change = Callable[[Sections], object]

# --- powers of tau ---

ROWS = 2**POWER
HEADER, TAU1, TAU2, ALPHA, BETA, BETA2, HISTORY = range(1, 8)
FIRST_STEP = 4
"""Of section 7: after the count come the contributions."""
SECRETS_AT = 64 + 128 + 64 + 64 + 128
"""Of a contribution: after tau in G1, G2, alpha, beta in G1, G2."""
SECRETS2_AT = SECRETS_AT + 6 * G1_BYTES
STEP_BYTES = SECRETS2_AT + 3 * G2_BYTES + 216 + 64 + 4 + 4
OFF_CURVE = (1).to_bytes(32, "little") * 2


def _outside_the_subgroup() -> bytes:
    """A point of the twist outside the group of order r, as keys hold points."""
    from test_groth16 import Q, _point_outside_the_subgroup

    parts = [int(part) for coordinate in _point_outside_the_subgroup() for part in coordinate.coeffs]
    return b"".join((part * 2**256 % Q).to_bytes(32, "little") for part in parts)


def _powers_lie(kind: int, at: int, data: Callable[[Sections], bytes]) -> Change:
    return lambda powers: powers.replace(kind, at, data(powers))


def _item(kind: int, size: int, index: int) -> Callable[[Sections], bytes]:
    return lambda powers: bytes(powers[kind][index * size : (index + 1) * size])


def _unreduced(powers: Sections) -> bytes:
    """The same x of beta tau^5, plus the modulus: arithmetic does not mind, hashes do."""
    x = int.from_bytes(powers[BETA][5 * 64 : 5 * 64 + 32], "little")
    return (x + field_modulus).to_bytes(32, "little")


POWERS_LIES: dict[str, tuple[Change, str]] = {
    "another curve": (_powers_lie(HEADER, 4, lambda _: b"\0"), "the base field is not BN254's"),
    "no rows": (_powers_lie(HEADER, 36, lambda _: b"\0"), r"power 0 is not in 1\.\.=27"),
    "too many rows": (_powers_lie(HEADER, 36, lambda _: b"\x1c"), r"power 28 is not in 1\.\.=27"),
    "beginning of less": (_powers_lie(HEADER, 40, lambda _: b"\x06"), "power 7 of a ceremony of only 6"),
    "a section short": (lambda powers: powers[ALPHA].__delitem__(slice(0, 64)), r"section 4 .* bytes, not 128 points"),
    "a section gone": (lambda powers: powers.parts.pop(BETA2), r"section 6 \(beta in G2\) is missing"),
    "a Lagrange section gone": (lambda powers: powers.parts.pop(13), r"section 13 .* is missing"),
    "off the curve": (_powers_lie(BETA, 5 * 64, lambda _: OFF_CURVE), r"section 5 .*: point 5 is not in the group"),
    "infinity": (_powers_lie(TAU1, 9 * 64, lambda _: bytes(64)), r"section 2 .*: point 9 is not in the group, or inf"),
    "unreduced": (_powers_lie(BETA, 5 * 64, _unreduced), r"section 5 .*: point 5 is not in the group"),
    "outside the subgroup": (
        _powers_lie(TAU2, 3 * 128, lambda _: _outside_the_subgroup()),
        r"section 3 .*: point 3 is not in the group",
    ),
    "beta outside the subgroup": (
        _powers_lie(BETA2, 0, lambda _: _outside_the_subgroup()),
        r"section 6 .*: point 0 is not in the group",
    ),
    "another generator": (_powers_lie(TAU1, 0, _item(TAU1, 64, 1)), r"section 2 .*: the first point is not the gen"),
    "another generator of G2": (_powers_lie(TAU2, 0, _item(TAU2, 128, 1)), r"section 3 .*: the first point is not"),
    "tau powers swapped": (lambda powers: powers.swap(TAU1, 64, 5, 6), r"section 2 .*: these are no powers of the tau"),
    "last tau power": (
        _powers_lie(TAU1, (2 * ROWS - 2) * 64, _item(TAU1, 64, 1)),
        r"section 2 .*: these are no powers",
    ),
    "alpha powers swapped": (lambda powers: powers.swap(ALPHA, 64, 5, 6), r"section 4 .*: these are no powers"),
    "beta powers swapped": (lambda powers: powers.swap(BETA, 64, 0, 1), r"section 5 .*: these are no powers"),
    "G2 powers swapped": (lambda powers: powers.swap(TAU2, 128, 5, 6), r"section 3 .*: these are no powers"),
    "another beta in G2": (_powers_lie(BETA2, 0, _item(TAU2, 128, 1)), r"section 6 .*: beta is not that of section 5"),
    "no contribution": (
        lambda powers: powers.parts.__setitem__(HISTORY, bytearray(4)),
        r"section 7 .*: there is none, so tau is one",
    ),
    "a contribution cut off": (lambda powers: powers[HISTORY].pop(), r"section 7 .*contribution 3: .*truncated"),
    "parameters out of order": (
        _powers_lie(HISTORY, FIRST_STEP + STEP_BYTES, lambda _: b"\0"),
        r"section 7 .*contribution 1: parameter 0 comes after 0",
    ),
    "a secret of another": (
        _powers_lie(HISTORY, FIRST_STEP + SECRETS2_AT, _item(TAU2, 128, 1)),
        r"contribution 1 \(first\): one of its secrets is not the same in G1 and G2",
    ),
    "tau not followed": (_powers_lie(HISTORY, FIRST_STEP, _item(TAU1, 64, 2)), "its points are not those before it"),
    "tau in G2 not followed": (_powers_lie(HISTORY, FIRST_STEP + 64, _item(TAU2, 128, 2)), "its points are not those"),
    "alpha not followed": (_powers_lie(HISTORY, FIRST_STEP + 192, _item(TAU1, 64, 2)), "its points are not those"),
    "beta not followed": (_powers_lie(HISTORY, FIRST_STEP + 256, _item(TAU1, 64, 2)), "its points are not those"),
    "beta in G2 not followed": (
        _powers_lie(HISTORY, FIRST_STEP + 320, _item(TAU2, 128, 2)),
        "its points are not those before it",
    ),
    "another beacon": (
        lambda powers: powers.flip(HISTORY, len(powers[HISTORY]) - 1),
        r"contribution 3 \(beacon\): its secrets are not those of its beacon",
    ),
    "another challenge": (
        lambda powers: powers.flip(HISTORY, powers[HISTORY].rindex(b"\x01\x06beacon") - 9),
        "the last one's hash is not that of the file's points",
    ),
    "another response": (
        lambda powers: powers.flip(HISTORY, powers[HISTORY].rindex(b"\x01\x06beacon") - 9 - 64 - 150),
        "the last one's hash is not that of the file's points",
    ),
    "Lagrange form swapped": (lambda powers: powers.swap(12, 64, 40, 41), r"section 12 .*, 2\^5 rows: it is not that"),
    "Lagrange form of G2 swapped": (lambda powers: powers.swap(13, 128, 4, 5), r"section 13 .*, 2\^2 rows: it is not"),
    "topmost Lagrange form swapped": (
        lambda powers: powers.swap(12, 64, 4 * ROWS - 3, 4 * ROWS - 2),
        r"section 12 .*, 2\^8 rows: it is not that of the powers",
    ),
    "Lagrange point off the curve": (
        _powers_lie(14, 3 * 64, lambda _: OFF_CURVE),
        r"section 14 .*, 2\^2 rows: point 0",
    ),
}


@pytest.mark.parametrize("name", POWERS_LIES)
def test_check_powers_lie_is_refused_by_name(powers: Path, tmp_path: Path, name: str) -> None:
    change, reason = POWERS_LIES[name]
    sections = Sections(powers)
    change(sections)
    path = sections.write(tmp_path / "lie.ptau")
    with pytest.raises(PowersFileError, match=rf"lie\.ptau: .*{reason}.*; get the file of a published ceremony"):
        check_powers(path)


def test_check_powers_without_any_contribution_is_refused(tmp_path: Path) -> None:
    from groth16_rig import snarkjs

    snarkjs(("newPowers", tmp_path / "new.ptau", 3))
    with pytest.raises(PowersFileError, match=r"section 2 .*: tau is a root of unity"):
        check_powers(tmp_path / "new.ptau")


def test_check_powers_with_the_contributions_of_another_ceremony_is_refused(powers: Path, tmp_path: Path) -> None:
    other = Sections(make_powers(tmp_path, POWER, ["other"]))
    sections = Sections(powers)
    sections.parts[HISTORY] = other[HISTORY]
    path = sections.write(tmp_path / "mixed.ptau")
    with pytest.raises(PowersFileError, match="the last one's points are not those of the file"):
        check_powers(path)


def test_new_key_from_a_wrong_lagrange_form_is_refused(powers: Path, made: dict[str, Made], tmp_path: Path) -> None:
    for kind, size in ((12, G1_BYTES), (13, G2_BYTES), (14, G1_BYTES), (15, G1_BYTES)):
        path = Sections(powers).swap(kind, size, 64 - 1 + 3, 64 - 1 + 4).write(tmp_path / "lie.ptau")
        with pytest.raises(PowersFileError, match=rf"section {kind} .*, 2\^6 rows: it is not that of the powers"):
            new_key(made["JustAboveADomain"].r1cs, path, tmp_path / "out.zkey")
    assert not (tmp_path / "out.zkey").exists()


def test_new_key_of_damaged_constraints_is_refused(powers: Path, made: dict[str, Made], tmp_path: Path) -> None:
    path = Sections(made["OneRow"].r1cs).replace(1, 4, b"\0").write(tmp_path / "bad.r1cs")
    with pytest.raises(CircuitFileError, match=r"bad\.r1cs: header: the prime is not .*; compile the circuit again"):
        new_key(path, powers, tmp_path / "out.zkey")


# --- phase 2 ---

NAME = "AllPublic"
KEY_HEADER, IC, COEFFICIENTS, A, B1, B2, C, H, CONTRIBUTIONS = range(2, 11)
ALPHA1_AT = 2 * (4 + 32) + 3 * 4
BETA1_AT = ALPHA1_AT + G1_BYTES
BETA2_AT = BETA1_AT + G1_BYTES
GAMMA2_AT = BETA2_AT + G2_BYTES
DELTA1_AT = GAMMA2_AT + G2_BYTES
DELTA2_AT = DELTA1_AT + G1_BYTES
STEP_AT = 64 + 4
"""Of section 10: after the circuit hash and the count."""
MULTIPLE2_AT = STEP_AT + 3 * G1_BYTES
TRANSCRIPT_AT = MULTIPLE2_AT + G2_BYTES


@pytest.fixture(scope="module")
def final(made: dict[str, Made], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """snarkjs's contribution, ours, and a beacon of snarkjs."""
    from groth16_rig import snarkjs

    folder = tmp_path_factory.mktemp("final")
    contribute(made[NAME].key, folder / "two.zkey", "ours")
    snarkjs(("beacon", folder / "two.zkey", folder / "final.zkey", "beacon", "0102030405", 10))
    return folder / "final.zkey"


def _header(at: int, size: int, source: int) -> Change:
    """A point of the header in the place of another."""
    return lambda key: key.replace(KEY_HEADER, at, bytes(key[KEY_HEADER][source : source + size]))


def _step(at: int, size: int, source: int) -> Change:
    """A point of the header in the place of one of the first contribution."""
    return lambda key: key.replace(CONTRIBUTIONS, at, bytes(key[KEY_HEADER][source : source + size]))


KEY_LIES: dict[str, tuple[Change, str]] = {
    "gamma = delta": (_header(DELTA2_AT, G2_BYTES, GAMMA2_AT), "gamma equals delta: phase 2 was skipped"),
    "no contributions": (
        lambda key: key.parts.__setitem__(CONTRIBUTIONS, key[CONTRIBUTIONS][:64] + bytes(4)),
        "section 10: no contributions",
    ),
    "transcript": (lambda key: key.flip(CONTRIBUTIONS, TRANSCRIPT_AT), "contribution 1: its transcript is not that"),
    "secret in G2": (
        _step(MULTIPLE2_AT, G2_BYTES, BETA2_AT),
        "contribution 1: its secret is not the same in G1 and G2",
    ),
    "delta not followed": (_step(STEP_AT, G1_BYTES, BETA1_AT), "contribution 1: delta after it is not delta before it"),
    "infinite delta": (
        lambda key: key.replace(CONTRIBUTIONS, STEP_AT, bytes(G1_BYTES)),
        "contribution 1: delta is not in the group, or infinity",
    ),
    "beacon": (
        lambda key: key.flip(CONTRIBUTIONS, len(key[CONTRIBUTIONS]) - 1),
        "its secret is not that of its beacon",
    ),
    "beacon without value": (
        lambda key: key.flip(CONTRIBUTIONS, key[CONTRIBUTIONS].rindex(b"\x01\x06beacon") - 8),
        "kind 0 does not fit its parameters",
    ),
    "delta in G1": (
        _header(DELTA1_AT, G1_BYTES, BETA1_AT),
        "section 2: delta in G1 is not that of the last contribution",
    ),
    "delta in G2": (_header(DELTA2_AT, G2_BYTES, BETA2_AT), "section 2: delta in G2 is not that in G1"),
    "alpha": (_header(ALPHA1_AT, G1_BYTES, BETA1_AT), "section 2: alpha in G1 is not that of the powers"),
    "beta in G1": (_header(BETA1_AT, G1_BYTES, ALPHA1_AT), "section 2: beta in G1 is not that of the powers"),
    "beta in G2": (_header(BETA2_AT, G2_BYTES, GAMMA2_AT), "section 2: beta in G2 is not that of the powers"),
    "gamma": (_header(GAMMA2_AT, G2_BYTES, BETA2_AT), "section 2: gamma in G2 is not that of the powers"),
    "public wires": (
        lambda key: key.swap(IC, G1_BYTES, 0, 1),
        r"section 3 \(public wires\) is not that of the circuit",
    ),
    "coefficients": (
        lambda key: key.flip(COEFFICIENTS, 4 + 12),
        r"section 4 \(coefficients\) is not that of the circuit",
    ),
    "no coefficients": (lambda key: key.parts.pop(COEFFICIENTS), r"section 4 \(coefficients\) is not that of the"),
    "A": (lambda key: key.swap(A, G1_BYTES, 2, 3), r"section 5 \(A\) is not that of the circuit"),
    "B in G1": (lambda key: key.swap(B1, G1_BYTES, 2, 3), r"section 6 \(B in G1\) is not that of the circuit"),
    "B in G2": (lambda key: key.swap(B2, G2_BYTES, 2, 3), r"section 7 \(B in G2\) is not that of the circuit"),
    "C off the curve": (lambda key: key.replace(C, G1_BYTES, OFF_CURVE), "section 8: point 1 is not in the group"),
    "H off the curve": (lambda key: key.replace(H, G1_BYTES, OFF_CURVE), "section 9: point 1 is not in the group"),
    "C swapped": (lambda key: key.swap(C, G1_BYTES, 2, 3), r"section 8 \(private wires\) is not the first key's"),
    "H swapped": (lambda key: key.swap(H, G1_BYTES, 2, 3), r"section 9 \(H\) is not that of the powers of tau"),
}


@pytest.mark.parametrize("name", KEY_LIES)
def test_verify_key_lie_is_refused_by_name(
    powers: Path, made: dict[str, Made], final: Path, tmp_path: Path, name: str
) -> None:
    change, reason = KEY_LIES[name]
    sections = Sections(final)
    change(sections)
    path = sections.write(tmp_path / "lie.zkey")
    with pytest.raises(KeyFileError, match=rf"lie\.zkey: .*{reason}.*; get the key again"):
        verify_key(made[NAME].r1cs, powers, path)


def test_verify_key_sound_is_accepted(powers: Path, made: dict[str, Made], final: Path) -> None:
    """What the lies above start from."""
    assert [step.name for step in verify_key(made[NAME].r1cs, powers, final).contributions] == [
        "theirs",
        "ours",
        "beacon",
    ]


@pytest.mark.parametrize("kind", [C, H])
def test_verify_key_section_not_divided_is_refused(
    powers: Path, made: dict[str, Made], final: Path, tmp_path: Path, kind: int
) -> None:
    """A contributor who multiplies delta but leaves a section as it was."""
    sections = Sections(final)
    sections.parts[kind] = Sections(made[NAME].key)[kind]
    path = sections.write(tmp_path / "lie.zkey")
    with pytest.raises(KeyFileError, match=rf"section {kind} .* divided by delta"):
        verify_key(made[NAME].r1cs, powers, path)


def test_verify_key_of_another_circuit_is_refused(powers: Path, made: dict[str, Made], final: Path) -> None:
    with pytest.raises(KeyFileError, match=r"section 2: \(wires, public, rows\) are"):
        verify_key(made["JustAboveADomain"].r1cs, powers, final)


def test_verify_key_contributions_to_another_circuit_hash_are_refused(
    powers: Path, made: dict[str, Made], tmp_path: Path
) -> None:
    """Everything holds but the hash, by which the contributors knew the circuit."""
    other = Sections(made[NAME].first).flip(CONTRIBUTIONS, 0).write(tmp_path / "other.zkey")
    contribute(other, tmp_path / "lie.zkey")
    read_ceremony(tmp_path / "lie.zkey")
    with pytest.raises(KeyFileError, match="section 10: the circuit hash is not that of the circuit"):
        verify_key(made[NAME].r1cs, powers, tmp_path / "lie.zkey")


def test_verify_key_from_other_powers_is_refused(made: dict[str, Made], final: Path, tmp_path: Path) -> None:
    other = make_powers(tmp_path, 4, ["other"])
    with pytest.raises(KeyFileError, match="section 2: alpha in G1 is not that of the powers of tau"):
        verify_key(made[NAME].r1cs, other, final)


def test_development_key_is_never_of_a_ceremony(powers: Path, made: dict[str, Made], tmp_path: Path) -> None:
    r1cs, path = made[NAME].r1cs, tmp_path / "development.zkey"
    setup_development(Circuit(r1cs, r1cs.with_suffix(".sym")), path, "seed", coefficients=True)
    with pytest.raises(KeyFileError, match="section 100: it is a development key"):
        verify_key(r1cs, powers, path)
    with pytest.raises(KeyFileError, match="a development key cannot become a ceremony's"):
        contribute(path, tmp_path / "out.zkey")


def test_read_ceremony_of_another_delta_is_refused(final: Path, tmp_path: Path) -> None:
    sections = Sections(final)
    _header(DELTA1_AT, G1_BYTES, BETA1_AT)(sections)
    path = sections.write(tmp_path / "lie.zkey")
    with pytest.raises(KeyFileError, match="delta in G1 is not that of the last contribution"):
        read_ceremony(path)
