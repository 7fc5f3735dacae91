"""ASGI as far as the routes without FastAPI need it: a body within its limits, an answer in one piece."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias

from rollup.api.answers import JSON_HEADER, dump, error_to_json, retry_after, status_of
from rollup.api.errors import BodyTooLarge, MethodNotAllowed, RequestTooSlow
from rollup.api.limits import Limits
from rollup.core.errors.base import SluiceError

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
Header: TypeAlias = tuple[bytes, bytes]

_CLOSE: Final = (b"connection", b"close")


class ClientGone(Exception):  # nobody is there to be told
    """The client closed the connection before its request was whole."""


def client_of(scope: Scope) -> str:
    """The client's address; behind a proxy, what uvicorn makes of it."""
    client = scope.get("client")
    return str(client[0]) if client else ""


async def read_body(scope: Scope, receive: Receive, limits: Limits) -> bytes:
    """The request's body.

    Raises: BodyTooLarge, RequestTooSlow, ClientGone.
    """
    for name, value in scope["headers"]:
        if name == b"content-length" and int(value) > limits.body_bytes:
            raise BodyTooLarge(limits.body_bytes)
    try:
        async with asyncio.timeout(limits.body_seconds):
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body"):
                body: bytes = message.get("body", b"")
                return _within(body, limits)
            parts: list[bytes] = []
            size = 0
            while True:
                if message["type"] == "http.disconnect":
                    raise ClientGone
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > limits.body_bytes:
                    raise BodyTooLarge(limits.body_bytes)
                if not message.get("more_body"):
                    return b"".join(parts)
                message = await receive()
    except TimeoutError:
        raise RequestTooSlow(limits.body_seconds) from None


def _within(body: bytes, limits: Limits) -> bytes:
    if len(body) > limits.body_bytes:
        raise BodyTooLarge(limits.body_bytes)
    return body


async def answer(send: Send, status: int, body: bytes, headers: tuple[Header, ...] = ()) -> None:
    """Send JSON text."""
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [JSON_HEADER, length, *headers]})
    await send({"type": "http.response.body", "body": body})


async def answer_error(send: Send, error: SluiceError) -> int:
    """Send an error; returns its status."""
    status = status_of(error)
    await answer(send, status, dump(error_to_json(error)), error_headers(error))
    return status


def error_headers(error: SluiceError) -> tuple[Header, ...]:
    """When to come back, what else may be done; after a body that was not read to its end the connection is useless."""
    headers: tuple[Header, ...] = ()
    seconds = retry_after(error)
    if seconds is not None:
        headers += ((b"retry-after", b"%d" % max(1, round(seconds + 0.5))),)
    if isinstance(error, MethodNotAllowed):
        headers += ((b"allow", error.allowed.encode()),)
    if isinstance(error, BodyTooLarge | RequestTooSlow):
        headers += (_CLOSE,)
    return headers
