// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {
    ADDRESS_BITS,
    BLOCK_NUMBER_BITS,
    BLOCK_SIZE_BITS,
    COUNT_BITS,
    FEE_TOKENS,
    HEADER_WORDS,
    QUEUE_COUNT_BITS,
    QUEUE_INDEX_BITS,
    SLOT_BITS,
    TIMESTAMP_BITS
} from "../generated/Constants.sol";
import {Block, NewBlock} from "../interfaces/IRollup.sol";

/// @notice The five header words (protocol 5).
library Header {
    /// @param block_ With everything but what the header determines filled in.
    /// @param parent The block before it.
    /// @dev Every field must fit its width; `feeTokens` does by its type.
    function words(Block memory block_, Block memory parent, NewBlock calldata published)
        internal
        view
        returns (uint256[HEADER_WORDS] memory header)
    {
        header[0] = (block.chainid << ADDRESS_BITS) | uint160(address(this));
        header[1] = _counts(block_, parent, published);
        header[2] = block_.oldRoot;
        header[3] = block_.newRoot;
        header[4] = (uint256(published.feeAccount) << (FEE_TOKENS * SLOT_BITS)) | published.feeTokens;
    }

    function _counts(Block memory block_, Block memory parent, NewBlock calldata published)
        private
        pure
        returns (uint256 word)
    {
        word = block_.source;
        word = (word << BLOCK_SIZE_BITS) | block_.blockSize;
        word = (word << BLOCK_NUMBER_BITS) | block_.number;
        word = (word << TIMESTAMP_BITS) | block_.timestamp;
        word = (word << QUEUE_INDEX_BITS) | parent.queueEnd;
        word = (word << QUEUE_COUNT_BITS) | (block_.queueEnd - parent.queueEnd);
        word = (word << COUNT_BITS) | (block_.chunkEnd - parent.chunkEnd);
        word = (word << COUNT_BITS) | (published.l1.length / 32);
    }
}
