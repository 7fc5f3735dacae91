// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {
    CHALLENGE_BITS,
    CHUNK_BYTES,
    FIELD_MODULUS,
    HEADER_WORDS,
    L1_DEGREE_LOG2,
    L2_DEGREE_LOG2
} from "../generated/Constants.sol";

/// @notice Binds the published data to the proof (protocol 7): the challenge X, and the data's polynomial at X.
library Binding {
    uint256 private constant CHUNK_BITS = 8 * CHUNK_BYTES;
    uint256 private constant L2_WORD_BYTES = 2 * CHUNK_BYTES;
    uint256 private constant L2_WORD_SHIFT = 256 - 8 * L2_WORD_BYTES;

    /// @notice keccak256(H0, .., H4, l2Hash, l1Hash, C): everything that the committer chose.
    function digest(uint256[HEADER_WORDS] memory header, bytes32 l2Hash, bytes32 l1Hash, bytes32 commitment)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(header, l2Hash, l1Hash, commitment));
    }

    /// @notice X, the low bits of the digest.
    function challenge(bytes32 digest_) internal pure returns (uint256) {
        return uint256(digest_) & ((1 << CHALLENGE_BITS) - 1);
    }

    /// @notice Y = E(header) + X^(2^20) * E(L2) + X^(2^21) * E(L1) mod r.
    /// @dev Every word of `header` and `l1` must be below r, and the streams' lengths whole: the caller has checked them.
    function evaluate(uint256[HEADER_WORDS] memory header, bytes calldata l2, bytes calldata l1, uint256 x)
        internal
        pure
        returns (uint256 y)
    {
        for (uint256 i = 0; i < HEADER_WORDS; ++i) {
            y = addmod(mulmod(y, x, FIELD_MODULUS), header[i], FIELD_MODULUS);
        }
        uint256 xToL2 = _squareTimes(x, L2_DEGREE_LOG2);
        uint256 xToL1 = _squareTimes(xToL2, L1_DEGREE_LOG2 - L2_DEGREE_LOG2);
        y = addmod(y, mulmod(xToL2, _evaluateL2(l2, x), FIELD_MODULUS), FIELD_MODULUS);
        y = addmod(y, mulmod(xToL1, _evaluateL1(l1, x), FIELD_MODULUS), FIELD_MODULUS);
    }

    /// @dev Words of two chunks; an odd last chunk is followed by zeros, whatever follows it in the calldata.
    function _evaluateL2(bytes calldata l2, uint256 x) private pure returns (uint256 y) {
        uint256 words = l2.length / L2_WORD_BYTES;
        uint256 tail;
        assembly ("memory-safe") {
            tail := l2.offset
        }
        y = _horner(tail, words, L2_WORD_BYTES, L2_WORD_SHIFT, x);
        if (l2.length % L2_WORD_BYTES != 0) {
            tail += words * L2_WORD_BYTES;
            uint256 chunk;
            assembly ("memory-safe") {
                chunk := calldataload(tail)
            }
            chunk = (chunk >> (256 - CHUNK_BITS)) << CHUNK_BITS;
            y = addmod(mulmod(y, x, FIELD_MODULUS), chunk, FIELD_MODULUS);
        }
    }

    function _evaluateL1(bytes calldata l1, uint256 x) private pure returns (uint256 y) {
        uint256 start;
        assembly ("memory-safe") {
            start := l1.offset
        }
        return _horner(start, l1.length / 32, 32, 0, x);
    }

    /// @dev Horner's rule over `words` words, `stride` bytes apart, each the high bits of 32 bytes of calldata.
    /// No modular addition: mulmod < r and a word < r, so y < 2r < 2^255, and the next mulmod reduces it. The result is
    /// congruent, not reduced. Four words a turn: the loop costs as much as a word.
    function _horner(uint256 position, uint256 words, uint256 stride, uint256 shift, uint256 x)
        private
        pure
        returns (uint256 y)
    {
        uint256 r = FIELD_MODULUS;
        assembly ("memory-safe") {
            let end := add(position, mul(words, stride))
            for { let head := add(position, mul(and(words, 3), stride)) } lt(position, head) {} {
                y := add(mulmod(y, x, r), shr(shift, calldataload(position)))
                position := add(position, stride)
            }
            for {} lt(position, end) {} {
                y := add(mulmod(y, x, r), shr(shift, calldataload(position)))
                position := add(position, stride)
                y := add(mulmod(y, x, r), shr(shift, calldataload(position)))
                position := add(position, stride)
                y := add(mulmod(y, x, r), shr(shift, calldataload(position)))
                position := add(position, stride)
                y := add(mulmod(y, x, r), shr(shift, calldataload(position)))
                position := add(position, stride)
            }
        }
    }

    /// @dev x^(2^times) mod r.
    function _squareTimes(uint256 x, uint256 times) private pure returns (uint256) {
        for (uint256 i = 0; i < times; ++i) {
            x = mulmod(x, x, FIELD_MODULUS);
        }
        return x;
    }
}
