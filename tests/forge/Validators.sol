// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {MAX_TIMESTAMP_AHEAD_SECONDS, MAX_TIMESTAMP_BEHIND_SECONDS} from "../../contracts/generated/Constants.sol";
import {Block, IRollup, NewBlock} from "../../contracts/interfaces/IRollup.sol";
import {Hostiles} from "./Hostiles.sol";
import {Ledger} from "./Ledger.sol";
import {Page} from "./Page.sol";
import {VM} from "./Vm.sol";

/// @notice What validators do, and whoever proves and executes: every one of these calls must go through.
abstract contract Validators is Hostiles, Ledger {
    uint96 internal constant FEE_TOKENS_FROM_0_TO_7 = 0x007006005004003002001000;
    uint256 private constant MAX_BLOCKS = 3;
    uint256 private constant MAX_STEPS = 8;

    function commit(uint256 seed) external {
        if (!_canCommit()) return;
        _commit(seed, 1 + (seed >> 8) % MAX_BLOCKS);
    }

    /// @notice From the first that can be, or one that is proven already.
    function prove(uint256 caller, uint256 seed) external {
        if (isExodus) return;
        _prove(_actor(caller), proven > 0 && seed % 4 == 0 ? proven : proven + 1, 1 + (seed >> 8) % MAX_BLOCKS);
    }

    function execute(uint256 caller, uint256 seed) external {
        _execute(_actor(caller), executed > 0 && seed % 4 == 0 ? executed : executed + 1, 1 + (seed >> 8) % MAX_BLOCKS);
    }

    function executeNext() public override {
        _execute(address(this), executed + 1, 1);
    }

    /// @dev Needs all earlier blocks executed: else it helps with that.
    function commitProveExecute(uint256 seed) external {
        if (!_canCommit()) return;
        if (executed + 1 < chain.length) {
            _prove(stranger, proven + 1, MAX_BLOCKS);
            return _execute(stranger, executed + 1, MAX_BLOCKS);
        }
        address committer = _validator(seed);
        Block memory parent = chain[chain.length - 1];
        if (_leavesOverdue(queueTaken)) {
            NewBlock memory empty = _published(_open(), 8, seed);
            bytes memory data = abi.encodeCall(IRollup.commitProveExecute, (parent, empty, _proof(), ""));
            return _refuseFrom(committer, committer, data, IRollup.QueueEntryOverdue.selector, "the queue passed over");
        }
        NewBlock memory published = _draft(committer, _next(seed));
        VM.prank(committer, committer);
        rollup.commitProveExecute(parent, published, _proof(), "");
        provenAt[++proven] = block.timestamp;
        _markExecuted();
    }

    // ---- Internal ----

    function _canCommit() internal view returns (bool) {
        return !isExodus && validators.length > 0;
    }

    function _commit(uint256 seed, uint256 count) internal {
        address committer = _validator(seed);
        Block memory parent = chain[chain.length - 1];
        NewBlock[] memory blocks = new NewBlock[](count);
        for (uint256 i = 0; i < count; ++i) {
            seed = _next(seed);
            blocks[i] = _draft(committer, seed);
        }
        VM.prank(committer, committer);
        rollup.commitBlocks(parent, blocks, "");
    }

    /// @notice One large block of what is queued; deposits that nobody took in are refused.
    function _commitQueue() internal {
        Block memory parent = chain[chain.length - 1];
        NewBlock[] memory blocks = new NewBlock[](1);
        Draft memory draft = _open();
        while (queueTaken < queue.length && draft.queueCount < 64) _takeQueued(draft, true);
        address committer = _validator(draft.number);
        blocks[0] = _seal(draft, committer, 64, draft.number);
        VM.prank(committer, committer);
        rollup.commitBlocks(parent, blocks, "");
    }

    function _prove(address caller, uint64 first, uint256 most) internal {
        Block[] memory blocks = _blocks(first, most, chain.length - 1);
        uint256[8][] memory proofs = new uint256[8][](blocks.length);
        for (uint256 i = 0; i < blocks.length; ++i) {
            proofs[i] = _proof();
        }
        bytes memory data = abi.encodeCall(IRollup.proveBlocks, (blocks, proofs));
        uint64 last = blocks.length == 0 ? 0 : blocks[blocks.length - 1].number;
        if (last > proven && _leavesOverdue(chain[last].queueEnd)) {
            return _refuse(data, IRollup.QueueEntryOverdue.selector, "an overdue entry left");
        }
        VM.prank(caller);
        rollup.proveBlocks(blocks, proofs);
        while (proven < last) provenAt[++proven] = block.timestamp;
    }

    function _execute(address caller, uint64 first, uint256 most) internal {
        Block[] memory blocks = _blocks(first, most, proven);
        bytes[] memory l1 = new bytes[](blocks.length);
        for (uint256 i = 0; i < blocks.length; ++i) {
            l1[i] = streams[blocks[i].number];
        }
        // A hook that executes is itself called under a prank.
        if (caller != address(this)) VM.prank(caller);
        rollup.executeBlocks(blocks, l1);
        while (blocks.length > 0 && executed < blocks[blocks.length - 1].number) _markExecuted();
    }

    function _markExecuted() private {
        Credit[] storage due = credits[++executed];
        for (uint256 i = 0; i < due.length; ++i) {
            onTheWay[due[i].token] -= due[i].amount;
            _owe(due[i].owner, due[i].token, due[i].amount);
        }
    }

    /// @notice A block of up to MAX_STEPS steps, in the ledger and at the chain's end.
    function _draft(address committer, uint256 seed) private returns (NewBlock memory) {
        Draft memory draft = _open();
        draft.timestamp = _timestamp(seed);
        for (uint256 steps = seed % (MAX_STEPS + 1); steps > 0; --steps) {
            seed = _next(seed);
            _step(draft, seed);
        }
        return _seal(draft, committer, 8, _next(seed));
    }

    function _open() internal view returns (Draft memory draft) {
        draft.number = uint64(chain.length);
        draft.timestamp = _timestamp(1);
    }

    function _seal(Draft memory draft, address committer, uint16 blockSize, uint256 seed)
        internal
        returns (NewBlock memory published)
    {
        uint256 feesWei = draft.feesGwei * 1 gwei;
        queued[ETH] -= feesWei;
        _payOut(draft, committer, ETH, feesWei);
        published = _published(draft, blockSize, seed);
        Block memory block_ = Page.follow(chain[chain.length - 1], published, _domain(), draft.queueCount);
        (block_.committer, block_.validatorSet, block_.committedAt) =
        (committer, governor.validatorSet(), uint40(block.timestamp));
        chain.push(block_);
        streams[draft.number] = draft.l1;
        _save(draft.number);
    }

    function _published(Draft memory draft, uint16 blockSize, uint256 seed) internal pure returns (NewBlock memory) {
        // Any words will do for root and commitment: 253 bits are below the modulus.
        return NewBlock(
            blockSize,
            draft.timestamp,
            bytes32(seed >> 3),
            uint32(seed % 2 ** 24),
            FEE_TOKENS_FROM_0_TO_7,
            bytes32(_next(seed) >> 3),
            draft.l2,
            draft.l1,
            draft.keyAuth
        );
    }

    /// @notice Anywhere in the window, its ends included.
    function _timestamp(uint256 seed) private view returns (uint64) {
        uint256 earliest = block.timestamp - MAX_TIMESTAMP_BEHIND_SECONDS;
        uint256 parents = chain[chain.length - 1].timestamp;
        if (parents > earliest) earliest = parents;
        uint256 latest = block.timestamp + MAX_TIMESTAMP_AHEAD_SECONDS;
        // Mostly near the present, or soon no room would be left.
        if (seed % 8 == 0) return uint64(latest);
        return uint64(earliest + (latest - earliest) * (seed >> 16 & 3) / 16);
    }

    function _domain() internal view returns (uint256) {
        return block.chainid << 160 | uint160(address(rollup));
    }

    function _validator(uint256 seed) internal view returns (address) {
        return actors[validators[seed % validators.length]];
    }

    function _proof() internal pure returns (uint256[8] memory proof) {
        proof[0] = 1;
    }

    function _blocks(uint64 first, uint256 most, uint256 last) private view returns (Block[] memory blocks) {
        uint256 count = last < first ? 0 : last - first + 1;
        blocks = new Block[](count < most ? count : most);
        for (uint256 i = 0; i < blocks.length; ++i) {
            blocks[i] = chain[first + i];
        }
    }
}
