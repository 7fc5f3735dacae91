"""Swap of two signed orders, in three steps; CancelOrder."""

from dataclasses import dataclass

from rollup.core.amounts import pack_amount, pack_fee
from rollup.core.checks import check_uint, pack
from rollup.core.constants import ACCOUNT_ID_BITS, CHUNK_BITS, OP_BITS, ORDER_AMOUNT_BITS, ORDER_ID_BITS, SLOT_BITS, Op
from rollup.core.operations.base import (
    FOREVER,
    Included,
    Published,
    Signable,
    Signature,
    check_signed,
    check_window,
    chunk,
    message_words,
)


@dataclass(frozen=True, slots=True)
class Order(Signable):
    """A signed offer to sell up to `sell_amount` for `buy_amount` or better, in any number of fills.

    `slot` is one of the account's order slots; an order replaces all of the slot with a smaller `order_id`. Amounts are
    exact, below 2^120, in the tokens' smallest units. `fee`, of the sold token, is the most that all fills together pay
    and must be representable; a part fill pays at most its share.
    """

    account_id: int
    slot: int
    order_id: int
    sell_token: int
    buy_token: int
    sell_amount: int
    buy_amount: int
    fee: int
    valid_from: int = 0
    valid_until: int = FOREVER
    signature: Signature | None = None

    def __post_init__(self) -> None:
        check_uint("account_id", self.account_id, ACCOUNT_ID_BITS)
        check_uint("slot", self.slot, SLOT_BITS)
        check_uint("order_id", self.order_id, ORDER_ID_BITS)
        check_uint("sell_token", self.sell_token, SLOT_BITS)
        check_uint("buy_token", self.buy_token, SLOT_BITS)
        check_uint("sell_amount", self.sell_amount, ORDER_AMOUNT_BITS)
        check_uint("buy_amount", self.buy_amount, ORDER_AMOUNT_BITS)
        pack_fee(self.fee)
        check_window(self)

    def message_words(self, domain: int) -> tuple[int, int, int, int, int]:
        """M0 to M4; an order is never part of a batch."""
        return message_words(
            domain, Op.SWAP, self, account_id=self.account_id, nonce=self.order_id, token=self.sell_token,
            fee_token=self.sell_token, to_id=self.slot << SLOT_BITS | self.buy_token, address=0,
            amount=self.sell_amount << ORDER_AMOUNT_BITS | self.buy_amount, link=0,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class FillData(Published):
    """What is published of an order's fill: it sells `amount` of `token` and pays `fee` of it."""

    OP = Op.SWAP

    account_id: int
    slot: int
    order_id: int
    token: int
    amount: int
    fee: int

    def __post_init__(self) -> None:
        check_uint("account_id", self.account_id, ACCOUNT_ID_BITS)
        check_uint("slot", self.slot, SLOT_BITS)
        check_uint("order_id", self.order_id, ORDER_ID_BITS)
        check_uint("token", self.token, SLOT_BITS)
        pack_amount(self.amount)
        pack_fee(self.fee)

    def chunks(self) -> tuple[int, ...]:
        """Token, account, slot, amount, fee; the order's id is in the settlement's chunk."""
        return (chunk(self.OP, self.token, self.account_id, self.slot, pack_amount(self.amount), self.fee),)


@dataclass(frozen=True, slots=True)
class SettlementData(Published):
    """The third step of a Swap: each side gets what the other sold."""

    OP = Op.SWAP

    maker: FillData
    taker: FillData

    def chunks(self) -> tuple[int, ...]:
        """`op 4 | 0 (52) | taker's order id 32 | maker's order id 32`."""
        ids = pack((self.taker.order_id, ORDER_ID_BITS), (self.maker.order_id, ORDER_ID_BITS))
        return (self.OP << (CHUNK_BITS - OP_BITS) | ids,)


@dataclass(frozen=True, slots=True)
class SwapData:
    """What of a Swap is published."""

    maker: FillData
    taker: FillData

    def steps(self) -> tuple[FillData, FillData, SettlementData]:
        """Its three steps."""
        return self.maker, self.taker, SettlementData(self.maker, self.taker)


@dataclass(frozen=True, slots=True)
class Fill(Included):
    """One order's step of a Swap: it sells `amount`, its counterpart `counter_amount`; `fee` of what it sells."""

    order: Order
    amount: int
    fee: int
    counter_amount: int
    is_taker: bool

    def published(self) -> FillData:
        """What a block publishes of it."""
        order = self.order
        return FillData(order.account_id, order.slot, order.order_id, order.sell_token, self.amount, self.fee)


@dataclass(frozen=True, slots=True)
class Settlement(Included):
    """The third step of a Swap."""

    swap: "Swap"

    def published(self) -> SettlementData:
        """What a block publishes of it."""
        return self.swap.published().steps()[2]


@dataclass(frozen=True, slots=True)
class Swap:
    """Two orders against each other: the maker's sells what the taker's buys, and the other way round.

    The maker sells `maker_amount` and pays `maker_fee` on top, of the same token; the taker likewise of his. All four
    must be representable.
    """

    maker: Order
    taker: Order
    maker_amount: int
    taker_amount: int
    maker_fee: int = 0
    taker_fee: int = 0

    def __post_init__(self) -> None:
        self.published()

    def published(self) -> SwapData:
        """What a block publishes of it."""
        maker, taker, _ = self.steps()
        return SwapData(maker.published(), taker.published())

    def steps(self) -> tuple[Fill, Fill, Settlement]:
        """Its three steps."""
        maker = Fill(self.maker, self.maker_amount, self.maker_fee, self.taker_amount, False)
        taker = Fill(self.taker, self.taker_amount, self.taker_fee, self.maker_amount, True)
        return maker, taker, Settlement(self)


@dataclass(frozen=True, slots=True)
class CancelOrderData(Published):
    """What of a CancelOrder is published."""

    OP = Op.CANCEL_ORDER

    account_id: int
    slot: int
    first_valid_order_id: int
    fee_token: int
    fee: int

    def __post_init__(self) -> None:
        check_uint("account_id", self.account_id, ACCOUNT_ID_BITS)
        check_uint("slot", self.slot, SLOT_BITS)
        check_uint("first_valid_order_id", self.first_valid_order_id, ORDER_ID_BITS)
        check_uint("fee_token", self.fee_token, SLOT_BITS)
        pack_fee(self.fee)

    def chunks(self) -> tuple[int, ...]:
        """Fee token, account, slot, first order id, fee."""
        return (chunk(self.OP, self.fee_token, self.account_id, self.slot, self.first_valid_order_id, self.fee),)


@dataclass(frozen=True, slots=True)
class CancelOrder(Included, Signable):
    """A signed end of all orders of `slot` with an id below `first_valid_order_id`. The rest as `Transfer`."""

    account_id: int
    slot: int
    first_valid_order_id: int
    fee_token: int
    fee: int
    nonce: int
    valid_from: int = 0
    valid_until: int = FOREVER
    link: int = 0
    signature: Signature | None = None

    def __post_init__(self) -> None:
        self.published()
        check_signed(self, self.nonce, self.link)

    def published(self) -> CancelOrderData:
        """What a block publishes of it."""
        return CancelOrderData(self.account_id, self.slot, self.first_valid_order_id, self.fee_token, self.fee)

    def message_words(self, domain: int) -> tuple[int, int, int, int, int]:
        """M0 to M4."""
        return message_words(
            domain, Op.CANCEL_ORDER, self, account_id=self.account_id, nonce=self.nonce, token=self.fee_token,
            fee_token=self.fee_token, to_id=self.slot, address=0, amount=self.first_valid_order_id, link=self.link,
        )  # fmt: skip
