"""Amounts as people write them."""

import pytest

from rollup.wallet.tokens import AmountTextError, Token, parse_amount

USDS = Token(1, "USDS", 6)


@pytest.mark.parametrize(("text", "amount"), [("1", 10**6), ("0.000001", 1), ("12.50", 12_500_000), ("007", 7 * 10**6)])
def test_parse_amount_show_round_trip(text: str, amount: int) -> None:
    assert parse_amount(text, USDS) == amount
    assert parse_amount(USDS.show(amount), USDS) == amount


def test_parse_amount_too_fine_names_the_token() -> None:
    with pytest.raises(AmountTextError, match="finer than USDS"):
        parse_amount("0.0000001", USDS)
