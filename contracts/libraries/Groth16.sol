// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {FIELD_MODULUS} from "../generated/Constants.sol";
import {IVerifier} from "../interfaces/IVerifier.sol";
import {Bn254} from "./Bn254.sol";

/// @notice Groth16 over BN254 with three public inputs: e(-A, B) e(alpha, beta) e(L, gamma) e(C, delta) = 1 with
/// L = IC_0 + sum of input_i IC_(i+1).
/// @dev A key's words are in the order of the pairing precompile. `shared` are alpha (2), beta (4) and gamma (4), the
/// same for all circuits of the same powers of tau; `own` are the circuit's delta (4) and IC (2 each).
library Groth16 {
    using Bn254 for uint256[2];
    using Bn254 for uint256[];

    /// @notice A product of equations, while it is put together.
    /// @dev `pairs`: one a proof, one a size, then alpha's and gamma's; there is room for as many sizes as proofs.
    struct Product {
        uint256[] pairs;
        uint256 used;
        uint256[] coefficients;
        uint256 total;
        uint256[2] l;
    }

    /// @return Whether the proof holds; false too for coordinates out of range or off the curve.
    function verify(
        uint256[10] memory shared,
        uint256[12] memory own,
        uint256[8] calldata proof,
        uint256[3] calldata inputs
    ) internal view returns (bool) {
        if (!_isWellFormed(proof, inputs)) return false;
        uint256[] memory pairs = new uint256[](4 * Bn254.PAIR_WORDS);
        uint256[4] memory scalars = [uint256(1), inputs[0], inputs[1], inputs[2]];
        pairs.put(0, _a(proof).negate(), _b(proof));
        _putShared(pairs, 1, shared, 1, _combine(own, scalars));
        pairs.put(3, _c(proof), _delta(own));
        return pairs.isOne(4);
    }

    /// @notice Proofs of circuits with the same `shared`, checked at once: the product of their equations, each to the power of
    /// its coefficient. Of each size only the sum of its C is paired, and of all only one alpha and one L.
    /// @dev The first coefficient is 1, the others are 128 bits of a hash of the whole call: whoever chooses proofs chooses
    /// other coefficients with them. A product with a false equation in it is 1 with probability 2^-128.
    /// @param ownOf The key of a size.
    /// @return Whether all hold.
    function verifyMany(
        uint256[10] memory shared,
        function(uint16) internal pure returns (uint256[12] memory) ownOf,
        uint16[] calldata sizes,
        uint256[8][] calldata proofs,
        uint256[3][] calldata inputs
    ) internal view returns (bool) {
        for (uint256 i = 0; i < sizes.length; ++i) {
            if (!_isWellFormed(proofs[i], inputs[i])) return false;
        }
        Product memory product = _begin(sizes.length);
        for (uint256 i = 0; i < sizes.length; ++i) {
            uint256[8] calldata proof = proofs[i];
            uint256[2] memory a = _a(proof).mul(product.coefficients[i]).negate();
            product.pairs.put(product.used++, a, _b(proof));
        }
        for (uint256 i = 0; i < sizes.length; ++i) {
            if (!_isTaken(sizes, i)) _addSize(product, ownOf(sizes[i]), i, sizes, proofs, inputs);
        }
        _putShared(product.pairs, product.used, shared, product.total, product.l);
        return product.pairs.isOne(product.used + 2);
    }

    /// @return keccak256 of the key's words.
    function keyHash(uint256[10] memory shared, uint256[12] memory own) internal pure returns (bytes32) {
        return keccak256(abi.encode(shared, own));
    }

    function _begin(uint256 count) private pure returns (Product memory product) {
        product.pairs = new uint256[]((2 * count + 2) * Bn254.PAIR_WORDS);
        product.coefficients = new uint256[](count);
        bytes32 seed = keccak256(msg.data);
        for (uint256 i = 0; i < count; ++i) {
            product.coefficients[i] = i == 0 ? 1 : uint128(uint256(keccak256(abi.encode(seed, i))));
            product.total += product.coefficients[i];
        }
    }

    /// @return Whether an earlier proof is of the same size.
    function _isTaken(uint16[] calldata sizes, uint256 index) private pure returns (bool) {
        for (uint256 i = 0; i < index; ++i) {
            if (sizes[i] == sizes[index]) return true;
        }
        return false;
    }

    /// @notice Adds L and C of all proofs of one size.
    /// @param first The first of them.
    function _addSize(
        Product memory product,
        uint256[12] memory own,
        uint256 first,
        uint16[] calldata sizes,
        uint256[8][] calldata proofs,
        uint256[3][] calldata inputs
    ) private view {
        uint256[4] memory scalars;
        uint256[2] memory c;
        for (uint256 i = first; i < sizes.length; ++i) {
            if (sizes[i] != sizes[first]) continue;
            uint256 coefficient = product.coefficients[i];
            scalars[0] += coefficient;
            for (uint256 j = 0; j < 3; ++j) {
                scalars[j + 1] = addmod(scalars[j + 1], mulmod(coefficient, inputs[i][j], FIELD_MODULUS), FIELD_MODULUS);
            }
            c = c.add(_c(proofs[i]).mul(coefficient));
        }
        product.l = product.l.add(_combine(own, scalars));
        product.pairs.put(product.used++, c, _delta(own));
    }

    /// @return The sum of scalar_i IC_i.
    function _combine(uint256[12] memory own, uint256[4] memory scalars) private view returns (uint256[2] memory) {
        uint256[2] memory l = _ic(own, 0).mul(scalars[0]);
        for (uint256 i = 1; i < 4; ++i) {
            l = l.add(_ic(own, i).mul(scalars[i]));
        }
        return l;
    }

    function _putShared(
        uint256[] memory pairs,
        uint256 index,
        uint256[10] memory shared,
        uint256 total,
        uint256[2] memory l
    ) private view {
        uint256[2] memory alpha = [shared[0], shared[1]];
        uint256[4] memory beta = [shared[2], shared[3], shared[4], shared[5]];
        uint256[4] memory gamma = [shared[6], shared[7], shared[8], shared[9]];
        pairs.put(index, alpha.mul(total), beta);
        pairs.put(index + 1, l, gamma);
    }

    function _a(uint256[8] calldata proof) private pure returns (uint256[2] memory) {
        return [proof[0], proof[1]];
    }

    function _b(uint256[8] calldata proof) private pure returns (uint256[4] memory) {
        return [proof[2], proof[3], proof[4], proof[5]];
    }

    function _c(uint256[8] calldata proof) private pure returns (uint256[2] memory) {
        return [proof[6], proof[7]];
    }

    function _delta(uint256[12] memory own) private pure returns (uint256[4] memory) {
        return [own[0], own[1], own[2], own[3]];
    }

    function _ic(uint256[12] memory own, uint256 index) private pure returns (uint256[2] memory) {
        return [own[4 + 2 * index], own[5 + 2 * index]];
    }

    /// @return Whether A and C are points; the pairing looks at B.
    /// Reverts: InputNotInField.
    function _isWellFormed(uint256[8] calldata proof, uint256[3] calldata inputs) private pure returns (bool) {
        for (uint256 i = 0; i < 3; ++i) {
            if (inputs[i] >= FIELD_MODULUS) revert IVerifier.InputNotInField(i, inputs[i]);
        }
        return Bn254.isPoint(proof[0], proof[1]) && Bn254.isPoint(proof[6], proof[7]);
    }
}
