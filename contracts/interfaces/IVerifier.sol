// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// @title IVerifier
/// @notice Groth16 over BN254 for several block sizes behind one contract.
interface IVerifier {
    /// @notice A public input is not below the scalar field modulus, and so would be another block's.
    error InputNotInField(uint256 index, uint256 value);
    /// @notice There is no key for this block size.
    error UnknownBlockSize(uint16 blockSize);

    /// @notice Checks a proof.
    /// @param blockSize Number of steps of the circuit; chooses the key.
    /// @param proof A.x, A.y, B.x.c1, B.x.c0, B.y.c1, B.y.c0, C.x, C.y: the order of the pairing precompile.
    /// @param inputs The public inputs (C, X, Y) of protocol 7.
    /// @return Whether the proof holds; false too for coordinates out of range or off the curve.
    /// Reverts: InputNotInField, UnknownBlockSize.
    function verify(uint16 blockSize, uint256[8] calldata proof, uint256[3] calldata inputs)
        external
        view
        returns (bool);

    /// @notice Checks several proofs at once, for the gas of a pairing and two multiplications each.
    /// @param blockSizes, proofs, inputs Of each proof as in `verify`.
    /// @return Whether all hold. A set with a false one among them passes with probability 2^-128.
    /// Reverts: InputNotInField, UnknownBlockSize; Panic if there are fewer proofs or inputs than sizes.
    function verifyMany(uint16[] calldata blockSizes, uint256[8][] calldata proofs, uint256[3][] calldata inputs)
        external
        view
        returns (bool);

    /// @notice Whether there is a key for blocks of this many steps.
    function supportsSize(uint16 blockSize) external view returns (bool);

    /// @notice keccak256 of the verification key's words: alpha (2), beta (4), gamma (4), delta (4), IC (2 each), G2 points
    /// with c1 before c0.
    /// Reverts: UnknownBlockSize.
    function keyHash(uint16 blockSize) external view returns (bytes32);
}
