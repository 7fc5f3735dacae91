"""Two orders against each other."""

from rollup.core.operations import Order, Swap
from rollup.node.matching import fill_fee, match_orders

MAKER, TAKER = Order(1, 2048, 1, 0, 1, 1000, 10, 100), Order(2, 2048, 1, 1, 0, 10, 1000, 7)


def test_match_orders_each_pays_its_part_of_the_signed_fee_rounded_down() -> None:
    assert match_orders(MAKER, TAKER, 333, 4) == Swap(MAKER, TAKER, 333, 4, 33, 2)


def test_fill_fee_is_representable_and_never_above_the_part() -> None:
    assert fill_fee(2**128 // 10**20 * 10**20, 1, 1) % 10 == 0
    assert fill_fee(4095, 1, 1) == 4090
    assert fill_fee(100, 999, 1000) == 99
