// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Mode} from "./Mode.sol";
import {EMPTY_ROOT} from "./generated/Constants.sol";
import {Block} from "./interfaces/IRollup.sol";

/// @notice The chain of block hashes, and how far it is committed, proven and executed.
abstract contract Chain is Mode {
    // 32 bits are the header's width of a block number; checked arithmetic keeps to it.
    uint32 private _committed;
    uint32 private _proven;
    uint32 private _executed;
    /// When the last proven block was proven, unix seconds.
    uint40 private _provenAt;
    /// Whose block that is, and when the last one of somebody else's was proven.
    address private _provenCommitter;
    uint40 private _turnBeganAt;
    /// Those above `_committed` are of reverted blocks, and count for nothing until a commit overwrites them.
    mapping(uint64 number => bytes32) private _hashes;

    constructor() {
        _hashes[0] = _hash(genesisBlock());
    }

    // ---- Views ----

    function genesisBlock() public pure returns (Block memory genesis) {
        genesis.newRoot = EMPTY_ROOT;
    }

    function blockHash(uint64 number) public view returns (bytes32) {
        return number > _committed ? bytes32(0) : _hashes[number];
    }

    function verifyBlock(Block calldata candidate) external view returns (bool) {
        return blockHash(candidate.number) == _hash(candidate);
    }

    function committedBlocks() public view returns (uint64) {
        return _committed;
    }

    function provenBlocks() public view returns (uint64) {
        return _proven;
    }

    function provenAt() public view returns (uint40 timestamp) {
        return _provenAt;
    }

    function turnBeganAt() public view returns (uint40 timestamp) {
        return _turnBeganAt;
    }

    function executedBlocks() public view returns (uint64) {
        return _executed;
    }

    // ---- Internal ----

    function _hash(Block memory block_) internal pure returns (bytes32) {
        return keccak256(abi.encode(block_));
    }

    /// @return hash The stored hash.
    function _requireStored(Block memory block_) internal view returns (bytes32 hash) {
        hash = _hash(block_);
        bytes32 expected = blockHash(block_.number);
        if (hash != expected) revert BlockHashMismatch(block_.number, expected, hash);
    }

    function _requireNumber(uint64 expected, Block memory block_) internal pure {
        if (block_.number != expected) revert BlockOutOfOrder(expected, block_.number);
    }

    /// @notice The last proven block, by its preimage.
    function _requireLastProven(Block memory block_) internal view {
        _requireNumber(_proven, block_);
        _requireStored(block_);
    }

    /// @return hash The new block's hash.
    function _append(Block memory block_) internal returns (bytes32 hash) {
        hash = _hash(block_);
        _hashes[++_committed] = hash;
        emit BlockCommitted(block_.number, hash, block_.committer, block_.validatorSet, block_.committedAt);
    }

    /// @notice Makes unproven blocks no blocks, however many they are.
    function _dropUnproven() internal {
        _committed = _proven;
    }

    function _markProven(Block memory block_, bytes32 hash) internal {
        if (block_.committer != _provenCommitter) (_provenCommitter, _turnBeganAt) = (block_.committer, _provenAt);
        ++_proven;
        _provenAt = uint40(block.timestamp);
        emit BlockProven(block_.number, hash);
    }

    function _markExecuted(uint64 number, bytes32 hash) internal {
        ++_executed;
        emit BlockExecuted(number, hash, msg.sender);
    }
}
