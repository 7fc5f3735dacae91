"""Performs a flow's effects with asyncio."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from rollup.client.flow import (
    MAX_ANSWER_BYTES,
    Answer,
    Ask,
    Channel,
    Close,
    Effect,
    Flow,
    Hear,
    Lost,
    Open,
    Pause,
    Say,
    Work,
)
from rollup.client.transport import HTTP_ERRORS, answer_of, lost, request_arguments, socket_url, timeouts, too_long

P = ParamSpec("P")
T = TypeVar("T")


class Awaiting:
    """A node's address and the connections to it; for any number of tasks of one event loop.

    Args:
        url: http:// or https:// and the host.
        pause: Waits so many seconds.
    """

    def __init__(self, url: str, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self.url = url
        self._pause = pause
        self._http = httpx.AsyncClient(base_url=url, follow_redirects=False)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def run(self, flow: Flow[T]) -> T:
        """Perform a flow to its end."""
        try:
            effect = next(flow)
            while True:
                try:
                    outcome = await self._perform(effect)
                except BaseException as error:  # a cancelled task too: the flow may have something to put in order
                    effect = flow.throw(error)
                else:
                    effect = flow.send(outcome)
        except StopIteration as end:
            result: T = end.value
            return result

    async def _perform(self, effect: Effect) -> Any:
        match effect:
            case Ask():
                return await self._ask(effect)
            case Pause(seconds):
                return await self._pause(seconds)
            case Work(do):
                return await asyncio.to_thread(do)
            case Open():
                return await self._open(effect)
            case Say(channel, text):
                return await _socket(channel.socket.send(text))
            case Hear():
                return await self._hear(effect)
            case Close(channel):
                return await _socket(channel.socket.close())

    async def _ask(self, ask: Ask) -> Answer | Lost:
        deadline = time.monotonic() + ask.seconds
        try:
            async with self._http.stream(**request_arguments(ask), timeout=timeouts(ask.seconds)) as response:
                body = bytearray()
                async for part in response.aiter_bytes():
                    body += part
                    if len(body) > MAX_ANSWER_BYTES or time.monotonic() > deadline:
                        return too_long(len(body), ask)
                return answer_of(response, bytes(body))
        except HTTP_ERRORS as error:
            return lost(error)

    async def _open(self, effect: Open) -> Channel | Lost:
        async def opened() -> Channel:
            address = socket_url(self.url, effect.path)
            return Channel(await connect(address, open_timeout=effect.seconds, max_size=MAX_ANSWER_BYTES))

        return await _socket(opened())  # type: ignore[no-any-return]

    async def _hear(self, effect: Hear) -> str | Lost | None:
        try:
            heard = await asyncio.wait_for(effect.channel.socket.recv(), max(effect.seconds, 0))
        except TimeoutError:
            return None
        except (WebSocketException, OSError) as error:
            return lost(error)
        return heard if isinstance(heard, str) else None


async def _socket(doing: Awaitable[Any]) -> Any:
    try:
        return await doing
    except (WebSocketException, OSError, ValueError) as error:  # TimeoutError is an OSError
        return lost(error)


def awaiting(
    flow: Callable[Concatenate[Any, P], Flow[T]], of: Callable[[Any], Any]
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]:
    """A method that performs a flow of `of(self)`, with the flow's signature and words."""

    @wraps(flow)
    async def method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        result: T = await self.shell.run(flow(of(self), *args, **kwargs))
        return result

    return method
