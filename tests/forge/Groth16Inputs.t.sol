// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {FIELD_MODULUS} from "../../contracts/generated/Constants.sol";
import {Bn254} from "../../contracts/libraries/Bn254.sol";
import {Groth16} from "../../contracts/libraries/Groth16.sol";

/// @notice A key with all of G2 its generator: C = A - alpha - L proves any inputs, by G1 alone. A toy's inputs are small.
contract Groth16InputsTest {
    using Bn254 for uint256[2];

    uint16 private constant SIZE = 2;

    function test_verifyMany_inputsOfAnySize_areAccepted() external view {
        for (uint256 i = 0; i < 4; ++i) {
            uint256[3] memory seed = [uint256(keccak256(abi.encode(i))), i, type(uint256).max >> (64 * i)];
            (uint16[] memory sizes, uint256[8][] memory proofs, uint256[3][] memory inputs) = _claims(seed, seed[0]);
            assert(this.verify(proofs[0], inputs[0]) && this.verify(proofs[2], inputs[2]));
            assert(this.verifyMany(sizes, proofs, inputs));
        }
    }

    function test_verifyMany_largestInputs_areAccepted() external view {
        uint256 last = FIELD_MODULUS - 1;
        (uint16[] memory sizes, uint256[8][] memory proofs, uint256[3][] memory inputs) = _claims([last, last, last], 3);
        assert(this.verifyMany(sizes, proofs, inputs));
    }

    /// @dev Of each two of three: an error of one is taken off the other.
    function test_verifyMany_errorsOfAnyTwoThatCancelInAPlainSum_areRefused() external view {
        for (uint256 i = 0; i < 3; ++i) {
            (uint16[] memory sizes, uint256[8][] memory proofs, uint256[3][] memory inputs) = _claims([i, 5, 6], 3);
            _move(proofs[i], [uint256(1), 2]);
            _move(proofs[(i + 1) % 3], [uint256(1), 2].negate());
            assert(!this.verifyMany(sizes, proofs, inputs));
        }
    }

    // ---- The library ----

    function verify(uint256[8] calldata proof, uint256[3] calldata inputs) external view returns (bool) {
        return Groth16.verify(_shared(), _own(SIZE), proof, inputs);
    }

    function verifyMany(uint16[] calldata sizes, uint256[8][] calldata proofs, uint256[3][] calldata inputs)
        external
        view
        returns (bool)
    {
        return Groth16.verifyMany(_shared(), _own, sizes, proofs, inputs);
    }

    // ---- Internal ----

    /// @notice Three of the same size.
    function _claims(uint256[3] memory seed, uint256 multiple)
        private
        view
        returns (uint16[] memory sizes, uint256[8][] memory proofs, uint256[3][] memory inputs)
    {
        (sizes, proofs, inputs) = (new uint16[](3), new uint256[8][](3), new uint256[3][](3));
        for (uint256 i = 0; i < 3; ++i) {
            sizes[i] = SIZE;
            for (uint256 j = 0; j < 3; ++j) {
                inputs[i][j] = addmod(seed[(i + j) % 3], i, FIELD_MODULUS);
            }
            proofs[i] = _proof(inputs[i], multiple % (FIELD_MODULUS - 4) + 1 + i);
        }
    }

    /// @dev e(A, G2) = e(alpha, G2) e(L, G2) e(C, G2).
    function _proof(uint256[3] memory inputs, uint256 multiple) private view returns (uint256[8] memory proof) {
        uint256[12] memory own = _own(SIZE);
        uint256[2] memory l = [own[4], own[5]];
        for (uint256 i = 0; i < 3; ++i) {
            l = l.add([own[6 + 2 * i], own[7 + 2 * i]].mul(inputs[i]));
        }
        uint256[2] memory a = [uint256(1), 2].mul(multiple);
        uint256[2] memory c = a.add(l.negate()).add([uint256(1), 2].negate());
        uint256[4] memory b = _g2();
        return [a[0], a[1], b[0], b[1], b[2], b[3], c[0], c[1]];
    }

    function _move(uint256[8] memory proof, uint256[2] memory error_) private view {
        (uint256[2] memory c) = [proof[6], proof[7]].add(error_);
        (proof[6], proof[7]) = (c[0], c[1]);
    }

    /// @notice alpha = G1; beta = gamma = G2.
    function _shared() private pure returns (uint256[10] memory) {
        uint256[4] memory b = _g2();
        return [uint256(1), 2, b[0], b[1], b[2], b[3], b[0], b[1], b[2], b[3]];
    }

    /// @notice delta = G2; IC: G1, 2 G1 and their negatives.
    function _own(uint16) private pure returns (uint256[12] memory) {
        uint256[4] memory b = _g2();
        uint256[2] memory double = [
            uint256(0x030644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd3),
            0x15ed738c0e0a7c92e7845f96b2ae9c0a68a6a449e3538fc7ff3ebf7a5a18a2c4
        ];
        (uint256[2] memory one, uint256[2] memory minus) = ([uint256(1), 2], double.negate());
        return [b[0], b[1], b[2], b[3], one[0], one[1], double[0], double[1], one[0], one[1], minus[0], minus[1]];
    }

    /// @notice The generator, c1 before c0.
    function _g2() private pure returns (uint256[4] memory) {
        return [
            11559732032986387107991004021392285783925812861821192530917403151452391805634,
            10857046999023057135944570762232829481370756359578518086990519993285655852781,
            4082367875863433681332203403145435568316851327593401208105741076214120093531,
            8495653923123431417604973247489272438418190587263600148770280649306958101930
        ];
    }
}
