// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

import {ACCOUNT_ID_BITS, FIRST_ORDER_SLOT} from "./generated/Constants.sol";
import {IRollup, KeyChange} from "./interfaces/IRollup.sol";
import {BabyJubjub} from "./libraries/BabyJubjub.sol";
import {Calldata} from "./libraries/Calldata.sol";

/// @notice Who may change a key: the account's owner on L1, by a signature handed in with the block or by an approval here.
/// @dev Absent on purpose: a way to take an approval back, which would make a commit under way fail, and a call to the owner
/// (EIP-1271), which could fail it as well. A contract approves by calling.
abstract contract KeyChanges is IRollup {
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant NAME_HASH = keccak256("Sluice");
    bytes32 private constant VERSION_HASH = keccak256("1");
    bytes32 private constant CHANGE_PUB_KEY_TYPEHASH = keccak256(
        "ChangePubKey(uint32 accountId,uint32 nonce,uint256 ax,uint256 ay,uint16 feeToken,uint128 fee,uint40 validUntil)"
    );
    /// `r 32 | s 32 | v 1 | validUntil 5`, protocol 8.
    uint256 private constant KEY_AUTH_BYTES = 32 + 32 + 1 + 5;

    mapping(address owner => mapping(bytes32 digest => bool)) public keyChangeApproved;

    // ---- Users ----

    function approveKeyChange(KeyChange calldata change) external returns (bytes32 digest) {
        if (change.accountId >> ACCOUNT_ID_BITS != 0) revert AccountOutOfRange(change.accountId);
        if (change.feeToken >= FIRST_ORDER_SLOT) revert TokenOutOfRange(change.feeToken);
        _requireOnCurve(change);
        digest = _digest(change);
        keyChangeApproved[msg.sender][digest] = true;
        emit KeyChangeApproved(msg.sender, digest, change);
    }

    // ---- Views ----

    function keyChangeDigest(KeyChange calldata change) external view returns (bytes32 digest) {
        return _digest(change);
    }

    // ---- Internal ----

    /// @param change As its record has it; `validUntil` is filled in here.
    /// @param keyAuth The authorisations of the block's key changes.
    /// @param position Of this one among them.
    /// @param timestamp The header's.
    function _requireAuthorised(
        address owner,
        KeyChange memory change,
        bytes calldata keyAuth,
        uint256 position,
        uint64 timestamp
    ) internal view {
        _requireOnCurve(change);
        uint256 end = (position + 1) * KEY_AUTH_BYTES;
        if (keyAuth.length < end) revert KeyAuthLength(end, keyAuth.length);
        uint256 start = end - KEY_AUTH_BYTES;
        (bytes32 r, bytes32 s) = (Calldata.word(keyAuth, start), Calldata.word(keyAuth, start + 32));
        bytes32 rest = Calldata.word(keyAuth, start + 64);
        uint8 v = uint8(rest[0]);
        change.validUntil = uint40(bytes5(rest << 8));
        if (change.validUntil < timestamp) revert KeyChangeExpired(change.accountId, change.validUntil, timestamp);

        bytes32 digest = _digest(change);
        if (r == 0 && s == 0 && v == 0) {
            if (!keyChangeApproved[owner][digest]) revert KeyChangeNotApproved(owner, digest);
        } else {
            // 0 if s is in the upper half or the signature is none at all.
            (address signer,,) = ECDSA.tryRecover(digest, v, r, s);
            if (signer == address(0) || signer != owner) revert KeyChangeNotSigned(owner, signer, digest);
        }
    }

    /// @param keyChanges How many the block has.
    function _requireKeyAuths(bytes calldata keyAuth, uint256 keyChanges) internal pure {
        uint256 expected = keyChanges * KEY_AUTH_BYTES;
        if (keyAuth.length != expected) revert KeyAuthLength(expected, keyAuth.length);
    }

    /// @dev All fields are static, so the struct's ABI encoding is EIP-712's. The domain is made anew each time: a chain may
    /// split, and immutables that name this contract would make its code depend on its address (OpenZeppelin's EIP712 does).
    function _digest(KeyChange memory change) private view returns (bytes32) {
        bytes32 domain = keccak256(abi.encode(DOMAIN_TYPEHASH, NAME_HASH, VERSION_HASH, block.chainid, address(this)));
        bytes32 structHash = keccak256(abi.encode(CHANGE_PUB_KEY_TYPEHASH, change));
        return MessageHashUtils.toTypedDataHash(domain, structHash);
    }

    function _requireOnCurve(KeyChange memory change) private pure {
        if (!BabyJubjub.isOnCurve(change.ax, change.ay)) revert KeyNotOnCurve(change.ax, change.ay);
    }
}
