"""Payments: Transfer, TransferToAddress, Withdraw, ForcedExit, each with what is published of it."""

from dataclasses import dataclass

from rollup.core.amounts import pack_amount, pack_fee
from rollup.core.checks import check_uint
from rollup.core.constants import ACCOUNT_ID_BITS, ADDRESS_BITS, BALANCE_BITS, CHUNK_BITS, SLOT_BITS, Op
from rollup.core.errors import FieldRuleError
from rollup.core.operations.base import (
    FOREVER,
    Included,
    Published,
    Signable,
    Signature,
    check_payment,
    check_signed,
    chunk,
    marker,
    message_words,
    record_head,
)

ADDRESS_CHUNKS = 2
ADDRESS_PADDING_BITS = ADDRESS_CHUNKS * CHUNK_BITS - ADDRESS_BITS
"""An address in two chunks: `address 160 | 0 (80)`."""


@dataclass(frozen=True, slots=True)
class TransferData(Published):
    """What of a Transfer is published."""

    OP = Op.TRANSFER

    from_id: int
    to_id: int
    token: int
    amount: int
    fee: int

    def __post_init__(self) -> None:
        check_payment(self.from_id, self.token, self.fee)
        check_uint("to_id", self.to_id, ACCOUNT_ID_BITS)
        pack_amount(self.amount)

    def chunks(self) -> tuple[int, ...]:
        """Token, payer, recipient, amount, fee."""
        return (chunk(self.OP, self.token, self.from_id, self.to_id, pack_amount(self.amount), self.fee),)


@dataclass(frozen=True, slots=True)
class TransferToAddressData(Published):
    """What of a TransferToAddress is published."""

    OP = Op.TRANSFER_TO_ADDRESS

    from_id: int
    to_id: int
    to_address: int
    token: int
    amount: int
    fee: int

    def __post_init__(self) -> None:
        check_payment(self.from_id, self.token, self.fee)
        check_uint("to_id", self.to_id, ACCOUNT_ID_BITS)
        check_uint("to_address", self.to_address, ADDRESS_BITS)
        pack_amount(self.amount)

    def chunks(self) -> tuple[int, ...]:
        """As a Transfer's, then the address in two: `address 160 | 0 (80)`."""
        amount = pack_amount(self.amount)
        first = chunk(self.OP, self.token, self.from_id, self.to_id, amount, self.fee)
        high, low = divmod(self.to_address << ADDRESS_PADDING_BITS, 1 << CHUNK_BITS)
        return first, high, low


@dataclass(frozen=True, slots=True)
class WithdrawData(Published):
    """What of a Withdraw is published."""

    OP = Op.WITHDRAW
    RECORD_WORDS = 2

    from_id: int
    token: int
    amount: int
    fee: int
    address: int

    def __post_init__(self) -> None:
        check_payment(self.from_id, self.token, self.fee)
        check_uint("amount", self.amount, BALANCE_BITS)
        check_uint("address", self.address, ADDRESS_BITS)

    def chunks(self) -> tuple[int, ...]:
        """The marker, with the fee."""
        return (marker(self.OP, self.fee),)

    def record(self) -> tuple[int, ...]:
        """W0 and W1."""
        return record_head(self.OP, 0, self.from_id, self.token, self.address), self.amount


@dataclass(frozen=True, slots=True)
class ForcedExitData(Published):
    """What of a ForcedExit is published. `amount` None: not known yet."""

    OP = Op.FORCED_EXIT
    RECORD_WORDS = 2

    from_id: int
    account_id: int
    address: int
    token: int
    fee_token: int
    fee: int
    amount: int | None

    def __post_init__(self) -> None:
        check_uint("from_id", self.from_id, ACCOUNT_ID_BITS)
        check_uint("fee_token", self.fee_token, SLOT_BITS)
        pack_fee(self.fee)
        check_uint("account_id", self.account_id, ACCOUNT_ID_BITS)
        check_uint("address", self.address, ADDRESS_BITS)
        check_uint("token", self.token, SLOT_BITS)
        if self.amount is not None:
            check_uint("amount", self.amount, BALANCE_BITS)

    def chunks(self) -> tuple[int, ...]:
        """The marker: it names fee token and payer too, as the record is about the account that leaves."""
        return (chunk(self.OP, self.fee_token, self.from_id, 0, 0, self.fee),)

    def record(self) -> tuple[int, ...]:
        """W0 and W1."""
        if self.amount is None:
            raise FieldRuleError("amount", None, "the amount of a forced exit is known once it is applied")
        return record_head(self.OP, 0, self.account_id, self.token, self.address), self.amount


@dataclass(frozen=True, slots=True)
class Transfer(Included, Signable):
    """A signed payment to the L2 account `to_id`, which must be `to_address`'s.

    Amount and fee are in the token's smallest unit and must be representable; times are unix seconds, inclusive.
    `link` is the hash of the batch it is part of (`batch`), 0 if it stands alone.
    """

    from_id: int
    to_id: int
    to_address: int
    token: int
    amount: int
    fee: int
    nonce: int
    valid_from: int = 0
    valid_until: int = FOREVER
    link: int = 0
    signature: Signature | None = None

    def __post_init__(self) -> None:
        self.published()
        check_uint("to_address", self.to_address, ADDRESS_BITS)
        check_signed(self, self.nonce, self.link)

    def published(self) -> TransferData:
        """What a block publishes of it."""
        return TransferData(self.from_id, self.to_id, self.token, self.amount, self.fee)

    def message_words(self, domain: int) -> tuple[int, int, int, int, int]:
        """M0 to M4."""
        return message_words(
            domain, Op.TRANSFER, self, account_id=self.from_id, nonce=self.nonce, token=self.token,
            fee_token=self.token, to_id=self.to_id, address=self.to_address, amount=pack_amount(self.amount),
            link=self.link,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class TransferToAddress(Included, Signable):
    """A signed payment to an L1 address, which gets an account if it has none.

    `to_id` is the operator's choice and not signed: an empty account, or one of the address's. The rest as `Transfer`.
    """

    from_id: int
    to_id: int
    to_address: int
    token: int
    amount: int
    fee: int
    nonce: int
    valid_from: int = 0
    valid_until: int = FOREVER
    link: int = 0
    signature: Signature | None = None

    def __post_init__(self) -> None:
        self.published()
        check_signed(self, self.nonce, self.link)

    def published(self) -> TransferToAddressData:
        """What a block publishes of it."""
        return TransferToAddressData(self.from_id, self.to_id, self.to_address, self.token, self.amount, self.fee)

    def message_words(self, domain: int) -> tuple[int, int, int, int, int]:
        """M0 to M4."""
        return message_words(
            domain, Op.TRANSFER_TO_ADDRESS, self, account_id=self.from_id, nonce=self.nonce, token=self.token,
            fee_token=self.token, to_id=0, address=self.to_address, amount=pack_amount(self.amount), link=self.link,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Withdraw(Included, Signable):
    """A signed payment out, to any L1 `address`. The amount is exact, 128 bits; the fee must be representable."""

    from_id: int
    address: int
    token: int
    amount: int
    fee: int
    nonce: int
    valid_from: int = 0
    valid_until: int = FOREVER
    link: int = 0
    signature: Signature | None = None

    def __post_init__(self) -> None:
        self.published()
        check_signed(self, self.nonce, self.link)

    def published(self) -> WithdrawData:
        """What a block publishes of it."""
        return WithdrawData(self.from_id, self.token, self.amount, self.fee, self.address)

    def message_words(self, domain: int) -> tuple[int, int, int, int, int]:
        """M0 to M4."""
        return message_words(
            domain, Op.WITHDRAW, self, account_id=self.from_id, nonce=self.nonce, token=self.token,
            fee_token=self.token, to_id=0, address=self.address, amount=self.amount, link=self.link,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ForcedExit(Included, Signable):
    """A signed request that an account without key leaves: its whole balance of `token` goes to its address on L1.

    Anyone pays for it, account `from_id` with `fee` of `fee_token`. `amount` None leaves it open; `apply` fills it in.
    """

    from_id: int
    account_id: int
    address: int
    token: int
    fee_token: int
    fee: int
    nonce: int
    valid_from: int = 0
    valid_until: int = FOREVER
    link: int = 0
    signature: Signature | None = None
    amount: int | None = None

    def __post_init__(self) -> None:
        self.published()
        check_signed(self, self.nonce, self.link)

    def published(self) -> ForcedExitData:
        """What a block publishes of it."""
        return ForcedExitData(
            self.from_id, self.account_id, self.address, self.token, self.fee_token, self.fee, self.amount
        )

    def message_words(self, domain: int) -> tuple[int, int, int, int, int]:
        """M0 to M4; the amount is not the payer's to say."""
        return message_words(
            domain, Op.FORCED_EXIT, self, account_id=self.from_id, nonce=self.nonce, token=self.token,
            fee_token=self.fee_token, to_id=self.account_id, address=self.address, amount=0, link=self.link,
        )  # fmt: skip
