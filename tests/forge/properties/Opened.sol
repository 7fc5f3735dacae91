// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Rollup} from "../../../contracts/Rollup.sol";
import {HEADER_WORDS} from "../../../contracts/generated/Constants.sol";
import {Block, NewBlock} from "../../../contracts/interfaces/IRollup.sol";
import {Header} from "../../../contracts/libraries/Header.sol";
import {VM} from "../Vm.sol";

/// @notice The rollup with its internal functions opened, and its counters set at will.
contract Opened is Rollup {
    /// Where the compiler puts them; a wrong one fails every property that reads a counter back.
    bytes32 private constant CHAIN_SLOT = bytes32(uint256(0));
    uint256 private constant HASHES_SLOT = 2;
    bytes32 private constant QUEUE_SLOT = bytes32(uint256(5));

    constructor(address governor_, address verifier_, address exitVerifier_, uint32 fee)
        Rollup(governor_, governor_, verifier_, exitVerifier_, fee)
    {}

    function setChain(bool isExodus, uint32 committed, uint32 proven, uint32 executed) external {
        uint256 packed = uint256(executed) << 72 | uint256(proven) << 40 | uint256(committed) << 8 | (isExodus ? 1 : 0);
        VM.store(address(this), CHAIN_SLOT, bytes32(packed));
    }

    function setHash(uint64 number, bytes32 hash) external {
        VM.store(address(this), keccak256(abi.encode(number, HASHES_SLOT)), hash);
    }

    function setQueue(uint40 total, uint40 committed, uint40 executed) external {
        VM.store(address(this), QUEUE_SLOT, bytes32(uint256(executed) << 80 | uint256(committed) << 40 | total));
    }

    function setAccounted(uint16 token, uint256 amount) external {
        accounted[token] = amount;
    }

    function setPending(address owner, uint16 token, uint128 amount) external {
        pending[owner][token] = amount;
    }

    function credit(address owner, uint16 token, uint128 amount) external {
        _creditPending(owner, token, amount);
    }

    function enqueue(bytes32 hash) external returns (uint64 index, uint40 expiry) {
        return _enqueue(hash);
    }

    function requireQueued(uint64 index, bytes32 hash) external view {
        _requireQueued(index, hash);
    }

    function removeEntry(uint64 index) external {
        _removeEntry(index);
    }

    function queueFeeGwei() external view returns (uint64) {
        return _queueFeeGwei();
    }

    function isOverdue(uint40 expiry) external view returns (bool) {
        return _isOverdue(expiry);
    }

    function requireNoneOverdue(uint64 index) external view {
        _requireNoneOverdue(index);
    }

    function dropUnproven() external {
        _dropUnproven();
    }

    function requireStored(Block memory block_) external view {
        _requireStored(block_);
    }

    function headerWords(Block memory block_, Block memory parent, NewBlock calldata published)
        external
        view
        returns (uint256[HEADER_WORDS] memory)
    {
        return Header.words(block_, parent, published);
    }
}
