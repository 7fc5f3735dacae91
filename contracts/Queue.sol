// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {MAX_L1_OPERATIONS_PER_BLOCK, MAX_QUEUE_FEE_GWEI, QUEUE_EXPIRY_SECONDS} from "./generated/Constants.sol";
import {IRollup} from "./interfaces/IRollup.sol";

/// @notice The priority queue: what validators must serve, in order. One slot an entry.
/// @dev Entries stay when they are executed: freeing them would cost more than the refund, which is a fifth of a
/// transaction's gas at most. The counters alone say what is open.
abstract contract Queue is IRollup {
    /// The fee rises by its base with every such number of open entries: with every block that they fill.
    uint256 private constant OPEN_ENTRIES_PER_STEP = MAX_L1_OPERATIONS_PER_BLOCK;

    uint32 private immutable BASE_FEE_GWEI;

    // 40 bits are the header's width of a queue index; checked arithmetic keeps to it.
    uint40 private _total;
    uint40 private _committed;
    uint40 private _executed;
    /// `hash 27 bytes | expiry 5 bytes`, protocol 8.
    mapping(uint64 index => bytes32) private _entries;

    constructor(uint32 baseFeeGwei) {
        if (baseFeeGwei == 0 || baseFeeGwei > MAX_QUEUE_FEE_GWEI) {
            revert QueueFeeOutOfRange(baseFeeGwei, MAX_QUEUE_FEE_GWEI);
        }
        BASE_FEE_GWEI = baseFeeGwei;
    }

    // ---- Views ----

    function queueTotal() public view returns (uint64) {
        return _total;
    }

    function queueCommitted() external view returns (uint64) {
        return _committed;
    }

    function queueExecuted() external view returns (uint64) {
        return _executed;
    }

    function queueEntry(uint64 index) public view returns (bytes27 hash, uint40 expiry) {
        if (index < _executed) return (0, 0);
        bytes32 entry = _entries[index];
        return (bytes27(entry), uint40(uint256(entry)));
    }

    function queueFee() external view returns (uint256 feeWei) {
        return uint256(_queueFeeGwei()) * 1 gwei;
    }

    // ---- Internal ----

    /// @return expiry 0 if there is no entry.
    function _expiryOf(uint64 index) internal view returns (uint40 expiry) {
        return uint40(uint256(_entries[index]));
    }

    /// @param expiry 0 if there is no entry.
    function _isOverdue(uint40 expiry) internal view returns (bool) {
        return expiry != 0 && block.timestamp >= expiry;
    }

    /// @dev Fits: the base has 32 bits, the number of open entries 40.
    function _queueFeeGwei() internal view returns (uint64) {
        uint256 open = _total - _executed;
        return uint64(BASE_FEE_GWEI * (1 + open / OPEN_ENTRIES_PER_STEP));
    }

    function _enqueue(bytes32 recordHash) internal returns (uint64 index, uint40 expiry) {
        index = _total++;
        expiry = uint40(block.timestamp + QUEUE_EXPIRY_SECONDS);
        _entries[index] = bytes32(bytes27(recordHash)) | bytes32(uint256(expiry));
    }

    /// @dev An index that is not queued yet has hash 0, which no record has.
    function _requireQueued(uint64 index, bytes32 recordHash) internal view {
        bytes27 expected = bytes27(_entries[index]);
        if (bytes27(recordHash) != expected) revert QueueEntryMismatch(index, expected, bytes27(recordHash));
    }

    /// @notice Takes an entry out for good.
    function _removeEntry(uint64 index) internal {
        delete _entries[index];
    }

    /// @param end Checked entry by entry before: it never passes the total.
    function _setQueueCommitted(uint64 end) internal {
        _committed = uint40(end);
    }

    function _setQueueExecuted(uint64 end) internal {
        _executed = uint40(end);
    }
}
