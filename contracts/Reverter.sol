// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Prover} from "./Prover.sol";
import {PROOF_DEADLINE_SECONDS, PROOF_GRACE_SECONDS, PROOF_LIMIT_SECONDS} from "./generated/Constants.sol";
import {Block} from "./interfaces/IRollup.sol";

/// @notice Takes back blocks that nobody has proven in time. Open to all.
/// @dev Only counters move: what the blocks were stays in the hashes above the last one and in the queue, whose entries are
/// never touched by a commit. So the gas does not depend on how much was committed.
abstract contract Reverter is Prover {
    mapping(address committer => bool) public suspended;

    function revertBlocks(Block calldata lastProven, Block calldata firstUnproven) external {
        _requireNormal();
        (uint64 proven, uint64 last) = (provenBlocks(), committedBlocks());
        if (proven == last) revert NothingToRevert(proven);
        _requireLastProven(lastProven);
        _requireNumber(proven + 1, firstUnproven);
        _requireStored(firstUnproven);
        (uint256 deadline, uint256 blameFrom) = _deadlines(lastProven, firstUnproven);
        if (block.timestamp < deadline) revert ProofNotOverdue(proven + 1, deadline, block.timestamp);

        _dropUnproven();
        _setQueueCommitted(lastProven.queueEnd);
        address blamed = block.timestamp < blameFrom ? address(0) : firstUnproven.committer;
        if (blamed != address(0)) suspended[blamed] = true;
        emit BlocksReverted(proven + 1, last, blamed);
    }

    // ---- Internal ----

    /// @dev Who built on another's block could not prove his own before that one was proven, and only its committer could do
    /// that. Graces add up where two take turns, and one can have another take turns with him who knows nothing of it: so
    /// there is a limit, where nobody is to blame who still has grace.
    /// @return deadline From when on anyone may take the blocks back.
    /// @return blameFrom From when on the first one's committer is to blame.
    function _deadlines(Block calldata lastProven, Block calldata firstUnproven)
        private
        view
        returns (uint256 deadline, uint256 blameFrom)
    {
        uint256 turn = firstUnproven.committer == lastProven.committer ? turnBeganAt() : provenAt();
        blameFrom = Math.max(firstUnproven.committedAt + PROOF_DEADLINE_SECONDS, turn + PROOF_GRACE_SECONDS);
        deadline = Math.min(blameFrom, firstUnproven.committedAt + PROOF_LIMIT_SECONDS);
    }
}
