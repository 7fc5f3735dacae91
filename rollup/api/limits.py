"""What one client may ask of the API; `/v1/config` shows it."""

from dataclasses import asdict, dataclass
from typing import Any, Final

PAGE_MOST: Final = 100
"""Entries of one page of a list."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is taken.

    Args:
        body_bytes: Of one request.
        batch_operations: Independent operations of one request to /v1/transactions/batch.
        requests_per_second: Of one client address, of IPv6 one /64, on average; 0: as many as come. An operation of a
            batch counts as a request, and so does a message on a WebSocket; /health, /ready and /metrics do not.
        request_burst: So many at once; then the average counts.
        connections: Open at once, WebSockets included.
        connections_of_one: Of them, those of one client address, counted as for the rate; 0: all may be one's, as where
            a proxy in front has them all.
        subscribers: WebSockets open at once.
        subscribers_of_one: Of them, those of one client address, behind a trusted proxy the one it names; 0: all.
        subscriptions: Of one WebSocket, each to something else.
        message_bytes: Of one message on a WebSocket.
        unread_messages: That a subscriber may leave unread before it is cut off.
        header_bytes: Of a request's first line and headers.
        header_seconds: From a request's first byte to the end of its headers.
        body_seconds: From there to the end of its body.
        write_seconds: That a client may leave an answer unread which fills its buffers.
        idle_seconds: A connection without a request is kept open for so long.
    """

    body_bytes: int = 1 << 20
    batch_operations: int = 500
    requests_per_second: float = 500.0
    request_burst: int = 2_000
    connections: int = 4_000
    connections_of_one: int = 400
    subscribers: int = 2_000
    subscribers_of_one: int = 200
    subscriptions: int = 100
    message_bytes: int = 1 << 16
    unread_messages: int = 1_000
    header_bytes: int = 1 << 14
    header_seconds: float = 10.0
    body_seconds: float = 10.0
    write_seconds: float = 10.0
    idle_seconds: float = 30.0

    def to_json(self) -> dict[str, Any]:
        """By name."""
        return {**asdict(self), "page_entries": PAGE_MOST}
