// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Prover} from "./Prover.sol";
import {PROOF_DEADLINE_SECONDS, PROOF_GRACE_SECONDS} from "./generated/Constants.sol";
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
        uint256 deadline = _deadline(lastProven, firstUnproven);
        if (block.timestamp < deadline) revert ProofNotOverdue(proven + 1, deadline, block.timestamp);

        _dropUnproven();
        _setQueueCommitted(lastProven.queueEnd);
        suspended[firstUnproven.committer] = true;
        emit BlocksReverted(proven + 1, last, firstUnproven.committer);
    }

    // ---- Internal ----

    /// @dev Who built on another's block could not prove his own before that one was proven, and only its committer could do
    /// that. On blocks of one's own there is no grace: it would add up.
    function _deadline(Block calldata lastProven, Block calldata firstUnproven)
        private
        view
        returns (uint256 deadline)
    {
        deadline = firstUnproven.committedAt + PROOF_DEADLINE_SECONDS;
        if (firstUnproven.committer == lastProven.committer) return deadline;
        uint256 graceEnd = provenAt() + PROOF_GRACE_SECONDS;
        if (graceEnd > deadline) deadline = graceEnd;
    }
}
