"""WS /v1/subscribe: what a client says, and what it is told.

client  {"id": 1, "subscribe": "account", "account_id": 3}
        {"id": 2, "subscribe": "transaction", "hash": "0x.."}         or "queue:7"
        {"id": 3, "subscribe": "blocks"}
        {"id": 4, "subscribe": "transactions"}                        all, or with "account_id" those that name it
        {"id": 5, "unsubscribe": 2}
        {"id": 6, "ping": true}
node    {"id": 1, "subscribed": 1}                                    the subscription's number; said again: the same
        {"id": 6, "pong": true}
        {"id": 7, "error": {"code", "message", "values"}}
        {"subscription": 1, "type": "account", "account": {..}}       as GET /v1/accounts/3
        {"subscription": 2, "type": "transaction", "transaction": {..}}
        {"subscription": 3, "type": "block", "block": {..}}
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from rollup.api.answers import JSON_HEADER, dump, error_to_json
from rollup.api.asgi import Receive, Scope, Send, client_of, error_headers
from rollup.api.errors import (
    ApiError,
    RouteUnknown,
    SubscriptionInvalid,
    TooManyOfClient,
    TooManySubscribers,
    TooManySubscriptions,
)
from rollup.api.hub import Hub, Key
from rollup.api.limits import Limits
from rollup.api.rates import Rates, Shares
from rollup.core.constants import ACCOUNT_ID_BITS
from rollup.core.errors.base import SluiceError
from rollup.core.wire import loads_values

PATH: Final = "/v1/subscribe"
SLOW_READER: Final = 4008
"""The close code of a client that leaves too much unread."""
_NAME: Final = re.compile(r"0x[0-9a-fA-F]{64}|queue:(0|[1-9][0-9]{0,11})")
_MOST_ID: Final = (1 << 53) - 1


class Socket:
    """One client. `tell` is called by the hub.

    Args:
        limits: Of what it may leave unread, and how much it may subscribe to.
        hub: Who knows.
    """

    def __init__(self, limits: Limits, hub: Hub) -> None:
        self._limits, self._hub = limits, hub
        # What many are told is one text for all of them, however much of it is unread.
        self._out: deque[tuple[int | None, str]] = deque()
        self._ready = asyncio.Event()
        self._next = 1
        self._numbers: dict[tuple[object, ...], int] = {}
        self.is_cut_off = False

    def tell(self, subscription: int, body: str) -> None:
        """Have an event sent."""
        self._put(subscription, body)

    def say(self, text: str) -> None:
        """Have a text sent; a client that does not read is cut off."""
        self._put(None, text)

    def _put(self, subscription: int | None, text: str) -> None:
        if self.is_cut_off:
            return
        if len(self._out) >= self._limits.unread_messages:
            self.is_cut_off = True
            self._out.clear()
        else:
            self._out.append((subscription, text))
        self._ready.set()

    async def write(self, send: Send) -> None:
        """Send what there is, as fast as the client reads, until it is cut off."""
        while not self.is_cut_off:
            await self._ready.wait()
            self._ready.clear()
            while self._out:
                subscription, text = self._out.popleft()
                if subscription is not None:
                    text = f'{{"subscription":{subscription},{text[1:]}'
                await send({"type": "websocket.send", "text": text})
        await send({"type": "websocket.close", "code": SLOW_READER, "reason": "slow_reader"})

    def hear(self, text: str | None) -> None:
        """Do what the client says, and answer."""
        number: int | None = None
        try:
            values = loads_values(text) if text is not None else None
            if not isinstance(values, dict):
                raise SubscriptionInvalid("(all)", "a message is a JSON object, as text")
            number = _id(values.pop("id", None))
            answer = self._do(values)
        except SluiceError as error:
            answer = error_to_json(error)
        self.say(dump({"id": number} | answer).decode())

    def close(self) -> None:
        """Forget all its subscriptions."""
        self._hub.forget([(self, number) for number in self._numbers.values()])
        self._numbers.clear()

    def _do(self, values: dict[str, Any]) -> dict[str, Any]:
        match values:
            case {"subscribe": kind, **filters}:
                return {"subscribed": self._subscribe(kind, filters)}
            case {"unsubscribe": number} if len(values) == 1:
                return {"unsubscribed": self._unsubscribe(number)}
            case {"ping": True} if len(values) == 1:
                return {"pong": True}
        raise SubscriptionInvalid("(all)", "say subscribe, unsubscribe or ping, and an id")

    def _subscribe(self, kind: object, filters: dict[str, Any]) -> int:
        what: tuple[object, ...]
        watch: Callable[[Key], None]
        match kind, filters:
            case "account", {"account_id": account_id} if len(filters) == 1:
                what, watch = (kind, account_id), partial(self._hub.watch_account, _account_id(account_id))
            case "transaction", {"hash": name} if len(filters) == 1:
                what, watch = (kind, _name(name)), partial(self._hub.watch_operation, _name(name))
            case "blocks", {} if not filters:
                what, watch = (kind, None), self._hub.watch_blocks
            case "transactions", {"account_id": account_id} if len(filters) == 1:
                what, watch = (kind, account_id), partial(self._hub.watch_all, _account_id(account_id))
            case "transactions", {} if not filters:
                what, watch = (kind, None), partial(self._hub.watch_all, None)
            case _:
                rule = (
                    "account with account_id, transaction with hash, blocks, or transactions with account_id or without"
                )
                raise SubscriptionInvalid("subscribe", rule)
        known = self._numbers.get(what)
        if known is not None:
            # Each would be told everything again: thousands of copies of one event on one socket.
            return known
        if len(self._numbers) >= self._limits.subscriptions:
            raise TooManySubscriptions(self._limits.subscriptions)
        number, self._next = self._next, self._next + 1
        watch((self, number))
        self._numbers[what] = number
        return number

    def _unsubscribe(self, number: object) -> int:
        what = next((what for what, known in self._numbers.items() if known == number), None)
        if type(number) is not int or what is None:
            raise SubscriptionInvalid("unsubscribe", "the number of a subscription of this connection")
        del self._numbers[what]
        self._hub.forget([(self, number)])
        return number


class Sockets:
    """All clients.

    Args:
        limits: Of how many there may be, and of each.
        rates: How often each may say something.
        hub: Who knows.
    """

    def __init__(self, limits: Limits, rates: Rates, hub: Hub) -> None:
        self._limits, self._rates, self._hub = limits, rates, hub
        self._shares = Shares(limits.subscribers_of_one)
        self._open = 0

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> int:
        """Serve a client until it goes; returns the status of the handshake."""
        await receive()
        try:
            self._rates.charge(client_of(scope))
            if scope["path"] != PATH:
                raise RouteUnknown(scope["path"])
            if self._open >= self._limits.subscribers:
                raise TooManySubscribers(self._limits.subscribers)
            if not self._shares.take(client_of(scope)):
                raise TooManyOfClient("WebSockets", self._shares.limit)
        except ApiError as error:
            return await _reject(send, error)
        self._open += 1
        socket = Socket(self._limits, self._hub)
        try:
            await send({"type": "websocket.accept"})
            writing = asyncio.create_task(socket.write(send))
            try:
                await self._listen(socket, receive, client_of(scope))
            finally:
                writing.cancel()
        finally:
            self._open -= 1
            self._shares.give_back(client_of(scope))
            socket.close()
        return 101

    async def _listen(self, socket: Socket, receive: Receive, client: str) -> None:
        while (message := await receive())["type"] == "websocket.receive":
            try:
                self._rates.charge(client)
            except ApiError as error:
                socket.say(dump({"id": None} | error_to_json(error)).decode())
            else:
                socket.hear(message.get("text"))


async def _reject(send: Send, error: ApiError) -> int:
    """Answer the handshake with an error."""
    body = dump(error_to_json(error))
    headers = [JSON_HEADER, *error_headers(error)]
    await send({"type": "websocket.http.response.start", "status": error.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})
    return error.status


def _id(value: object) -> int:
    if type(value) is not int or not 0 <= value <= _MOST_ID:
        raise SubscriptionInvalid("id", f"an integer of the client's choice, 0 to {_MOST_ID}")
    return value


def _account_id(value: object) -> int:
    if type(value) is not int or value < 0 or value >> ACCOUNT_ID_BITS:
        raise SubscriptionInvalid("account_id", f"an integer, 0 to {(1 << ACCOUNT_ID_BITS) - 1}")
    return value


def _name(value: object) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise SubscriptionInvalid("hash", "an operation's hash, or queue: and an index")
    return value.lower()
