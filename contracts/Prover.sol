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
        // Two who prove the same blocks must not undo each other's work.
        uint256 done = 0;
        while (done < blocks.length && blocks[done].number <= provenBlocks()) ++done;
        if (done == blocks.length) return;
        _proveMany(blocks[done:], proofs[done:]);
        _requireNoneOverdue(blocks[blocks.length - 1].queueEnd);
    }

    function _proveMany(Block[] calldata blocks, uint256[8][] calldata proofs) private {
        uint16[] memory sizes = new uint16[](blocks.length);
        uint256[3][] memory inputs = new uint256[3][](blocks.length);
        for (uint256 i = 0; i < blocks.length; ++i) {
            sizes[i] = blocks[i].blockSize;
            inputs[i] = _accept(blocks[i]);
        }
        if (!IVerifier(verifier).verifyMany(sizes, proofs, inputs)) {
            revert InvalidProof(blocks[0].number, blocks[blocks.length - 1].number);
        }
    }

    function _prove(Block memory block_, uint256[8] calldata proof) internal {
        uint256[3] memory inputs = _accept(block_);
        if (!IVerifier(verifier).verify(block_.blockSize, proof, inputs)) {
            revert InvalidProof(block_.number, block_.number);
        }
    }

    /// @notice Counts the next committed block as proven; whoever calls this checks the proof.
    /// @return inputs What the proof is to be of.
    function _accept(Block memory block_) private returns (uint256[3] memory inputs) {
        _requireNumber(provenBlocks() + 1, block_);
        _markProven(block_, _requireStored(block_));
        inputs = [block_.commitment, block_.challenge, block_.evaluation];
    }

    /// @dev While an entry is overdue there is no way on past it: blocks that serve others could change the last proven block,
    /// which activateExodus names, as often as somebody names it.
    /// @param index Of the oldest entry that no proven block serves.
    function _requireNoneOverdue(uint64 index) internal view {
        uint40 expiry = _expiryOf(index);
        if (_isOverdue(expiry)) revert QueueEntryOverdue(index, expiry, block.timestamp);
    }
}
