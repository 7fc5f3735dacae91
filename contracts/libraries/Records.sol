// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {
    ACCOUNT_ID_BITS,
    ACCOUNT_SHIFT,
    AUX_SHIFT,
    BALANCE_BITS,
    FLAGS_SHIFT,
    FLAG_BITS,
    FLAG_REFUSED,
    FLAG_SENDER_IS_OWNER,
    OP_CHANGE_PUB_KEY,
    OP_DEPOSIT,
    OP_FORCED_EXIT,
    OP_FULL_EXIT,
    OP_SHIFT,
    OP_WITHDRAW,
    SLOT_BITS,
    TOKEN_SHIFT
} from "../generated/Constants.sol";
import {Calldata} from "./Calldata.sol";

/// @notice Records of the L1 stream (protocol 6): W0 = op | flags | account id | token | address, W1 = aux | amount.
/// @dev The constants are made by shifts alone: solc folds these, but computes sums and products at run time, checked.
library Records {
    uint256 private constant ONES = type(uint256).max;
    uint256 private constant ACCOUNT_MASK = ~(ONES << ACCOUNT_ID_BITS);
    uint256 private constant TOKEN_MASK = ~(ONES << SLOT_BITS);
    uint256 private constant FLAGS_MASK = ~(ONES << FLAG_BITS);
    uint256 private constant AMOUNT_MASK = ~(ONES << BALANCE_BITS);
    /// What the operator fills in, and so is no part of the queue's hash.
    uint256 private constant DEPOSIT_W0_OPERATOR = (ACCOUNT_MASK << ACCOUNT_SHIFT) | (FLAG_REFUSED << FLAGS_SHIFT);
    uint256 private constant FULL_EXIT_W1_OPERATOR = AMOUNT_MASK;

    /// Words of a record with a key, and without.
    uint256 private constant WITH_KEY = 4;
    uint256 private constant WITHOUT_KEY = 2;
    /// Words of each operation's record, four bits (2^2) each.
    uint256 private constant WORDS = (WITH_KEY << (OP_DEPOSIT << 2)) | (WITH_KEY << (OP_CHANGE_PUB_KEY << 2))
        | (WITHOUT_KEY << (OP_FULL_EXIT << 2)) | (WITHOUT_KEY << (OP_WITHDRAW << 2))
        | (WITHOUT_KEY << (OP_FORCED_EXIT << 2));
    uint256 private constant DEPOSIT_BYTES = WITH_KEY << 5;

    function deposit(address owner, uint16 token, bool senderIsOwner, uint64 feeGwei, uint128 amount)
        internal
        pure
        returns (uint256 w0, uint256 w1)
    {
        w0 = (OP_DEPOSIT << OP_SHIFT) | (uint256(token) << TOKEN_SHIFT) | uint160(owner);
        if (senderIsOwner) w0 |= FLAG_SENDER_IS_OWNER << FLAGS_SHIFT;
        w1 = (uint256(feeGwei) << AUX_SHIFT) | amount;
    }

    function fullExit(address owner, uint32 accountId, uint16 token, uint64 feeGwei)
        internal
        pure
        returns (uint256 w0, uint256 w1)
    {
        w0 = (OP_FULL_EXIT << OP_SHIFT) | (uint256(accountId) << ACCOUNT_SHIFT) | (uint256(token) << TOKEN_SHIFT)
            | uint160(owner);
        w1 = uint256(feeGwei) << AUX_SHIFT;
    }

    function word(bytes calldata stream, uint256 index) internal pure returns (uint256 value) {
        return uint256(Calldata.word(stream, index << 5));
    }

    /// @dev The whole rest of the word: anything above the four bits of an operation is no operation.
    function op(uint256 w0) internal pure returns (uint256) {
        return w0 >> OP_SHIFT;
    }

    /// @return words Of the operation's record; 0 if it has none, or if this is no operation.
    function wordsOf(uint256 operation) internal pure returns (uint256 words) {
        return (WORDS >> (operation << 2)) & 15;
    }

    function accountOf(uint256 w0) internal pure returns (uint32) {
        return uint32((w0 >> ACCOUNT_SHIFT) & ACCOUNT_MASK);
    }

    function tokenOf(uint256 w0) internal pure returns (uint16) {
        return uint16((w0 >> TOKEN_SHIFT) & TOKEN_MASK);
    }

    function ownerOf(uint256 w0) internal pure returns (address) {
        return address(uint160(w0));
    }

    function flags(uint256 w0) internal pure returns (uint256) {
        return (w0 >> FLAGS_SHIFT) & FLAGS_MASK;
    }

    function isRefused(uint256 w0) internal pure returns (bool) {
        return flags(w0) & FLAG_REFUSED != 0;
    }

    function aux(uint256 w1) internal pure returns (uint256) {
        return w1 >> AUX_SHIFT;
    }

    function amountOf(uint256 w1) internal pure returns (uint128) {
        return uint128(w1);
    }

    /// @notice What the queue knows of the Deposit that starts at word `index`.
    function depositHash(bytes calldata stream, uint256 index) internal pure returns (bytes32 digest) {
        uint256 keep = ~DEPOSIT_W0_OPERATOR;
        uint256 size = DEPOSIT_BYTES;
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, add(stream.offset, shl(5, index)), size)
            mstore(free, and(mload(free), keep))
            digest := keccak256(free, size)
        }
    }

    /// @notice What the queue knows of the FullExit that starts at word `index`.
    function fullExitHash(bytes calldata stream, uint256 index) internal pure returns (bytes32 digest) {
        (uint256 w0, uint256 w1) = (word(stream, index), word(stream, index + 1));
        uint256 keep = ~FULL_EXIT_W1_OPERATOR;
        assembly ("memory-safe") {
            mstore(0x00, w0)
            mstore(0x20, and(w1, keep))
            digest := keccak256(0x00, 0x40)
        }
    }
}
