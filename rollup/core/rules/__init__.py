"""The semantics of protocol 4: what each operation requires and what it changes.

Nothing here changes a state: `plan` checks everything and returns the changes, so that applying is all or nothing. The
steps of a Swap and the operations of a Batch each start from where the one before ended.

    base.py        what the rules read and give; the conditions that several share
    queue.py       Deposit, FullExit
    payments.py    Transfer, TransferToAddress, Withdraw, ForcedExit
    key_change.py  ChangePubKey
    orders.py      Swap, CancelOrder
"""

from dataclasses import replace
from typing import assert_never

from rollup.core.operations import (
    Batch,
    CancelOrder,
    CancelOrderData,
    ChangePubKey,
    ChangePubKeyData,
    Deposit,
    ForcedExit,
    ForcedExitData,
    FullExit,
    Noop,
    Operation,
    PublishedOperation,
    PublishedSigned,
    SignedOperation,
    SimpleOperation,
    Swap,
    SwapData,
    Transfer,
    TransferData,
    TransferToAddress,
    TransferToAddressData,
    Withdraw,
    WithdrawData,
    batch_chain,
)
from rollup.core.rules import key_change, orders, payments, queue
from rollup.core.rules.base import (
    Applied,
    Claim,
    Context,
    Overlay,
    Step,
    Touch,
    View,
    check_money,
    check_signed,
    credited,
)

__all__ = ["Applied", "Claim", "Context", "Overlay", "Step", "Touch", "View", "plan", "plan_fee", "plan_published"]


def plan(view: View, operation: Operation, context: Context) -> Applied:
    """Check an operation against everything the circuit and L1 check, and return its effect.

    Raises:
        OperationError: a condition of protocol 4 fails; the subclass says which.
        ValueRangeError: an id is beyond the trees of this state.
    """
    if isinstance(operation, Batch):
        return _batch(view, operation, context)
    if isinstance(operation, Swap):
        return Applied(operation, orders.swap(view, operation, context))
    step = _step(view, operation, context, 0)
    return Applied(step.operation, (step,))  # type: ignore[arg-type]  # `_step` returns what it was given


def plan_published(view: View, operation: PublishedOperation, fee_tokens: tuple[int, ...]) -> Applied:
    """The effect of an operation as published, for a rebuild: the proof stands for what only the signer knew."""
    match operation:
        case Deposit():
            step = queue.deposit(view, operation)
        case FullExit():
            step = queue.full_exit(view, operation)
        case SwapData():
            return Applied(operation, orders.published_swap(view, operation, fee_tokens))
        case _:
            step = _effect(view, operation, fee_tokens)
    return Applied(step.operation, (step,))  # type: ignore[arg-type]  # an operation of one step


def plan_fee(view: View, fee_account: int, token: int, fee: int) -> Touch:
    """The credit of one fee token's fees at the end of a block; the fee account exists."""
    return Touch(fee_account, token, view.account(fee_account), credited(view, fee_account, token, fee))


def _batch(view: View, batch: Batch, context: Context) -> Applied:
    """Each operation on top of those before it; all of them name the hash of the whole list."""
    chain = batch_chain(batch.operations)
    after, steps = Overlay(view), []
    for position, operation in enumerate(batch.operations):
        try:
            step = _step(after, operation, context, chain[0])
        except Exception as error:
            error.add_note(f"operation {position} of a batch of {len(batch.operations)}")
            raise
        after.put(*step.touches)
        steps.append(replace(step, batch_rest=chain[position + 1]))
    included: tuple[SignedOperation, ...] = tuple(step.operation for step in steps)  # type: ignore[misc]
    return Applied(Batch(included), tuple(steps))


def _step(view: View, operation: SimpleOperation, context: Context, link: int) -> Step:
    """The effect of an operation of one step, as part of the batch `link` (0: of none)."""
    match operation:
        case Noop():
            return Step(operation)
        case Deposit():
            return queue.deposit(view, operation)
        case FullExit():
            return queue.full_exit(view, operation)
        case ChangePubKey():
            step = _effect(view, operation.published(), context.fee_tokens)
            key_change.check_key_change(operation, context)
            return step.of(operation)
        case ForcedExit() | CancelOrder():
            payer = operation.from_id if isinstance(operation, ForcedExit) else operation.account_id
            check_money(view, operation.fee_token)
            check_signed(view, payer, operation, context, link)
        case Transfer() | TransferToAddress() | Withdraw():
            check_money(view, operation.token)
            check_signed(view, operation.from_id, operation, context, link)
            if isinstance(operation, Transfer):
                payments.check_recipient(view, operation)
        case _:
            assert_never(operation)
    step = _effect(view, operation.published(), context.fee_tokens)
    if isinstance(operation, ForcedExit):
        assert isinstance(step.operation, ForcedExitData)
        operation = replace(operation, amount=step.operation.amount)
    return step.of(operation)


def _effect(view: View, data: PublishedSigned, fee_tokens: tuple[int, ...]) -> Step:
    """What follows from what is published."""
    match data:
        case TransferData():
            return payments.transfer(view, data, fee_tokens)
        case TransferToAddressData():
            return payments.transfer_to_address(view, data, fee_tokens)
        case WithdrawData():
            return payments.withdraw(view, data, fee_tokens)
        case ForcedExitData():
            return payments.forced_exit(view, data, fee_tokens)
        case CancelOrderData():
            return orders.cancel_order(view, data, fee_tokens)
        case ChangePubKeyData():
            return key_change.change_pub_key(view, data, fee_tokens)
        case _:
            assert_never(data)
