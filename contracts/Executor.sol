// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Chain} from "./Chain.sol";
import {Inbox} from "./Inbox.sol";
import {OP_CHANGE_PUB_KEY, OP_DEPOSIT, OP_FULL_EXIT} from "./generated/Constants.sol";
import {Block} from "./interfaces/IRollup.sol";
import {Calldata} from "./libraries/Calldata.sol";
import {Records} from "./libraries/Records.sol";

/// @notice Credits what proven blocks owe on L1. Open to all.
/// @dev It writes numbers and calls nobody: no recipient and no token can hold a block up.
abstract contract Executor is Chain, Inbox {
    using Records for bytes;
    using Records for uint256;

    function executeBlocks(Block[] calldata blocks, bytes[] calldata l1Streams) external {
        if (blocks.length != l1Streams.length) revert LengthMismatch(blocks.length, l1Streams.length);
        for (uint256 i = 0; i < blocks.length; ++i) {
            if (blocks[i].number > executedBlocks()) _execute(blocks[i], l1Streams[i]);
        }
    }

    function _execute(Block memory block_, bytes calldata l1) internal {
        _requireNumber(executedBlocks() + 1, block_);
        if (block_.number > provenBlocks()) revert BlockNotProven(block_.number, provenBlocks());
        bytes32 hash = _requireStored(block_);
        bytes32 l1Hash = Calldata.hash(l1);
        if (l1Hash != block_.l1Hash) revert L1StreamMismatch(block_.number, block_.l1Hash, l1Hash);

        _setQueueExecuted(block_.queueEnd);
        uint256 feesGwei = _creditRecords(l1);
        _creditPending(block_.committer, ETH, uint128(feesGwei * 1 gwei));
        _markExecuted(block_.number, hash);
    }

    /// @dev The stream is as the commit has checked it: whole records of known operations.
    function _creditRecords(bytes calldata l1) private returns (uint256 feesGwei) {
        uint256 words = l1.length / 32;
        uint256 i = 0;
        while (i < words) {
            uint256 w0 = l1.word(i);
            uint256 w1 = l1.word(i + 1);
            uint256 op = w0.op();
            if (op == OP_DEPOSIT || op == OP_FULL_EXIT) feesGwei += w1.aux();
            bool pays = op == OP_DEPOSIT ? w0.isRefused() : op != OP_CHANGE_PUB_KEY;
            if (pays) _creditPending(w0.ownerOf(), w0.tokenOf(), w1.amountOf());
            i += Records.wordsOf(op);
        }
    }
}
