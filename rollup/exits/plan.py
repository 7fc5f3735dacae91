"""What somebody can leave with in exodus, and the steps that it takes.

Everything he has is in one of four places: his balances in the last proven state, which hold every block's fees, and of
which no order keeps anything back, be it filled in part; what proven blocks that nobody has executed pay him; what he
put into the queue too late; and what L1 owes him already.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from rollup.core.operations import Deposit, FullExit
from rollup.core.operations.payments import ForcedExitData, WithdrawData
from rollup.core.state import State
from rollup.exits.claim import ExitClaim
from rollup.exits.status import Status
from rollup.l1.abi import PENDING_CREDITED
from rollup.l1.client import Queued, RollupClient
from rollup.l1.lookup import Lookup
from rollup.l1.published import Published

WEI_PER_GWEI: Final = 10**9
ETH_ID: Final = 0

Payout = tuple[int, int, int]
"""Owner, token, amount in smallest units."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps, in their order; afterwards what is pending is paid out.

    Args:
        executions: Proven blocks to execute, oldest first.
        exits: Balances to prove and claim.
        refunds: Queue entries to take back.
    """

    executions: tuple[Published, ...] = ()
    exits: tuple[ExitClaim, ...] = ()
    refunds: tuple[Queued, ...] = ()


def make_plan(client: RollupClient, status: Status, state: State, owners: Collection[int] | None) -> Plan:
    """What is left to do for some owners.

    Args:
        client: The rollup, in exodus.
        status: As of now.
        state: The state after the last proven block.
        owners: Addresses; None for everybody.

    Raises: NodeUnreachable, ReaderError.
    """
    claims = (claim for claim in claims_of(state, owners) if not client.exited(claim.account_id, claim.token))
    return Plan(_executions(client, status, owners), tuple(claims), refundable(client, status, owners))


def claims_of(state: State, owners: Collection[int] | None) -> Iterator[ExitClaim]:
    """Every balance that can be proven: of some owners or, with None, of all."""
    root = state.root
    if owners is None:
        found = [account_id for account_id, _ in state.accounts()]
    else:
        found = [account_id for owner in owners for account_id in state.find(owner)]
    for account_id in sorted(found):
        owner = state.account(account_id).address
        for token, amount in sorted(state.balances(account_id).items()):
            yield ExitClaim(root, account_id, token, owner, amount)


def payouts(published: Published) -> Iterator[Payout]:
    """What executing a proven block makes L1 owe, the queue's fees to its committer last."""
    fees_gwei = 0
    for operation in published.decode()[1]:
        if isinstance(operation, Deposit | FullExit):
            fees_gwei += operation.queue_fee_gwei
        match operation:
            case Deposit(refused=True) | FullExit():
                payout = operation.owner, operation.token, operation.amount or 0
            case WithdrawData() | ForcedExitData():
                payout = operation.address, operation.token, operation.amount or 0
            case _:
                continue
        if payout[2]:
            yield payout
    if fees_gwei:
        yield int(published.block.committer, 16), ETH_ID, fees_gwei * WEI_PER_GWEI


def refundable(client: RollupClient, status: Status, owners: Collection[int] | None) -> tuple[Queued, ...]:
    """Queue entries of some owners that no proven block serves and nobody has taken back."""
    mine = (entry for entry in status.waiting if owners is None or entry.operation.owner in owners)
    return tuple(entry for entry in mine if client.is_queued(entry.index))


def credited(client: RollupClient, owners: Collection[int] | None) -> list[tuple[int, int]]:
    """Whom L1 has ever owed what: owner and token, each once."""
    logs = client.sender.rpc.logs(client.address, [PENDING_CREDITED], client.deployed_at)
    found = {(int(log["topics"][1], 16), int(log["topics"][2], 16)) for log in logs}
    return sorted(pair for pair in found if owners is None or pair[0] in owners)


def _executions(client: RollupClient, status: Status, owners: Collection[int] | None) -> tuple[Published, ...]:
    """The proven blocks to execute, up to the last that pays any of the owners."""
    lookup = Lookup(client.sender.rpc, client.address, client.deployed_at)
    blocks = [lookup.find(number) for number in range(status.executed + 1, status.proven + 1)]
    paying = [
        index
        for index, block in enumerate(blocks)
        if any(owners is None or owner in owners for owner, _, _ in payouts(block))
    ]
    return tuple(blocks[: paying[-1] + 1] if paying else ())
