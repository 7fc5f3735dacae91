"""Transactions of EIP-1559, and who signs them."""

from dataclasses import dataclass
from typing import Any, Final, Protocol

from eth_account.signers.local import LocalAccount

from rollup.landing.calls import Call

TRANSACTION_TYPE: Final = 2
TRANSACTION_BYTES: Final = (1 << 17) - 64
"""What nodes pass on at most (geth's txMaxSize), less room for dearer fees."""


@dataclass(frozen=True, slots=True)
class Fees:
    """Wei a gas: `max_fee` in all, of which at most `tip` to who makes the block."""

    max_fee: int
    tip: int


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A transaction but for its signature."""

    chain_id: int
    nonce: int
    call: Call
    gas_limit: int
    fees: Fees

    def as_dict(self) -> dict[str, Any]:
        """As eth-account takes it; the recipient as bytes, for it wants text checksummed."""
        to = {"to": bytes.fromhex(self.call.to[2:])} if self.call.to is not None else {}
        return {
            "type": TRANSACTION_TYPE,
            "chainId": self.chain_id,
            "nonce": self.nonce,
            "value": self.call.wei,
            "data": self.call.data,
            "gas": self.gas_limit,
            "maxFeePerGas": self.fees.max_fee,
            "maxPriorityFeePerGas": self.fees.tip,
        } | to


@dataclass(frozen=True, slots=True)
class Signed:
    """A transaction ready to be sent; its hash as 0x and 64 digits."""

    raw: bytes
    hash: str


class Signer(Protocol):
    """Who signs and pays."""

    @property
    def address(self) -> str:
        """Checksummed."""

    def sign(self, transaction: Unsigned) -> Signed:
        """Sign, and send nothing.

        Raises: SignerRefused, SignerDeviates: only a signer elsewhere.
        """


class LocalSigner:
    """A key in this process; `keystore.open_keystore` gives one.

    Args:
        account: As eth-account has it.
    """

    def __init__(self, account: LocalAccount) -> None:
        self.account = account

    @property
    def address(self) -> str:
        return str(self.account.address)

    def sign(self, transaction: Unsigned) -> Signed:
        signed = self.account.sign_transaction(transaction.as_dict())
        return Signed(bytes(signed.raw_transaction), "0x" + bytes(signed.hash).hex())
