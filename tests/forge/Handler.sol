// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Endings} from "./Endings.sol";
import {Strangers} from "./Strangers.sol";
import {Users} from "./Users.sol";

/// @notice All that may be called, and what must hold after every call.
contract Handler is Users, Strangers, Endings {
    uint256 private _turn;

    /// @notice After every call. What costs much is looked at a part at a time; all of it at the end.
    function check() external {
        for (uint16 token = 0; token < TOKENS; ++token) {
            _checkToken(token);
        }
        _checkOrder();
        _checkPending(actors[_turn % ACTORS]);
        _checkBlock(chain.length - 1);
        _checkBlock(_turn++ % chain.length);
    }

    /// @notice At the end of a run: whatever has happened, everyone gets all that is his, and nothing remains. With the
    /// validators' help or, in exodus and in every other run, without it.
    function finish() external {
        _makePeace();
        for (uint256 i = 0; i < ACTORS; ++i) {
            _checkPending(actors[i]);
        }
        for (uint256 i = 0; i < chain.length; ++i) {
            _checkBlock(i);
        }
        if (_canCommit() && queue.length % 2 == 0) _leaveByTheQueue();
        else _leaveInExodus();
        for (uint256 i = 0; i < ACTORS; ++i) {
            for (uint16 token = 0; token < TOKENS; ++token) {
                _withdraw(stranger, actors[i], token);
            }
        }
        for (uint16 token = 0; token < TOKENS; ++token) {
            _checkToken(token);
            if (token != REBASING) _same(rollup.accounted(token), 0, "all is paid out in the end", token);
        }
        _checkOrder();
    }

    // ---- Internal ----

    /// @dev Of a rebasing token the vault holds what the token says; its books must be right all the same.
    function _checkToken(uint16 token) private view {
        uint256 accounted = rollup.accounted(token);
        _same(accounted, queued[token] + onL2[token] + onTheWay[token] + owed[token], "accounted", token);
        if (token != REBASING) _same(_vaultBalance(token), accounted + donated[token], "vault's balance", token);
    }

    function _checkOrder() private view {
        (uint64 committed, uint64 last) = (rollup.committedBlocks(), uint64(chain.length - 1));
        _same(committed, last, "committed blocks", last);
        _same(rollup.provenBlocks(), proven, "proven blocks", last);
        _same(rollup.executedBlocks(), executed, "executed blocks", last);
        _require(executed <= proven && proven <= committed, "executed <= proven <= committed", last);

        (uint64 taken, uint64 done) = (rollup.queueCommitted(), rollup.queueExecuted());
        _same(rollup.queueTotal(), queue.length, "queue's total", last);
        _same(taken, queueTaken, "queue's committed", last);
        _same(done, chain[executed].queueEnd, "queue's executed", last);
        _require(done <= taken && taken <= queue.length, "queue: executed <= committed <= total", last);
    }

    function _checkPending(address owner) private view {
        for (uint16 token = 0; token < TOKENS; ++token) {
            _same(rollup.pending(owner, token), owedTo[owner][token], "pending", token);
        }
    }

    /// @dev The stored hash is of a block that names its parent's: so the hashes chain.
    function _checkBlock(uint256 number) private view {
        bytes32 found = rollup.blockHash(uint64(number));
        _same(uint256(found), uint256(keccak256(abi.encode(chain[number]))), "block hash", number);
        if (number > 0) {
            bytes32 parent = rollup.blockHash(uint64(number) - 1);
            _same(uint256(chain[number].parentHash), uint256(parent), "parent's hash", number);
        }
        _same(uint256(rollup.blockHash(uint64(chain.length))), 0, "no block after the last", number);
    }

    function _leaveByTheQueue() private {
        for (uint256 i = 0; i < ACTORS; ++i) {
            for (uint16 token = 0; token < TOKENS; ++token) {
                if (accounts[_accountOf(i)].balances[token] != 0) {
                    _requestFullExit(actors[i], _accountOf(i), token, i);
                }
            }
        }
        while (queueTaken < queue.length) _commitQueue();
        // In one call: what is overdue is not passed.
        _prove(stranger, proven + 1, chain.length);
        while (executed < proven) _execute(stranger, executed + 1, 8);
    }

    /// @dev Nothing of it needs a validator, an owner or an order.
    function _leaveInExodus() private {
        if (!isExodus) {
            // The first entry is a deposit.
            if (queue.length == 0) {
                this.setPaused(ETH, 1);
                this.depositETH(0, 0);
            }
            if (chain[proven].queueEnd == queue.length) _requestFullExit(actors[0], 1, ETH, 0);
            _passTimeTo(queue[chain[proven].queueEnd].expiry);
            _activate(stranger);
        }
        for (uint256 i = 0; i < ACTORS; ++i) {
            for (uint16 token = 0; token < TOKENS; ++token) {
                if (accounts[_accountOf(i)].balances[token] != 0) _exit(stranger, i, token, i);
            }
        }
        for (uint256 index = queue.length; index > queueTaken; --index) {
            if (!queue[index - 1].refunded) _refund(stranger, index - 1, index);
        }
        while (executed < proven) _execute(stranger, executed + 1, 8);
    }
}
