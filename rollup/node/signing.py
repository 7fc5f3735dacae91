"""Who signs receipts: the validator's key, which is not the key that pays for L1."""

from collections.abc import Sequence
from typing import Protocol

from coincurve import PrivateKey, PublicKey
from eth_hash.auto import keccak

_V = 27


class ReceiptSigner(Protocol):
    """Signs digests as one Ethereum account, the same digest always the same way (RFC 6979)."""

    @property
    def address(self) -> int: ...

    def sign(self, digests: Sequence[bytes]) -> list[bytes]:
        """Return `r 32 | s 32 | v 1` of each, s in the lower half."""
        ...


class LocalSigner:
    """Signs with a private key in memory.

    Args:
        private_key: 32 bytes.
    """

    def __init__(self, private_key: bytes) -> None:
        self._key = PrivateKey(private_key)
        self._address = _address(self._key.public_key)

    @property
    def address(self) -> int:
        """The account's."""
        return self._address

    def sign(self, digests: Sequence[bytes]) -> list[bytes]:
        """Return `r 32 | s 32 | v 1` of each, s in the lower half."""
        signatures = (self._key.sign_recoverable(digest, hasher=None) for digest in digests)
        return [signature[:64] + bytes([_V + signature[64]]) for signature in signatures]


def _address(key: PublicKey) -> int:
    return int.from_bytes(keccak(key.format(compressed=False)[1:])[-20:], "big")
