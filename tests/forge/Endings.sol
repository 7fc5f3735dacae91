// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {
    PROOF_DEADLINE_SECONDS,
    PROOF_GRACE_SECONDS,
    PROOF_LIMIT_SECONDS
} from "../../contracts/generated/Constants.sol";
import {Block, IRollup} from "../../contracts/interfaces/IRollup.sol";
import {Validators} from "./Validators.sol";
import {VM} from "./Vm.sol";

/// @notice What anyone does when validators fail: each goes through exactly when it is due, and moves what the model says.
/// @dev Time is let pass for it now and then: by itself it would hardly ever be due.
abstract contract Endings is Validators {
    uint256 private constant REVERT_ONE_IN = 8;
    uint256 private constant EXODUS_ONE_IN = 64;
    /// How many times as rare they are as in the short runs: each revert costs a validator, and exodus the rest of the run.
    uint256 private immutable RARER = VM.envOr("ENDINGS_RARER", uint256(1));

    function revertBlocks(uint256 caller, uint256 seed) external {
        Block memory last = chain[proven];
        if (isExodus || proven + 1 == chain.length) {
            bytes4 error_ = isExodus ? IRollup.ExodusIsActive.selector : IRollup.NothingToRevert.selector;
            return _refuse(abi.encodeCall(IRollup.revertBlocks, (last, last)), error_, "nothing to revert");
        }
        Block memory first = chain[proven + 1];
        uint256 blameFrom = first.committedAt + PROOF_DEADLINE_SECONDS;
        uint256 graceEnd = _turnBegan(first.committer) + PROOF_GRACE_SECONDS;
        if (graceEnd > blameFrom) blameFrom = graceEnd;
        uint256 deadline = first.committedAt + PROOF_LIMIT_SECONDS;
        if (blameFrom < deadline) deadline = blameFrom;
        if (seed % (REVERT_ONE_IN * RARER) == 0) _passTimeTo(deadline);
        bytes memory data = abi.encodeCall(IRollup.revertBlocks, (last, first));
        if (block.timestamp < deadline) return _refuse(data, IRollup.ProofNotOverdue.selector, "a proof in time");

        VM.prank(_actor(caller));
        rollup.revertBlocks(last, first);
        _dropUnproven();
        if (block.timestamp < blameFrom) return _require(!rollup.suspended(first.committer), "not to blame", 0);
        _suspend(first.committer);
    }

    function activateExodus(uint256 caller, uint256 seed) external {
        Block memory last = chain[proven];
        bytes memory data = abi.encodeCall(IRollup.activateExodus, (last));
        if (isExodus) return _refuse(data, IRollup.ExodusIsActive.selector, "exodus twice");
        if (last.queueEnd < queue.length && seed % (EXODUS_ONE_IN * RARER) == 0) {
            _passTimeTo(queue[last.queueEnd].expiry);
        }
        if (last.queueEnd == queue.length || block.timestamp < queue[last.queueEnd].expiry) {
            return _refuse(data, IRollup.QueueNotOverdue.selector, "a queue in time");
        }
        _activate(_actor(caller));
    }

    function exitExodus(uint256 caller, uint256 who, uint16 token, uint256 seed) external {
        // A third of what is asked for is there, or the money would be gone too soon.
        _exit(_actor(caller), who % ACTORS, seed % 3 == 0 ? token % TOKENS : uint16(seed % TOKENS), seed);
    }

    function refundQueued(uint256 caller, uint256 index, uint256 seed) external {
        _refund(_actor(caller), index % (queue.length + 1), seed);
    }

    // ---- Internal ----

    /// @notice When the last proven block that is not this committer's was proven; 0 if there is none.
    function _turnBegan(address committer) private view returns (uint256) {
        uint64 number = proven;
        while (number > 0 && chain[number].committer == committer) --number;
        return provenAt[number];
    }

    function _passTimeTo(uint256 timestamp) internal {
        if (block.timestamp < timestamp) VM.warp(timestamp);
    }

    /// @notice He commits no more; the governor names another as long as there is one.
    function _suspend(address committer) private {
        _require(rollup.suspended(committer), "suspended", 0);
        for (uint256 i = 0; i < validators.length; ++i) {
            if (actors[validators[i]] != committer) continue;
            validators[i] = validators[validators.length - 1];
            validators.pop();
        }
        if (nextValidator == SIGNERS) return;
        governor.setValidator(actors[nextValidator], true);
        validators.push(nextValidator++);
    }

    /// @notice When it is due.
    function _activate(address caller) internal {
        VM.prank(caller);
        rollup.activateExodus(chain[proven]);
        _dropUnproven();
        isExodus = true;
        _same(rollup.exodusRoot(), chain[proven].newRoot, "exodus root", proven);
        _same(rollup.exodusQueueStart(), queueTaken, "exodus queue start", proven);
    }

    function _exit(address caller, uint256 position, uint16 token, uint256 seed) internal {
        uint32 id = _accountOf(position);
        uint128 amount = accounts[id].balances[token];
        uint256[8] memory none;
        bytes memory data = abi.encodeCall(IRollup.exitExodus, (id, token, actors[position], amount, _proof()));
        if (!isExodus) return _refuse(data, IRollup.ExodusNotActive.selector, "an exit before exodus");
        if (accounts[id].exited[token]) {
            data = abi.encodeCall(IRollup.exitExodus, (id, token, actors[position], 1 + amount, _proof()));
            return _refuse(data, IRollup.AlreadyExited.selector, "an exit twice");
        }
        if (amount == 0) return _refuse(data, IRollup.ZeroExit.selector, "an exit of nothing");
        if (seed & 1 == 0) {
            data = abi.encodeCall(IRollup.exitExodus, (id, token, actors[position], amount, none));
            _refuse(data, IRollup.InvalidExitProof.selector, "an exit without a proof");
            data = abi.encodeCall(IRollup.exitExodus, (id + 2 ** 24, token, actors[position], amount, _proof()));
            _refuse(data, IRollup.AccountOutOfRange.selector, "an account beyond the tree");
            data = abi.encodeCall(IRollup.exitExodus, (id, token + 2 ** 12, actors[position], amount, _proof()));
            _refuse(data, IRollup.TokenOutOfRange.selector, "a token beyond the tree");
        }
        VM.prank(caller);
        rollup.exitExodus(id, token, actors[position], amount, _proof());
        _require(rollup.exited(id, token), "exited", id);
        accounts[id].exited[token] = true;
        accounts[id].balances[token] = 0;
        onL2[token] -= amount;
        _owe(actors[position], token, amount);
    }

    function _refund(address caller, uint256 index, uint256 seed) internal {
        uint256[] memory record = index < queue.length ? _record(index, 0) : new uint256[](2);
        bytes memory data = abi.encodeCall(IRollup.refundQueued, (uint64(index), record));
        if (!isExodus) return _refuse(data, IRollup.ExodusNotActive.selector, "a refund before exodus");
        if (index < queueTaken || index == queue.length) {
            return _refuse(data, IRollup.NotRefundable.selector, "a refund of what is served");
        }
        Entry storage entry = queue[index];
        if (entry.refunded) return _refuse(data, IRollup.QueueEntryMismatch.selector, "a refund twice");
        if (seed & 1 == 0) {
            record[seed / 2 % record.length] ^= 1 << (seed / 8 % 256);
            data = abi.encodeCall(IRollup.refundQueued, (uint64(index), record));
            _refuse(data, IRollup.QueueEntryMismatch.selector, "a refund of something else");
        }
        VM.prank(caller);
        rollup.refundQueued(uint64(index), _record(index, 0));
        entry.refunded = true;
        uint256 feeWei = uint256(entry.feeGwei) * 1 gwei;
        queued[ETH] -= feeWei;
        _owe(entry.owner, ETH, feeWei);
        if (!entry.isDeposit) return;
        queued[entry.token] -= entry.amount;
        _owe(entry.owner, entry.token, entry.amount);
    }
}
