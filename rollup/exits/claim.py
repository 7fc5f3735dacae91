"""What an exit proves (protocol 12), and the exit circuit's inputs for it."""

from dataclasses import dataclass

from rollup.core.account import Account
from rollup.core.checks import check_uint, check_word, pack
from rollup.core.constants import ACCOUNT_ID_BITS, ADDRESS_BITS, BALANCE_BITS, SLOT_BITS
from rollup.core.errors import AccountMissingError, NothingToExitError, TokenNotMoneyError
from rollup.core.state import State
from rollup.core.step_signals import Inputs
from rollup.core.witness_inputs import Path


@dataclass(frozen=True, slots=True)
class ExitClaim:
    """In the state with this root, this account of the owner has this amount of the token.

    Args:
        root: State root, a word.
        account_id: 24 bits.
        token: 12 bits; an order slot is not money and cannot be proven.
        owner: The account's address, 160 bits; 0 cannot be proven.
        amount: In the token's smallest unit, below 2^128.

    Raises: ValueRangeError if one is out of its range.
    """

    root: int
    account_id: int
    token: int
    owner: int
    amount: int

    def __post_init__(self) -> None:
        check_word("root", self.root)
        check_uint("account_id", self.account_id, ACCOUNT_ID_BITS)
        check_uint("token", self.token, SLOT_BITS)
        check_uint("owner", self.owner, ADDRESS_BITS)
        check_uint("amount", self.amount, BALANCE_BITS)

    def word(self) -> int:
        """The public input `claim`: account, token and owner."""
        return pack((self.account_id, ACCOUNT_ID_BITS), (self.token, SLOT_BITS), (self.owner, ADDRESS_BITS))

    def public_inputs(self) -> tuple[int, int, int]:
        """(root, claim, amount), as ExitVerifier takes them."""
        return self.root, self.word(), self.amount


@dataclass(frozen=True, slots=True)
class ExitInputs:
    """A claim and what of the state bears it out."""

    claim: ExitClaim
    account: Account
    balance_path: Path
    account_path: Path

    def signals(self) -> Inputs:
        """All inputs of the circuit, by signal name."""
        return {
            "root": self.claim.root,
            "claim": self.claim.word(),
            "amount": self.claim.amount,
            "token": self.claim.token,
            "owner": self.claim.owner,
            "key": self.account.key,
            "nonce": self.account.nonce,
            "balance_path": self.balance_path,
            "account_path": self.account_path,
        }


def exit_inputs(state: State, account_id: int, token: int) -> ExitInputs:
    """What an account has of a token, with its paths.

    Raises:
        ValueRangeError: there is no such account id or slot.
        TokenNotMoneyError: the slot is an order slot.
        AccountMissingError: the account is empty.
        NothingToExitError: it has none of the token.
    """
    account_path, balance_path = state.account_path(account_id), state.balance_path(account_id, token)
    if token >= state.shape.first_order_slot:
        raise TokenNotMoneyError(token, state.shape.first_order_slot)
    account, amount = state.account(account_id), state.balance(account_id, token)
    if not account.exists:
        raise AccountMissingError(account_id)
    if not amount:
        raise NothingToExitError(account_id, token)
    claim = ExitClaim(state.root, account_id, token, account.address, amount)
    return ExitInputs(claim, account, balance_path, account_path)
