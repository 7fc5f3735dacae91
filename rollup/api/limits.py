"""What one client may ask of the API; `/v1/config` shows it."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is taken.

    Args:
        body_bytes: Of one request.
        batch_operations: Independent operations of one request to /v1/transactions/batch.
        page_entries: Of one page of a list.
        requests_per_second: Of one client address, on average; 0: as many as come.
        request_burst: So many at once; then the average counts. An operation of a batch counts as one request.
        connections: Open at once, WebSockets included.
        subscribers: WebSockets open at once.
        subscriptions: Of one WebSocket.
        message_bytes: Of one message on a WebSocket.
        unread_messages: That a subscriber may leave unread before it is cut off.
        header_bytes: Of a request's first line and headers.
        header_seconds: From a connection's first byte, or the last response, to the end of the headers.
        body_seconds: From there to the end of the body.
        idle_seconds: A connection without a request is kept open for so long.
    """

    body_bytes: int = 1 << 20
    batch_operations: int = 500
    page_entries: int = 100
    requests_per_second: float = 500.0
    request_burst: int = 2_000
    connections: int = 4_000
    subscribers: int = 2_000
    subscriptions: int = 100
    message_bytes: int = 1 << 16
    unread_messages: int = 1_000
    header_bytes: int = 1 << 14
    header_seconds: float = 10.0
    body_seconds: float = 10.0
    idle_seconds: float = 30.0

    def to_json(self) -> dict[str, Any]:
        """By name."""
        return asdict(self)
