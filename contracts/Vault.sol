// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {IGovernor} from "./interfaces/IGovernor.sol";
import {IRollup} from "./interfaces/IRollup.sol";

/// @notice The money: one number per token for all that is owed, and what each owner may pull out.
/// @dev `accounted` grows only by what has arrived and shrinks only by what leaves: money moves between the queue, L2 and
/// pending balances without touching it.
abstract contract Vault is IRollup, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    uint16 internal constant ETH = 0;

    address public immutable governor;

    mapping(uint16 token => uint256) public accounted;
    mapping(address owner => mapping(uint16 token => uint128)) public pending;

    constructor(address governor_) {
        _requireCode(governor_);
        governor = governor_;
    }

    // ---- Users ----

    function withdrawPending(address owner, uint16 token) external nonReentrant returns (uint128 amount) {
        amount = pending[owner][token];
        _payOut(owner, token, owner, amount);
    }

    function withdrawPendingTo(uint16 token, address to, uint128 amount) external nonReentrant {
        if (to == address(0) || to == address(this)) revert InvalidRecipient(to);
        _payOut(msg.sender, token, to, amount);
    }

    // ---- Internal ----

    function _payOut(address owner, uint16 token, address to, uint128 amount) private {
        uint128 most = pending[owner][token];
        if (most == 0) revert NothingPending(owner, token);
        if (amount == 0 || amount > most) revert AmountNotPending(owner, token, amount, most);

        pending[owner][token] = most - amount;
        accounted[token] -= amount;
        emit Withdrawn(owner, token, to, amount, msg.sender);

        if (token == ETH) _sendEth(to, amount);
        else _sendErc20(to, token, amount);
    }

    function _creditPending(address owner, uint16 token, uint128 amount) internal {
        if (amount == 0) return;
        pending[owner][token] += amount;
        emit PendingCredited(owner, token, amount);
    }

    /// @dev Returns what arrived, which is what a token says it is, and not always what was asked for.
    function _receiveErc20(IERC20 erc20, uint256 amount) internal returns (uint256 arrived) {
        uint256 before = erc20.balanceOf(address(this));
        erc20.safeTransferFrom(msg.sender, address(this), amount);
        return erc20.balanceOf(address(this)) - before;
    }

    /// @dev All gas is passed on: who calls pays, and nothing but this withdrawal hangs on it. Nothing returned is copied.
    function _sendEth(address to, uint256 amount) private {
        bool sent;
        assembly ("memory-safe") {
            sent := call(gas(), to, amount, 0, 0, 0, 0)
        }
        if (!sent) revert EthTransferFailed(to, amount);
    }

    /// @dev A token that takes its fee from the sender would be paid by the other holders.
    function _sendErc20(address to, uint16 token, uint256 amount) private {
        IERC20 erc20 = IERC20(IGovernor(governor).tokenAddress(token));
        uint256 before = erc20.balanceOf(address(this));
        erc20.safeTransfer(to, amount);
        uint256 remaining = erc20.balanceOf(address(this));
        if (remaining + amount < before) revert OutflowExceedsAmount(token, amount, before - remaining);
    }

    function _requireCode(address contract_) internal view {
        if (contract_.code.length == 0) revert AddressWithoutCode(contract_);
    }
}
