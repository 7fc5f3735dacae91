"""uvicorn's protocols, with the limits that only they can hold: connections, headers, and clients that are slow on
purpose. uvicorn itself waits for as long as it takes.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeAlias

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from rollup.api.answers import dump, error_to_json
from rollup.api.asgi import Header, error_headers
from rollup.api.errors import (
    ApiError,
    HeadersTooLarge,
    RequestMalformed,
    RequestTooSlow,
    TooManyConnections,
    TooManyOfClient,
)
from rollup.api.limits import Limits
from rollup.api.rates import Shares

Reply: TypeAlias = Callable[[int, bytes, tuple[Header, ...]], None]
"""Takes an answer: status, JSON text, headers besides its type and length."""
Direct: TypeAlias = Callable[[str, bytes, Reply], None]
"""Takes a request by its client's address and its body, and sees that it is answered."""

_UNUSUAL: Final = frozenset({b"expect", b"upgrade", b"x-forwarded-for", b"x-forwarded-proto"})
"""Headers that uvicorn acts on."""


class _Limited:
    """Ends a connection whose client leaves its buffers full, and counts it as its client's; in front of a protocol of
    uvicorn's.
    """

    limits: Limits
    shares: Shares
    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    client: tuple[str, int] | None
    _write_timer: asyncio.TimerHandle | None = None
    _has_share = False

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Have whatever the kernel does not take count as full: a transport that is closed waits for it without end."""
        transport.set_write_buffer_limits(0)
        super().connection_made(transport)  # type: ignore[misc]

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
        self._give_share_back()
        super().connection_lost(exc)  # type: ignore[misc]

    def _end_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _take_share(self) -> bool:
        self._has_share = self.shares.take(self._address)
        return self._has_share

    def _give_share_back(self) -> None:
        if self._has_share:
            self._has_share = False
            self.shares.give_back(self._address)

    @property
    def _address(self) -> str:
        return self.client[0] if self.client else ""


class _Answering:
    """Stands where uvicorn has its cycle of a request, while one that went directly waits for its answer."""

    message_event = asyncio.Event()
    """Nobody waits for it."""

    def __init__(self) -> None:
        self.response_complete = self.disconnected = False
        self.keep_alive = True


class HttpProtocol(_Limited, HttpToolsProtocol):
    """HTTP/1.1 within limits.

    What comes thousands of times a second, a POST to one path that is there as a whole, with nothing unusual about it,
    goes directly to who answers it: uvicorn's cycle, its task and the ASGI messages would be half of the API's work.

    Args:
        limits: Which.
        shares: Of connections.
        direct: Path, and who answers there; None: all goes uvicorn's way.
        others: As uvicorn gives them.
    """

    def __init__(
        self, *others: Any, limits: Limits, shares: Shares, direct: tuple[bytes, Direct] | None = None, **named: Any
    ) -> None:
        super().__init__(*others, **named)
        self.limits, self.shares = limits, shares
        self._direct = direct
        self._held: bytearray | None = None
        self._is_reading_headers = True
        self._header_bytes = 0
        self._header_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, if there is room."""
        is_full = len(self.connections) >= self.limits.connections
        super().connection_made(transport)
        if is_full:
            self._refuse(TooManyConnections(self.limits.connections))
        elif not self._take_share():
            self._refuse(TooManyOfClient("connections", self.shares.limit))
        else:
            self._start_header_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._end_header_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse on; the headers must be whole in time, and not too many."""
        super().data_received(data)
        if self._held is not None:
            self._go_the_long_way()
        if not self._is_reading_headers:
            self._end_header_timer()
            self._header_bytes = 0
            return
        self._header_bytes += len(data)
        if self._header_bytes > self.limits.header_bytes:
            self._refuse(HeadersTooLarge(self.limits.header_bytes))
        elif self._header_timer is None:
            self._start_header_timer()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over, and its share with it."""
        self._give_share_back()
        super().handle_websocket_upgrade()

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._is_reading_headers = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The headers are whole."""
        self._is_reading_headers = False
        if self._may_go_directly():
            self._held = bytearray()
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        if self._held is None:
            super().on_body(body)
        else:
            self._held += body

    def on_message_complete(self) -> None:
        """The request is whole."""
        if self._held is not None and len(self._held) > self.limits.body_bytes:
            self._go_the_long_way()
        if self._held is None or self._direct is None:
            super().on_message_complete()
            return
        body, self._held = bytes(self._held), None
        self.cycle = answering = _Answering()  # type: ignore[assignment]
        self._direct[1](self._address, body, partial(self._answer, answering))

    def _may_go_directly(self) -> bool:
        return (
            self._direct is not None
            and self.url == self._direct[0]
            and self.parser.get_method() == b"POST"
            and (self.cycle is None or self.cycle.response_complete)
            and not self.flow.write_paused
            and self.parser.get_http_version() == "1.1"
            and self.parser.should_keep_alive()
            and all(name not in _UNUSUAL for name, _ in self.headers)
        )

    def _go_the_long_way(self) -> None:
        """A body that is not there as a whole is waited for, and refused, by who does that for all."""
        held, self._held = self._held, None
        super().on_headers_complete()
        if held:
            super().on_body(bytes(held))

    def _answer(self, answering: _Answering, status: int, body: bytes, headers: tuple[Header, ...]) -> None:
        if self.transport.is_closing():
            return
        answering.response_complete = True
        is_last = not answering.keep_alive
        if is_last:
            headers += ((b"connection", b"close"),)
        self._write(status, body, headers)
        if is_last:
            self.transport.close()
        self.on_response_complete()

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
        headers = tuple(header for header in error_headers(error) if header[0] == b"retry-after")
        self._write(error.status, dump(error_to_json(error)), ((b"connection", b"close"), *headers))
        self.transport.close()

    def _write(self, status: int, body: bytes, headers: tuple[Header, ...]) -> None:
        lines = b"".join(b"%s: %s\r\n" % header for header in headers)
        head = b"%scontent-type: application/json\r\ncontent-length: %d\r\n%s\r\n"
        self.transport.write(head % (STATUS_LINE[status], len(body), lines) + body)


class WebSocketProtocol(_Limited, WebSocketsSansIOProtocol):
    """WebSocket within limits.

    Args:
        limits: Which.
        shares: Of connections.
        named: As uvicorn gives them.
    """

    def __init__(self, *, limits: Limits, shares: Shares, **named: Any) -> None:
        super().__init__(**named)
        self.limits, self.shares = limits, shares

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Go on with a connection that was let in."""
        super().connection_made(transport)
        self._take_share()


def protocols(limits: Limits, direct: tuple[bytes, Direct] | None = None) -> dict[str, Any]:
    """The two, as settings of uvicorn's."""
    shares = Shares(limits.connections_of_one)
    return {
        "http": partial(HttpProtocol, limits=limits, shares=shares, direct=direct),
        "ws": partial(WebSocketProtocol, limits=limits, shares=shares),
    }
