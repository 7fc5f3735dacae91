// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Chain} from "./Chain.sol";
import {Queue} from "./Queue.sol";
import {Block} from "./interfaces/IRollup.sol";
import {IVerifier} from "./interfaces/IVerifier.sol";

/// @notice Accepts proofs. Open to all.
abstract contract Prover is Chain, Queue {
    address public immutable verifier;

    constructor(address verifier_) {
        verifier = verifier_;
    }

    function proveBlocks(Block[] calldata blocks, uint256[8][] calldata proofs) external {
        _requireNormal();
        if (blocks.length != proofs.length) revert LengthMismatch(blocks.length, proofs.length);
        uint256 last = blocks.length;
        for (uint256 i = 0; i < blocks.length; ++i) {
            // Two who prove the same blocks must not undo each other's work.
            if (blocks[i].number <= provenBlocks()) continue;
            _prove(blocks[i], proofs[i]);
            last = i;
        }
        if (last < blocks.length) _requireNoneOverdue(blocks[last].queueEnd);
    }

    function _prove(Block memory block_, uint256[8] calldata proof) internal {
        _requireNumber(provenBlocks() + 1, block_);
        bytes32 hash = _requireStored(block_);
        uint256[3] memory inputs = [block_.commitment, block_.challenge, block_.evaluation];
        if (!IVerifier(verifier).verify(block_.blockSize, proof, inputs)) revert InvalidProof(block_.number);
        _markProven(block_.number, hash);
    }

    /// @dev While an entry is overdue there is no way on past it: blocks that serve others could change the last proven block,
    /// which activateExodus names, as often as somebody names it.
    /// @param index Of the oldest entry that no proven block serves.
    function _requireNoneOverdue(uint64 index) internal view {
        uint40 expiry = _expiryOf(index);
        if (_isOverdue(expiry)) revert QueueEntryOverdue(index, expiry, block.timestamp);
    }
}
