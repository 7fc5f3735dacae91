"""The block header (protocol 5): five words that fix everything but the data."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rollup.core.checks import check_below, check_uint, check_word, pack, unpack
from rollup.core.constants import (
    ACCOUNT_ID_BITS,
    BLOCK_NUMBER_BITS,
    BLOCK_SIZE_BITS,
    COUNT_BITS,
    DOMAIN_BITS,
    FEE_TOKENS,
    FIRST_ORDER_SLOT,
    HEADER_WORDS,
    QUEUE_COUNT_BITS,
    QUEUE_INDEX_BITS,
    SLOT_BITS,
    TIMESTAMP_BITS,
    VERSION_BITS,
    VERSION_CALLDATA,
)
from rollup.core.errors import FeeTokensError, FieldRuleError

_H1_WIDTHS = (
    VERSION_BITS,
    BLOCK_SIZE_BITS,
    BLOCK_NUMBER_BITS,
    TIMESTAMP_BITS,
    QUEUE_INDEX_BITS,
    QUEUE_COUNT_BITS,
    COUNT_BITS,
    COUNT_BITS,
)
_H1_FIELDS = (
    "version",
    "block_size",
    "block_number",
    "timestamp",
    "queue_start",
    "queue_count",
    "l2_chunks",
    "l1_words",
)


def check_fee_tokens(fee_tokens: Sequence[int], first_order_slot: int = FIRST_ORDER_SLOT) -> tuple[int, ...]:
    """Return the fee tokens if they are eight, strictly increasing and money.

    Repeated ones would credit one fee several times.
    """
    tokens = tuple(fee_tokens)
    ordered = all(a < b for a, b in pairwise(tokens))
    if len(tokens) != FEE_TOKENS or not ordered or tokens[0] < 0 or tokens[-1] >= first_order_slot:
        raise FeeTokensError(tokens)
    return tokens


@dataclass(frozen=True, slots=True)
class HeaderFields:
    """The header's fields, each in its width: all that L1 holds a commit to.

    `domain` is `operations.domain(chain_id, rollup_address)`, `fee_tokens` are any FEE_TOKENS slots.
    """

    domain: int
    block_size: int
    block_number: int
    timestamp: int
    queue_start: int
    queue_count: int
    l2_chunks: int
    l1_words: int
    old_root: int
    new_root: int
    fee_account: int
    fee_tokens: tuple[int, ...]
    version: int = VERSION_CALLDATA

    def __post_init__(self) -> None:
        check_uint("domain", self.domain, DOMAIN_BITS)
        for field, bits in zip(_H1_FIELDS, _H1_WIDTHS, strict=True):
            check_uint(field, getattr(self, field), bits)
        if self.version != VERSION_CALLDATA:
            raise FieldRuleError("version", self.version, f"the one version known is {VERSION_CALLDATA}")
        check_word("old_root", self.old_root)
        check_word("new_root", self.new_root)
        check_uint("fee_account", self.fee_account, ACCOUNT_ID_BITS)

    def fee_tokens_word(self) -> int:
        """The low 96 bits of H4: `fee_token_7 12 | ... | fee_token_0 12`, the contract's `feeTokens`."""
        return pack(*((token, SLOT_BITS) for token in reversed(self.fee_tokens)))

    def words(self) -> tuple[int, int, int, int, int]:
        """H0 to H4."""
        h1 = pack(*((getattr(self, field), bits) for field, bits in zip(_H1_FIELDS, _H1_WIDTHS, strict=True)))
        h4 = self.fee_account << (FEE_TOKENS * SLOT_BITS) | self.fee_tokens_word()
        return self.domain, h1, self.old_root, self.new_root, h4


@dataclass(frozen=True, slots=True)
class Header(HeaderFields):
    """A header that a proven block can have: the circuit asks the same of its fee tokens as `check_fee_tokens`."""

    def __post_init__(self) -> None:
        HeaderFields.__post_init__(self)
        check_fee_tokens(self.fee_tokens)


def header_from_words(words: Sequence[int]) -> Header:
    """The header of H0 to H4.

    Raises:
        EncodingError: a word has junk bits, or a field is out of its range.
    """
    if len(words) != HEADER_WORDS:
        raise FieldRuleError("words", len(words), f"a header has {HEADER_WORDS} words")
    h0, h1, h2, h3, h4 = words
    h1_fields = unpack(check_below("H1", h1, 1 << sum(_H1_WIDTHS)), *_H1_WIDTHS)[1:]
    version, block_size, block_number, timestamp, queue_start, queue_count, chunks, l1_words = h1_fields
    check_uint("H4", h4, ACCOUNT_ID_BITS + FEE_TOKENS * SLOT_BITS)
    _, fee_account, *tokens = unpack(h4, ACCOUNT_ID_BITS, *[SLOT_BITS] * FEE_TOKENS)
    return Header(
        domain=h0,
        block_size=block_size,
        block_number=block_number,
        timestamp=timestamp,
        queue_start=queue_start,
        queue_count=queue_count,
        l2_chunks=chunks,
        l1_words=l1_words,
        old_root=h2,
        new_root=h3,
        fee_account=fee_account,
        fee_tokens=tuple(reversed(tokens)),
        version=version,
    )
