"""Who signs receipts: the validator's key, which is not the key that pays for L1."""

from collections.abc import Sequence
from typing import Protocol

from eth_hash.auto import keccak

from rollup._native import EcdsaKey


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
        self._key = EcdsaKey(private_key)
        self._address = int.from_bytes(keccak(self._key.public_key)[-20:], "big")

    @property
    def address(self) -> int:
        """The account's."""
        return self._address

    def sign(self, digests: Sequence[bytes]) -> list[bytes]:
        """Return `r 32 | s 32 | v 1` of each, s in the lower half."""
        return self._key.sign_many(digests)
