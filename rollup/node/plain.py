"""The short way of the plain Transfer, which is nearly all that is submitted: signed, alone, between two accounts.

The rules are `rollup/core/rules`'. Here is only when such a Transfer certainly passes them, and what it then does;
whatever else it is, the caller takes the long way, where the rules say what is wrong. A test holds the two together.
"""

from typing import Final, TypeAlias

from rollup._native import PlainTransfer
from rollup.core.account import Account
from rollup.core.constants import BALANCE_BITS, NONCE_BITS
from rollup.core.operations import NO_KEY, Key, Operation, Signature, Transfer
from rollup.core.rules import Context, Touch
from rollup.core.state import State
from rollup.core.wire import WireOperation

Submission: TypeAlias = WireOperation | PlainTransfer
"""What a user submits."""
Taken: TypeAlias = Operation | PlainTransfer
"""What a block takes."""
PreparedTransfer: TypeAlias = tuple[int, int, int, int, int, int, int, int, bytes, bytes, bytes, str]
"""from_id, to_id, token, amount, fee, nonce, valid_from, valid_until; recipient, hash, chunk, JSON."""
Effect: TypeAlias = tuple[Touch, Touch]
"""Debit, then credit."""

_LAST_NONCE: Final = (1 << NONCE_BITS) - 1


def whole(taken: Taken) -> Operation:
    """The operation, as the rules read it."""
    return transfer_of(taken) if isinstance(taken, PlainTransfer) else taken


def transfer_of(plain: PlainTransfer) -> Transfer:
    """The Transfer whole."""
    return Transfer(*plain.fields, link=0, signature=Signature(*plain.signature))


def effect_of(state: State, transfer: PreparedTransfer, key: Key, context: Context) -> Effect | None:
    """What a Transfer does that certainly passes; None: the rules must say.

    Args:
        state: Before it.
        transfer: As `prepare_transfers` gave it: its signature is valid under `key`.
        key: Which was the payer's then.
        context: Of the block.
    """
    from_id, to_id, token, amount, fee, nonce, valid_from, valid_until, recipient, _, _, _ = transfer
    shape = state.shape
    payer, payee = state.account(from_id), state.account(to_id)
    rest = state.leaf(from_id, token) - amount - fee
    if (
        payer.nonce != nonce
        or nonce >= _LAST_NONCE
        or rest < 0
        or key == NO_KEY
        or payer.key != key
        or not payer.address
        or not payee.address
        or payee.address != int.from_bytes(recipient, "big")
        or not valid_from <= context.timestamp <= valid_until
        or token >= shape.first_order_slot
        or (fee and token not in context.fee_tokens)
        or from_id >= shape.accounts
        or to_id >= shape.accounts
    ):
        return None
    after = Account(payer.key, payer.address, nonce + 1)
    if to_id == from_id:
        payee, credited = after, rest + amount
    else:
        credited = state.leaf(to_id, token) + amount
    if credited >> BALANCE_BITS:
        return None
    return Touch(from_id, token, after, rest), Touch(to_id, token, payee, credited)
