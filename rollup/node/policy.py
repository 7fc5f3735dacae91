"""When a block is closed, and when new work is refused."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from rollup.core.constants import QUEUE_EXPIRY_SECONDS
from rollup.core.operations import (
    Batch,
    CancelOrder,
    ChangePubKey,
    ForcedExit,
    Operation,
    Swap,
    Transfer,
    TransferToAddress,
    Withdraw,
    steps_of,
)
from rollup.l1.costs import load_of_streams, one_call_gas
from rollup.node.errors import BacklogError, FeeTooLowError
from rollup.node.ledger import OpenBlock


@dataclass(frozen=True, slots=True)
class Policy:
    """How a validator acts.

    Args:
        max_age_seconds: A block is closed when it was open for so long,
        queue_pressure: or half as long if it holds so many entries of the queue, a third if twice as many, and so on:
            while they are open, further ones are dearer for everybody. 0: that plays no part.
        max_steps: Or has so many steps; 0: as many as the largest block holds.
        max_l1_gas: Or costs so much on L1; 0: whatever it costs.
        queue_margin_seconds: Or holds an entry of the queue that is overdue in less than this.
        fast_fees: Or holds a Withdraw that pays at least this much of one of these tokens, by token.
        least_fees: An operation that is signed pays for each of its steps at least this much, by token; empty: nothing.
        max_backlog: New work is refused while so many closed blocks are not on L1.
        promise_margin_seconds: And while one of them, or the open one, would be due in less than this when its turn
            has come.
        assumed_block_seconds: How long a proof is taken to last until the first is done. A prover that is slower than
            this and has not shown it yet would have too much promised.
    """

    max_age_seconds: float = 300.0
    queue_pressure: int = 32
    max_steps: int = 0
    max_l1_gas: int = 0
    queue_margin_seconds: float = QUEUE_EXPIRY_SECONDS - 3_600
    fast_fees: Mapping[int, int] = field(default_factory=dict)
    least_fees: Mapping[int, int] = field(default_factory=dict)
    max_backlog: int = 64
    promise_margin_seconds: float = 4 * 3_600
    assumed_block_seconds: float = 300.0

    def why_close(self, block: OpenBlock, now: float) -> str | None:
        """Return why a block is to be closed now; None if it is not."""
        age = now - block.record.opened_at
        pressure = block.queue_count / self.queue_pressure if self.queue_pressure else 0
        if age >= self.max_age_seconds / (1 + pressure):
            return f"open for {age:.0f} s, with {block.queue_count} entries of the queue"
        if self.max_steps and block.steps >= self.max_steps:
            return f"{block.steps} steps"
        if self.max_l1_gas and (gas := l1_gas(block)) >= self.max_l1_gas:
            return f"{gas} gas on L1"
        if block.queue_expiry is not None and block.queue_expiry - now < self.queue_margin_seconds:
            return "an entry of the queue is due"
        return None

    def is_fast(self, operation: Operation) -> bool:
        """Whether an operation pays for a block of its own."""
        if not isinstance(operation, Withdraw):
            return False
        fee = self.fast_fees.get(operation.token)
        return fee is not None and operation.fee >= fee

    def fee_refusal(self, operation: Operation) -> FeeTooLowError | None:
        """Why an operation pays too little; None if it pays enough. Parts of a step in several tokens add up."""
        if not self.least_fees:
            return None
        least, steps = self.least_fees, len(steps_of(operation))
        paid = sum((Fraction(fee, least[token]) for token, fee in fees_of(operation) if token in least), Fraction(0))
        if paid >= steps:
            return None
        asked = " or ".join(f"{fee} of token {token}" for token, fee in least.items())
        return FeeTooLowError(steps, f"{float(paid):.3g}", asked)

    def refusal(self, waiting: Sequence[int], seconds_a_block: float, now: float) -> BacklogError | None:
        """Why no new promise may be made; None if it may.

        Args:
            waiting: When each block that is not on L1 is due there, in order, the one that would take the promise last.
            seconds_a_block: How long one takes now, once it is its turn.
            now: Unix seconds.
        """
        closed = len(waiting) - 1
        if closed >= self.max_backlog:
            return BacklogError(closed, f"at most {self.max_backlog} may wait")
        for place, commit_by in enumerate(waiting, 1):
            left = commit_by - now - place * seconds_a_block
            if left < self.promise_margin_seconds:
                which = f"number {place} of them" if place <= closed else "the one after them"
                reason = f"{which} would be on L1 {left:.0f} s before it is due, the margin is"
                return BacklogError(closed, f"{reason} {self.promise_margin_seconds:.0f} s")
        return None


def l1_gas(block: OpenBlock) -> int:
    """At most what a block costs on L1 in one call."""
    return one_call_gas(load_of_streams(block.chunks, block.words, block.records))


def fees_of(operation: Operation) -> Iterator[tuple[int, int]]:
    """What an operation that users sign pays: token and fee of each that pays in it."""
    match operation:
        case Batch():
            for each in operation.operations:
                yield from fees_of(each)
        case Swap():
            yield operation.maker.sell_token, operation.maker_fee
            yield operation.taker.sell_token, operation.taker_fee
        case Transfer() | TransferToAddress() | Withdraw():
            yield operation.token, operation.fee
        case ForcedExit() | ChangePubKey() | CancelOrder():
            yield operation.fee_token, operation.fee
