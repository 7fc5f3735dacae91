"""Writes `contracts/generated/BlockVerifier.sol` from verification keys in snarkjs's JSON form.

One contract holds the keys of all block sizes. They come from the same powers of tau, so alpha, beta and gamma are the
same for all; delta and IC are each size's own. The file is generated where the keys are made, and is not in git.

Source: Groth16 (eprint 2016/260); the check is e(-A, B) e(alpha, beta) e(L, gamma) e(C, delta) = 1 with
L = IC_0 + sum of input_i * IC_(i+1).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from eth_hash.auto import keccak

from rollup.core.constants import BLOCK_SIZE_BITS, PUBLIC_INPUTS
from rollup.core.errors.base import DataError

PATH: Final = Path(__file__).resolve().parents[2] / "contracts" / "generated" / "BlockVerifier.sol"
BASE_FIELD_MODULUS: Final = 21888242871839275222246405745257275088696311157297823662689037894645226208583
"""q, the field of the coordinates of BN254's points."""


@dataclass(eq=False)
class VerifierKeyError(DataError):
    """A verification key that no verifier may be made of."""

    block_size: int
    reason: str
    code = "verifier_key"

    @property
    def message(self) -> str:
        return f"verification key for block size {self.block_size}: {self.reason}; make the keys again"


@dataclass(frozen=True)
class VerificationKey:
    """The words of a key in the order of the pairing precompile: in G2, c1 comes before c0."""

    block_size: int
    alpha: tuple[int, int]
    beta: tuple[int, int, int, int]
    gamma: tuple[int, int, int, int]
    delta: tuple[int, int, int, int]
    ic: tuple[tuple[int, int], ...]

    @classmethod
    def from_snarkjs(cls, block_size: int, key: Mapping[str, Any]) -> "VerificationKey":
        """Reads and checks a key.

        Args:
            block_size: steps of the circuit, 1..2^16 - 1.
            key: verification_key.json of snarkjs.

        Raises:
            VerifierKeyError: it is not a Groth16 key over BN254 with three inputs, or its phase 2 was skipped.
        """
        if not 0 < block_size < 1 << BLOCK_SIZE_BITS:
            raise VerifierKeyError(block_size, f"a block size is in 1..{(1 << BLOCK_SIZE_BITS) - 1}")
        if (key.get("protocol"), key.get("curve")) != ("groth16", "bn128"):
            raise VerifierKeyError(block_size, f"{key.get('protocol')} over {key.get('curve')}, not groth16 over bn128")
        parsed = cls(
            block_size=block_size,
            alpha=_g1(block_size, key["vk_alpha_1"]),
            beta=_g2(block_size, key["vk_beta_2"]),
            gamma=_g2(block_size, key["vk_gamma_2"]),
            delta=_g2(block_size, key["vk_delta_2"]),
            ic=tuple(_g1(block_size, point) for point in key["IC"]),
        )
        if len(parsed.ic) != PUBLIC_INPUTS + 1:
            raise VerifierKeyError(block_size, f"{len(parsed.ic) - 1} public inputs, not the {PUBLIC_INPUTS} (C, X, Y)")
        # gamma is the generator in every key of snarkjs; with delta = gamma or -gamma anyone forges proofs.
        if _up_to_sign(parsed.delta) in (_up_to_sign(parsed.gamma), _up_to_sign(_G2_GENERATOR)):
            reason = "delta is gamma or the generator, up to sign: phase 2 of the setup was skipped"
            raise VerifierKeyError(block_size, reason)
        return parsed

    def words(self) -> tuple[int, ...]:
        """alpha, beta, gamma, delta, IC."""
        return (*self.alpha, *self.beta, *self.gamma, *self.delta, *(word for point in self.ic for word in point))

    def key_hash(self) -> bytes:
        """keccak256 of the words, 32 bytes each: IVerifier.keyHash."""
        return keccak(b"".join(word.to_bytes(32, "big") for word in self.words()))


_G2_GENERATOR: Final = (
    11559732032986387107991004021392285783925812861821192530917403151452391805634,
    10857046999023057135944570762232829481370756359578518086990519993285655852781,
    4082367875863433681332203403145435568316851327593401208105741076214120093531,
    8495653923123431417604973247489272438418190587263600148770280649306958101930,
)


def proof_words(proof: Mapping[str, Any]) -> tuple[int, ...]:
    """The eight words of `uint256[8] proof` (IVerifier.verify) of a proof in snarkjs's JSON form."""
    return (*_coordinates(proof["pi_a"]), *_g2_words(proof["pi_b"]), *_coordinates(proof["pi_c"]))


def render(keys: Sequence[tuple[int, Mapping[str, Any]]]) -> str:
    """The text of BlockVerifier.sol for keys by block size.

    Raises:
        VerifierKeyError: there is no key, a size twice, keys are not of the same powers of tau, or two have the same
            delta up to sign: a proof could mix elements of both circuits.
    """
    parsed = sorted((VerificationKey.from_snarkjs(size, key) for size, key in keys), key=lambda key: key.block_size)
    if not parsed:
        raise VerifierKeyError(0, "there is none")
    first = parsed[0]
    for previous, key in pairwise(parsed):
        if key.block_size == previous.block_size:
            raise VerifierKeyError(key.block_size, "given twice")
        if (key.alpha, key.beta, key.gamma) != (first.alpha, first.beta, first.gamma):
            raise VerifierKeyError(key.block_size, f"not of the powers of tau of block size {first.block_size}")
    _require_own_deltas(parsed)
    replacements = {
        "@SIZES@": " || ".join(f"blockSize == {key.block_size}" for key in parsed),
        "@SHARED@": _shared_constants(first),
        "@OWN@": "\n".join(_own_words(key) for key in parsed),
    }
    source = _TEMPLATE
    for mark, text in replacements.items():
        source = source.replace(mark, text)
    return source


def write(keys: Sequence[tuple[int, Mapping[str, Any]]], path: Path = PATH) -> None:
    """Writes BlockVerifier.sol, or leaves it untouched if it is the same, so that builds keep their cache."""
    text = render(keys)
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _require_own_deltas(keys: Sequence[VerificationKey]) -> None:
    sizes: dict[tuple[int, int, int, int], int] = {}
    for key in keys:
        other = sizes.setdefault(_up_to_sign(key.delta), key.block_size)
        if other != key.block_size:
            raise VerifierKeyError(key.block_size, f"delta is that of block size {other}, up to sign")


def _up_to_sign(point: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """The same for a point of G2 and its negative."""
    x1, x0, y1, y0 = point
    return (x1, x0, *min((y1, y0), (-y1 % BASE_FIELD_MODULUS, -y0 % BASE_FIELD_MODULUS)))


def _coordinates(point: Sequence[Any]) -> tuple[int, int]:
    return int(point[0]), int(point[1])


def _g2_words(point: Sequence[Sequence[Any]]) -> tuple[int, int, int, int]:
    return int(point[0][1]), int(point[0][0]), int(point[1][1]), int(point[1][0])


def _g1(block_size: int, point: Sequence[Any]) -> tuple[int, int]:
    x, y = _coordinates(point)
    if int(point[2]) != 1 or max(x, y) >= BASE_FIELD_MODULUS:
        raise VerifierKeyError(block_size, f"{point} is not an affine point of G1")
    return x, y


def _g2(block_size: int, point: Sequence[Sequence[Any]]) -> tuple[int, int, int, int]:
    words = _g2_words(point)
    if [int(coefficient) for coefficient in point[2]] != [1, 0] or max(words) >= BASE_FIELD_MODULUS:
        raise VerifierKeyError(block_size, f"{point} is not an affine point of G2")
    return words


def _shared_constants(key: VerificationKey) -> str:
    names = ("X", "Y")
    g2_names = ("X1", "X0", "Y1", "Y0")
    lines = [f"ALPHA_{name} = {word}" for name, word in zip(names, key.alpha, strict=True)]
    lines += [f"BETA_{name} = {word}" for name, word in zip(g2_names, key.beta, strict=True)]
    lines += [f"GAMMA_{name} = {word}" for name, word in zip(g2_names, key.gamma, strict=True)]
    return "\n".join(f"    uint256 private constant {line};" for line in lines)


def _own_words(key: VerificationKey) -> str:
    words = (*key.delta, *(word for point in key.ic for word in point))
    listed = ",\n".join(f"                uint256({word})" for word in words)
    return f"        if (blockSize == {key.block_size}) {{\n            return [\n{listed}\n            ];\n        }}"


_TEMPLATE: Final = """\
// SPDX-License-Identifier: GPL-3.0-or-later
// Generated by rollup/l1/verifier_source.py from the verification keys. Do not edit.
pragma solidity 0.8.37;

import {IVerifier} from "../interfaces/IVerifier.sol";
import {FIELD_MODULUS} from "./Constants.sol";

/// @title BlockVerifier
/// @notice See IVerifier. Groth16: e(-A, B) e(alpha, beta) e(L, gamma) e(C, delta) = 1 with
/// L = IC_0 + sum of input_i IC_(i+1).
contract BlockVerifier is IVerifier {
    /// q, the modulus of coordinates.
    uint256 private constant BASE_FIELD_MODULUS =
        21888242871839275222246405745257275088696311157297823662689037894645226208583;
    address private constant EC_ADD = address(6);
    address private constant EC_MUL = address(7);
    address private constant EC_PAIRING = address(8);

@SHARED@

    function verify(uint16 blockSize, uint256[8] calldata proof, uint256[3] calldata inputs)
        external
        view
        returns (bool)
    {
        for (uint256 i = 0; i < 3; ++i) {
            if (inputs[i] >= FIELD_MODULUS) revert InputNotInField(i, inputs[i]);
        }
        for (uint256 i = 0; i < 8; ++i) {
            if (proof[i] >= BASE_FIELD_MODULUS) return false;
        }
        uint256[12] memory key = _ownKey(blockSize);
        (bool ok, uint256 x, uint256 y) = _combine(key, inputs);
        return ok && _pair(key, proof, x, y);
    }

    function supportsSize(uint16 blockSize) external pure returns (bool) {
        return @SIZES@;
    }

    function keyHash(uint16 blockSize) external pure returns (bytes32) {
        uint256[10] memory shared =
            [ALPHA_X, ALPHA_Y, BETA_X1, BETA_X0, BETA_Y1, BETA_Y0, GAMMA_X1, GAMMA_X0, GAMMA_Y1, GAMMA_Y0];
        return keccak256(abi.encode(shared, _ownKey(blockSize)));
    }

    /// @return ok Whether the precompiles took all points.
    /// @return x The point L.
    /// @return y The point L.
    function _combine(uint256[12] memory key, uint256[3] calldata inputs)
        private
        view
        returns (bool ok, uint256 x, uint256 y)
    {
        (ok, x, y) = (true, key[4], key[5]);
        for (uint256 i = 0; ok && i < 3; ++i) {
            uint256[2] memory product;
            (ok, product) = _call3(EC_MUL, [key[6 + 2 * i], key[7 + 2 * i], inputs[i]]);
            if (ok) (ok, product) = _call4(EC_ADD, [x, y, product[0], product[1]]);
            (x, y) = (product[0], product[1]);
        }
    }

    function _pair(uint256[12] memory key, uint256[8] calldata proof, uint256 x, uint256 y)
        private
        view
        returns (bool)
    {
        uint256[24] memory pairs = [
            proof[0],
            (BASE_FIELD_MODULUS - proof[1]) % BASE_FIELD_MODULUS,
            proof[2],
            proof[3],
            proof[4],
            proof[5],
            ALPHA_X,
            ALPHA_Y,
            BETA_X1,
            BETA_X0,
            BETA_Y1,
            BETA_Y0,
            x,
            y,
            GAMMA_X1,
            GAMMA_X0,
            GAMMA_Y1,
            GAMMA_Y0,
            proof[6],
            proof[7],
            key[0],
            key[1],
            key[2],
            key[3]
        ];
        uint256[1] memory result;
        bool ok;
        address precompile = EC_PAIRING;
        assembly ("memory-safe") {
            ok := staticcall(gas(), precompile, pairs, 768, result, 32)
        }
        return ok && result[0] == 1;
    }

    function _call3(address precompile, uint256[3] memory input)
        private
        view
        returns (bool ok, uint256[2] memory output)
    {
        assembly ("memory-safe") {
            ok := staticcall(gas(), precompile, input, 96, output, 64)
        }
    }

    function _call4(address precompile, uint256[4] memory input)
        private
        view
        returns (bool ok, uint256[2] memory output)
    {
        assembly ("memory-safe") {
            ok := staticcall(gas(), precompile, input, 128, output, 64)
        }
    }

    /// @dev delta (4 words), then IC (2 words each).
    function _ownKey(uint16 blockSize) private pure returns (uint256[12] memory) {
@OWN@
        revert UnknownBlockSize(blockSize);
    }
}
"""
