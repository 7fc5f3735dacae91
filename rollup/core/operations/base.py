"""What all operations are made of: keys, signatures, the message, the chunk and the record's head."""

from dataclasses import dataclass, replace
from typing import ClassVar, Final, Protocol, Self, TypeAlias

from rollup._native import poseidon
from rollup.core.amounts import pack_fee
from rollup.core.checks import check_uint, check_word, pack, unpack
from rollup.core.constants import (
    ACCOUNT_ID_BITS,
    ADDRESS_BITS,
    AMOUNT_BITS,
    CHAIN_ID_BITS,
    CHUNK_BITS,
    DOMAIN_BITS,
    FEE_BITS,
    FLAG_BITS,
    NONCE_BITS,
    OP_BITS,
    SLOT_BITS,
    TIMESTAMP_BITS,
    Op,
)

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


RECORD_HEAD: Final = {
    "OP": OP_BITS,
    "FLAGS": FLAG_BITS,
    "ACCOUNT": ACCOUNT_ID_BITS,
    "TOKEN": SLOT_BITS,
    "ADDRESS": ADDRESS_BITS,
}
"""W0, a record's first word: the widths of its fields, the most significant first (protocol 6)."""


class Published:
    """What a step publishes, both streams' share of it; by its code, and the words of its record, 0 if it has none."""

    __slots__ = ()
    OP: ClassVar[Op]
    RECORD_WORDS: ClassVar[int] = 0

    def chunks(self) -> tuple[int, ...]:
        """Its chunks of the L2 stream, 120 bits each."""
        raise NotImplementedError

    def record(self) -> tuple[int, ...]:
        """Its words of the L1 stream; none for most."""
        return ()


class Included:
    """An operation that carries more than it publishes."""

    __slots__ = ()

    def published(self) -> Published:
        """What a block publishes of it."""
        raise NotImplementedError

    def chunks(self) -> tuple[int, ...]:
        """See `published`."""
        return self.published().chunks()

    def record(self) -> tuple[int, ...]:
        """See `published`."""
        return self.published().record()


class Signable:
    """What an account signs with its L2 key."""

    __slots__ = ()

    def message_words(self, domain: int) -> tuple[int, int, int, int, int]:
        """M0 to M4."""
        raise NotImplementedError

    def message_hash(self, domain: int) -> int:
        """What is signed."""
        return poseidon(list(self.message_words(domain)))

    def signed(self, signature: Signature | None) -> Self:
        """The same operation with this signature."""
        return replace(self, signature=signature)  # type: ignore[type-var]  # every Signable is a dataclass


@dataclass(frozen=True, slots=True)
class Noop(Published):
    """Padding: nothing happens, nothing is published."""

    OP = Op.NOOP

    def chunks(self) -> tuple[int, ...]:
        """None."""
        return ()


class Limited(Protocol):
    """An operation with a fee (at most that, for an order) and a time window."""

    @property
    def fee(self) -> int: ...

    @property
    def valid_from(self) -> int: ...

    @property
    def valid_until(self) -> int: ...


def check_window(operation: Limited) -> None:
    """`valid_from` and `valid_until` are times."""
    check_uint("valid_from", operation.valid_from, TIMESTAMP_BITS)
    check_uint("valid_until", operation.valid_until, TIMESTAMP_BITS)


def check_signed(operation: Limited, nonce: int, link: int) -> None:
    """Window, nonce and link of a signed operation are in range."""
    check_window(operation)
    check_uint("nonce", nonce, NONCE_BITS)
    check_word("link", link)


def check_payment(from_id: int, token: int, fee: int) -> None:
    """Payer, token and fee are in range; the fee is representable."""
    check_uint("from_id", from_id, ACCOUNT_ID_BITS)
    check_uint("token", token, SLOT_BITS)
    pack_fee(fee)


def chunk(op: Op, token: int, from_id: int, to_id: int, amount: int, fee: int) -> int:
    """`op 4 | token 12 | from 24 | to 24 | amount 40 | fee 16`; `amount` as it stands there, `fee` to be packed."""
    return pack(
        (op, OP_BITS),
        (token, SLOT_BITS),
        (from_id, ACCOUNT_ID_BITS),
        (to_id, ACCOUNT_ID_BITS),
        (amount, AMOUNT_BITS),
        (pack_fee(fee), FEE_BITS),
    )


def marker(op: Op, fee: int = 0) -> int:
    """`op 4 | 0 (100) | fee 16`: the rest is in the record."""
    return op << (CHUNK_BITS - OP_BITS) | pack_fee(fee)


def record_head(op: Op, flags: int, account_id: int, token: int, address: int) -> int:
    """W0."""
    return pack(*zip((op, flags, account_id, token, address), RECORD_HEAD.values(), strict=True))


def read_record_head(w0: int) -> list[int]:
    """Split W0 into op, flags, account id, token and address; what is above them comes first of all."""
    return unpack(w0, *RECORD_HEAD.values())


def message_words(
    domain: int,
    op: Op,
    operation: Limited,
    *,
    account_id: int,
    nonce: int,
    token: int,
    fee_token: int,
    to_id: int,
    address: int,
    amount: int,
    link: int,
) -> tuple[int, int, int, int, int]:
    """M0 to M4; fee and window are the operation's."""
    m1 = pack(
        (op, OP_BITS),
        (account_id, ACCOUNT_ID_BITS),
        (nonce, NONCE_BITS),
        (token, SLOT_BITS),
        (fee_token, SLOT_BITS),
        (pack_fee(operation.fee), FEE_BITS),
        (to_id, ACCOUNT_ID_BITS),
        (operation.valid_from, TIMESTAMP_BITS),
        (operation.valid_until, TIMESTAMP_BITS),
    )
    return check_uint("domain", domain, DOMAIN_BITS), m1, address, amount, link
