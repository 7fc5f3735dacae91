// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

/// @notice Reads large calldata without leaving copies in memory: memory is priced by its highest use, quadratically.
library Calldata {
    /// @notice Whether the call's arguments are exactly `encoding`, with nothing after them.
    /// @dev `encoding` is consumed: its memory is freed, so it must be the last thing allocated and not be used again.
    function isExactly(bytes memory encoding) internal pure returns (bool same) {
        assembly ("memory-safe") {
            let size := sub(calldatasize(), 4)
            if eq(mload(encoding), size) {
                let expected := keccak256(add(encoding, 32), size)
                calldatacopy(encoding, 4, size)
                same := eq(expected, keccak256(encoding, size))
            }
            mstore(0x40, encoding)
        }
    }

    /// @notice The 32 bytes from `offset` on, with whatever follows `data` if it ends before.
    function word(bytes calldata data, uint256 offset) internal pure returns (bytes32 value) {
        assembly ("memory-safe") {
            value := calldataload(add(data.offset, offset))
        }
    }

    function hash(bytes calldata data) internal pure returns (bytes32 digest) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, data.offset, data.length)
            digest := keccak256(free, data.length)
        }
    }
}
