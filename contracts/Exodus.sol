// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";

import {Chain} from "./Chain.sol";
import {Queue} from "./Queue.sol";
import {Vault} from "./Vault.sol";
import {ACCOUNT_ID_BITS, ACCOUNT_SHIFT, FIRST_ORDER_SLOT, SLOT_BITS, TOKEN_SHIFT} from "./generated/Constants.sol";
import {IExitVerifier} from "./interfaces/IExitVerifier.sol";
import {Block} from "./interfaces/IRollup.sol";
import {Records} from "./libraries/Records.sol";

/// @notice The way out when the queue is not served: no new blocks, everything leaves against the last proven root. Open to all.
/// @dev The last proven root, not the last executed one: there a withdrawal that is proven and not executed would be both in
/// its owner's balance and on its way. Whatever is proven stays executable, so each amount is in one of the two.
abstract contract Exodus is Chain, Vault, Queue {
    using BitMaps for BitMaps.BitMap;
    using Records for uint256;

    address public immutable exitVerifier;

    uint256 public exodusRoot;
    uint64 public exodusQueueStart;
    /// By `account id | token`: an account's tokens share a slot.
    BitMaps.BitMap private _exited;

    constructor(address exitVerifier_) {
        exitVerifier = exitVerifier_;
    }

    // ---- Anyone ----

    function activateExodus(Block calldata lastProven) external nonReentrant {
        _requireNormal();
        _requireLastProven(lastProven);
        uint64 index = lastProven.queueEnd;
        uint40 expiry = _expiryOf(index);
        if (!_isOverdue(expiry)) revert QueueNotOverdue(index, expiry, block.timestamp);

        _enterExodus();
        exodusRoot = lastProven.newRoot;
        exodusQueueStart = index;
        _dropUnproven();
        _setQueueCommitted(index);
        emit ExodusActivated(lastProven.number, lastProven.newRoot, index);
    }

    function exitExodus(uint32 accountId, uint16 token, address owner, uint128 amount, uint256[8] calldata proof)
        external
        nonReentrant
    {
        _requireExodus();
        if (accountId >> ACCOUNT_ID_BITS != 0) revert AccountOutOfRange(accountId);
        if (token >= FIRST_ORDER_SLOT) revert TokenOutOfRange(token);
        if (amount == 0) revert ZeroExit(accountId, token);
        uint256 place = _place(accountId, token);
        if (_exited.get(place)) revert AlreadyExited(accountId, token);
        uint256 claim = (uint256(accountId) << ACCOUNT_SHIFT) | (uint256(token) << TOKEN_SHIFT) | uint160(owner);
        if (!IExitVerifier(exitVerifier).verify(proof, [exodusRoot, claim, amount])) {
            revert InvalidExitProof(accountId, token);
        }

        _exited.set(place);
        emit Exited(accountId, token, owner, amount, msg.sender);
        _creditPending(owner, token, amount);
    }

    function refundQueued(uint64 index, uint256[] calldata record) external nonReentrant {
        _requireExodus();
        if (index < exodusQueueStart || index >= queueTotal()) {
            revert NotRefundable(index, exodusQueueStart, queueTotal());
        }
        _requireQueued(index, keccak256(abi.encodePacked(record)));
        (address owner, uint16 token, uint128 amount) = (record[0].ownerOf(), record[0].tokenOf(), record[1].amountOf());
        uint256 feeWei = record[1].aux() * 1 gwei;

        _removeEntry(index);
        emit QueueRefunded(index, owner, token, amount, feeWei);
        // A FullExit's record has amount 0.
        _creditPending(owner, token, amount);
        _creditPending(owner, ETH, uint128(feeWei));
    }

    // ---- Views ----

    function exited(uint32 accountId, uint16 token) external view returns (bool) {
        return _exited.get(_place(accountId, token));
    }

    // ---- Internal ----

    function _place(uint32 accountId, uint16 token) private pure returns (uint256) {
        return (uint256(accountId) << SLOT_BITS) | token;
    }
}
