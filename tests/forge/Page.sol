// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {CHUNK_BYTES, FIELD_MODULUS} from "../../contracts/generated/Constants.sol";
import {Block, NewBlock} from "../../contracts/interfaces/IRollup.sol";

/// @notice Records and blocks as docs/protocol.md has them, sections 5 to 8: written from the page, not from the contracts.
library Page {
    function word0(uint256 op, uint256 flags, uint32 account, uint16 token, address who)
        internal
        pure
        returns (uint256)
    {
        return op << 200 | flags << 196 | uint256(account) << 172 | uint256(token) << 160 | uint160(who);
    }

    /// @notice The block that the contract must store.
    function follow(Block memory parent, NewBlock memory published, uint256 domain, uint256 queueCount)
        internal
        pure
        returns (Block memory next)
    {
        next.number = parent.number + 1;
        next.parentHash = keccak256(abi.encode(parent));
        next.oldRoot = parent.newRoot;
        next.newRoot = uint256(published.newRoot);
        next.timestamp = published.timestamp;
        next.blockSize = published.blockSize;
        next.source = 1;
        next.commitment = uint256(published.commitment);
        next.l2Hash = keccak256(published.l2);
        next.l1Hash = keccak256(published.l1);
        next.queueEnd = uint64(parent.queueEnd + queueCount);
        next.chunkEnd = uint64(parent.chunkEnd + published.l2.length / CHUNK_BYTES);
        uint256[5] memory header = [
            domain,
            _counts(next, parent.queueEnd, queueCount, published),
            next.oldRoot,
            next.newRoot,
            uint256(published.feeAccount) << 96 | published.feeTokens
        ];
        bytes32 digest = keccak256(abi.encode(header, next.l2Hash, next.l1Hash, published.commitment));
        next.challenge = uint128(uint256(digest));
        next.evaluation = _evaluate(abi.encode(header), published.l2, published.l1, next.challenge);
    }

    function _counts(Block memory next, uint64 queueStart, uint256 queueCount, NewBlock memory published)
        private
        pure
        returns (uint256)
    {
        return uint256(1) << 184 | uint256(next.blockSize) << 168 | uint256(next.number) << 136
            | uint256(next.timestamp) << 96 | uint256(queueStart) << 56 | queueCount << 40
            | (published.l2.length / CHUNK_BYTES) << 20 | published.l1.length / 32;
    }

    function _evaluate(bytes memory header, bytes memory l2, bytes memory l1, uint256 x)
        private
        pure
        returns (uint256 y)
    {
        uint256 power = x;
        for (uint256 i = 0; i < 20; ++i) {
            power = mulmod(power, power, FIELD_MODULUS);
        }
        bytes memory even = l2.length % 30 == 0 ? l2 : bytes.concat(l2, bytes15(0));
        y = addmod(_polynomial(header, 32, x), mulmod(power, _polynomial(even, 30, x), FIELD_MODULUS), FIELD_MODULUS);
        power = mulmod(power, power, FIELD_MODULUS);
        y = addmod(y, mulmod(power, _polynomial(l1, 32, x), FIELD_MODULUS), FIELD_MODULUS);
    }

    function _polynomial(bytes memory data, uint256 width, uint256 x) private pure returns (uint256 y) {
        for (uint256 i = 0; i < data.length; i += width) {
            uint256 word;
            assembly ("memory-safe") {
                word := shr(sub(256, mul(8, width)), mload(add(add(data, 32), i)))
            }
            y = addmod(mulmod(y, x, FIELD_MODULUS), word, FIELD_MODULUS);
        }
    }
}
