"""uvicorn's protocols, with the limits that only they can hold: connections, headers, and clients that are slow on
purpose. uvicorn itself waits for as long as it takes.
"""

import asyncio
from functools import partial
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from rollup.api.answers import dump, error_to_json
from rollup.api.asgi import error_headers
from rollup.api.errors import ApiError, HeadersTooLarge, RequestMalformed, RequestTooSlow, TooManyConnections
from rollup.api.limits import Limits

_REASONS: Final = {
    400: b"Bad Request",
    408: b"Request Timeout",
    431: b"Request Header Fields Too Large",
    503: b"Service Unavailable",
}


class _WriteDeadline:
    """Ends a connection whose client leaves its buffers full; for a protocol of uvicorn's, in front of it."""

    limits: Limits
    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    _write_timer: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        """The buffers are full."""
        self._write_timer = self.loop.call_later(self.limits.write_seconds, self.transport.abort)
        super().pause_writing()  # type: ignore[misc]

    def resume_writing(self) -> None:
        """The client has read on."""
        self._end_write_timer()
        super().resume_writing()  # type: ignore[misc]

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._end_write_timer()
        super().connection_lost(exc)  # type: ignore[misc]

    def _end_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None


class HttpProtocol(_WriteDeadline, HttpToolsProtocol):
    """HTTP/1.1 within limits.

    Args:
        limits: Which.
        others: As uvicorn gives them.
    """

    def __init__(self, *others: Any, limits: Limits, **named: Any) -> None:
        super().__init__(*others, **named)
        self.limits = limits
        self._is_reading_headers = True
        self._header_bytes = 0
        self._header_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, if there is room."""
        is_full = len(self.connections) >= self.limits.connections
        super().connection_made(transport)
        if is_full:
            self._refuse(TooManyConnections(self.limits.connections))
        else:
            self._start_header_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._end_header_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse on; the headers must be whole in time, and not too many."""
        super().data_received(data)
        if not self._is_reading_headers:
            self._end_header_timer()
            self._header_bytes = 0
            return
        self._header_bytes += len(data)
        if self._header_bytes > self.limits.header_bytes:
            self._refuse(HeadersTooLarge(self.limits.header_bytes))
        elif self._header_timer is None:
            self._start_header_timer()

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._is_reading_headers = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The headers are whole."""
        self._is_reading_headers = False
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP."""
        self._refuse(RequestMalformed())

    def _start_header_timer(self) -> None:
        self._header_timer = self.loop.call_later(self.limits.header_seconds, self._too_slow)

    def _end_header_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _too_slow(self) -> None:
        self._refuse(RequestTooSlow(self.limits.header_seconds))

    def _refuse(self, error: ApiError) -> None:
        if self.transport.is_closing():
            return
        body = dump(error_to_json(error))
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
            *(header for header in error_headers(error) if header[0] == b"retry-after"),
        ]
        lines = [b"HTTP/1.1 %d %s" % (error.status, _REASONS[error.status]), *(b": ".join(each) for each in headers)]
        self.transport.write(b"\r\n".join([*lines, b"", body]))
        self.transport.close()


class WebSocketProtocol(_WriteDeadline, WebSocketsSansIOProtocol):
    """WebSocket within limits.

    Args:
        limits: Which.
        named: As uvicorn gives them.
    """

    def __init__(self, *, limits: Limits, **named: Any) -> None:
        super().__init__(**named)
        self.limits = limits


def protocols(limits: Limits) -> dict[str, Any]:
    """The two, as settings of uvicorn's."""
    return {"http": partial(HttpProtocol, limits=limits), "ws": partial(WebSocketProtocol, limits=limits)}
