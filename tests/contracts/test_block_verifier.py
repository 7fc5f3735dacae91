"""BlockVerifier, as generated for two toy keys, with proofs by snarkjs; and the generator's refusals."""

from copy import deepcopy
from itertools import count
from typing import Any

import pytest
from contract_rig import TOYS, Refusal, Rig, changed_digit
from eth_hash.auto import keccak
from py_ecc.optimized_bn128 import FQ2, b2, curve_order, is_inf, multiply

from rollup.l1.verifier_source import (
    BASE_FIELD_MODULUS,
    VerificationKey,
    VerifierKeyError,
    proof_words,
    render,
)

R = 21888242871839275222246405745257275088548364400416034343698204186575808495617
Q = BASE_FIELD_MODULUS
SIZES = [toy["block_size"] for toy in TOYS]


@pytest.fixture
def verifier(rig: Rig) -> Any:
    return rig.owner.deploy(rig.project.BlockVerifier)


def proof_and_inputs(index: int) -> tuple[list[int], list[int]]:
    return list(proof_words(TOYS[index]["proof"])), [int(value) for value in TOYS[index]["inputs"]]


@pytest.mark.parametrize("index", range(len(TOYS)))
def test_proof_by_snarkjs_is_accepted(verifier: Any, index: int) -> None:
    assert verifier.verify(SIZES[index], *proof_and_inputs(index))


@pytest.mark.parametrize(("size", "of"), [(1, 0), (0, 1)])
def test_proof_for_another_size_is_refused(verifier: Any, size: int, of: int) -> None:
    assert not verifier.verify(SIZES[size], *proof_and_inputs(of))


def test_supports_the_sizes_of_its_keys_only(verifier: Any) -> None:
    assert [size for size in range(10) if verifier.supportsSize(size)] == SIZES


def test_key_hash_is_that_of_the_artefact(rig: Rig, verifier: Any) -> None:
    for toy in TOYS:
        key = toy["key"]
        words = [int(value) for value in key["vk_alpha_1"][:2]]
        for name in ("vk_beta_2", "vk_gamma_2", "vk_delta_2"):
            words += [int(value) for pair in key[name][:2] for value in reversed(pair)]
        words += [int(value) for point in key["IC"] for value in point[:2]]
        expected = keccak(b"".join(value.to_bytes(32, "big") for value in words))
        assert bytes(verifier.keyHash(toy["block_size"])) == expected
        assert VerificationKey.from_snarkjs(toy["block_size"], key).key_hash() == expected
    refused = rig.refused(verifier, "keyHash", 3, sender=rig.bob)
    assert refused == Refusal("UnknownBlockSize", (3,))


def test_key_hash_of_a_changed_source_is_another(rig: Rig, verifier: Any) -> None:
    """It is of the constants that verify uses: no source can check proofs with one key and show another's hash."""
    edited = rig.owner.deploy(rig.project.ChangedBlockVerifier)
    key = deepcopy(TOYS[0]["key"])
    key["IC"][-1][1] = changed_digit(key["IC"][-1][1])
    assert bytes(edited.keyHash(SIZES[0])) == VerificationKey.from_snarkjs(SIZES[0], key).key_hash()
    assert bytes(edited.keyHash(SIZES[0])) != bytes(verifier.keyHash(SIZES[0]))
    assert bytes(edited.keyHash(SIZES[1])) == bytes(verifier.keyHash(SIZES[1]))


def test_unknown_size_reverts(rig: Rig, verifier: Any) -> None:
    refused = rig.refused(verifier, "verify", 3, *proof_and_inputs(0), sender=rig.bob)
    assert refused == Refusal("UnknownBlockSize", (3,))


@pytest.mark.parametrize("position", range(3))
def test_every_input_counts(verifier: Any, position: int) -> None:
    proof, inputs = proof_and_inputs(0)
    inputs[position] = (inputs[position] + 1) % R
    assert not verifier.verify(SIZES[0], proof, inputs)


@pytest.mark.parametrize("position", range(3))
def test_input_plus_r_reverts(rig: Rig, verifier: Any, position: int) -> None:
    proof, inputs = proof_and_inputs(0)
    for value in (inputs[position] + R, R, Q, 2**256 - 1):
        wrong = [*inputs[:position], value, *inputs[position + 1 :]]
        refused = rig.refused(verifier, "verify", SIZES[0], proof, wrong, sender=rig.bob)
        assert refused == Refusal("InputNotInField", (position, value))


@pytest.mark.parametrize("position", range(8))
def test_changed_proof_word_is_refused(verifier: Any, position: int) -> None:
    proof, inputs = proof_and_inputs(0)
    proof[position] = (proof[position] + 1) % Q
    assert not verifier.verify(SIZES[0], proof, inputs)


@pytest.mark.parametrize("position", range(8))
def test_proof_coordinate_not_below_q_is_refused(verifier: Any, position: int) -> None:
    proof, inputs = proof_and_inputs(0)
    for value in (proof[position] + Q, Q, 2**256 - 1):
        wrong = [*proof[:position], value, *proof[position + 1 :]]
        assert not verifier.verify(SIZES[0], wrong, inputs)


def test_proof_negated_in_a_and_b_proves_the_same(verifier: Any) -> None:
    """Groth16 proofs are malleable: that is why a proven block is skipped, not proven again."""
    proof, inputs = proof_and_inputs(0)
    negated = [proof[0], Q - proof[1], *proof[2:4], Q - proof[4], Q - proof[5], *proof[6:]]
    assert verifier.verify(SIZES[0], negated, inputs)


@pytest.mark.parametrize(
    "zeros", [range(8), range(2), range(2, 6), range(6, 8), (*range(2), *range(6, 8)), range(2, 8)]
)
def test_zero_points_are_refused(verifier: Any, zeros: Any) -> None:
    proof, inputs = proof_and_inputs(0)
    assert not verifier.verify(SIZES[0], [0 if i in zeros else word for i, word in enumerate(proof)], inputs)


def test_points_off_the_curve_are_refused(verifier: Any) -> None:
    proof, inputs = proof_and_inputs(0)
    for off in ([1] * 8, [1, 1, *proof[2:]], [*proof[:2], 0, 0, 0, 1, *proof[6:]], [*proof[:6], 1, 1]):
        assert not verifier.verify(SIZES[0], off, inputs)
        assert not verifier.verifyMany([SIZES[0]], [off], [inputs])


def test_b_on_the_curve_but_outside_the_subgroup_is_refused(verifier: Any) -> None:
    proof, inputs = proof_and_inputs(0)
    (x0, x1), (y0, y1) = point_outside_the_subgroup()
    outside = [*proof[:2], x1, x0, y1, y0, *proof[6:]]
    assert not verifier.verify(SIZES[0], outside, inputs)
    assert not verifier.verifyMany([SIZES[0]], [outside], [inputs])


def point_outside_the_subgroup() -> tuple[tuple[int, int], tuple[int, int]]:
    """A point of G2's curve y^2 = x^3 + b2 with small x whose order is not r."""
    for n in count(1):
        x = FQ2([n, 0])
        square = x * x * x + b2
        y = root_of(square)
        if y is not None and not is_inf(multiply((x, y, FQ2.one()), curve_order)):
            return (n, 0), (int(y.coeffs[0]), int(y.coeffs[1]))
    raise AssertionError("there is one")


def root_of(square: FQ2) -> FQ2 | None:
    """A square root in Fq2, q = 3 mod 4, by the norm: (a + b i)^2 with a^2 = (c + |square|) / 2."""
    c, d = (int(value) for value in square.coeffs)
    norm = pow(c * c + d * d, (Q + 1) // 4, Q)
    for sign in (norm, -norm):
        half = (c + sign) * pow(2, -1, Q) % Q
        a = pow(half, (Q + 1) // 4, Q)
        if a * a % Q == half and a:
            root = FQ2([a, d * pow(2 * a, -1, Q) % Q])
            return root if root * root == square else None
    return None


def test_too_little_gas_for_the_pairing_is_not_a_proof(rig: Rig, verifier: Any) -> None:
    data = rig.data(verifier, "verify", SIZES[0], *proof_and_inputs(0))
    call = {"from": rig.bob.address, "to": verifier.address, "data": "0x" + data.hex(), "gas": hex(200_000)}
    answer = rig.web3.provider.make_request("eth_call", [call, "latest"])
    assert "error" in answer or int(answer["result"], 16) == 0


# ---- The generator ----


def keys() -> list[tuple[int, dict[str, Any]]]:
    return [(toy["block_size"], deepcopy(toy["key"])) for toy in TOYS]


def test_render_is_the_same_for_any_order() -> None:
    assert render(keys()) == render(keys()[::-1])


def test_render_refuses_no_keys_and_a_size_twice() -> None:
    with pytest.raises(VerifierKeyError, match="there is none"):
        render([])
    with pytest.raises(VerifierKeyError, match="block size 2: given twice"):
        render([keys()[0], keys()[0]])


def test_render_refuses_keys_of_other_powers_of_tau() -> None:
    pair = keys()
    pair[1][1]["vk_alpha_1"][:2] = ["1", "2"]
    with pytest.raises(VerifierKeyError, match="block size 4: not of the powers of tau of block size 2"):
        render(pair)


@pytest.mark.parametrize("size", [0, -1, 2**16])
def test_render_refuses_sizes_that_no_header_holds(size: int) -> None:
    with pytest.raises(VerifierKeyError, match="a block size is in"):
        render([(size, keys()[0][1])])


def negated(point: list[list[str]]) -> list[list[str]]:
    return [point[0], [str(-int(value) % Q) for value in point[1]], point[2]]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("of", ["gamma", "generator"])
def test_render_refuses_a_skipped_phase_two(of: str, sign: int) -> None:
    """gamma = delta: two live systems were drained in 2026."""
    size, key = keys()[0]
    generator = key["vk_gamma_2"]
    key["vk_gamma_2"] = key["vk_beta_2"]
    point = generator if of == "generator" else key["vk_gamma_2"]
    key["vk_delta_2"] = point if sign == 1 else negated(point)
    with pytest.raises(VerifierKeyError, match="phase 2 of the setup was skipped"):
        render([(size, key)])


@pytest.mark.parametrize("sign", [1, -1])
def test_render_refuses_two_sizes_with_one_delta(sign: int) -> None:
    """Elements of both circuits' keys could be mixed into one proof. The sizes need not be neighbours."""
    (small, first), (middle, second) = keys()
    third = deepcopy(first)
    third["vk_delta_2"] = first["vk_delta_2"] if sign == 1 else negated(first["vk_delta_2"])
    with pytest.raises(VerifierKeyError, match=f"block size 8: delta is that of block size {small}, up to sign"):
        render([(8, third), (small, first), (middle, second)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"protocol": "plonk"}, "plonk over bn128"),
        ({"curve": "bls12381"}, "groth16 over bls12381"),
        ({"IC": TOYS[0]["key"]["IC"][:3]}, "2 public inputs"),
        ({"vk_alpha_1": ["0", "1", "0"]}, "not an affine point of G1"),
        ({"vk_alpha_1": [str(Q), "1", "1"]}, "not an affine point of G1"),
        ({"vk_beta_2": [["0", "0"], ["1", "0"], ["0", "0"]]}, "not an affine point of G2"),
    ],
)
def test_render_refuses_what_is_no_key(change: dict[str, Any], message: str) -> None:
    size, key = keys()[0]
    with pytest.raises(VerifierKeyError, match=message) as caught:
        render([(size, key | change)])
    assert caught.value.values["block_size"] == size
