// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Chain} from "./Chain.sol";
import {Block} from "./interfaces/IRollup.sol";
import {IVerifier} from "./interfaces/IVerifier.sol";

/// @notice Accepts proofs. Open to all.
abstract contract Prover is Chain {
    address public immutable verifier;

    constructor(address verifier_) {
        verifier = verifier_;
    }

    function proveBlocks(Block[] calldata blocks, uint256[8][] calldata proofs) external {
        _requireNormal();
        if (blocks.length != proofs.length) revert LengthMismatch(blocks.length, proofs.length);
        for (uint256 i = 0; i < blocks.length; ++i) {
            // Two who prove the same blocks must not undo each other's work.
            if (blocks[i].number > provenBlocks()) _prove(blocks[i], proofs[i]);
        }
    }

    function _prove(Block memory block_, uint256[8] calldata proof) internal {
        _requireNumber(provenBlocks() + 1, block_);
        bytes32 hash = _requireStored(block_);
        uint256[3] memory inputs = [block_.commitment, block_.challenge, block_.evaluation];
        if (!IVerifier(verifier).verify(block_.blockSize, proof, inputs)) revert InvalidProof(block_.number);
        _markProven(block_.number, hash);
    }
}
