// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IVerifier} from "../../../contracts/interfaces/IVerifier.sol";

/// @notice FOR TESTS ONLY: accepts every proof but the all-zero one. Lives in tests/ alone.
contract AcceptAllVerifier is IVerifier {
    uint16[] private _sizes;

    constructor(uint16[] memory sizes) {
        _sizes = sizes;
    }

    function verify(uint16, uint256[8] calldata proof, uint256[3] calldata) external pure returns (bool) {
        return proof[0] != 0;
    }

    function verifyMany(uint16[] calldata, uint256[8][] calldata proofs, uint256[3][] calldata)
        external
        pure
        returns (bool)
    {
        for (uint256 i = 0; i < proofs.length; ++i) {
            if (proofs[i][0] == 0) return false;
        }
        return true;
    }

    function supportsSize(uint16 blockSize) public view returns (bool) {
        for (uint256 i = 0; i < _sizes.length; ++i) {
            if (_sizes[i] == blockSize) return true;
        }
        return false;
    }

    function keyHash(uint16) external pure returns (bytes32) {
        return 0;
    }
}
