"""Changing an account's L2 key by its Ethereum account (protocol 4, "Key changes"). The old key is not needed."""

from dataclasses import replace
from typing import Final

from rollup.core.errors import SignerMismatchError
from rollup.core.key_change import key_change_typed_data, recover_owner
from rollup.core.operations import ChangePubKey, OwnerSignature
from rollup.wallet.keys import SignTypedData

_FIRST_RECOVERY_ID: Final = 27
"""What L1 counts from; some wallets count from 0."""


def authorise(change: ChangePubKey, domain: int, sign: SignTypedData) -> ChangePubKey:
    """The key change with its owner's signature.

    A contract wallet cannot sign: its owner sends `approveKeyChange` on L1 and leaves the authorisation None.

    Args:
        change: as it is to be, its nonce the account's.
        domain: of which rollup, `operations.domain(chain_id, rollup_address)`.
        sign: signs as the owner's Ethereum account.

    Raises:
        FieldRuleError: what came back has not the length of a signature.
        SignerMismatchError: it is not the owner's, or not in the form that L1 takes (s in the lower half).
    """
    signature = OwnerSignature.from_bytes(bytes(sign(key_change_typed_data(change, domain))))
    if signature.v < _FIRST_RECOVERY_ID:
        signature = replace(signature, v=signature.v + _FIRST_RECOVERY_ID)
    signed = replace(change, authorisation=signature)
    signer = recover_owner(signed, domain)
    if signer != change.owner:
        raise SignerMismatchError(change.owner, signer or 0)
    return signed
