// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {Mode} from "./Mode.sol";
import {Queue} from "./Queue.sol";
import {Vault} from "./Vault.sol";
import {ACCOUNT_ID_BITS, FIRST_ORDER_SLOT} from "./generated/Constants.sol";
import {IGovernor} from "./interfaces/IGovernor.sol";
import {BabyJubjub} from "./libraries/BabyJubjub.sol";
import {Records} from "./libraries/Records.sol";

/// @notice What users ask for on L1: deposits and forced exits, each a queue entry with its fee.
/// @dev The governor's stops and caps are read for deposits only. Queue fees are owed as ETH but escape ETH's cap: an exit must
/// never be refused for it.
abstract contract Inbox is Mode, Vault, Queue {
    // ---- Users ----

    function depositETH(uint128 amount, address owner, uint256 ax, uint256 ay)
        external
        payable
        nonReentrant
        returns (uint64 index)
    {
        _requireNormal();
        _checkOwnerAndKey(owner, ax, ay);
        (, uint128 cap) = _openTerms(ETH);
        _requireUnderCap(ETH, cap, amount);
        uint64 feeGwei = _takeFee(amount);
        return _queueDeposit(owner, ETH, amount, feeGwei, ax, ay);
    }

    function depositERC20(uint16 token, uint128 amount, address owner, uint256 ax, uint256 ay)
        external
        payable
        nonReentrant
        returns (uint64 index)
    {
        _requireNormal();
        if (token == ETH) revert NotAnErc20(token);
        _checkOwnerAndKey(owner, ax, ay);
        (IERC20 erc20, uint128 cap) = _openTerms(token);
        uint64 feeGwei = _takeFee(0);

        // The transfer comes before the effects since it decides them; every function that it could re-enter to gain is
        // guarded, and until it returns the vault holds at least what it accounts for.
        uint256 arrived = _receiveErc20(erc20, amount);
        _requireUnderCap(token, cap, arrived);
        accounted[token] += arrived;
        return _queueDeposit(owner, token, arrived, feeGwei, ax, ay);
    }

    function requestFullExit(uint32 accountId, uint16 token) external payable nonReentrant returns (uint64 index) {
        _requireNormal();
        if (accountId >> ACCOUNT_ID_BITS != 0) revert AccountOutOfRange(accountId);
        if (token >= FIRST_ORDER_SLOT) revert TokenOutOfRange(token);
        // Without an account no block can be closed, and only a deposit makes the first: exits ahead of it would end the rollup.
        if (queueTotal() == 0) revert NoDepositYet();
        uint64 feeGwei = _takeFee(0);

        uint40 expiry;
        uint256[2] memory record;
        (record[0], record[1]) = Records.fullExit(msg.sender, accountId, token, feeGwei);
        (index, expiry) = _enqueue(keccak256(abi.encode(record)));
        emit FullExitQueued(index, msg.sender, token, accountId, feeGwei, expiry, record);
    }

    // ---- Internal ----

    /// @dev A deposit of somebody else's must not choose the key that will spend it.
    function _checkOwnerAndKey(address owner, uint256 ax, uint256 ay) private view {
        if (owner == address(0) || owner == address(this)) revert InvalidOwner(owner);
        if (ax == 0 && ay == 0) return;
        if (owner != msg.sender) revert KeyNotByOwner(owner, msg.sender);
        if (!BabyJubjub.isOnCurve(ax, ay)) revert KeyNotOnCurve(ax, ay);
    }

    function _openTerms(uint16 token) private view returns (IERC20 erc20, uint128 cap) {
        (address tokenAddress, uint128 depositCap, bool paused) = IGovernor(governor).depositTerms(token);
        if (paused) revert DepositsPaused(token);
        return (IERC20(tokenAddress), depositCap);
    }

    /// @notice Accounts for the ETH that came and credits the sender with what is neither deposit nor fee.
    /// @dev The excess counts as ETH owed and can be taken back at once: without a limit it would fill the cap for as long
    /// as somebody else's deposit needs to fail, for one fee.
    function _takeFee(uint128 depositWei) private returns (uint64 feeGwei) {
        feeGwei = _queueFeeGwei();
        uint256 fee = uint256(feeGwei) * 1 gwei;
        uint256 sent = msg.value > depositWei ? msg.value - depositWei : 0;
        // Of both together: a fee of 0 would not notice that the deposit itself is missing.
        if (msg.value < depositWei + fee) revert QueueFeeNotPaid(fee, sent);
        if (sent > 2 * fee) revert QueueFeeExceeded(2 * fee, sent);
        accounted[ETH] += msg.value;
        _creditPending(msg.sender, ETH, uint128(sent - fee));
    }

    function _requireUnderCap(uint16 token, uint256 cap, uint256 arrived) private view {
        uint256 wouldBe = accounted[token] + arrived;
        if (wouldBe > cap) revert DepositCapExceeded(token, cap, wouldBe);
    }

    /// @param amount At most the cap, so below 2^120.
    function _queueDeposit(address owner, uint16 token, uint256 amount, uint64 feeGwei, uint256 ax, uint256 ay)
        private
        returns (uint64 index)
    {
        if (amount == 0) revert ZeroDeposit(token);
        uint40 expiry;
        uint256[4] memory record;
        (record[0], record[1]) = Records.deposit(owner, token, owner == msg.sender, feeGwei, uint128(amount));
        (record[2], record[3]) = (ax, ay);
        (index, expiry) = _enqueue(keccak256(abi.encode(record)));
        emit DepositQueued(index, owner, token, msg.sender, uint128(amount), feeGwei, expiry, record);
    }
}
