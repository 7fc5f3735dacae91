// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {FIRST_ORDER_SLOT, QUEUE_EXPIRY_SECONDS} from "../../contracts/generated/Constants.sol";
import {IRollup, KeyChange} from "../../contracts/interfaces/IRollup.sol";
import {Hostiles} from "./Hostiles.sol";
import {VM} from "./Vm.sol";

/// @notice What users do: each call goes through exactly if the model says so, and moves what the model says.
abstract contract Users is Hostiles {
    function depositETH(uint256 who, uint256 seed) external {
        Entry memory entry = _newDeposit(_actor(who), ETH, seed);
        bytes memory data = abi.encodeCall(IRollup.depositETH, (entry.amount, entry.owner, entry.ax, entry.ay));
        _deposit(_actor(who), entry, entry.amount, seed, data);
    }

    function depositERC20(uint256 who, uint16 token, uint256 seed) external {
        Entry memory entry = _newDeposit(_actor(who), 1 + token % (TOKENS - 1), seed);
        // Enough for a rebasing token's shares, and for a fee on top.
        tokens[entry.token].mint(_actor(who), 4 * uint256(entry.amount) + 4);
        bytes memory data =
            abi.encodeCall(IRollup.depositERC20, (entry.token, entry.amount, entry.owner, entry.ax, entry.ay));
        _deposit(_actor(who), entry, 0, seed, data);
    }

    function requestFullExit(uint256 who, uint32 account, uint16 token, uint256 seed) external {
        // Mostly of what exists; mostly not by its owner.
        account = seed % 8 == 0 ? account % 2 ** 24 : _accountOf(account % ACTORS);
        token = seed % 8 == 1 ? token % uint16(FIRST_ORDER_SLOT) : token % TOKENS;
        address sender = seed % 2 == 0 || _ownerOf(account) == address(0) ? _actor(who) : _ownerOf(account);
        _requestFullExit(sender, account, token, seed);
    }

    function approveKeyChange(uint256 who, uint16 feeToken, uint256 seed) external {
        uint32 id = _accountOf(who % ACTORS);
        KeyChange memory change;
        (change.accountId, change.nonce) = (id, accounts[id].nonce + (seed % 8 == 0 ? 1 : 0));
        (change.ax, change.ay) = _key(seed);
        change.feeToken = feeToken % TOKENS;
        change.fee = _some(seed, accounts[id].balances[change.feeToken]);
        change.validUntil = uint40(block.timestamp + seed % 2 days);
        VM.prank(_actor(who));
        bytes32 digest = rollup.approveKeyChange(change);
        _require(rollup.keyChangeApproved(_actor(who), digest), "approval is stored", id);
        accounts[id].approved = change;
    }

    function withdrawPending(uint256 caller, uint256 who, uint16 token) external {
        _withdraw(_actor(caller), _actor(who), token % TOKENS);
    }

    /// @notice All of it, or a part.
    function withdrawPendingTo(uint256 who, uint256 to, uint16 token, uint256 seed) external {
        token %= TOKENS;
        uint256 most = owedTo[_actor(who)][token];
        uint128 amount = most == 0 || seed & 1 == 0 ? uint128(most) : 1 + _some(seed, most - 1);
        bytes memory data = abi.encodeCall(IRollup.withdrawPendingTo, (token, _actor(to), amount));
        _pull(_actor(who), _actor(who), token, amount, _actor(to), data);
    }

    // ---- Internal ----

    function _newDeposit(address sender, uint16 token, uint256 seed) private view returns (Entry memory entry) {
        entry.isDeposit = true;
        entry.token = token;
        entry.amount = 1 + _some(_next(seed), MAX_DEPOSIT);
        entry.owner = seed % 4 == 0 ? _actor(seed / 4) : sender;
        entry.senderIsOwner = entry.owner == sender;
        if (entry.senderIsOwner && seed & 8 == 0) (entry.ax, entry.ay) = _key(seed / 16);
    }

    /// @param ethWei What of the ETH sent is deposited.
    function _deposit(address sender, Entry memory entry, uint256 ethWei, uint256 seed, bytes memory data) private {
        uint256 before = _vaultBalance(entry.token);
        bool expected = !isExodus && !paused[entry.token] && _depositWorks(entry.token, sender);
        (bool done, uint256 value, uint256 fee) = _send(sender, ethWei, seed, data);
        if (entry.token != REBASING) _require(done == expected, "deposit works when it should", entry.token);
        _require(!(done && isExodus), "no deposit in exodus", entry.token);
        if (!done) return;

        if (entry.token != ETH) entry.amount = uint128(_vaultBalance(entry.token) - before);
        entry.feeGwei = uint64(fee / 1 gwei);
        _enqueue(sender, entry, value - ethWei - fee);
    }

    function _requestFullExit(address sender, uint32 account, uint16 token, uint256 seed) internal {
        bytes memory data = abi.encodeCall(IRollup.requestFullExit, (account, token));
        (bool done, uint256 value, uint256 fee) = _send(sender, 0, seed, data);
        _require(done == (!isExodus && queue.length > 0), "a full exit after a deposit, until exodus", token);
        if (!done) return;
        Entry memory entry;
        (entry.owner, entry.account, entry.token, entry.feeGwei) = (sender, account, token, uint64(fee / 1 gwei));
        _enqueue(sender, entry, value - fee);
    }

    /// @notice Sends the fee, the ETH and, half of the time, up to another fee.
    function _send(address sender, uint256 ethWei, uint256 seed, bytes memory data)
        private
        returns (bool done, uint256 value, uint256 fee)
    {
        fee = rollup.queueFee();
        value = ethWei + fee + (seed & 16 == 0 ? 0 : _some(_next(_next(seed)), fee));
        VM.deal(sender, value);
        VM.prank(sender);
        (done,) = address(rollup).call{value: value}(data);
    }

    function _enqueue(address sender, Entry memory entry, uint256 excessWei) private {
        entry.expiry = block.timestamp + QUEUE_EXPIRY_SECONDS;
        queue.push(entry);
        if (entry.isDeposit) queued[entry.token] += entry.amount;
        queued[ETH] += uint256(entry.feeGwei) * 1 gwei;
        _owe(sender, ETH, excessWei);
        if (entry.token == HOOK && entry.isDeposit) _checkHook();
    }

    function _withdraw(address caller, address owner, uint16 token) internal {
        bytes memory data = abi.encodeCall(IRollup.withdrawPending, (owner, token));
        uint256 amount = owedTo[owner][token];
        bytes memory answer = _pull(caller, owner, token, amount, owner, data);
        if (answer.length != 0) {
            _same(abi.decode(answer, (uint128)), amount, "withdrawal returns what was owed", token);
        }
    }

    /// @param data The call that pays `amount` of what is owed to `owner` to `to`.
    /// @return answered What it returned, if it went through.
    function _pull(address caller, address owner, uint16 token, uint256 amount, address to, bytes memory data)
        private
        returns (bytes memory answered)
    {
        (uint256 vault, uint256 theirs) = (_vaultBalance(token), _balance(token, to));
        bool expected = _withdrawalWorks(token, to, amount);
        VM.prank(caller);
        (bool done, bytes memory answer) = address(rollup).call(data);
        if (amount == 0) {
            _refused(done, answer, IRollup.NothingPending.selector, "nothing is paid twice");
            return "";
        }
        if (token != REBASING) _require(done == expected, "withdrawal works when it should", token);
        if (!done) return "";

        answered = answer;
        owedTo[owner][token] -= amount;
        owed[token] -= amount;
        if (token == REBASING) {
            _require(vault - _vaultBalance(token) <= amount, "no more leaves than is owed", token);
            return answered;
        }
        _same(vault - _vaultBalance(token), amount, "what was owed leaves", token);
        uint256 burnt = token == FEE_ON_TRANSFER ? amount / 100 : 0;
        _same(_balance(token, to) - theirs, amount - burnt, "the recipient is paid", token);
        if (token == HOOK) _checkHook();
        if (token == ETH && to == address(recipient)) _checkRecipient();
    }
}
