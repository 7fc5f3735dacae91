"""Two orders against each other. Who trades with whom, and how much, is for the caller to say.

The rule, the same in `rollup/core/rules/orders.py` and `circuits/lib/order.circom`, is an upper limit without division:
fee * sell_amount <= signed_fee * sells (I-17). That a fill pays the largest fee that can be published under it is this
validator's policy, and stands here alone: books, demo and tests call `fill_fee`.
"""

from rollup.core.amounts import floor_fee
from rollup.core.operations import Order, Swap


def fill_fee(signed_fee: int, sells: int, sell_amount: int) -> int:
    """Return the largest fee that an order pays for selling `sells` of its `sell_amount`, which is not 0."""
    return floor_fee(signed_fee * sells // sell_amount)


def match_orders(maker: Order, taker: Order, maker_amount: int, taker_amount: int) -> Swap:
    """Return the swap in which each order sells so much and pays the fee of that part."""
    maker_fee = fill_fee(maker.fee, maker_amount, maker.sell_amount)
    taker_fee = fill_fee(taker.fee, taker_amount, taker.sell_amount)
    return Swap(maker, taker, maker_amount, taker_amount, maker_fee, taker_fee)
