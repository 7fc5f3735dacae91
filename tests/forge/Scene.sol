// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {PROOF_DEADLINE_SECONDS} from "../../contracts/generated/Constants.sol";
import {Block, NewBlock} from "../../contracts/interfaces/IRollup.sol";
import {Handler} from "./Handler.sol";
import {VM} from "./Vm.sol";

/// @notice For tests of one call: the handlers and their model bring the rollup where the call is made.
abstract contract Scene is Handler {
    uint256 internal constant ALICE = 0;
    uint256 internal constant BOB = 1;
    /// For a handler that deposits: by the owner, without a key, with no more than the fee.
    uint256 internal constant PLAIN = 11;

    /// @notice An empty block on the last one.
    function _new() internal view returns (NewBlock memory) {
        return _published(_open(), 8, 1);
    }

    function _withL1(bytes memory l1) internal view returns (NewBlock memory published) {
        published = _new();
        published.l1 = l1;
    }

    function _last() internal view returns (Block memory) {
        return chain[chain.length - 1];
    }

    /// @notice The next call, from a validator, is a direct one.
    function _asValidator() internal returns (address validator) {
        validator = _validator(0);
        VM.prank(validator, validator);
    }

    function _send(NewBlock memory published) internal {
        (Block memory parent, NewBlock[] memory blocks) = (_last(), new NewBlock[](1));
        blocks[0] = published;
        _asValidator();
        rollup.commitBlocks(parent, blocks, "");
    }

    function _refuseNew(NewBlock memory published, bytes memory error_) internal {
        VM.expectRevert(error_);
        _send(published);
    }

    function _refuseL1(bytes memory l1, bytes memory error_) internal {
        _refuseNew(_withL1(l1), error_);
    }

    /// @notice A block with a deposit of each actor in ETH and in all tokens that take them, proven and executed.
    function _fund() internal {
        for (uint256 i = 0; i < ACTORS; ++i) {
            this.depositETH(i, PLAIN + 32 * i);
            for (uint16 token = 1; token < LYING; ++token) {
                this.depositERC20(i, token - 1, PLAIN + 32 * i);
            }
        }
        _takeAll();
    }

    /// @notice Takes the whole queue in, refusing nothing, and executes it.
    function _takeAll() internal {
        while (queueTaken < queue.length) {
            Draft memory draft = _open();
            while (queueTaken < queue.length && draft.queueCount < 64) _takeQueued(draft, false);
            _finishBlock(draft);
        }
    }

    /// @notice A block in which every actor withdraws all he has in a token to L1.
    function _leaveL2(uint16 token) internal {
        Draft memory draft = _open();
        for (uint256 i = 0; i < ACTORS; ++i) {
            _forcedExit(draft, _accountOf(i), token);
        }
        _finishBlock(draft);
    }

    function _finishBlock(Draft memory draft) internal {
        Block memory parent = _last();
        NewBlock[] memory blocks = new NewBlock[](1);
        blocks[0] = _seal(draft, _validator(0), 64, draft.number);
        _asValidator();
        rollup.commitBlocks(parent, blocks, "");
        _prove(stranger, proven + 1, 1);
        _execute(stranger, executed + 1, 1);
    }

    function _passDeadline() internal {
        _passTimeTo(chain[proven + 1].committedAt + PROOF_DEADLINE_SECONDS);
    }

    /// @notice Begins exodus, with what waits in the queue.
    function _beginExodus() internal {
        _passTimeTo(queue[chain[proven].queueEnd].expiry);
        _activate(stranger);
    }
}
