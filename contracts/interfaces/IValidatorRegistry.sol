// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// @title IValidatorRegistry
/// @notice Decides who may commit. It has no say in proving, executing or withdrawing.
interface IValidatorRegistry {
    /// @notice The committer may not commit.
    error NotAValidator(address committer);
    /// @notice `auth` is not what this registry expects.
    error InvalidAuth();

    /// @notice Approves a commit, or reverts.
    /// @param committer Sender of the commit.
    /// @param digest keccak256 of the parent's hash and, for each block, keccak256(H0, .., H4, l2Hash, l1Hash, C): all that the
    /// committer chose. After a revert the same can be committed again: an `auth` that is to count once must hold the committer
    /// and the time too.
    /// @param auth As passed to the commit; empty for an allow-list.
    /// @return validatorSet Identifies the set that approved; becomes part of the block hash.
    function authorise(address committer, bytes32 digest, bytes calldata auth)
        external
        view
        returns (bytes32 validatorSet);
}
