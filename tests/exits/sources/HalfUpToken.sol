// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {PlainToken} from "./Tokens.sol";

/// @notice Keeps scaled balances and rounds half up on both ways, as Aave's aTokens did: a holder may lose a unit more than he sends.
contract HalfUpToken is PlainToken {
    uint256 private constant RAY = 1e27;
    uint256 private constant INDEX = 1_234_567_890_123_456_789_012_345_678;

    function balanceOf(address owner) public view override returns (uint256) {
        return (_balances[owner] * INDEX + RAY / 2) / RAY;
    }

    function _move(address from, address to, uint256 amount) internal override {
        super._move(from, to, (amount * RAY + INDEX / 2) / INDEX);
    }
}
