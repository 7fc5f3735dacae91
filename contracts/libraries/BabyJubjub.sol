// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {FIELD_MODULUS} from "../generated/Constants.sol";

/// @notice The curve of L2 keys: a x^2 + y^2 = 1 + d x^2 y^2 over the BN254 scalar field, circomlib's parameters.
library BabyJubjub {
    uint256 private constant A = 168700;
    uint256 private constant D = 168696;

    /// @dev The prime-order subgroup is not checked: a multiplication by the order costs more than the whole deposit.
    function isOnCurve(uint256 x, uint256 y) internal pure returns (bool) {
        if (x >= FIELD_MODULUS || y >= FIELD_MODULUS) return false;
        uint256 xx = mulmod(x, x, FIELD_MODULUS);
        uint256 yy = mulmod(y, y, FIELD_MODULUS);
        uint256 left = addmod(mulmod(A, xx, FIELD_MODULUS), yy, FIELD_MODULUS);
        uint256 right = addmod(1, mulmod(D, mulmod(xx, yy, FIELD_MODULUS), FIELD_MODULUS), FIELD_MODULUS);
        return left == right;
    }
}
