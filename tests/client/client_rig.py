"""A node behind its API on a real socket, users with Ethereum keys, and a way to have the node lie."""

import json
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from api_rig import MANIFEST, ApiRig
from eth_account import Account
from eth_account.signers.local import LocalAccount
from node_rig import ADDRESS, CHAIN_ID, DOMAIN, ETHER, NOW, OPERATOR, SIGNER, WEEK

from rollup.api import Backend, L1Status, create_app
from rollup.api.serve import ApiServer, server_config
from rollup.client import AsyncSluiceClient, AsyncWallet, Deployment, SluiceClient, Wallet
from rollup.core.operations import Deposit
from rollup.l1.client import Queued
from rollup.wallet.keys import L2Key, derive_local_key

DEPLOYMENT = Deployment.of_manifest(MANIFEST)
DAI = 1


@dataclass(frozen=True)
class Person:
    """Somebody with an Ethereum key; his L2 key is derived from it."""

    account: LocalAccount

    @classmethod
    def number(cls, n: int) -> "Person":
        return cls(Account.from_key(bytes([0x50 + n]) * 32))

    @property
    def address(self) -> str:
        return str(self.account.address)

    def key(self, index: int = 0) -> L2Key:
        return derive_local_key(self.account, CHAIN_ID, int(ADDRESS, 16), index)

    def deposit(self, index: int, token: int = 0, amount: int = ETHER) -> Queued:
        owner = int(self.address, 16)
        return Queued(index, Deposit(0, token, amount, owner, self.key().public_key, True), NOW + WEEK)


ANNA, BEN, CLEO, NEWCOMER = (Person.number(n) for n in range(4))


@dataclass
class Told:
    """What the node is about to answer; a lie changes it."""

    method: str
    path: str
    status: int
    body: bytes

    @property
    def values(self) -> Any:
        return json.loads(self.body)

    def say(self, values: Any) -> "Told":
        return replace(self, body=json.dumps(values).encode())


class Lost(Exception):
    """The connection ends in the middle of the answer."""


Lie = Callable[[Told], "Told | Exception"]


class Liar:
    """The real API, but for what `lie` makes of its answers.

    Attributes:
        lie: Is given every HTTP answer; an exception instead of one breaks the connection off.
        before: Called with method and path before the real API is asked; an exception answers without asking.
        seen: Methods and paths asked for.
        has_sockets: Whether WebSockets are taken.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self.lie: Lie = lambda told: told
        self.before: Callable[[str, str], None] = lambda method, path: None
        self.seen: list[tuple[str, str]] = []
        self.has_sockets = True

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        if scope["type"] == "websocket" and not self.has_sockets:
            await receive()
            await send({"type": "websocket.close", "code": 1013})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method, path = scope["method"], scope["path"]
        self.seen.append((method, path))
        start: dict[str, Any] = {"status": 500, "headers": []}
        body = bytearray()

        async def hold(message: Any) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                body.extend(message.get("body", b""))

        try:
            self.before(method, path)
        except Lost:
            await self._break(send)
            return
        await self._app(scope, receive, hold)
        told = self.lie(Told(method, path, start["status"], bytes(body)))
        if isinstance(told, Exception):
            await self._break(send)
            return
        kept = [(name, value) for name, value in start["headers"] if name != b"content-length"]
        headers = [*kept, (b"content-length", b"%d" % len(told.body))]
        await send({"type": "http.response.start", "status": told.status, "headers": headers})
        await send({"type": "http.response.body", "body": told.body})

    async def _break(self, send: Callable[[Any], Awaitable[None]]) -> None:
        headers = [(b"content-length", b"1000"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"hash": "0x', "more_body": False})


class Town(ApiRig):
    """The node, three users with a deposit of an ether and of as many DAI, and a clock that goes."""

    people = (ANNA, BEN, CLEO)

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, clock=time.time)
        self.folder, self.base_fee_wei = folder, 7
        entries = self.rig.chain.entries
        for token in (0, DAI):
            entries += [person.deposit(len(entries) + n, token) for n, person in enumerate(self.people)]
        self.rig.node.look()

    def open(self) -> None:
        """Start node and server, the liar between them."""
        self.rig.node.start()
        self.backend = Backend(
            self.rig.node, self.rig.database, MANIFEST, SIGNER.address,
            l1_status=lambda: L1Status(base_fee_wei=self.base_fee_wei),
        )  # fmt: skip
        self.liar = Liar(create_app(self.backend, self.limits))
        self.server = ApiServer(server_config(self.liar, self.limits, "127.0.0.1", 0))
        self.server.__enter__()
        self.url = f"http://127.0.0.1:{self.server.port}"
        self.clients: list[SluiceClient] = []

    def close(self) -> None:
        """Stop all, in order."""
        for client in self.clients:
            client.close()
        self.server.__exit__(None, None, None)
        self.rig.node.stop()
        self.rig.database.close()

    def client(self, **options: Any) -> SluiceClient:
        client = SluiceClient(self.url, options.pop("deployment", DEPLOYMENT), **options)
        self.clients.append(client)
        return client

    def wallet(self, person: Person, folder: str | None = None, **options: Any) -> Wallet:
        return Wallet(self.client(), person.account, None if folder is None else self.folder / folder, **options)

    def async_client(self) -> AsyncSluiceClient:
        return AsyncSluiceClient(self.url, DEPLOYMENT)

    def async_wallet(self, client: AsyncSluiceClient, person: Person, **options: Any) -> AsyncWallet:
        return AsyncWallet(client, person.account, **options)

    def balance(self, person: Person, token: int = 0) -> int:
        state = self.rig.node.sequencer.ledger.state
        return state.balances(state.find(int(person.address, 16))[0]).get(token, 0)

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


__all__ = ["ANNA", "BEN", "CLEO", "DAI", "DEPLOYMENT", "DOMAIN", "ETHER", "NEWCOMER", "OPERATOR", "SIGNER"]
