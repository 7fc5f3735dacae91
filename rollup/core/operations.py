"""The operations (protocol 4): what a user signs, what a block publishes.

`Transfer` and `Withdraw` carry all their owner signed. `TransferData` and `WithdrawData` are what of them is
published, and all that a rebuild knows. `Deposit` and `FullExit` come from the L1 queue and are published whole.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

from rollup._native import poseidon
from rollup.core.amounts import pack_amount, pack_fee
from rollup.core.checks import check_uint, check_word, pack
from rollup.core.constants import (
    ACCOUNT_ID_BITS,
    ADDRESS_BITS,
    AMOUNT_BITS,
    AUX_BITS,
    BALANCE_BITS,
    CHAIN_ID_BITS,
    CHUNK_BITS,
    DOMAIN_BITS,
    FEE_BITS,
    FLAG_BITS,
    FLAG_REFUSED,
    FLAG_SENDER_IS_OWNER,
    NONCE_BITS,
    OP_BITS,
    SLOT_BITS,
    TIMESTAMP_BITS,
    Op,
)
from rollup.core.errors import FieldRuleError

Key: TypeAlias = tuple[int, int]
NO_KEY: Key = (0, 0)
FOREVER = (1 << TIMESTAMP_BITS) - 1
"""The latest `valid_until`."""


def domain(chain_id: int, rollup_address: int) -> int:
    """H0 and M0: which rollup on which chain. `chain_id 64 | rollup_address 160`."""
    return pack(
        (check_uint("chain_id", chain_id, CHAIN_ID_BITS), CHAIN_ID_BITS),
        (check_uint("rollup_address", rollup_address, ADDRESS_BITS), ADDRESS_BITS),
    )


@dataclass(frozen=True, slots=True)
class Signature:
    """EdDSA over Baby Jubjub with Poseidon: the point R8 and the scalar S, words; whether it is valid `apply` says."""

    r8x: int
    r8y: int
    s: int

    def __post_init__(self) -> None:
        check_word("r8x", self.r8x)
        check_word("r8y", self.r8y)
        check_word("s", self.s)

    def as_tuple(self) -> tuple[int, int, int]:
        """(R8x, R8y, S)."""
        return self.r8x, self.r8y, self.s


@dataclass(frozen=True, slots=True)
class Noop:
    """Padding: nothing happens, nothing is published."""

    def chunk(self) -> None:
        """Noop has no chunk."""

    def record(self) -> tuple[int, ...]:
        """Noop has no record."""
        return ()


@dataclass(frozen=True, slots=True)
class Deposit:
    """Money that came in on L1, from the queue.

    `account_id` and `refused` are the operator's choice. `amount` in the token's smallest unit, `queue_fee_gwei` what
    the sender paid for the queue. The key counts only if the sender is the owner and the account has none.
    """

    account_id: int
    token: int
    amount: int
    owner: int
    key: Key = NO_KEY
    sender_is_owner: bool = False
    refused: bool = False
    queue_fee_gwei: int = 0

    def __post_init__(self) -> None:
        check_uint("account_id", self.account_id, ACCOUNT_ID_BITS)
        check_uint("token", self.token, SLOT_BITS)
        check_uint("amount", self.amount, BALANCE_BITS)
        check_uint("owner", self.owner, ADDRESS_BITS)
        check_word("key[0]", self.key[0])
        check_word("key[1]", self.key[1])
        check_uint("queue_fee_gwei", self.queue_fee_gwei, AUX_BITS)
        if self.refused and self.account_id:
            raise FieldRuleError("account_id", self.account_id, "a refused deposit names account 0")

    def chunk(self) -> int:
        """The marker."""
        return _marker(Op.DEPOSIT, 0)

    def record(self) -> tuple[int, ...]:
        """W0 to W3."""
        flags = FLAG_SENDER_IS_OWNER * self.sender_is_owner + FLAG_REFUSED * self.refused
        w0 = _record_head(Op.DEPOSIT, flags, self.account_id, self.token, self.owner)
        return w0, self.queue_fee_gwei << BALANCE_BITS | self.amount, *self.key


@dataclass(frozen=True, slots=True)
class FullExit:
    """The forced exit, from the queue: the whole balance of a token leaves to the owner.

    `amount` None leaves it open; `apply` fills it in (0 if the account is not the owner's or the slot is not money).
    """

    account_id: int
    token: int
    owner: int
    amount: int | None = None
    queue_fee_gwei: int = 0

    def __post_init__(self) -> None:
        check_uint("account_id", self.account_id, ACCOUNT_ID_BITS)
        check_uint("token", self.token, SLOT_BITS)
        check_uint("owner", self.owner, ADDRESS_BITS)
        if self.amount is not None:
            check_uint("amount", self.amount, BALANCE_BITS)
        check_uint("queue_fee_gwei", self.queue_fee_gwei, AUX_BITS)

    def chunk(self) -> int:
        """The marker."""
        return _marker(Op.FULL_EXIT, 0)

    def record(self) -> tuple[int, ...]:
        """W0 and W1."""
        if self.amount is None:
            raise FieldRuleError("amount", None, "the amount of a full exit is known once it is applied")
        w0 = _record_head(Op.FULL_EXIT, 0, self.account_id, self.token, self.owner)
        return w0, self.queue_fee_gwei << BALANCE_BITS | self.amount


@dataclass(frozen=True, slots=True)
class TransferData:
    """What of a Transfer is published."""

    from_id: int
    to_id: int
    token: int
    amount: int
    fee: int

    def __post_init__(self) -> None:
        check_uint("from_id", self.from_id, ACCOUNT_ID_BITS)
        check_uint("to_id", self.to_id, ACCOUNT_ID_BITS)
        check_uint("token", self.token, SLOT_BITS)
        pack_amount(self.amount)
        pack_fee(self.fee)

    def chunk(self) -> int:
        """`op 4 | token 12 | from 24 | to 24 | amount 40 | fee 16`."""
        return pack(
            (Op.TRANSFER, OP_BITS),
            (self.token, SLOT_BITS),
            (self.from_id, ACCOUNT_ID_BITS),
            (self.to_id, ACCOUNT_ID_BITS),
            (pack_amount(self.amount), AMOUNT_BITS),
            (pack_fee(self.fee), FEE_BITS),
        )

    def record(self) -> tuple[int, ...]:
        """Transfer has no record."""
        return ()


@dataclass(frozen=True, slots=True)
class WithdrawData:
    """What of a Withdraw is published."""

    from_id: int
    token: int
    amount: int
    fee: int
    address: int

    def __post_init__(self) -> None:
        check_uint("from_id", self.from_id, ACCOUNT_ID_BITS)
        check_uint("token", self.token, SLOT_BITS)
        check_uint("amount", self.amount, BALANCE_BITS)
        check_uint("address", self.address, ADDRESS_BITS)
        pack_fee(self.fee)

    def chunk(self) -> int:
        """The marker, with the fee."""
        return _marker(Op.WITHDRAW, pack_fee(self.fee))

    def record(self) -> tuple[int, ...]:
        """W0 and W1."""
        return _record_head(Op.WITHDRAW, 0, self.from_id, self.token, self.address), self.amount


@dataclass(frozen=True, slots=True)
class Transfer:
    """A signed payment to the L2 account `to_id`, which must be `to_address`'s.

    Amount and fee are in the token's smallest unit and must be representable; times are unix seconds, inclusive.
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
    signature: Signature | None = None

    def __post_init__(self) -> None:
        self.published()
        check_uint("to_address", self.to_address, ADDRESS_BITS)
        _check_signed(self.nonce, self.valid_from, self.valid_until)

    def published(self) -> TransferData:
        """What a block publishes of it."""
        return TransferData(self.from_id, self.to_id, self.token, self.amount, self.fee)

    def chunk(self) -> int:
        """See `TransferData.chunk`."""
        return self.published().chunk()

    def record(self) -> tuple[int, ...]:
        """Transfer has no record."""
        return ()

    def message_words(self, domain: int) -> tuple[int, int, int, int, int]:
        """M0 to M4."""
        m1 = _message_m1(Op.TRANSFER, self, self.to_id)
        return check_uint("domain", domain, DOMAIN_BITS), m1, self.to_address, pack_amount(self.amount), 0

    def message_hash(self, domain: int) -> int:
        """What is signed."""
        return poseidon(list(self.message_words(domain)))

    def signed(self, signature: Signature) -> "Transfer":
        """The same operation with this signature."""
        return replace(self, signature=signature)


@dataclass(frozen=True, slots=True)
class Withdraw:
    """A signed payment out, to any L1 `address`. The amount is exact, 128 bits; the fee must be representable."""

    from_id: int
    address: int
    token: int
    amount: int
    fee: int
    nonce: int
    valid_from: int = 0
    valid_until: int = FOREVER
    signature: Signature | None = None

    def __post_init__(self) -> None:
        self.published()
        _check_signed(self.nonce, self.valid_from, self.valid_until)

    def published(self) -> WithdrawData:
        """What a block publishes of it."""
        return WithdrawData(self.from_id, self.token, self.amount, self.fee, self.address)

    def chunk(self) -> int:
        """See `WithdrawData.chunk`."""
        return self.published().chunk()

    def record(self) -> tuple[int, ...]:
        """W0 and W1."""
        return self.published().record()

    def message_words(self, domain: int) -> tuple[int, int, int, int, int]:
        """M0 to M4."""
        m1 = _message_m1(Op.WITHDRAW, self, 0)
        return check_uint("domain", domain, DOMAIN_BITS), m1, self.address, self.amount, 0

    def message_hash(self, domain: int) -> int:
        """What is signed."""
        return poseidon(list(self.message_words(domain)))

    def signed(self, signature: Signature) -> "Withdraw":
        """The same operation with this signature."""
        return replace(self, signature=signature)


SignedOperation: TypeAlias = Transfer | Withdraw
QueueOperation: TypeAlias = Deposit | FullExit
Operation: TypeAlias = Noop | Deposit | FullExit | Transfer | Withdraw
PublishedOperation: TypeAlias = Deposit | FullExit | TransferData | WithdrawData


def _check_signed(nonce: int, valid_from: int, valid_until: int) -> None:
    check_uint("nonce", nonce, NONCE_BITS)
    check_uint("valid_from", valid_from, TIMESTAMP_BITS)
    check_uint("valid_until", valid_until, TIMESTAMP_BITS)


def _marker(op: Op, fee_packed: int) -> int:
    """`op 4 | 0 (100) | fee 16`."""
    return op << (CHUNK_BITS - OP_BITS) | fee_packed


def _record_head(op: Op, flags: int, account_id: int, token: int, address: int) -> int:
    """W0: `op 4 | flags 4 | account_id 24 | token 12 | address 160`."""
    return pack(
        (op, OP_BITS), (flags, FLAG_BITS), (account_id, ACCOUNT_ID_BITS), (token, SLOT_BITS), (address, ADDRESS_BITS)
    )


def _message_m1(op: Op, operation: SignedOperation, to_id: int) -> int:
    return pack(
        (op, OP_BITS),
        (operation.from_id, ACCOUNT_ID_BITS),
        (operation.nonce, NONCE_BITS),
        (operation.token, SLOT_BITS),
        (operation.token, SLOT_BITS),  # fee_token
        (pack_fee(operation.fee), FEE_BITS),
        (to_id, ACCOUNT_ID_BITS),
        (operation.valid_from, TIMESTAMP_BITS),
        (operation.valid_until, TIMESTAMP_BITS),
    )
