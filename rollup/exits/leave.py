"""The steps out of a rollup in exodus, one transaction each, which anyone may send.

What others have done meanwhile is passed over, and what fails, such as a payment to somebody whom a token blacklists,
holds nothing else up: plan again, and what is left is done.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rollup.core.addresses import show_address
from rollup.core.state import State
from rollup.exits.claim import ExitClaim
from rollup.exits.plan import Plan, credited
from rollup.exits.prover import ExitProver
from rollup.l1.client import Queued, RollupClient
from rollup.l1.errors import ContractRefused, GasLimitExceeded, L1Error, TransactionReverted
from rollup.l1.published import Published
from rollup.l1.sending import Account, Sent

DONE_ALREADY: Final = ("AlreadyExited", "QueueEntryMismatch", "NothingPending")
"""Refusals which say that somebody was faster."""


class Kind(StrEnum):
    """What a step does."""

    EXECUTED = "executed"
    EXITED = "exited"
    REFUNDED = "refunded"
    PAID = "paid"


@dataclass(frozen=True, slots=True)
class Step:
    """A step that was taken.

    Args:
        kind: Which.
        place: Number of the block, of the account, or of the queue entry; 0 of a payment.
        owner: Whose money; 0 of an execution.
        token: Its id.
        amount: In smallest units, the queue's fee apart.
        sent: The transaction; None if somebody else was faster, or it failed.
        failure: Why it failed.
        proof_seconds: What a proof took.
    """

    kind: Kind
    place: int
    owner: int
    token: int
    amount: int
    sent: Sent | None
    failure: L1Error | None = None
    proof_seconds: float = 0.0


def leave(
    client: RollupClient, account: Account, plan: Plan, state: State, prover: Callable[[], ExitProver]
) -> Iterator[Step]:
    """Take a plan's steps; yield each as it lands.

    Args:
        client: The rollup.
        account: Who sends, and pays the gas.
        plan: What to do.
        state: The state after the last proven block.
        prover: Gives the prover when the first exit needs it: opening its kit takes a second.

    Raises: NodeUnreachable, TransactionNotTaken, TransactionNotMined, ExitError: what stands between us and L1, and not
        what one step alone meets.
    """
    for published in plan.executions:
        yield execute(client, account, published)
    for planned in plan.exits:
        yield claim(client, account, planned, state, prover())
    for entry in plan.refunds:
        yield refund(client, account, entry)


def execute(client: RollupClient, account: Account, published: Published) -> Step:
    """Execute a proven block."""
    sent = _try(lambda: client.execute(account, [published.block], [published.l1]))
    return Step(Kind.EXECUTED, published.block.number, 0, 0, 0, *sent)


def claim(client: RollupClient, account: Account, planned: ExitClaim, state: State, prover: ExitProver) -> Step:
    """Prove a balance, and have it credited to its owner."""
    proven = prover.prove(state, planned.account_id, planned.token)
    sent = _try(lambda: client.exit_exodus(account, proven.claim, proven.proof))
    place = planned.account_id, planned.owner, planned.token, planned.amount
    return Step(Kind.EXITED, *place, *sent, proven.seconds)


def refund(client: RollupClient, account: Account, entry: Queued) -> Step:
    """Have a queue entry credited to its owner."""
    asked = entry.operation
    sent = _try(lambda: client.refund_queued(account, entry))
    return Step(Kind.REFUNDED, entry.index, asked.owner, asked.token, asked.amount or 0, *sent)


def pay_out(
    client: RollupClient, account: Account, owners: Collection[int] | None, to: int | None = None
) -> Iterator[Step]:
    """Have all that L1 owes some owners paid; yield each payment.

    Args:
        client, account: As `leave`.
        owners: Addresses; None for everybody.
        to: Where the money goes, if it is the account's own. None: to its owner.
    """
    for owner, token in credited(client, owners):
        amount = client.pending(show_address(owner), token)
        if amount:
            yield Step(Kind.PAID, 0, owner, token, amount, *_pay(client, account, owner, token, to))


def _pay(
    client: RollupClient, account: Account, owner: int, token: int, to: int | None
) -> tuple[Sent | None, L1Error | None]:
    if to is None:
        return _try(lambda: client.withdraw_pending(account, show_address(owner), token))
    return _try(lambda: client.withdraw_pending_to(account, token, show_address(to)))


def _try(send: Callable[[], Sent]) -> tuple[Sent | None, L1Error | None]:
    try:
        return send(), None
    except ContractRefused as error:
        return None, None if error.error in DONE_ALREADY else error
    except (TransactionReverted, GasLimitExceeded) as error:
        return None, error
