"""Our witness generator against circom's own, wire by wire; what it refuses; what it says about hinted wires."""

import hashlib
import random
from pathlib import Path
from typing import Any

import pytest
from circom_reference import Refused, compile_circom, read_wtns

from rollup import _native
from rollup._native import BASE8, FIELD_MODULUS, Circuit

MAIN = 'include "circomlib/circuits/{file}.circom"; component main {public} = {template};'
KEY = hashlib.sha256(b"circuit tests").digest()


def main(file: str, template: str, public: str = "") -> str:
    """A `main` of one circomlib template."""
    text = MAIN.replace("{file}", file).replace("{template}", template)
    return text.replace("{public}", f"{{public [{public}]}}" if public else "")


def signature(message: int) -> dict[str, int]:
    ax, ay = _native.eddsa_public_key(KEY)
    rx, ry, s = _native.eddsa_sign(KEY, message)
    return {"Ax": ax, "Ay": ay, "R8x": rx, "R8y": ry, "S": s, "M": message}


R = FIELD_MODULUS
CASES: list[tuple[str, str, list[dict[str, Any]]]] = [
    ("is_zero", main("comparators", "IsZero()"), [{"in": 0}, {"in": 5}, {"in": R - 1}]),
    ("is_equal", main("comparators", "IsEqual()"), [{"in": [7, 7]}, {"in": [7, 8]}]),
    ("less_than", main("comparators", "LessThan(64)"), [{"in": [5, 6]}, {"in": [6, 6]}, {"in": [2**64 - 1, 0]}]),
    ("less_than_252", main("comparators", "LessThan(252)"), [{"in": [2**252 - 1, 0]}, {"in": [0, 2**252 - 1]}]),
    ("num2bits_254", main("bitify", "Num2Bits(254)", "in"), [{"in": v} for v in (0, 1, 2**253, R - 1, R // 2)]),
    ("num2bits_strict", main("bitify", "Num2Bits_strict()", "in"), [{"in": v} for v in (0, 2**254 - R, R - 1, R // 3)]),
    ("bits2num_strict", main("bitify", "Bits2Num_strict()", "in"), [{"in": [1, 0] * 127}]),
    ("num2bits_neg", main("bitify", "Num2BitsNeg(20)"), [{"in": 5}, {"in": 0}]),
    ("baby_add", main("babyjub", "BabyAdd()"), [{"x1": BASE8[0], "y1": BASE8[1], "x2": BASE8[0], "y2": BASE8[1]}]),
    ("mul_any", main("escalarmulany", "EscalarMulAny(254)"), [{"e": [1, 0, 1] * 84 + [1, 1], "p": list(BASE8)}]),
    ("mul_any_zero", main("escalarmulany", "EscalarMulAny(8)"), [{"e": [1] * 8, "p": [0, 1]}]),
    ("poseidon_8", main("poseidon", "Poseidon(8)"), [{"inputs": list(range(8))}, {"inputs": [R - 1] * 8}]),
    ("poseidon_2", main("poseidon", "Poseidon(2)"), [{"inputs": [3, 4]}]),
    ("mux_4", main("mux4", "Mux4()"), [{"c": list(range(16)), "s": [1, 0, 1, 1]}]),
    ("pedersen", main("pedersen", "Pedersen(250)"), [{"in": [1, 0] * 125}]),
    (
        "eddsa",
        main("eddsaposeidon", "EdDSAPoseidonVerifier()"),
        [signature(m) | {"enabled": e} for m, e in ((1, 1), (R - 1, 1), (7, 0))]
        + [
            {"enabled": 0, "Ax": BASE8[0], "Ay": BASE8[1], "R8x": BASE8[0], "R8y": BASE8[1], "S": m * 999, "M": m}
            for m in range(4)
        ],
    ),
]


@pytest.mark.parametrize(("name", "source", "cases"), CASES, ids=[case[0] for case in CASES])
def test_witness_of_circomlib_template_equals_circoms(name: str, source: str, cases: list[dict[str, Any]]) -> None:
    compiled = compile_circom(name, source)
    circuit = compiled.circuit()
    for inputs, many in zip(cases, circuit.witness_many(cases), strict=True):
        expected = compiled.reference(inputs)
        witness = circuit.witness(inputs)
        assert witness.values() == expected
        assert many.values() == expected
        assert circuit.check(witness) is None


def test_witness_of_false_signature_is_refused_by_check_and_by_circom() -> None:
    compiled = compile_circom("eddsa", CASES[-1][1])
    circuit = compiled.circuit()
    inputs = signature(1) | {"enabled": 1, "M": 2}
    with pytest.raises(Refused):
        compiled.reference(inputs)
    violation = circuit.check(circuit.witness(inputs))
    assert violation is not None
    assert violation.startswith("row ")


def test_poseidon_circuit_equals_native_hash() -> None:
    circuit = compile_circom("poseidon_8", main("poseidon", "Poseidon(8)")).circuit()
    inputs = list(range(100, 108))
    assert circuit.witness({"inputs": inputs}).outputs() == {"out": _native.poseidon(inputs)}


def test_forced_bit_is_caught_and_free_inverse_is_listed() -> None:
    circuit = compile_circom("less_than", main("comparators", "LessThan(64)")).circuit()
    honest = circuit.witness({"in": [5, 6]})
    bits = [name for name in circuit.hinted_signals() if "n2b" in name]
    assert bits
    for name in bits[:8]:
        forged = circuit.witness({"in": [5, 6]}, forced={name: 1 - honest.get(name)})
        assert circuit.check(forged) is not None
    is_zero = compile_circom("is_zero", main("comparators", "IsZero()")).circuit()
    assert is_zero.hinted_kinds() == {"inv": "inverse"}
    assert is_zero.check(is_zero.witness({"in": 0}, forced={"inv": 77})) is None
    assert is_zero.check(is_zero.witness({"in": 3}, forced={"inv": 77})) is not None


def test_alias_of_254_bits_satisfies_num2bits_but_not_the_strict_one() -> None:
    value = 5
    alias = {f"out[{i}]": (value + R) >> i & 1 for i in range(254)}
    loose = compile_circom("num2bits_254", main("bitify", "Num2Bits(254)", "in")).circuit()
    strict = compile_circom("num2bits_strict", main("bitify", "Num2Bits_strict()", "in")).circuit()
    assert set(loose.hinted_kinds().values()) == {"aliased bit"}
    assert loose.check(loose.witness({"in": value}, forced=alias)) is None
    assert strict.check(strict.witness({"in": value}, forced=alias)) is not None


def test_hint_for_an_undetermined_signal_is_asked_for_and_taken() -> None:
    source = """template Quotient() {
        signal input a; signal input d; signal output q; signal output r;
        q <-- a \\ d; r <-- a % d; a === q * d + r;
    } component main {public [a, d]} = Quotient();"""
    circuit = compile_circom("quotient", source).circuit()
    with pytest.raises(ValueError, match=r"2 signals do not follow from the inputs.*hints: q, r"):
        circuit.witness({"a": 17, "d": 5})
    witness = circuit.witness({"a": 17, "d": 5, "q": 3})
    assert witness.outputs() == {"q": 3, "r": 2}
    assert circuit.check(witness) is None


def test_witness_input_errors_name_the_signal() -> None:
    circuit = compile_circom("poseidon_8", main("poseidon", "Poseidon(8)")).circuit()
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, r"missing input inputs\[0\]"),
        ({"inputs": list(range(7))}, r"missing input inputs\[7\]"),
        ({"inputs": list(range(9))}, r"wrong shape.*inputs\[8\].*last element of inputs is inputs\[7\]"),
        ({"inputs": [[0]] * 8}, r"wrong shape.*inputs\[0\]\[0\]"),
        ({"inputs": list(range(8)), "foo": 1}, "unknown input foo"),
        ({"inputs": [R, *range(7)]}, r"inputs\[0\]: value .* is not below"),
        ({"inputs": [-1, *range(7)]}, r"inputs\[0\]: negative"),
    ]
    for inputs, message in cases:
        with pytest.raises(ValueError, match=message):
            circuit.witness(inputs)
    with pytest.raises(TypeError, match=r"inputs\[0\]: int or nested lists"):
        circuit.witness({"inputs": ["1"] * 8})


def test_wtns_written_is_circoms_file_byte_for_byte(tmp_path: Path) -> None:
    compiled = compile_circom("is_zero", main("comparators", "IsZero()"))
    circuit = compiled.circuit()
    circuit.witness({"in": 5}).write_wtns(tmp_path / "ours.wtns")
    assert read_wtns(tmp_path / "ours.wtns") == compiled.reference({"in": 5})


def test_readers_on_truncated_or_altered_files_raise_and_never_panic(tmp_path: Path) -> None:
    compiled = compile_circom("less_than", main("comparators", "LessThan(64)"))
    r1cs, sym = compiled.r1cs.read_bytes(), compiled.sym.read_bytes()
    bad = tmp_path / "bad"
    rng = random.Random(1)  # not for secrets
    for size in [*range(200), *rng.sample(range(len(r1cs)), 100)]:
        bad.write_bytes(r1cs[:size])
        with pytest.raises(ValueError, match=r"truncated|missing|starts with|bytes"):
            Circuit(bad, compiled.sym)
    for size in rng.sample(range(len(sym)), 50):
        bad.write_bytes(sym[:size])
        _load_or_value_error(compiled.r1cs, bad)
    for _ in range(500):
        altered = bytearray(r1cs)
        altered[rng.choice([rng.randrange(120), rng.randrange(len(r1cs))])] = rng.randrange(256)
        bad.write_bytes(altered)
        _load_or_value_error(bad, compiled.sym)


def _load_or_value_error(r1cs: Path, sym: Path) -> None:
    try:
        circuit = Circuit(r1cs, sym)
        circuit.witness({"in": [1, 2]})
    except ValueError:
        pass


def test_sections_in_another_order_give_the_same_circuit(tmp_path: Path) -> None:
    compiled = compile_circom("less_than", main("comparators", "LessThan(64)"))
    data = compiled.r1cs.read_bytes()
    at, parts = 12, []
    while at < len(data):
        size = int.from_bytes(data[at + 4 : at + 12], "little")
        parts.append(data[at : at + 12 + size])
        at += 12 + size
    (tmp_path / "x.r1cs").write_bytes(data[:12] + b"".join(reversed(parts)))
    circuit = Circuit(tmp_path / "x.r1cs", compiled.sym)
    assert circuit.witness({"in": [5, 6]}).values() == compiled.reference({"in": [5, 6]})
