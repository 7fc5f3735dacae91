"""Writes BlockVerifier.sol and ExitVerifier.sol in `contracts/generated` from verification keys in snarkjs's JSON form.

BlockVerifier holds the keys of all block sizes. They come from the same powers of tau, so alpha, beta and gamma are the
same for all; delta and IC are each size's own. ExitVerifier holds the exit circuit's. The files are generated where the
keys are made, and are not in git; the check itself is in `contracts/libraries/Groth16.sol`.

Source: Groth16 (eprint 2016/260).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from eth_hash.auto import keccak

from rollup.core.constants import BLOCK_SIZE_BITS, PUBLIC_INPUTS
from rollup.core.errors.base import DataError

FOLDER: Final = Path(__file__).resolve().parents[2] / "contracts" / "generated"
EXIT: Final = None
"""Stands for the exit circuit where block circuits have their size."""
BASE_FIELD_MODULUS: Final = 21888242871839275222246405745257275088696311157297823662689037894645226208583
"""q, the field of the coordinates of BN254's points."""


@dataclass(eq=False)
class VerifierKeyError(DataError):
    """A verification key that no verifier may be made of; `block_size` is None for the exit circuit's."""

    block_size: int | None
    reason: str
    code = "verifier_key"

    @property
    def message(self) -> str:
        return f"verification key for {_circuit(self.block_size)}: {self.reason}; make the keys again"


@dataclass(frozen=True)
class VerificationKey:
    """The words of a key in the order of the pairing precompile: in G2, c1 comes before c0."""

    block_size: int | None
    alpha: tuple[int, int]
    beta: tuple[int, int, int, int]
    gamma: tuple[int, int, int, int]
    delta: tuple[int, int, int, int]
    ic: tuple[tuple[int, int], ...]

    @classmethod
    def from_snarkjs(cls, block_size: int | None, key: Mapping[str, Any]) -> "VerificationKey":
        """Reads and checks a key.

        Args:
            block_size: steps of the circuit, 1..2^16 - 1; None (EXIT) for the exit circuit.
            key: verification_key.json of snarkjs.

        Raises:
            VerifierKeyError: it is not a Groth16 key over BN254 with three inputs, or its phase 2 was skipped.
        """
        if block_size is not EXIT and not 0 < block_size < 1 << BLOCK_SIZE_BITS:
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
            raise VerifierKeyError(block_size, f"{len(parsed.ic) - 1} public inputs, not {PUBLIC_INPUTS}")
        # gamma is the generator in every key of snarkjs; with delta = gamma or -gamma anyone forges proofs.
        if _up_to_sign(parsed.delta) in (_up_to_sign(parsed.gamma), _up_to_sign(_G2_GENERATOR)):
            reason = "delta is gamma or the generator, up to sign: phase 2 of the setup was skipped"
            raise VerifierKeyError(block_size, reason)
        return parsed

    def shared_words(self) -> tuple[int, ...]:
        """alpha, beta, gamma: the same for all circuits of the same powers of tau."""
        return (*self.alpha, *self.beta, *self.gamma)

    def own_words(self) -> tuple[int, ...]:
        """delta, IC: the circuit's own."""
        return (*self.delta, *(word for point in self.ic for word in point))

    def key_hash(self) -> bytes:
        """keccak256 of all words, 32 bytes each: IVerifier.keyHash."""
        return keccak(b"".join(word.to_bytes(32, "big") for word in (*self.shared_words(), *self.own_words())))


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
    ordered = sorted(keys, key=lambda pair: pair[0])
    parsed = [VerificationKey.from_snarkjs(size, key) for size, key in ordered]
    if not parsed:
        raise VerifierKeyError(0, "there is none")
    first = parsed[0]
    for previous, key in pairwise(parsed):
        if key.block_size == previous.block_size:
            raise VerifierKeyError(key.block_size, "given twice")
        if (key.alpha, key.beta, key.gamma) != (first.alpha, first.beta, first.gamma):
            raise VerifierKeyError(key.block_size, f"not of the powers of tau of block size {first.block_size}")
    _require_own_deltas(parsed)
    sizes = [f"blockSize == {key.block_size}" for key in parsed]
    own = [
        f"        if ({condition}) {{\n{_list(key.own_words(), 12)}\n        }}"
        for condition, key in zip(sizes, parsed, strict=True)
    ]
    return _fill(_BLOCK_TEMPLATE, SIZES=" || ".join(sizes), SHARED=_list(first.shared_words(), 8), OWN="\n".join(own))


def render_exit(exit_key: Mapping[str, Any], block_keys: Sequence[tuple[int, Mapping[str, Any]]] = ()) -> str:
    """The text of ExitVerifier.sol.

    Args:
        exit_key: verification_key.json of the exit circuit.
        block_keys: those of the same deployment.

    Raises:
        VerifierKeyError: one of them is none, or the exit circuit's delta is a block circuit's, up to sign.
    """
    key = VerificationKey.from_snarkjs(EXIT, exit_key)
    _require_own_deltas([*(VerificationKey.from_snarkjs(size, other) for size, other in block_keys), key])
    return _fill(_EXIT_TEMPLATE, SHARED=_list(key.shared_words(), 8), OWN=_list(key.own_words(), 8))


def write(
    block_keys: Sequence[tuple[int, Mapping[str, Any]]], exit_key: Mapping[str, Any], folder: Path = FOLDER
) -> None:
    """Writes both contracts, or leaves those untouched that are the same, so that builds keep their cache."""
    texts = {"BlockVerifier.sol": render(block_keys), "ExitVerifier.sol": render_exit(exit_key, block_keys)}
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        path = folder / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


def _require_own_deltas(keys: Sequence[VerificationKey]) -> None:
    sizes: dict[tuple[int, int, int, int], int | None] = {}
    for key in keys:
        other = sizes.setdefault(_up_to_sign(key.delta), key.block_size)
        if other != key.block_size:
            raise VerifierKeyError(key.block_size, f"delta is that of {_circuit(other)}, up to sign")


def _circuit(block_size: int | None) -> str:
    return "the exit circuit" if block_size is EXIT else f"block size {block_size}"


def _up_to_sign(point: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """The same for a point of G2 and its negative."""
    x1, x0, y1, y0 = point
    return (x1, x0, *min((y1, y0), (-y1 % BASE_FIELD_MODULUS, -y0 % BASE_FIELD_MODULUS)))


def _coordinates(point: Sequence[Any]) -> tuple[int, int]:
    return int(point[0]), int(point[1])


def _g2_words(point: Sequence[Sequence[Any]]) -> tuple[int, int, int, int]:
    return int(point[0][1]), int(point[0][0]), int(point[1][1]), int(point[1][0])


def _g1(block_size: int | None, point: Sequence[Any]) -> tuple[int, int]:
    x, y = _coordinates(point)
    if int(point[2]) != 1 or max(x, y) >= BASE_FIELD_MODULUS:
        raise VerifierKeyError(block_size, f"{point} is not an affine point of G1")
    return x, y


def _g2(block_size: int | None, point: Sequence[Sequence[Any]]) -> tuple[int, int, int, int]:
    words = _g2_words(point)
    if [int(coefficient) for coefficient in point[2]] != [1, 0] or max(words) >= BASE_FIELD_MODULUS:
        raise VerifierKeyError(block_size, f"{point} is not an affine point of G2")
    return words


def _list(words: Sequence[int], indent: int) -> str:
    """A return statement of an array."""
    listed = ",\n".join(" " * (indent + 4) + f"uint256({word})" for word in words)
    return f"{' ' * indent}return [\n{listed}\n{' ' * indent}];"


def _fill(template: str, **marks: str) -> str:
    for mark, text in marks.items():
        template = template.replace(f"@{mark}@", text)
    return template


_HEAD: Final = """\
// SPDX-License-Identifier: GPL-3.0-or-later
// Generated by rollup/l1/verifier_source.py from the verification keys. Do not edit.
pragma solidity 0.8.37;

"""
_SHARED: Final = """\
    /// @dev alpha (2 words), beta (4), gamma (4).
    function _shared() private pure returns (uint256[10] memory) {
@SHARED@
    }
"""
_BLOCK_TEMPLATE: Final = (
    _HEAD
    + """\
import {IVerifier} from "../interfaces/IVerifier.sol";
import {Groth16} from "../libraries/Groth16.sol";

/// @title BlockVerifier
/// @notice See IVerifier.
contract BlockVerifier is IVerifier {
    function verify(uint16 blockSize, uint256[8] calldata proof, uint256[3] calldata inputs)
        external
        view
        returns (bool)
    {
        return Groth16.verify(_shared(), _own(blockSize), proof, inputs);
    }

    function verifyMany(uint16[] calldata blockSizes, uint256[8][] calldata proofs, uint256[3][] calldata inputs)
        external
        view
        returns (bool)
    {
        return Groth16.verifyMany(_shared(), _own, blockSizes, proofs, inputs);
    }

    function supportsSize(uint16 blockSize) external pure returns (bool) {
        return @SIZES@;
    }

    function keyHash(uint16 blockSize) external pure returns (bytes32) {
        return Groth16.keyHash(_shared(), _own(blockSize));
    }

"""
    + _SHARED
    + """\

    /// @dev delta (4 words), then IC (2 words each).
    function _own(uint16 blockSize) private pure returns (uint256[12] memory) {
@OWN@
        revert UnknownBlockSize(blockSize);
    }
}
"""
)
_EXIT_TEMPLATE: Final = (
    _HEAD
    + """\
import {IExitVerifier} from "../interfaces/IExitVerifier.sol";
import {Groth16} from "../libraries/Groth16.sol";

/// @title ExitVerifier
/// @notice See IExitVerifier.
contract ExitVerifier is IExitVerifier {
    function verify(uint256[8] calldata proof, uint256[3] calldata inputs) external view returns (bool) {
        return Groth16.verify(_shared(), _own(), proof, inputs);
    }

    function keyHash() external pure returns (bytes32) {
        return Groth16.keyHash(_shared(), _own());
    }

"""
    + _SHARED
    + """\

    /// @dev delta (4 words), then IC (2 words each).
    function _own() private pure returns (uint256[12] memory) {
@OWN@
    }
}
"""
)
