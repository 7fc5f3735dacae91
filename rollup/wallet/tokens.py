"""Tokens, and amounts as people write them: in decimal units."""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Token:
    """A token as its users know it.

    Args:
        token_id: Id on L1 and slot on L2; 0 is ETH.
        symbol: Its short name.
        decimals: Digits after the point of one unit of account.
    """

    token_id: int
    symbol: str
    decimals: int

    def show(self, amount: int) -> str:
        """Return an amount of smallest units in decimal units, without trailing zeros."""
        whole, part = divmod(amount, 10**self.decimals)
        digits = f"{part:0{self.decimals}d}".rstrip("0")
        return f"{whole}.{digits}" if digits else str(whole)


ETH: Final = Token(0, "ETH", 18)

_DECIMAL = re.compile(r"([0-9]+)(?:\.([0-9]+))?")


class AmountTextError(ValueError):
    """The text is not an amount of the token."""

    def __init__(self, reason: str, way_out: str) -> None:
        super().__init__(f"{reason}; {way_out}")
        self.reason = reason
        self.way_out = way_out


def parse_amount(text: str, token: Token) -> int:
    """Read an amount in decimal units, such as "12.5".

    Returns: The amount in smallest units, exactly; any size.
    Raises: AmountTextError if it is negative, no plain decimal number, or finer than the token.
    """
    if text.startswith("-"):
        raise AmountTextError("a negative amount", "write it without the sign")
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise AmountTextError("not a decimal number", "write digits and at most one point, such as 1250.75")
    whole, part = match[1], (match[2] or "").rstrip("0")
    if len(part) > token.decimals:
        way_out = f"use at most {token.decimals} digits after the point"
        raise AmountTextError(f"finer than {token.symbol} can be divided", way_out)
    return int(whole + part.ljust(token.decimals, "0"))
