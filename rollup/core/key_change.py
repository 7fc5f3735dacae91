"""What the owner of an account signs to change its L2 key (protocol 4, "Key changes"), and whose signature it is."""

from typing import Any

from eth_account import Account as EthereumAccount
from eth_account.messages import SignableMessage, encode_typed_data
from eth_hash.auto import keccak

from rollup.core.checks import unpack
from rollup.core.constants import ADDRESS_BITS, CHAIN_ID_BITS
from rollup.core.eip712 import typed_data
from rollup.core.operations import ChangePubKey, OwnerSignature

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
    """The EIP-712 data of a key change on the rollup of this domain; its authorisation is no part of it."""
    _, chain_id, rollup_address = unpack(domain, CHAIN_ID_BITS, ADDRESS_BITS)
    message = {
        "accountId": operation.account_id,
        "nonce": operation.nonce,
        "ax": operation.key[0],
        "ay": operation.key[1],
        "feeToken": operation.fee_token,
        "fee": operation.fee,
        "validUntil": operation.valid_until,
    }
    return typed_data(chain_id, rollup_address, "ChangePubKey", _FIELDS, message)


def key_change_digest(operation: ChangePubKey, domain: int) -> bytes:
    """The 32 bytes that the owner signs, or approves on L1."""
    message = _signable(operation, domain)
    return keccak(b"\x19" + message.version + message.header + message.body)


def recover_owner(operation: ChangePubKey, domain: int) -> int | None:
    """The address whose signature authorises the change; None if it is none that L1 takes."""
    signature = operation.authorisation
    if signature is None or not _is_canonical(signature):
        return None
    message = _signable(operation, domain)
    try:
        return int(EthereumAccount.recover_message(message, vrs=(signature.v, signature.r, signature.s)), 16)
    except Exception:  # what the libraries raise for numbers that are no signature is of many types
        return None


def _is_canonical(signature: OwnerSignature) -> bool:
    """Its s is in the lower half and its v is 27 or 28: the one of several equivalent forms that L1 takes."""
    return signature.v in _RECOVERY_IDS and signature.s <= _SECP256K1_ORDER // 2


def _signable(operation: ChangePubKey, domain: int) -> SignableMessage:
    return encode_typed_data(full_message=key_change_typed_data(operation, domain))
