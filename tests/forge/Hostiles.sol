// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {IRollup} from "../../contracts/interfaces/IRollup.sol";
import {Recipient} from "../contracts/sources/Callers.sol";
import {
    BlockingToken,
    BombToken,
    FalseToken,
    FeeOnTopToken,
    HookToken,
    RebasingToken
} from "../contracts/sources/Tokens.sol";
import {VM} from "./Vm.sol";
import {World} from "./World.sol";

/// @notice Tokens and a recipient that change their behaviour, a governor that stops deposits, gifts, and time.
abstract contract Hostiles is World {
    /// Whether what they call back is guarded, and so must be refused; else it is executeNext below, which must work.
    bool private _hookIsGuarded;
    bool private _recipientIsGuarded;

    function misbehave(uint8 kind, bool on, uint256 seed) external {
        kind %= 7;
        if (kind == 0) FalseToken(address(tokens[FALSE])).setFailing(on);
        if (kind == 1) FeeOnTopToken(address(tokens[FEE_ON_TOP])).setCharging(on);
        if (kind == 2) RebasingToken(address(tokens[REBASING])).rebase(50 + seed % 151);
        if (kind == 3) _setBlocked(seed % (ACTORS + 1), on);
        if (kind == 4) BombToken(address(tokens[BOMB])).arm(on);
        if (kind == 5) _setHook(seed);
        if (kind == 6) _setRecipient(seed);
    }

    function setPaused(uint16 token, uint256 seed) external {
        token %= TOKENS;
        paused[token] = seed % 4 == 0;
        governor.setDepositsPaused(token, paused[token]);
    }

    /// @notice What comes past the functions belongs to nobody: for ETH, as a self-destruction could send it.
    function donate(uint16 token, uint256 seed) external {
        token %= TOKENS;
        uint256 amount = _some(seed, MAX_DEPOSIT);
        donated[token] += amount;
        if (token == ETH) VM.deal(address(rollup), address(rollup).balance + amount);
        else tokens[token].mint(address(rollup), amount);
    }

    function passTime(uint256 seconds_) external {
        VM.warp(block.timestamp + 1 + seconds_ % 2 hours);
    }

    /// @notice Open to all on L1, so a token may call it in the middle of a transfer.
    function executeNext() public virtual;

    // ---- Internal ----

    function _setBlocked(uint256 position, bool blocked) private {
        address victim = position == ACTORS ? address(rollup) : actors[position];
        BlockingToken(address(tokens[BLOCKING])).setBlocked(victim, blocked);
    }

    function _setHook(uint256 seed) private {
        address target;
        bytes memory data;
        (target, data, _hookIsGuarded) = _callback(seed);
        HookToken(payable(address(tokens[HOOK]))).setHook(target, data);
    }

    function _setRecipient(uint256 seed) private {
        // All but BurnGas: with all of a test's gas, burning it proves nothing.
        Recipient.Mode[5] memory modes = [
            Recipient.Mode.Accept,
            Recipient.Mode.Revert,
            Recipient.Mode.ReturnBomb,
            Recipient.Mode.RevertBomb,
            Recipient.Mode.Reenter
        ];
        address target;
        bytes memory data;
        (target, data, _recipientIsGuarded) = _callback(seed / 5);
        recipient.set(modes[seed % 5], target, data);
    }

    function _callback(uint256 seed) private view returns (address target, bytes memory data, bool guarded) {
        if (seed % 4 == 0) return (address(this), abi.encodeCall(this.executeNext, ()), false);
        if (seed % 4 == 1) data = abi.encodeCall(IRollup.depositETH, (0, _actor(seed / 4), 0, 0));
        else if (seed % 4 == 2) data = abi.encodeCall(IRollup.requestFullExit, (1, HOOK));
        else data = abi.encodeCall(IRollup.withdrawPending, (_actor(seed / 4), seed % 8 == 3 ? ETH : HOOK));
        return (address(rollup), data, true);
    }

    function _checkHook() internal view {
        HookToken hook = HookToken(payable(address(tokens[HOOK])));
        if (hook.target() != address(0)) _checkCallback(hook.lastSuccess(), hook.lastReturn(), _hookIsGuarded);
    }

    function _checkRecipient() internal view {
        if (recipient.mode() != Recipient.Mode.Reenter) return;
        _checkCallback(recipient.lastSuccess(), recipient.lastReturn(), _recipientIsGuarded);
    }

    function _checkCallback(bool done, bytes memory answer, bool guarded) private pure {
        if (!guarded) return _require(done, "execution may come in between", 0);
        _refused(done, answer, ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector, "guarded");
    }

    function _depositWorks(uint16 token, address sender) internal view returns (bool) {
        if (token == LYING) return false;
        return _transferWorks(token, sender, address(rollup));
    }

    function _withdrawalWorks(uint16 token, address owner, uint256 amount) internal view returns (bool) {
        if (token == ETH && owner == address(recipient)) {
            return recipient.mode() != Recipient.Mode.Revert && recipient.mode() != Recipient.Mode.RevertBomb;
        }
        if (token == FEE_ON_TOP) return amount < 100 || !FeeOnTopToken(address(tokens[FEE_ON_TOP])).charging();
        return _transferWorks(token, address(rollup), owner);
    }

    function _transferWorks(uint16 token, address from, address to) private view returns (bool) {
        if (token == FALSE) return !FalseToken(address(tokens[FALSE])).failing();
        BlockingToken blocking = BlockingToken(address(tokens[BLOCKING]));
        return token != BLOCKING || !(blocking.blocked(from) || blocking.blocked(to));
    }

    function _makePeace() internal {
        FalseToken(address(tokens[FALSE])).setFailing(false);
        FeeOnTopToken(address(tokens[FEE_ON_TOP])).setCharging(false);
        BombToken(address(tokens[BOMB])).arm(false);
        HookToken(payable(address(tokens[HOOK]))).setHook(address(0), "");
        recipient.set(Recipient.Mode.Accept, address(0), "");
        BlockingToken blocking = BlockingToken(address(tokens[BLOCKING]));
        blocking.setBlocked(address(rollup), false);
        for (uint256 i = 0; i < ACTORS; ++i) {
            blocking.setBlocked(actors[i], false);
        }
    }
}
