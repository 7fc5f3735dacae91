"""What an action is and what becomes of it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from rollup.landing.calls import Call
from rollup.landing.signing import Fees


class State(StrEnum):
    """How far an action is. Only FINAL, REFUSED and WITHDRAWN are for good."""

    QUEUED = "queued"
    """Taken, nothing signed yet."""
    PENDING = "pending"
    """Signed: it may be in an L1 block at any time."""
    MINED = "mined"
    """Its nonce is used in an L1 block, which may yet be taken back."""
    FINAL = "final"
    """Its nonce is used in an L1 block that stays."""
    REFUSED = "refused"
    """It would fail, so nothing was sent."""
    WITHDRAWN = "withdrawn"
    """Cancelled before anything was signed."""


class Outcome(StrEnum):
    """What used the nonce of a mined or final action."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """The call reverted."""
    CANCELLED = "cancelled"
    """The empty transaction that took its place."""
    DISPLACED = "displaced"
    """A transaction that this sender did not make. When that is final, the action gets another nonce."""


class Kind(StrEnum):
    """What an event tells."""

    QUEUED = "queued"
    SENT = "sent"
    """A first transaction is signed and handed in."""
    REPLACED = "replaced"
    """A further one for the same nonce."""
    MINED = "mined"
    TAKEN_BACK = "taken_back"
    """L1 was reorganised; it is sent again with the same nonce."""
    FINAL = "final"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    REQUEUED = "requeued"
    """Its nonce is lost to a foreign transaction for good; it gets another."""
    NOTICE = "notice"
    """Something an operator must know: `values` has code and message."""
    CLEARED = "cleared"
    """What a notice told is over."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A signed transaction. `head`: the L1 block number when it was signed; `cancels`: it does nothing."""

    hash: str
    raw: bytes
    fees: Fees
    head: int
    cancels: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a nonce was used on L1, and by what. Gas in units, price in wei a gas; both 0 if displaced."""

    outcome: Outcome
    transaction: str
    l1_block: int
    l1_hash: str
    gas_used: int = 0
    gas_price: int = 0


@dataclass(frozen=True, slots=True)
class Action:
    """An action as the journal has it. Attempts in order, the last one is the dearest.

    Args:
        id: In order of submission.
        key: The caller's name for it.
        call: What is to happen.
        state: How far it is.
        address, nonce, gas_limit: Of its transactions, once there are any.
        place: Where it is on L1, if it is.
        cancelling: It is to be replaced by an empty transaction.
        reason: Why it was refused or has failed: code and message.
        attempts: All that was signed for its nonce.
    """

    id: int
    key: str
    call: Call
    state: State
    address: str | None = None
    nonce: int | None = None
    gas_limit: int | None = None
    place: Place | None = None
    cancelling: bool = False
    reason: dict[str, Any] = field(default_factory=dict)
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """What happened, in order of `sequence`; `key` of the action, if it is about one; `at` in unix seconds."""

    sequence: int
    kind: Kind
    key: str | None
    values: dict[str, Any]
    at: int
