"""What the owner of an account signs to change its L2 key (protocol 4, "Key changes"), and whose signature it is."""

from typing import Any

from rollup.core.eip712 import typed_data, uints_digest
from rollup.core.operations import ChangePubKey

_TYPE = "ChangePubKey"
_FIELDS = {
    "accountId": "uint32",
    "nonce": "uint32",
    "ax": "uint256",
    "ay": "uint256",
    "feeToken": "uint16",
    "fee": "uint128",
    "validUntil": "uint40",
}
_SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_RECOVERY_IDS = (27, 28)


def key_change_typed_data(operation: ChangePubKey, domain: int) -> dict[str, Any]:
    """The EIP-712 data of a key change on the rollup of this domain, as a wallet takes it, unauthorised."""
    return typed_data(domain, _TYPE, _FIELDS, _message(operation))


def key_change_digest(operation: ChangePubKey, domain: int) -> bytes:
    """The 32 bytes that the owner signs, or approves on L1."""
    return uints_digest(domain, _TYPE, _FIELDS, _message(operation))


def recover_owner(operation: ChangePubKey, domain: int) -> int | None:
    """The address whose signature authorises the change; None if it is none that L1 takes."""
    signature = operation.authorisation
    # One of several equivalent forms: v is 27 or 28, s in the lower half.
    if signature is None or signature.v not in _RECOVERY_IDS or signature.s > _SECP256K1_ORDER // 2:
        return None
    from eth_keys.datatypes import Signature  # half a second to import, and seldom needed

    try:
        given = Signature(vrs=(_RECOVERY_IDS.index(signature.v), signature.r, signature.s))
        signer = given.recover_public_key_from_msg_hash(key_change_digest(operation, domain))
    except Exception:  # what the libraries raise for numbers that are no signature is of several types
        return None
    return int.from_bytes(signer.to_canonical_address(), "big")


def _message(operation: ChangePubKey) -> dict[str, int]:
    return {
        "accountId": operation.account_id,
        "nonce": operation.nonce,
        "ax": operation.key[0],
        "ay": operation.key[1],
        "feeToken": operation.fee_token,
        "fee": operation.fee,
        "validUntil": operation.valid_until,
    }
