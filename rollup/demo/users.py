"""Who there is.

    users.csv     name,address,deposit_ETH,deposit_USDS

`address` is empty for a user whose keys the demo makes and uses; a user with an address of his own can only be paid.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rollup.core.constants import DEPOSIT_CAP_BITS
from rollup.demo.cells import read_address, read_amount
from rollup.demo.errors import Problem
from rollup.demo.table import Row, read_rows
from rollup.demo.tokens import TOKENS

USER_COLUMNS = ("name", "address", *(f"deposit_{token.symbol}" for token in TOKENS))
RESERVED_NAME = "operator"


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


def find_users_file(payments_path: Path, examples: Path) -> Path:
    """Return users.csv beside the payments, else the one of the examples."""
    beside = payments_path.resolve().parent / "users.csv"
    return beside if beside.is_file() else examples / "users.csv"


def read_users(path: Path, problems: list[Problem]) -> dict[str, User]:
    """Return the users by name; what is wrong with them goes to `problems`.

    Raises: InputFileError if the file cannot be used at all.
    """
    rows, row_problems = read_rows(path, USER_COLUMNS)
    problems += row_problems
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
            address = read_address(row, "address", problems)
            if address in addresses:
                problems.append(row.problem("address", "another user has this address", "give each user its own"))
            addresses.add(address or "")
        users[name] = User(name, address, _read_deposits(row, problems))
    return users


def _read_deposits(row: Row, problems: list[Problem]) -> dict[int, int]:
    deposits: dict[int, int] = {}
    before = len(problems)
    for token in TOKENS:
        column = f"deposit_{token.symbol}"
        amount = read_amount(row, column, token, 1 << DEPOSIT_CAP_BITS, problems) if row[column] else 0
        if amount:
            deposits[token.token_id] = amount
    if not deposits and len(problems) == before:
        reason = "no deposit, so there would be no account"
        problems.append(row.problem(f"deposit_{TOKENS[0].symbol}", reason, "deposit something in at least one token"))
    return deposits
