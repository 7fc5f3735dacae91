"""What is to happen, row by row.

    payments.csv  payer,payee,token,amount,fee[,memo,operation,batch,for_token,for_amount]

Amounts are in decimal units of the token. `fee` may be empty; the memo stays here. By `operation`:

    (empty)          payer pays payee: a name, or any address, which gets an account if it has none
    swap             payer sells `amount` of `token` to payee, who sells him `for_amount` of `for_token`
    order            payer offers `amount` of `token` for `for_amount` of `for_token`, until he offers something else
    fill             payer takes a part of payee's offer: he sells `amount` of `token` for `for_amount` of `for_token`
    cancel-order     payer takes his offer back
    new-key          payer changes his L2 key, with a signature of his Ethereum account
    new-key-on-l1    the same, approved by a transaction on L1
    forced-exit      payer has all of payee's `for_token` sent to him on L1; payee has no keys here

The fee is in `token`; of an offer it is the most that all its parts together pay. Rows one after the other with the
same `batch` are one batch: a block has all of them or none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rollup.core.constants import ORDER_AMOUNT_BITS
from rollup.demo.cells import read_address, read_amount, read_fee, read_packed_amount, read_token
from rollup.demo.errors import Problem
from rollup.demo.table import Row
from rollup.demo.users import User
from rollup.wallet.tokens import Token

COLUMNS = ("payer", "payee", "token", "amount", "fee")
OPTIONAL_COLUMNS = ("memo", "operation", "batch", "for_token", "for_amount")


class Kind(StrEnum):
    """What a row asks for, as written in the column `operation`."""

    PAY = ""
    SWAP = "swap"
    ORDER = "order"
    FILL = "fill"
    CANCEL_ORDER = "cancel-order"
    NEW_KEY = "new-key"
    NEW_KEY_ON_L1 = "new-key-on-l1"
    FORCED_EXIT = "forced-exit"


_OPERANDS: Final[Mapping[Kind, frozenset[str]]] = {
    Kind.PAY: frozenset({"payee", "amount"}),
    Kind.SWAP: frozenset({"payee", "amount", "for_token", "for_amount"}),
    Kind.ORDER: frozenset({"amount", "for_token", "for_amount"}),
    Kind.FILL: frozenset({"payee", "amount", "for_token", "for_amount"}),
    Kind.CANCEL_ORDER: frozenset(),
    Kind.NEW_KEY: frozenset(),
    Kind.NEW_KEY_ON_L1: frozenset(),
    Kind.FORCED_EXIT: frozenset({"payee", "for_token"}),
}
"""Columns that an operation needs besides payer and token; the others of these stay empty."""
_ALL_OPERANDS: Final = ("payee", "amount", "for_token", "for_amount")
_IN_BATCHES: Final = (Kind.PAY, Kind.CANCEL_ORDER, Kind.FORCED_EXIT)


@dataclass(frozen=True, slots=True)
class Instruction:
    """One row, checked by itself. Amounts and fee are in their token's smallest units.

    Args:
        row: Where it stands.
        kind: What it asks for.
        payer: A user with keys.
        payee: A user, or the address of nobody known; empty where there is none.
        token: What `amount` and `fee` are of.
        amount, fee: 0 where there is none.
        for_token: What `for_amount` is of; `token` where there is none.
        for_amount: 0 where there is none.
        batch: Its label; empty for none.
    """

    row: Row
    kind: Kind
    payer: str
    payee: str
    token: Token
    amount: int
    fee: int
    for_token: Token
    for_amount: int
    batch: str


class InstructionReader:
    """Reads rows against the users there are.

    Args:
        users: By name.
        users_path: Their file, for messages.
    """

    def __init__(self, users: Mapping[str, User], users_path: object) -> None:
        self._users = users
        self._users_path = users_path
        self._by_address = {user.address: user.name for user in users.values() if user.address}

    def read(self, row: Row, problems: list[Problem]) -> Instruction | None:
        """Return the row's instruction, None if anything is wrong with it, which then is in `problems`."""
        found: list[Problem] = []
        kind = self._kind(row, found)
        self._check_payer(row, found)
        operands = _OPERANDS[kind]
        for column in _ALL_OPERANDS:
            if column not in operands and row[column]:
                found.append(row.problem(column, f"{kind or 'a payment'} has no {column}", "leave it empty"))
        payee = self._payee(row, kind, found) if "payee" in operands else ""
        token = read_token(row, "token", found)
        for_token = read_token(row, "for_token", found) if "for_token" in operands else token
        if token is not None and for_token is token and "for_amount" in operands:
            found.append(row.problem("for_token", "the same token on both sides", "trade two different tokens"))
        amount = self._amount(row, "amount", kind, token, found)
        for_amount = self._amount(row, "for_amount", kind, for_token, found)
        fee = read_fee(row, "fee", token, found) if token else 0
        if row["batch"] and kind not in _IN_BATCHES:
            found.append(row.problem("batch", f"{kind} cannot be part of a batch", "leave it empty"))
        problems += found
        if found or not token or not for_token or amount is None or for_amount is None or fee is None:
            return None
        return Instruction(row, kind, row["payer"], payee, token, amount, fee, for_token, for_amount, row["batch"])

    def _kind(self, row: Row, found: list[Problem]) -> Kind:
        try:
            return Kind(row["operation"])
        except ValueError:
            names = ", ".join(kind for kind in Kind if kind)
            found.append(row.problem("operation", "no such operation", f"use one of {names}, or nothing to pay"))
            return Kind.PAY

    def _check_payer(self, row: Row, found: list[Problem]) -> None:
        user = self._users.get(row["payer"])
        if user is None:
            found.append(row.problem("payer", "unknown user", self._known))
        elif user.address is not None:
            found.append(self._keyless(row, "payer"))

    def _payee(self, row: Row, kind: Kind, found: list[Problem]) -> str:
        payee = row["payee"]
        if payee.startswith("0x"):
            address = read_address(row, "payee", found) or ""
            payee = self._by_address.get(address, address)
        elif payee not in self._users:
            found.append(row.problem("payee", "unknown user", self._known))
            return payee
        has_keys = payee in self._users and self._users[payee].address is None
        if kind in (Kind.SWAP, Kind.FILL):
            if not has_keys and payee:
                found.append(self._keyless(row, "payee"))
            elif payee == row["payer"]:
                found.append(row.problem("payee", "nobody trades with himself here", "name another user"))
        if kind is Kind.FORCED_EXIT and has_keys:
            reason = "this user has a key, so only he takes his money out"
            found.append(row.problem("payee", reason, "name a user with an address, or an address that was paid"))
        return payee

    def _amount(self, row: Row, column: str, kind: Kind, token: Token | None, found: list[Problem]) -> int | None:
        if column not in _OPERANDS[kind] or token is None:
            return 0
        if kind is Kind.ORDER:
            amount = read_amount(row, column, token, 1 << ORDER_AMOUNT_BITS, found)
        else:
            amount = read_packed_amount(row, column, token, found)
        if amount == 0 and "for_amount" in _OPERANDS[kind]:
            found.append(row.problem(column, "nothing to trade", "write more than 0"))
        return amount

    @property
    def _known(self) -> str:
        return f"add a row to {self._users_path}, or use one of its names"

    def _keyless(self, row: Row, column: str) -> Problem:
        reason = "the demo has no key of this user, so it cannot sign for it"
        return row.problem(column, reason, f"name a user whose address is empty in {self._users_path}")
