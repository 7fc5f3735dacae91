"""Who has what, row after row: what the rows would do on the rollup, in the files' own terms."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rollup.demo.errors import Problem
from rollup.demo.instructions import Instruction, Kind
from rollup.demo.users import User
from rollup.node.matching import fill_fee
from rollup.wallet.tokens import Token


@dataclass(slots=True)
class Offer:
    """An offer that stands, and how much of it is sold."""

    instruction: Instruction
    filled: int = 0

    @property
    def left(self) -> int:
        """What can still be sold."""
        return self.instruction.amount - self.filled


@dataclass(frozen=True, slots=True)
class ForcedOut:
    """Money that a forced exit sends to L1, in smallest units: `who` is a name or an address."""

    who: str
    token_id: int
    amount: int


@dataclass
class Books:
    """Balances, offers and what left.

    Args:
        balances: By name or address, and token id.
        offers: By who made them.
        forced_out: In order.
    """

    balances: dict[tuple[str, int], int] = field(default_factory=dict)
    offers: dict[str, Offer] = field(default_factory=dict)
    forced_out: list[ForcedOut] = field(default_factory=list)

    @classmethod
    def opened(cls, users: Mapping[str, User]) -> "Books":
        """Return the books with everybody's opening deposits."""
        deposits = {(name, token): amount for name, user in users.items() for token, amount in user.deposits.items()}
        return cls(deposits)

    def balance(self, who: str, token: Token) -> int:
        """Return what somebody has, in smallest units."""
        return self.balances.get((who, token.token_id), 0)

    def post(self, instruction: Instruction) -> Problem | None:
        """Do what a row says, or return why it cannot be done, with nothing changed."""
        match instruction.kind:
            case Kind.PAY:
                return self._pay(instruction)
            case Kind.SWAP:
                return self._trade(instruction, 0)
            case Kind.ORDER:
                self.offers[instruction.payer] = Offer(instruction)
                return None
            case Kind.FILL:
                return self._fill(instruction)
            case Kind.CANCEL_ORDER:
                return self._cancel(instruction)
            case Kind.NEW_KEY | Kind.NEW_KEY_ON_L1:
                return self._change_key(instruction)
            case Kind.FORCED_EXIT:
                return self._force_out(instruction)

    def _pay(self, instruction: Instruction) -> Problem | None:
        problem = self._charge(instruction)
        if problem is None:
            self._add(instruction.payee, instruction.token, instruction.amount)
        return problem

    def _trade(self, instruction: Instruction, payee_fee: int) -> Problem | None:
        """The payer and the payee, who pays `payee_fee` on top, exchange the row's amounts."""
        payee, for_token, for_amount = instruction.payee, instruction.for_token, instruction.for_amount
        problem = self._short(instruction, "for_amount", payee, for_token, for_amount + payee_fee)
        problem = problem or self._charge(instruction)
        if problem is None:
            self._add(payee, for_token, -for_amount - payee_fee)
            self._add(payee, instruction.token, instruction.amount)
            self._add(instruction.payer, for_token, for_amount)
        return problem

    def _fill(self, instruction: Instruction) -> Problem | None:
        row, sells, gets = instruction.row, instruction.for_amount, instruction.amount
        offer = self.offers.get(instruction.payee)
        if offer is None:
            return row.problem("payee", f"{instruction.payee} offers nothing by then", "put a row with an order above")
        offered = offer.instruction
        if (offered.token, offered.for_token) != (instruction.for_token, instruction.token):
            way_out = f"pay in {offered.for_token.symbol} for {offered.token.symbol}"
            return row.problem("for_token", f"the offer of line {offered.row.line} is of other tokens", way_out)
        if sells > offer.left:
            left = f"{offered.token.show(offer.left)} {offered.token.symbol}"
            return row.problem("for_amount", f"{left} of the offer of line {offered.row.line} are left", "take less")
        if gets * offered.amount < sells * offered.for_amount:
            least = -(-sells * offered.for_amount // offered.amount)
            way_out = f"give at least {instruction.token.show(least)} {instruction.token.symbol}"
            return row.problem("amount", f"below the price of the offer of line {offered.row.line}", way_out)
        problem = self._trade(instruction, fill_fee(offered.fee, sells, offered.amount))
        if problem is None:
            offer.filled += sells
        return problem

    def _cancel(self, instruction: Instruction) -> Problem | None:
        if instruction.payer not in self.offers:
            reason = f"{instruction.payer} offers nothing by then"
            return instruction.row.problem("payer", reason, "put a row with an order above")
        problem = self._charge(instruction)
        if problem is None:
            del self.offers[instruction.payer]
        return problem

    def _change_key(self, instruction: Instruction) -> Problem | None:
        problem = self._charge(instruction)
        if problem is None:
            self.offers.pop(instruction.payer, None)  # signed with the old key
        return problem

    def _force_out(self, instruction: Instruction) -> Problem | None:
        who, token = instruction.payee, instruction.for_token
        amount = self.balance(who, token)
        if not amount:
            reason = f"{who} has no {token.symbol} by then"
            return instruction.row.problem("for_token", reason, "name a token that was paid to the payee before")
        problem = self._charge(instruction)
        if problem is None:
            self._add(who, token, -amount)
            self.forced_out.append(ForcedOut(who, token.token_id, amount))
        return problem

    def _charge(self, instruction: Instruction) -> Problem | None:
        """The payer pays amount and fee, or nothing."""
        payer, token, amount = instruction.payer, instruction.token, instruction.amount + instruction.fee
        # A fee that is more than all there is deserves its own words.
        column = "fee" if instruction.fee > self.balance(payer, token) else "amount"
        problem = self._short(instruction, column, payer, token, amount)
        if problem is None:
            self._add(payer, token, -amount)
        return problem

    def _short(self, instruction: Instruction, column: str, who: str, token: Token, needed: int) -> Problem | None:
        balance = self.balance(who, token)
        if needed <= balance:
            return None
        reason = f"{who} has {token.show(balance)} {token.symbol} by then, needs {token.show(needed)}"
        way_out = f"use less, or deposit {token.show(needed - balance)} {token.symbol} more"
        return instruction.row.problem(column, reason, way_out)

    def _add(self, who: str, token: Token, amount: int) -> None:
        self.balances[who, token.token_id] = self.balance(who, token) + amount
