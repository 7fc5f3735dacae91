"""Performs a flow's effects with blocking calls."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import httpx
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

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


class Blocking:
    """A node's address and the connections to it; for any number of threads.

    Args:
        url: http:// or https:// and the host.
        pause: Waits so many seconds.
    """

    def __init__(self, url: str, pause: Callable[[float], None] = time.sleep) -> None:
        self.url = url
        self._pause = pause
        self._http = httpx.Client(base_url=url, follow_redirects=False)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def run(self, flow: Flow[T]) -> T:
        """Perform a flow to its end."""
        try:
            effect = next(flow)
            while True:
                try:
                    outcome = self._perform(effect)
                except BaseException as error:  # the flow may have something to put in order
                    effect = flow.throw(error)
                else:
                    effect = flow.send(outcome)
        except StopIteration as end:
            result: T = end.value
            return result

    def _perform(self, effect: Effect) -> Any:
        match effect:
            case Ask():
                return self._ask(effect)
            case Pause(seconds):
                return self._pause(seconds)
            case Work(do):
                return do()
            case Open():
                return self._open(effect)
            case Say(channel, text):
                return _socket(lambda: channel.socket.send(text))
            case Hear():
                return self._hear(effect)
            case Close(channel):
                return _socket(channel.socket.close)

    def _ask(self, ask: Ask) -> Answer | Lost:
        deadline = time.monotonic() + ask.seconds
        try:
            with self._http.stream(**request_arguments(ask), timeout=timeouts(ask.seconds)) as response:
                body = bytearray()
                for part in response.iter_bytes():
                    body += part
                    if len(body) > MAX_ANSWER_BYTES or time.monotonic() > deadline:
                        return too_long(len(body), ask)
                return answer_of(response, bytes(body))
        except HTTP_ERRORS as error:
            return lost(error)

    def _open(self, effect: Open) -> Channel | Lost:
        def opened() -> Channel:
            address = socket_url(self.url, effect.path)
            return Channel(connect(address, open_timeout=effect.seconds, max_size=MAX_ANSWER_BYTES))

        return _socket(opened)  # type: ignore[no-any-return]

    def _hear(self, effect: Hear) -> str | Lost | None:
        try:
            heard = effect.channel.socket.recv(timeout=max(effect.seconds, 0))
        except TimeoutError:
            return None
        except (WebSocketException, OSError) as error:
            return lost(error)
        return heard if isinstance(heard, str) else None


def _socket(do: Callable[[], Any]) -> Any:
    try:
        return do()
    except (WebSocketException, OSError, ValueError) as error:  # TimeoutError is an OSError
        return lost(error)


def blocking(
    flow: Callable[Concatenate[Any, P], Flow[T]], of: Callable[[Any], Any]
) -> Callable[Concatenate[Any, P], T]:
    """A method that performs a flow of `of(self)`, with the flow's signature and words."""

    @wraps(flow)
    def method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        result: T = self.shell.run(flow(of(self), *args, **kwargs))
        return result

    return method
