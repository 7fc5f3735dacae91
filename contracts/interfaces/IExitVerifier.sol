// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// @title IExitVerifier
/// @notice Groth16 over BN254 for the exit circuit (protocol 12). Its error is IVerifier's.
interface IExitVerifier {
    /// @notice Checks a proof that in a state an account of an owner has an amount of a token.
    /// @param proof As in IVerifier.verify.
    /// @param inputs The public inputs (root, claim, amount) of protocol 12.
    /// @return Whether the proof holds; false too for coordinates out of range or off the curve.
    /// Reverts: IVerifier.InputNotInField.
    function verify(uint256[8] calldata proof, uint256[3] calldata inputs) external view returns (bool);

    /// @notice keccak256 of the verification key's words, as in IVerifier.keyHash.
    function keyHash() external view returns (bytes32);
}
