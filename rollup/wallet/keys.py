"""L2 keys: Baby Jubjub keys derived from signatures of an Ethereum account (protocol 4, "Keys").

Whoever has the signature has the key, so the text that is signed says so. An account has as many keys as it wants,
numbered from 0: after a key was lost or seen by others, the next number gives another one. The derivation needs a
signer that signs the same data the same way (RFC 6979), or the key could never be found again: it signs twice and
compares.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, TypeVar

from eth_account import Account as EthereumAccount
from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount
from eth_hash.auto import keccak

from rollup._native import eddsa_public_key, eddsa_sign
from rollup.core.checks import check_uint
from rollup.core.eip712 import typed_data
from rollup.core.errors import FieldRuleError, SignerMismatchError, SignerNotDeterministicError
from rollup.core.operations import Key, Signable, Signature, domain

SignTypedData: TypeAlias = Callable[[dict[str, Any]], bytes]
"""Signs EIP-712 data, given whole (types, primaryType, domain, message), and returns r 32 | s 32 | v."""

KEY_STATEMENT: Final = (
    "This signature is your Sluice key. Whoever has it can spend what you hold on this rollup. "
    "Sign it only in a wallet you trust."
)
INDEX_BITS: Final = 32
"""Of a key's number."""
_FIELDS: Final = {"statement": "string", "index": f"uint{INDEX_BITS}"}
_PRIVATE_KEY_BYTES = 32
_SIGNATURE_BYTES = 65

_Signed = TypeVar("_Signed", bound=Signable)


@dataclass(frozen=True, slots=True)
class L2Key:
    """A private key of 32 bytes, used as circomlibjs does, and its public key (ax, ay)."""

    private_key: bytes = field(repr=False)
    public_key: Key

    @classmethod
    def from_private_key(cls, private_key: bytes) -> "L2Key":
        """The key of these 32 bytes."""
        if len(private_key) != _PRIVATE_KEY_BYTES:
            raise FieldRuleError("private_key", f"{len(private_key)} bytes", f"it has {_PRIVATE_KEY_BYTES} bytes")
        return cls(private_key, eddsa_public_key(private_key))

    def sign(self, operation: _Signed, domain: int) -> _Signed:
        """The operation with this key's signature, for the rollup of this domain."""
        return operation.signed(Signature(*eddsa_sign(self.private_key, operation.message_hash(domain))))


def key_typed_data(chain_id: int, rollup_address: int, index: int = 0) -> dict[str, Any]:
    """The EIP-712 data whose signature gives the account's key number `index`."""
    message = {"statement": KEY_STATEMENT, "index": check_uint("index", index, INDEX_BITS)}
    return typed_data(domain(chain_id, rollup_address), "SluiceKey", _FIELDS, message)


def derive_key(sign: SignTypedData, address: int, chain_id: int, rollup_address: int, index: int = 0) -> L2Key:
    """Derive an L2 key of an Ethereum account: the private key is keccak256(r | s).

    Args:
        sign: signs as the account; called twice.
        address: the account's.
        chain_id, rollup_address: for which rollup; every rollup gets its own keys.
        index: which of the account's keys, 0 to 2^32 - 1; each change of key takes the next.

    Raises:
        SignerNotDeterministicError: two signatures of the same data differ.
        SignerMismatchError: the signature is not the account's own ECDSA signature.
    """
    data = key_typed_data(chain_id, rollup_address, index)
    signature = bytes(sign(data))
    if bytes(sign(data)) != signature:
        raise SignerNotDeterministicError(address)
    signer = _recover(data, signature)
    if signer != address:
        raise SignerMismatchError(address, signer)
    return L2Key.from_private_key(keccak(signature[:64]))


def local_signer(account: LocalAccount) -> SignTypedData:
    """Signs with a key held in memory, an eth-account account."""

    def sign(data: dict[str, Any]) -> bytes:
        return bytes(account.sign_typed_data(full_message=data).signature)

    return sign


def derive_local_key(account: LocalAccount, chain_id: int, rollup_address: int, index: int = 0) -> L2Key:
    """`derive_key` for an eth-account account."""
    return derive_key(local_signer(account), int(account.address, 16), chain_id, rollup_address, index)


def _recover(data: dict[str, Any], signature: bytes) -> int:
    """The signer's address, 0 if these bytes are no signature (a contract wallet's, say)."""
    if len(signature) != _SIGNATURE_BYTES:
        return 0
    try:
        return int(EthereumAccount.recover_message(encode_typed_data(full_message=data), signature=signature), 16)
    except Exception:  # what the libraries raise for bytes that are no signature is of many types
        return 0
