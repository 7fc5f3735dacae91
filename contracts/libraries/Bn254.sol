// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

/// @notice G1 of BN254 and its pairing, by the precompiles. A point is (x, y); (0, 0) is the zero.
/// @dev A precompile that refuses its input takes all gas that it was given, so points are checked here before; addition and
/// multiplication then fail for want of gas alone, and revert.
library Bn254 {
    /// q, the modulus of coordinates.
    uint256 internal constant BASE_FIELD_MODULUS =
        21888242871839275222246405745257275088696311157297823662689037894645226208583;
    uint256 internal constant PAIR_WORDS = 6;
    address private constant EC_ADD = address(6);
    address private constant EC_MUL = address(7);
    address private constant EC_PAIRING = address(8);

    /// @return Whether the coordinates are below q and y^2 = x^3 + 3: a point other than zero. G1 is the whole curve.
    function isPoint(uint256 x, uint256 y) internal pure returns (bool) {
        if (x >= BASE_FIELD_MODULUS || y >= BASE_FIELD_MODULUS) return false;
        uint256 cube = mulmod(mulmod(x, x, BASE_FIELD_MODULUS), x, BASE_FIELD_MODULUS);
        return mulmod(y, y, BASE_FIELD_MODULUS) == addmod(cube, 3, BASE_FIELD_MODULUS);
    }

    function add(uint256[2] memory a, uint256[2] memory b) internal view returns (uint256[2] memory sum) {
        uint256[4] memory input = [a[0], a[1], b[0], b[1]];
        address precompile = EC_ADD;
        assembly ("memory-safe") {
            if iszero(staticcall(gas(), precompile, input, 128, sum, 64)) { revert(0, 0) }
        }
    }

    function mul(uint256[2] memory a, uint256 scalar) internal view returns (uint256[2] memory product) {
        if (scalar == 1) return a;
        uint256[3] memory input = [a[0], a[1], scalar];
        address precompile = EC_MUL;
        assembly ("memory-safe") {
            if iszero(staticcall(gas(), precompile, input, 96, product, 64)) { revert(0, 0) }
        }
    }

    /// @dev The coordinates must be below q.
    function negate(uint256[2] memory a) internal pure returns (uint256[2] memory) {
        return [a[0], (BASE_FIELD_MODULUS - a[1]) % BASE_FIELD_MODULUS];
    }

    /// @notice Writes the pair number `index` of a product; there must be room for it.
    /// @param b Of G2, c1 before c0.
    function put(uint256[] memory pairs, uint256 index, uint256[2] memory a, uint256[4] memory b) internal pure {
        assembly ("memory-safe") {
            let start := add(add(pairs, 32), mul(index, 192))
            mcopy(start, a, 64)
            mcopy(add(start, 64), b, 128)
        }
    }

    /// @return Whether the product of the first `count` pairings is one; false too if a point is none, or not of its group.
    function isOne(uint256[] memory pairs, uint256 count) internal view returns (bool) {
        uint256 size = count * PAIR_WORDS * 32;
        uint256[1] memory result;
        bool ok;
        address precompile = EC_PAIRING;
        assembly ("memory-safe") {
            ok := staticcall(gas(), precompile, add(pairs, 32), size, result, 32)
        }
        return ok && result[0] == 1;
    }
}
