"""Signatures of Ethereum accounts, as L1's ecrecover reads them."""

from typing import Final

from rollup.core.operations.key_change import OwnerSignature

_SECP256K1_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_RECOVERY_IDS: Final = (27, 28)


def recover_signer(digest: bytes, signature: OwnerSignature) -> int | None:
    """The address whose signature of these 32 bytes it is; None if it is none in the form that we take.

    Of several equivalent forms that is the one with v 27 or 28 and s in the lower half.
    """
    if signature.v not in _RECOVERY_IDS or signature.s > _SECP256K1_ORDER // 2:
        return None
    from eth_keys.datatypes import Signature  # half a second to import, and seldom needed

    try:
        given = Signature(vrs=(_RECOVERY_IDS.index(signature.v), signature.r, signature.s))
        signer = given.recover_public_key_from_msg_hash(digest)
    except Exception:  # what the libraries raise for numbers that are no signature is of several types
        return None
    return int.from_bytes(signer.to_canonical_address(), "big")
