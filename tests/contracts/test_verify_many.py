"""BlockVerifier.verifyMany: k proofs in one pairing product, and what somebody might try with their sum."""

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest
from contract_rig import TOYS, Refusal, Rig
from eth_abi import encode
from eth_hash.auto import keccak
from py_ecc.optimized_bn128 import FQ, G1, add, is_inf, multiply, normalize

from rollup.l1.verifier_source import BASE_FIELD_MODULUS, proof_words

R = 21888242871839275222246405745257275088548364400416034343698204186575808495617
Q = BASE_FIELD_MODULUS
COEFFICIENT = (1 << 128) - 1
Claim = tuple[int, list[int], list[int]]
"""Size, proof, inputs."""


@pytest.fixture
def verifier(rig: Rig) -> Any:
    return rig.owner.deploy(rig.project.BlockVerifier)


def toy(index: int) -> Claim:
    toy = TOYS[index]
    return toy["block_size"], list(proof_words(toy["proof"])), [int(value) for value in toy["inputs"]]


def twin(claim: Claim) -> Claim:
    """Another proof of the same: A and B negated."""
    size, proof, inputs = claim
    return size, [proof[0], Q - proof[1], *proof[2:4], Q - proof[4], Q - proof[5], *proof[6:]], inputs


SMALL, LARGE = toy(0), toy(1)
SETS = {
    "one": [SMALL],
    "two of one size": [SMALL, twin(SMALL)],
    "one of each size": [LARGE, SMALL],
    "sizes mixed": [SMALL, LARGE, twin(SMALL), twin(LARGE), SMALL],
}


def arguments(claims: Sequence[Claim]) -> list[list[Any]]:
    return [list(column) for column in zip(*claims, strict=True)]


def holds(verifier: Any, claims: Sequence[Claim]) -> bool:
    return bool(verifier.verifyMany(*arguments(claims)))


def coefficients(seed: bytes, count: int) -> list[int]:
    """1, then 128 bits of a hash each, as the contract makes them of the hash of its call."""
    hashes = [int.from_bytes(keccak(seed + i.to_bytes(32, "big")), "big") & COEFFICIENT for i in range(count)]
    return [1, *hashes[1:]]


def moved(claim: Claim, by: Any) -> Claim:
    """The claim with another C."""
    size, proof, inputs = claim
    x, y = normalize(add((FQ(proof[6]), FQ(proof[7]), FQ(1)), by))
    return size, [*proof[:6], int(x), int(y)], inputs


@pytest.mark.parametrize("claims", SETS.values(), ids=SETS)
def test_true_proofs_are_accepted_in_any_order(verifier: Any, claims: list[Claim]) -> None:
    for order in list(permutations(claims))[:6]:
        assert holds(verifier, order)


@pytest.mark.parametrize("claims", SETS.values(), ids=SETS)
def test_one_false_proof_in_any_place_is_refused(verifier: Any, claims: list[Claim]) -> None:
    for i, (size, proof, inputs) in enumerate(claims):
        for word in range(8):
            changed = [*proof[:word], (proof[word] + 1) % Q, *proof[word + 1 :]]
            assert not holds(verifier, [*claims[:i], (size, changed, inputs), *claims[i + 1 :]])
        assert not holds(verifier, [*claims[:i], moved(claims[i], G1), *claims[i + 1 :]])


@pytest.mark.parametrize("claims", SETS.values(), ids=SETS)
def test_one_changed_input_in_any_place_is_refused(verifier: Any, claims: list[Claim]) -> None:
    for i, (size, proof, inputs) in enumerate(claims):
        for word in range(3):
            changed = [*inputs[:word], (inputs[word] + 1) % R, *inputs[word + 1 :]]
            assert not holds(verifier, [*claims[:i], (size, proof, changed), *claims[i + 1 :]])


def test_proofs_of_each_others_inputs_or_sizes_are_refused(verifier: Any) -> None:
    (s1, p1, i1), (s2, p2, i2) = SMALL, LARGE
    assert not holds(verifier, [(s1, p2, i1), (s2, p1, i2)])
    assert not holds(verifier, [(s1, p1, i2), (s2, p2, i1)])
    assert not holds(verifier, [(s2, p1, i1), (s1, p2, i2)])


@pytest.mark.parametrize("place", [0, 1])
def test_points_off_the_curve_are_refused_and_leave_gas(verifier: Any, place: int) -> None:
    """Three in a row of what takes all gas of a precompile would leave none for the answer."""
    size, proof, inputs = SMALL
    for off in ([1, 1, *proof[2:]], [0, 1, *proof[2:]], [*proof[:6], 1, 1], [*proof[:6], 0, 1], [1] * 8):
        claims = [SMALL, SMALL, SMALL]
        claims[place] = size, off, inputs
        assert not holds(verifier, claims)


@pytest.mark.parametrize("name", ["two of one size", "sizes mixed"])
def test_errors_that_cancel_in_a_plain_sum_are_refused(verifier: Any, name: str) -> None:
    """C + D in one and C - D in another of the same size: with equal coefficients the product would hold."""
    claims = SETS[name]
    same = [i for i, (size, _, _) in enumerate(claims) if size == claims[0][0]]
    wrong = list(claims)
    wrong[same[0]] = moved(claims[same[0]], G1)
    wrong[same[1]] = moved(claims[same[1]], multiply(G1, R - 1))
    assert not holds(verifier, wrong)


PARTS = {
    "nothing": lambda claims, _: b"",
    "the number of proofs": lambda claims, _: len(claims).to_bytes(32, "big"),
    "the sizes": lambda claims, _: encode(["uint16[]"], [[size for size, _, _ in claims]]),
    "the inputs": lambda claims, _: encode(["uint256[3][]"], [[inputs for _, _, inputs in claims]]),
    "sizes and inputs": lambda claims, _: encode(["uint16[]", "uint256[3][]"], arguments(claims)[::2]),
    "A of every proof": lambda claims, _: encode(["uint256[2][]"], [[proof[:2] for _, proof, _ in claims]]),
    "A and B of every proof": lambda claims, _: encode(["uint256[6][]"], [[proof[:6] for _, proof, _ in claims]]),
    "the honest call": lambda _, call: call,
}
"""Of what a forger could choose before C, if coefficients were a hash of it."""


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_errors_that_cancel_under_coefficients_known_before_are_refused(rig: Rig, verifier: Any, part: Any) -> None:
    claims = [SMALL, twin(SMALL), SMALL]
    call = rig.data(verifier, "verifyMany", *arguments(claims))
    _, c1, c2 = coefficients(keccak(part(claims, call)), len(claims))
    error = multiply(G1, R - c1 * pow(c2, -1, R) % R)
    assert is_inf(add(multiply(G1, c1), multiply(error, c2))), "they cancel under these"
    assert not holds(verifier, [claims[0], moved(claims[1], G1), moved(claims[2], error)])


@pytest.mark.parametrize("place", [0, 1])
def test_input_plus_r_reverts_and_coordinate_plus_q_is_refused(rig: Rig, verifier: Any, place: int) -> None:
    claims = [SMALL, LARGE]
    size, proof, inputs = claims[place]
    for word in range(3):
        value = inputs[word] + R
        wrong = [*inputs[:word], value, *inputs[word + 1 :]]
        changed = [*claims[:place], (size, proof, wrong), *claims[place + 1 :]]
        refused = rig.refused(verifier, "verifyMany", *arguments(changed), sender=rig.bob)
        assert refused == Refusal("InputNotInField", (word, value))
    for word in range(8):
        wrong = [*proof[:word], proof[word] + Q, *proof[word + 1 :]]
        assert not holds(verifier, [*claims[:place], (size, wrong, inputs), *claims[place + 1 :]])


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("zeros", [range(8), range(2), range(2, 6), range(6, 8), (*range(2), *range(6, 8))])
def test_zero_points_are_refused(verifier: Any, place: int, zeros: Sequence[int]) -> None:
    claims = [SMALL, LARGE]
    size, proof, inputs = claims[place]
    claims[place] = size, [0 if i in zeros else word for i, word in enumerate(proof)], inputs
    assert not holds(verifier, claims)


def test_unknown_size_reverts(rig: Rig, verifier: Any) -> None:
    claims = [SMALL, (3, *LARGE[1:])]
    refused = rig.refused(verifier, "verifyMany", *arguments(claims), sender=rig.bob)
    assert refused == Refusal("UnknownBlockSize", (3,))


def test_more_sizes_than_proofs_is_no_answer(rig: Rig, verifier: Any) -> None:
    sizes, proofs, inputs = arguments([SMALL, LARGE])
    for short in ([sizes, proofs[:1], inputs], [sizes, proofs, inputs[:1]]):
        data = rig.data(verifier, "verifyMany", *short)
        call = {"from": rig.bob.address, "to": verifier.address, "data": "0x" + data.hex()}
        assert "error" in rig.web3.provider.make_request("eth_call", [call, "latest"])


@pytest.mark.parametrize("gas", [80_000, 150_000, 350_000])
def test_too_little_gas_for_a_multiplication_or_the_pairing_is_not_a_proof(rig: Rig, verifier: Any, gas: int) -> None:
    data = rig.data(verifier, "verifyMany", *arguments(SETS["sizes mixed"]))
    call = {"from": rig.bob.address, "to": verifier.address, "data": "0x" + data.hex(), "gas": hex(gas)}
    answer = rig.web3.provider.make_request("eth_call", [call, "latest"])
    assert "error" in answer or int(answer["result"], 16) == 0
