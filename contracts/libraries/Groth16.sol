// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {FIELD_MODULUS} from "../generated/Constants.sol";
import {IVerifier} from "../interfaces/IVerifier.sol";

/// @notice Groth16 over BN254 with three public inputs: e(-A, B) e(alpha, beta) e(L, gamma) e(C, delta) = 1 with
/// L = IC_0 + sum of input_i IC_(i+1).
/// @dev A key's words are in the order of the pairing precompile. `shared` are alpha (2), beta (4) and gamma (4), the
/// same for all circuits of the same powers of tau; `own` are the circuit's delta (4) and IC (2 each).
library Groth16 {
    /// q, the modulus of coordinates.
    uint256 private constant BASE_FIELD_MODULUS =
        21888242871839275222246405745257275088696311157297823662689037894645226208583;
    address private constant EC_ADD = address(6);
    address private constant EC_MUL = address(7);
    address private constant EC_PAIRING = address(8);

    /// @return Whether the proof holds; false too for coordinates out of range or off the curve.
    function verify(
        uint256[10] memory shared,
        uint256[12] memory own,
        uint256[8] calldata proof,
        uint256[3] calldata inputs
    ) internal view returns (bool) {
        for (uint256 i = 0; i < 3; ++i) {
            if (inputs[i] >= FIELD_MODULUS) revert IVerifier.InputNotInField(i, inputs[i]);
        }
        for (uint256 i = 0; i < 8; ++i) {
            if (proof[i] >= BASE_FIELD_MODULUS) return false;
        }
        (bool ok, uint256 x, uint256 y) = _combine(own, inputs);
        return ok && _pair(shared, own, proof, x, y);
    }

    /// @return keccak256 of the key's words.
    function keyHash(uint256[10] memory shared, uint256[12] memory own) internal pure returns (bytes32) {
        return keccak256(abi.encode(shared, own));
    }

    /// @return ok Whether the precompiles took all points.
    /// @return x The point L.
    /// @return y The point L.
    function _combine(uint256[12] memory own, uint256[3] calldata inputs)
        private
        view
        returns (bool ok, uint256 x, uint256 y)
    {
        (ok, x, y) = (true, own[4], own[5]);
        for (uint256 i = 0; ok && i < 3; ++i) {
            uint256[2] memory product;
            (ok, product) = _call3(EC_MUL, [own[6 + 2 * i], own[7 + 2 * i], inputs[i]]);
            if (ok) (ok, product) = _call4(EC_ADD, [x, y, product[0], product[1]]);
            (x, y) = (product[0], product[1]);
        }
    }

    function _pair(uint256[10] memory shared, uint256[12] memory own, uint256[8] calldata proof, uint256 x, uint256 y)
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
            shared[0],
            shared[1],
            shared[2],
            shared[3],
            shared[4],
            shared[5],
            x,
            y,
            shared[6],
            shared[7],
            shared[8],
            shared[9],
            proof[6],
            proof[7],
            own[0],
            own[1],
            own[2],
            own[3]
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
}
