"""Why an L2 key cannot be derived."""

from dataclasses import dataclass

from rollup.core.errors.base import DataError, hex_address


class KeyDerivationError(DataError):
    """An L2 key could not be derived from an Ethereum account."""

    code = "key_derivation"


@dataclass(eq=False)
class SignerNotDeterministicError(KeyDerivationError):
    """The account signed the same data differently, so the key could never be found again."""

    address: int
    code = "signer_not_deterministic"

    @property
    def message(self) -> str:
        return (
            f"{hex_address(self.address)} signs the same data differently each time, so its L2 key would be lost: "
            "use a wallet with deterministic signatures (RFC 6979), or an L2 key of your own kept safe"
        )


@dataclass(eq=False)
class SignerMismatchError(KeyDerivationError):
    """The signature is not by the account that was asked for."""

    address: int
    signer: int
    code = "signer_mismatch"

    @property
    def message(self) -> str:
        return (
            f"asked {hex_address(self.address)} to sign, the signature is by {hex_address(self.signer)}: "
            "choose the right account in the wallet (a contract wallet cannot derive a key this way)"
        )
