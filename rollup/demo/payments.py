"""The input of the demo: who there is (users.csv) and who pays whom (payments.csv).

    users.csv     name,address,deposit_ETH,deposit_USDS
    payments.csv  payer,payee,token,amount,fee,memo

Amounts are in decimal units of the token. `address` is empty for a user whose keys the demo makes and uses; a user with
an address of his own can only be paid. A payee is a name or such an address. `fee` may be empty; the memo stays here.
Everything is checked before anything is sent, and all that is wrong is reported together.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from eth_utils.address import is_checksum_formatted_address, to_checksum_address

from rollup.core.amounts import pack_amount, pack_fee
from rollup.core.constants import BALANCE_BITS, DEPOSIT_CAP_BITS
from rollup.core.errors import AmountNotRepresentableError
from rollup.demo.errors import InputFileError, PaymentsInvalid, Problem
from rollup.demo.table import Row, read_rows
from rollup.demo.tokens import BY_SYMBOL, TOKENS
from rollup.wallet.tokens import AmountTextError, Token, parse_amount

USER_COLUMNS = ("name", "address", *(f"deposit_{token.symbol}" for token in TOKENS))
PAYMENT_COLUMNS = ("payer", "payee", "token", "amount", "fee")
OPTIONAL_PAYMENT_COLUMNS = ("memo",)
RESERVED_NAME = "operator"
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with an account.

    Args:
        name: As in the files.
        address: L1 address, checksummed; None if the demo makes the keys.
        deposits: Opening deposits by token id, in smallest units, none of them 0.
    """

    name: str
    address: str | None
    deposits: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment. Amount and fee in the token's smallest units; both can be packed."""

    line: int
    payer: str
    payee: str
    token: Token
    amount: int
    fee: int
    memo: str


@dataclass(frozen=True, slots=True)
class Payroll:
    """The whole input, checked: every payment is covered when all are made in order."""

    users: tuple[User, ...]
    payments: tuple[Payment, ...]


def find_users_file(payments_path: Path, examples: Path) -> Path:
    """Return users.csv beside the payments, else the one of the examples."""
    beside = payments_path.resolve().parent / "users.csv"
    return beside if beside.is_file() else examples / "users.csv"


def read_payroll(payments_path: Path, users_path: Path) -> Payroll:
    """Read and check both files.

    Raises: InputFileError if a file cannot be used at all; PaymentsInvalid with every problem of the rows.
    """
    user_rows, problems = read_rows(users_path, USER_COLUMNS)
    users = _read_users(user_rows, problems)
    payment_rows, row_problems = read_rows(payments_path, PAYMENT_COLUMNS, OPTIONAL_PAYMENT_COLUMNS)
    problems += row_problems
    payments = _read_payments(payment_rows, users, users_path, problems)
    _check_balances(users, payments, payment_rows, problems)
    if problems:
        raise PaymentsInvalid(sorted(problems, key=lambda problem: (problem.path, problem.line)))
    if not payments:
        raise InputFileError(str(payments_path), "there is no payment in it", "add at least one row below the header")
    return Payroll(tuple(users.values()), tuple(payment for payment in payments if payment))


def _read_users(rows: list[Row], problems: list[Problem]) -> dict[str, User]:
    users: dict[str, User] = {}
    addresses: set[str] = set()
    for row in rows:
        name, address = row["name"], row["address"] or None
        if not name or name == RESERVED_NAME or name.startswith("0x"):
            problems.append(row.problem("name", "not a user's name", f"any name but {RESERVED_NAME!r} and 0x..."))
            continue
        if name in users:
            problems.append(row.problem("name", "this user is listed already", "remove one of the rows"))
            continue
        if address is not None:
            address = _read_address(row, "address", problems)
            if address in addresses:
                problems.append(row.problem("address", "another user has this address", "give each user its own"))
            addresses.add(address or "")
        users[name] = User(name, address, _read_deposits(row, problems))
    return users


def _read_address(row: Row, column: str, problems: list[Problem]) -> str | None:
    text = row[column]
    if not _ADDRESS.fullmatch(text):
        problems.append(row.problem(column, "not an address", "write 0x and 40 hexadecimal digits"))
        return None
    if int(text, 16) == 0:
        problems.append(row.problem(column, "the zero address can own nothing", "write the user's address"))
        return None
    checksummed = str(to_checksum_address(text))
    if is_checksum_formatted_address(text) and text != checksummed:
        way_out = f"check each digit; if they are right, write {checksummed}"
        problems.append(row.problem(column, "the address's checksum is wrong, so a digit may be", way_out))
        return None
    return checksummed


def _read_deposits(row: Row, problems: list[Problem]) -> dict[int, int]:
    deposits: dict[int, int] = {}
    before = len(problems)
    for token in TOKENS:
        column = f"deposit_{token.symbol}"
        amount = _read_amount(row, column, token, 1 << DEPOSIT_CAP_BITS, problems) if row[column] else 0
        if amount:
            deposits[token.token_id] = amount
    if not deposits and len(problems) == before:
        reason = "no deposit, so there would be no account"
        problems.append(row.problem(f"deposit_{TOKENS[0].symbol}", reason, "deposit something in at least one token"))
    return deposits


def _read_amount(row: Row, column: str, token: Token, limit: int, problems: list[Problem]) -> int | None:
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


def _read_payments(
    rows: list[Row], users: Mapping[str, User], users_path: Path, problems: list[Problem]
) -> list[Payment | None]:
    """One entry a row, None where the row has a problem."""
    by_address = {user.address: user.name for user in users.values() if user.address}
    known = f"add a row to {users_path}, or use one of its names"
    payments: list[Payment | None] = []
    for row in rows:
        before = len(problems)
        payer, payee = row["payer"], row["payee"]
        if payer not in users:
            problems.append(row.problem("payer", "unknown user", known))
        elif users[payer].address is not None:
            reason = "the demo has no key of this user, so it cannot sign for it"
            problems.append(row.problem("payer", reason, f"empty the user's address in {users_path}"))
        if payee.startswith("0x"):
            address = _read_address(row, "payee", problems)
            if address is not None and address not in by_address:
                way_out = f"add the address to {users_path} with an opening deposit"
                problems.append(row.problem("payee", "no user has this address, so there is no account", way_out))
            payee = by_address.get(address or "", "")
        elif payee not in users:
            problems.append(row.problem("payee", "unknown user", known))
        token = BY_SYMBOL.get(row["token"])
        if token is None:
            problems.append(row.problem("token", "unknown token", f"use one of {', '.join(BY_SYMBOL)}"))
            payments.append(None)
            continue
        amount = _read_packable(row, "amount", token, problems)
        fee = _read_packable(row, "fee", token, problems) if row["fee"] else 0
        if len(problems) > before or amount is None or fee is None:
            payments.append(None)
        else:
            payments.append(Payment(row.line, payer, payee, token, amount, fee, row.fields.get("memo", "")))
    return payments


def _read_packable(row: Row, column: str, token: Token, problems: list[Problem]) -> int | None:
    amount = _read_amount(row, column, token, 1 << BALANCE_BITS, problems)
    if amount is None:
        return None
    try:
        if column == "fee":
            pack_fee(amount)
        else:
            pack_amount(amount)
    except AmountNotRepresentableError as error:
        near = [value for value in (error.lower, error.upper) if value is not None]
        way_out = "the nearest that fit are " + " and ".join(f"{token.show(value)} {token.symbol}" for value in near)
        reason = "too many significant digits for 11 bits" if column == "fee" else "more than 35 bits of mantissa"
        problems.append(row.problem(column, reason, way_out))
        return None
    return amount


def _check_balances(
    users: Mapping[str, User], payments: list[Payment | None], rows: list[Row], problems: list[Problem]
) -> None:
    balances = {(name, token): amount for name, user in users.items() for token, amount in user.deposits.items()}
    for payment, row in zip(payments, rows, strict=True):
        if payment is None:
            continue
        token = payment.token
        source, target = (payment.payer, token.token_id), (payment.payee, token.token_id)
        balance, needed = balances.get(source, 0), payment.amount + payment.fee
        if needed > balance:
            # A fee that is more than all there is deserves its own words.
            column = "fee" if payment.fee > balance else "amount"
            reason = f"{payment.payer} has {token.show(balance)} {token.symbol} by then, needs {token.show(needed)}"
            way_out = f"pay less, or deposit {token.show(needed - balance)} {token.symbol} more"
            problems.append(row.problem(column, reason, way_out))
            continue
        balances[source] = balance - needed
        balances[target] = balances.get(target, 0) + payment.amount
