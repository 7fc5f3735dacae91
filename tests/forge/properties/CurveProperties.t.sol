// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {FIELD_MODULUS} from "../../../contracts/generated/Constants.sol";
import {BabyJubjub} from "../../../contracts/libraries/BabyJubjub.sol";
import {Binding} from "../../../contracts/libraries/Binding.sol";
import {Bn254} from "../../../contracts/libraries/Bn254.sol";

/// @notice Ranges of coordinates and of the challenge, for every value: fuzzed by forge, proved by halmos.
contract CurveProperties {
    uint256 private constant Q = Bn254.BASE_FIELD_MODULUS;

    function testFuzz_isOnCurve_coordinatesBelowROnly(uint256 x, uint256 y) external pure {
        if (BabyJubjub.isOnCurve(x, y)) assert(x < FIELD_MODULUS && y < FIELD_MODULUS);
        // Its alias, where 256 bits hold it.
        if (x < FIELD_MODULUS) assert(!BabyJubjub.isOnCurve(x + FIELD_MODULUS, y));
    }

    function testFuzz_isPoint_coordinatesBelowQAndNotZeroOnly(uint256 x, uint256 y) external pure {
        if (Bn254.isPoint(x, y)) assert(x < Q && y < Q && !(x == 0 && y == 0));
    }

    function testFuzz_negate_isTheOtherPointOfItsX(uint256 x, uint256 y) external pure {
        uint256 bounded = y < Q ? y : y & (2 ** 253 - 1);
        uint256[2] memory negated = Bn254.negate([x, bounded]);
        assert(negated[0] == x && negated[1] < Q);
        assert(negated[1] == (bounded == 0 ? 0 : Q - bounded));
    }

    function testFuzz_challenge_isTheLow128Bits(bytes32 digest) external pure {
        uint256 x = Binding.challenge(digest);
        assert(x < 2 ** 128 && x == uint128(uint256(digest)));
    }

    function testFuzz_digest_changesWithEveryInput(uint256[8] memory a, uint256[8] memory b) external pure {
        // Without a branch for each: they would be 256 paths.
        uint256 difference = 0;
        for (uint256 i = 0; i < 8; ++i) {
            difference |= a[i] ^ b[i];
        }
        assert((_digest(a) == _digest(b)) == (difference == 0));
    }

    function _digest(uint256[8] memory of_) private pure returns (bytes32) {
        uint256[5] memory header = [of_[0], of_[1], of_[2], of_[3], of_[4]];
        return Binding.digest(header, bytes32(of_[5]), bytes32(of_[6]), bytes32(of_[7]));
    }
}
