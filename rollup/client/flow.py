"""What talking to a node takes, as values: a flow asks for effects and is told their outcome, and performs none itself.

So all that is decided (requests, checks, retries, nonces) is written once, in generators, and `blocking.py` and
`awaiting.py` only perform the effects, one with threads and one with asyncio.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

REQUEST_SECONDS: Final = 20.0
"""How long one question may take, the answer's last byte included."""
MAX_ANSWER_BYTES: Final = 1 << 23
"""More than any honest answer has."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Send an HTTP request; the outcome is an Answer or Lost.

    Args:
        method: GET or POST.
        path: Below the node's address, with the query.
        body: JSON, or None.
        seconds: How long the whole may take.
    """

    method: str
    path: str
    body: bytes | None = None
    seconds: float = REQUEST_SECONDS


@dataclass(frozen=True, slots=True)
class Answer:
    """What the node said, whole. `retry_after` in seconds, if it named a time."""

    status: int
    body: bytes
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """No whole answer came. `may_have_arrived`: the node may have acted on the request."""

    reason: str
    may_have_arrived: bool


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait; the outcome is None."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Work:
    """Do what blocks (L1, the disk); the outcome is what it returns, or its exception in the flow."""

    do: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Open:
    """Open the WebSocket of a path; the outcome is a Channel, or Lost."""

    path: str
    seconds: float = REQUEST_SECONDS


@dataclass(frozen=True, slots=True)
class Channel:
    """An open WebSocket."""

    socket: Any


@dataclass(frozen=True, slots=True)
class Say:
    """Send a text; the outcome is None, or Lost."""

    channel: Channel
    text: str


@dataclass(frozen=True, slots=True)
class Hear:
    """Wait for a text; the outcome is that, None when the time is up, or Lost."""

    channel: Channel
    seconds: float


@dataclass(frozen=True, slots=True)
class Close:
    """Close the WebSocket, whatever state it is in; the outcome is None."""

    channel: Channel


Effect: TypeAlias = Ask | Pause | Work | Open | Say | Hear | Close

T = TypeVar("T")
Flow: TypeAlias = Generator[Effect, Any, T]
"""Yields effects, is sent their outcomes, returns the result."""
