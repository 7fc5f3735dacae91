"""What the owner of an account signs to change its L2 key (protocol 4, "Key changes"), and whose signature it is."""

from typing import Any

from rollup.core.ecdsa import recover_signer
from rollup.core.eip712 import typed_data, words_digest
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


def key_change_typed_data(operation: ChangePubKey, domain: int) -> dict[str, Any]:
    """The EIP-712 data of a key change on the rollup of this domain, as a wallet takes it, unauthorised."""
    return typed_data(domain, _TYPE, _FIELDS, _message(operation))


def key_change_digest(operation: ChangePubKey, domain: int) -> bytes:
    """The 32 bytes that the owner signs, or approves on L1."""
    return words_digest(domain, _TYPE, _FIELDS, _message(operation))


def recover_owner(operation: ChangePubKey, domain: int) -> int | None:
    """The address whose signature authorises the change; None if it is none that L1 takes."""
    signature = operation.authorisation
    return None if signature is None else recover_signer(key_change_digest(operation, domain), signature)


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
