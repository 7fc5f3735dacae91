"""Reading single cells of the demo's files. What is wrong goes to a list of problems, and None comes back."""

from collections.abc import Callable

from rollup.core.addresses import parse_address, show_address
from rollup.core.amounts import pack_amount, pack_fee
from rollup.core.constants import BALANCE_BITS
from rollup.core.errors import AddressTextError, AmountNotRepresentableError
from rollup.demo.errors import Problem
from rollup.demo.table import Row
from rollup.demo.tokens import BY_SYMBOL
from rollup.wallet.tokens import AmountTextError, Token, parse_amount


def read_address(row: Row, column: str, problems: list[Problem]) -> str | None:
    """Return an L1 address, checksummed."""
    try:
        address = parse_address(row[column])
    except AddressTextError as error:
        problems.append(row.problem(column, error.reason, error.way_out))
        return None
    if address == 0:
        problems.append(row.problem(column, "the zero address can own nothing", "write the user's address"))
        return None
    return show_address(address)


def read_token(row: Row, column: str, problems: list[Problem]) -> Token | None:
    """Return one of the demo's tokens by its symbol."""
    token = BY_SYMBOL.get(row[column])
    if token is None:
        problems.append(row.problem(column, "unknown token", f"use one of {', '.join(BY_SYMBOL)}"))
    return token


def read_amount(row: Row, column: str, token: Token, limit: int, problems: list[Problem]) -> int | None:
    """Return an amount below `limit`, in smallest units."""
    try:
        amount = parse_amount(row[column], token)
    except AmountTextError as error:
        problems.append(row.problem(column, error.reason, error.way_out))
        return None
    if amount >= limit:
        way_out = f"the most is {token.show(limit - 1)} {token.symbol}"
        problems.append(row.problem(column, "too large", way_out))
        return None
    return amount


def read_packed_amount(row: Row, column: str, token: Token, problems: list[Problem]) -> int | None:
    """Return an amount that a block can publish."""
    return _read_packed(row, column, token, pack_amount, "more than 35 bits of mantissa", problems)


def read_fee(row: Row, column: str, token: Token, problems: list[Problem]) -> int | None:
    """Return a fee; an empty cell is 0."""
    if not row[column]:
        return 0
    return _read_packed(row, column, token, pack_fee, "too many significant digits for 11 bits", problems)


def _read_packed(
    row: Row, column: str, token: Token, pack: Callable[[int], int], reason: str, problems: list[Problem]
) -> int | None:
    amount = read_amount(row, column, token, 1 << BALANCE_BITS, problems)
    if amount is None:
        return None
    try:
        pack(amount)
    except AmountNotRepresentableError as error:
        near = [value for value in (error.lower, error.upper) if value is not None]
        way_out = "the nearest that fit are " + " and ".join(f"{token.show(value)} {token.symbol}" for value in near)
        problems.append(row.problem(column, reason, way_out))
        return None
    return amount
