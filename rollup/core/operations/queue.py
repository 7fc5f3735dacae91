"""Operations from the L1 queue: nobody can keep them out of a block, and they are published whole."""

from dataclasses import dataclass

from rollup.core.checks import check_uint, check_word
from rollup.core.constants import (
    ACCOUNT_ID_BITS,
    ADDRESS_BITS,
    AUX_BITS,
    BALANCE_BITS,
    FLAG_REFUSED,
    FLAG_SENDER_IS_OWNER,
    SLOT_BITS,
    Op,
)
from rollup.core.errors import FieldRuleError
from rollup.core.operations.base import NO_KEY, Key, Published, marker, record_head


@dataclass(frozen=True, slots=True)
class Deposit(Published):
    """Money that came in on L1, from the queue.

    `account_id` and `refused` are the operator's choice. `amount` in the token's smallest unit, `queue_fee_gwei` what
    the sender paid for the queue. The key counts only if the sender is the owner and the account has none.
    """

    OP = Op.DEPOSIT
    RECORD_WORDS = 4

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

    def chunks(self) -> tuple[int, ...]:
        """The marker."""
        return (marker(self.OP),)

    def record(self) -> tuple[int, ...]:
        """W0 to W3."""
        flags = FLAG_SENDER_IS_OWNER * self.sender_is_owner + FLAG_REFUSED * self.refused
        w0 = record_head(self.OP, flags, self.account_id, self.token, self.owner)
        return w0, self.queue_fee_gwei << BALANCE_BITS | self.amount, *self.key


@dataclass(frozen=True, slots=True)
class FullExit(Published):
    """The whole balance of a token leaves to the owner, from the queue.

    `amount` None leaves it open; `apply` fills it in (0 if the account is not the owner's or the slot is not money).
    """

    OP = Op.FULL_EXIT
    RECORD_WORDS = 2

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

    def chunks(self) -> tuple[int, ...]:
        """The marker."""
        return (marker(self.OP),)

    def record(self) -> tuple[int, ...]:
        """W0 and W1."""
        if self.amount is None:
            raise FieldRuleError("amount", None, "the amount of a full exit is known once it is applied")
        w0 = record_head(self.OP, 0, self.account_id, self.token, self.owner)
        return w0, self.queue_fee_gwei << BALANCE_BITS | self.amount
