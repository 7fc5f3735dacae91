"""py_ecc's own pairing check of a Groth16 proof: slow, and independent of all that is ours."""

from typing import Any

from py_ecc.optimized_bn128 import FQ, FQ2, FQ12, add, b, b2, is_on_curve, multiply, neg, pairing


def py_ecc_accepts(key: dict[str, Any], words: list[int], public: list[int]) -> bool:
    """Whether a proof, given as the EVM's eight words, holds for a verification key in snarkjs's form."""

    def g1(point: list[str]) -> Any:
        return FQ(int(point[0])), FQ(int(point[1])), FQ(1)

    def g2(point: list[list[str]]) -> Any:
        return FQ2([int(part) for part in point[0]]), FQ2([int(part) for part in point[1]]), FQ2.one()

    ax, ay, bx1, bx0, by1, by0, cx, cy = words
    proof_a, proof_c = (FQ(ax), FQ(ay), FQ(1)), (FQ(cx), FQ(cy), FQ(1))
    proof_b = (FQ2([bx0, bx1]), FQ2([by0, by1]), FQ2.one())
    assert is_on_curve(proof_a, b)
    assert is_on_curve(proof_b, b2)
    inputs = g1(key["IC"][0])
    for point, value in zip(key["IC"][1:], public, strict=True):
        inputs = add(inputs, multiply(g1(point), value))
    product = pairing(proof_b, neg(proof_a))
    product *= pairing(g2(key["vk_beta_2"]), g1(key["vk_alpha_1"]))
    product *= pairing(g2(key["vk_gamma_2"]), inputs)
    product *= pairing(g2(key["vk_delta_2"]), proof_c)
    return bool(product == FQ12.one())
