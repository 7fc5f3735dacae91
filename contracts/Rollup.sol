// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Committer} from "./Committer.sol";
import {Executor} from "./Executor.sol";
import {Exodus} from "./Exodus.sol";
import {Prover} from "./Prover.sol";
import {Queue} from "./Queue.sol";
import {Vault} from "./Vault.sol";
import {IExitVerifier} from "./interfaces/IExitVerifier.sol";
import {IGovernor} from "./interfaces/IGovernor.sol";
import {Block, NewBlock} from "./interfaces/IRollup.sol";
import {IVerifier} from "./interfaces/IVerifier.sol";
import {Calldata} from "./libraries/Calldata.sol";

/// @title Rollup
/// @notice See IRollup. What is absent: an owner, an upgrade, a pause, and any way to move money but withdrawPending
/// and withdrawPendingTo.
contract Rollup is Committer, Executor, Exodus {
    /// @param governor_ IGovernor.
    /// @param registry_ IValidatorRegistry.
    /// @param verifier_ IVerifier.
    /// @param exitVerifier_ IExitVerifier.
    /// @param queueFeeGwei What a queue entry costs while less than one block's worth is open.
    constructor(address governor_, address registry_, address verifier_, address exitVerifier_, uint32 queueFeeGwei)
        Vault(governor_)
        Queue(queueFeeGwei)
        Prover(verifier_)
        Committer(registry_)
        Exodus(exitVerifier_)
    {
        _requireCode(registry_);
        _requireCode(verifier_);
        _requireCode(exitVerifier_);
        // Each answers what only its kind does: a wrong exit verifier would show in exodus alone, when it is too late.
        IGovernor(governor_).tokenCount();
        IVerifier(verifier_).supportsSize(0);
        IExitVerifier(exitVerifier_).keyHash();
    }

    // ---- Validators ----

    function commitBlocks(Block calldata parent, NewBlock[] calldata blocks, bytes calldata auth) external {
        _requireMayCommit();
        if (!Calldata.isExactly(abi.encode(parent, blocks, auth))) revert CalldataNotCanonical();
        if (blocks.length == 0) revert NoBlocks();

        bytes32 parentHash = _requireParent(parent);
        Block[] memory built = new Block[](blocks.length);
        bytes32[] memory digests = new bytes32[](blocks.length);
        Block memory last = parent;
        for (uint256 i = 0; i < blocks.length; ++i) {
            (last, digests[i]) = _build(last, blocks[i]);
            built[i] = last;
        }

        bytes32 validatorSet = _approve(parentHash, digests, auth);
        for (uint256 i = 0; i < blocks.length; ++i) {
            parentHash = _commit(built[i], parentHash, validatorSet);
        }
    }

    function commitProveExecute(
        Block calldata parent,
        NewBlock calldata newBlock,
        uint256[8] calldata proof,
        bytes calldata auth
    ) external {
        _requireMayCommit();
        if (!Calldata.isExactly(abi.encode(parent, newBlock, proof, auth))) revert CalldataNotCanonical();

        bytes32 parentHash = _requireParent(parent);
        bytes32[] memory digests = new bytes32[](1);
        Block memory block_;
        (block_, digests[0]) = _build(parent, newBlock);
        _commit(block_, parentHash, _approve(parentHash, digests, auth));
        _prove(block_, proof);
        _requireNoneOverdue(block_.queueEnd);
        _execute(block_, newBlock.l1);
    }
}
