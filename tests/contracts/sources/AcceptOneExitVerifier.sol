// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IExitVerifier} from "../../../contracts/interfaces/IExitVerifier.sol";

/// @notice FOR TESTS ONLY: accepts any proof of the public inputs that it was told to expect.
contract AcceptOneExitVerifier is IExitVerifier {
    uint256[3] private _expected;

    function expect(uint256[3] calldata inputs) external {
        _expected = inputs;
    }

    function verify(uint256[8] calldata, uint256[3] calldata inputs) external view returns (bool) {
        return keccak256(abi.encode(inputs)) == keccak256(abi.encode(_expected));
    }

    function keyHash() external pure returns (bytes32) {
        return 0;
    }
}
