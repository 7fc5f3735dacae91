"""How a sender acts."""

from dataclasses import dataclass, field
from typing import Final

from rollup.landing.fees import FeePolicy

REORG_BLOCKS: Final = 64
"""So deep L1 may be reorganised and all is landed again; what is deeper and finalised is final."""
MOST_IN_FLIGHT: Final = 16
"""What nodes keep of one sender for certain: geth's account slots."""
RESERVE_TRANSACTIONS: Final = 20
FOREIGN_PATIENCE_BLOCKS: Final = 10


@dataclass(frozen=True, slots=True)
class SenderConfig:
    """How a sender acts.

    Args:
        fees: What may be paid.
        finality_blocks: How deep an L1 block must be to be final.
        has_finalized_tag: The chain says which blocks are finalised; one must be that as well.
        most_in_flight: Transactions signed and not mined.
        reserve_wei, reserve_transactions: A notice is given when the balance is below this much, or would not pay for
            so many transactions as large as the largest of now at the price of now.
        foreign_patience_blocks: So long a foreign transaction that waits for the next nonce may go first.
    """

    fees: FeePolicy = field(default_factory=FeePolicy)
    finality_blocks: int = REORG_BLOCKS
    has_finalized_tag: bool = True
    most_in_flight: int = MOST_IN_FLIGHT
    reserve_wei: int = 0
    reserve_transactions: int = RESERVE_TRANSACTIONS
    foreign_patience_blocks: int = FOREIGN_PATIENCE_BLOCKS
