"""Deposit and FullExit: whatever they hold, a block can take them (I-10)."""

from dataclasses import replace

from rollup.core.account import Account
from rollup.core.checks import check_below
from rollup.core.errors import AccountTakenError, AddressZeroError, ExitAmountError
from rollup.core.operations import Deposit, FullExit
from rollup.core.rules.base import Step, Touch, View, check_id, check_money, credited


def deposit(view: View, operation: Deposit) -> Step:
    """The credit, with a new account or a first key if it comes to that; nothing if refused."""
    if operation.refused:
        return Step(operation)
    check_money(view, operation.token)
    check_id(view, operation.account_id)
    if not operation.owner:
        raise AddressZeroError("owner")
    account = view.account(operation.account_id)
    if account.exists and account.address != operation.owner:
        raise AccountTakenError(operation.account_id, operation.owner, account.address)
    # An off-curve key is set as any other: it can sign nothing, and no deposit may ever block the queue.
    key = operation.key if operation.sender_is_owner and not account.has_key else account.key
    balance = credited(view, operation.account_id, operation.token, operation.amount)
    after = Account(key, operation.owner, account.nonce)
    return Step(operation, second=Touch(operation.account_id, operation.token, after, balance))


def full_exit(view: View, operation: FullExit) -> Step:
    """The whole balance leaves, or nothing."""
    check_id(view, operation.account_id)
    check_below("token", operation.token, view.shape.slots)
    account = view.account(operation.account_id)
    leaf = view.leaf(operation.account_id, operation.token)
    leaves = account.address == operation.owner and operation.token < view.shape.first_order_slot
    amount = leaf if leaves else 0
    if operation.amount not in (None, amount):
        raise ExitAmountError(operation.account_id, operation.token, amount, operation.amount or 0)
    touch = Touch(operation.account_id, operation.token, account, leaf - amount)
    return Step(replace(operation, amount=amount), first=touch)
