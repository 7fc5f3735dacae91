"""How far a rollup is from letting everybody out: what is due when, asked of L1 alone."""

from dataclasses import dataclass

from rollup.core.constants import PROOF_DEADLINE_SECONDS, PROOF_GRACE_SECONDS, PROOF_LIMIT_SECONDS
from rollup.l1.abi import L1Block
from rollup.l1.client import Queued, RollupClient
from rollup.l1.lookup import Lookup


@dataclass(frozen=True, slots=True)
class Status:
    """A rollup as of L1's latest block. Times in unix seconds, by L1's clock.

    Args:
        now: Time of L1's latest block.
        committed, proven, executed: Number of the last block that is.
        last_proven: The block that exodus is based on.
        first_unproven: The next one, if it is committed.
        proven_at: When the last proven block was proven, 0 if none is.
        turn_began_at: When the last one below it that is another committer's was.
        waiting: Queue entries that no proven block serves, oldest first.
        exodus_root: The state that everything leaves from; 0 if this is no exodus.
    """

    now: int
    committed: int
    proven: int
    executed: int
    last_proven: L1Block
    first_unproven: L1Block | None
    proven_at: int
    turn_began_at: int
    waiting: tuple[Queued, ...]
    exodus_root: int

    @property
    def is_exodus(self) -> bool:
        """Whether everything leaves, and nothing comes in any more."""
        return self.exodus_root != 0

    @property
    def exodus_due(self) -> int | None:
        """When anyone can begin exodus if nothing more is proven; None if nobody waits or it has begun."""
        return self.waiting[0].expiry if self.waiting and not self.is_exodus else None

    @property
    def revert_due(self) -> int | None:
        """When anyone can take the unproven blocks back; None if there are none."""
        if self.first_unproven is None or self.is_exodus:
            return None
        is_same = self.first_unproven.committer == self.last_proven.committer
        turn, committed_at = self.turn_began_at if is_same else self.proven_at, self.first_unproven.committed_at
        deadline = max(committed_at + PROOF_DEADLINE_SECONDS, turn + PROOF_GRACE_SECONDS)
        return min(deadline, committed_at + PROOF_LIMIT_SECONDS)


def read_status(client: RollupClient) -> Status:
    """Ask L1 how the rollup stands.

    Raises: NodeUnreachable, ReaderError.
    """
    rpc = client.sender.rpc
    lookup = Lookup(rpc, client.address, client.deployed_at)
    proven, committed = client.proven_blocks(), client.committed_blocks()
    last_proven = L1Block.genesis() if proven == 0 else lookup.find(proven).block
    return Status(
        now=int(rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16),
        committed=committed,
        proven=proven,
        executed=client.executed_blocks(),
        last_proven=last_proven,
        first_unproven=lookup.find(proven + 1).block if committed > proven else None,
        proven_at=client.proven_at(),
        turn_began_at=client.turn_began_at(),
        waiting=tuple(client.queue(last_proven.queue_end)),
        exodus_root=client.exodus_root(),
    )
