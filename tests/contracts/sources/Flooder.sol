// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IRollup} from "../../../contracts/interfaces/IRollup.sol";

/// @notice Floods the queue as cheaply as it can be done: many requests a transaction, no answer kept.
contract Flooder {
    constructor() payable {}

    /// @notice `count` deposits of 1 wei for owners `first`, `first` + 1, ..: each the dearest entry to serve, if refused.
    function depositForMany(IRollup rollup, uint256 first, uint256 count) external {
        for (uint256 i = 0; i < count; ++i) {
            rollup.depositETH{value: 1 + rollup.queueFee()}(1, address(uint160(first + i)), 0, 0);
        }
    }

    function requestMany(IRollup rollup, uint256 count) external {
        for (uint256 i = 0; i < count; ++i) {
            rollup.requestFullExit{value: rollup.queueFee()}(uint32(i), 0);
        }
    }
}
