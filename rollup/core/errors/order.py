"""Why a Swap or a CancelOrder cannot be included."""

from dataclasses import dataclass

from rollup.core.errors.operation import OperationError


@dataclass(eq=False)
class NotAnOrderSlotError(OperationError):
    """The slot is a token's."""

    slot: int
    first_order_slot: int
    code = "not_an_order_slot"

    @property
    def message(self) -> str:
        return f"slot {self.slot} is a token's balance: order slots start at {self.first_order_slot}"


@dataclass(eq=False)
class OrderEmptyError(OperationError):
    """The order sells nothing, so it has no price."""

    account_id: int
    slot: int
    code = "order_empty"

    @property
    def message(self) -> str:
        return f"the order in slot {self.slot} of account {self.account_id} sells 0: sign one that sells something"


@dataclass(eq=False)
class OrderReplacedError(OperationError):
    """A newer order, or a cancellation, holds the slot."""

    account_id: int
    slot: int
    order_id: int
    latest: int
    code = "order_replaced"

    @property
    def message(self) -> str:
        return (
            f"order {self.order_id} in slot {self.slot} of account {self.account_id} was replaced or cancelled: "
            f"the slot takes orders from id {self.latest} up; sign a new one"
        )


@dataclass(eq=False)
class OrderOverfilledError(OperationError):
    """The fill goes beyond what the order sells (I-17)."""

    account_id: int
    slot: int
    sell_amount: int
    filled: int
    amount: int
    code = "order_overfilled"

    @property
    def message(self) -> str:
        return (
            f"the order in slot {self.slot} of account {self.account_id} sells {self.sell_amount}, {self.filled} is "
            f"sold: it sells at most {self.sell_amount - self.filled} more, not {self.amount}"
        )


@dataclass(eq=False)
class OrderPriceError(OperationError):
    """The fill is worse than the order's price (I-17)."""

    account_id: int
    sell_amount: int
    buy_amount: int
    sells: int
    gets: int
    code = "order_price"

    @property
    def message(self) -> str:
        least = -(-self.sells * self.buy_amount // self.sell_amount)
        return (
            f"account {self.account_id} sells {self.sell_amount} for {self.buy_amount} or better, and is to sell "
            f"{self.sells} for {self.gets}: give it at least {least}"
        )


@dataclass(eq=False)
class OrderFeeError(OperationError):
    """The fee is more than this fill's share of the signed fee (I-17); `limit` is the largest fee that is not."""

    account_id: int
    fee: int
    limit: int
    code = "order_fee"

    @property
    def message(self) -> str:
        return f"account {self.account_id} pays at most {self.limit} for this part of its order, not {self.fee}"


@dataclass(eq=False)
class SwapTokensError(OperationError):
    """The two orders do not trade the same two tokens."""

    maker_sells: int
    maker_buys: int
    taker_sells: int
    taker_buys: int
    code = "swap_tokens"

    @property
    def message(self) -> str:
        return (
            f"the maker sells token {self.maker_sells} for {self.maker_buys}, the taker sells {self.taker_sells} for "
            f"{self.taker_buys}: match orders that sell what the other buys"
        )


@dataclass(eq=False)
class CancelTooLowError(OperationError):
    """The cancellation would cancel nothing, or bring orders back."""

    account_id: int
    slot: int
    first_valid_order_id: int
    latest: int
    code = "cancel_too_low"

    @property
    def message(self) -> str:
        return (
            f"slot {self.slot} of account {self.account_id} is at order {self.latest} already: cancel with a first "
            f"valid id above it, not {self.first_valid_order_id}"
        )
