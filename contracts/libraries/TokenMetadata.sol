// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";

/// @notice Reads what a token says of itself. Whatever it answers, the reader loses gas at most.
library TokenMetadata {
    uint256 internal constant MAX_SYMBOL_BYTES = 32;
    /// Of an ABI-encoded string: where it starts, its length; then its text.
    uint256 private constant STRING_HEAD_BYTES = 64;

    /// @return known Whether the token answers with a number of 8 bits.
    function decimalsOf(address token) internal view returns (bool known, uint8 decimals) {
        (bool answered, bytes memory answer) = token.staticcall(abi.encodeCall(IERC20Metadata.decimals, ()));
        if (!answered || answer.length < 32) return (false, 0);
        uint256 word = uint256(bytes32(answer));
        return (word <= type(uint8).max, uint8(word));
    }

    /// @return symbol As the token's string or bytes32 (MKR) has it; empty if it is neither, or longer than MAX_SYMBOL_BYTES.
    function symbolOf(address token) internal view returns (string memory symbol) {
        (bool answered, bytes memory answer) = token.staticcall(abi.encodeCall(IERC20Metadata.symbol, ()));
        if (!answered) return "";
        (uint256 start, uint256 length) = _text(answer);
        bytes memory text = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            text[i] = answer[start + i];
        }
        return string(text);
    }

    function _text(bytes memory answer) private pure returns (uint256 start, uint256 length) {
        if (answer.length == 32) {
            while (length < 32 && answer[length] != 0) ++length;
            return (0, length);
        }
        if (answer.length < STRING_HEAD_BYTES) return (0, 0);
        (start, length) = abi.decode(answer, (uint256, uint256));
        bool readable = start == 32 && length <= MAX_SYMBOL_BYTES && answer.length >= STRING_HEAD_BYTES + length;
        return readable ? (STRING_HEAD_BYTES, length) : (0, 0);
    }
}
