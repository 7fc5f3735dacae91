// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IExitVerifier} from "../../../contracts/interfaces/IExitVerifier.sol";

/// @notice FOR TESTS ONLY: accepts every proof but the all-zero one. Lives in tests/ alone.
contract AcceptAllExitVerifier is IExitVerifier {
    function verify(uint256[8] calldata proof, uint256[3] calldata) external pure returns (bool) {
        return proof[0] != 0;
    }

    function keyHash() external pure returns (bytes32) {
        return 0;
    }
}
