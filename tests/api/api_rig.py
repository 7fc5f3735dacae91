"""A node with an L1 of its own (tests/node/node_rig.py), behind the API on a real socket."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from node_rig import ADDRESS, ALICE, BOB, CAROL, CHAIN_ID, OPERATOR, SIGNER, SIZES, Rig, User

from rollup.api import Backend, Limits, create_app
from rollup.api.serve import ApiServer, server_config
from rollup.core.addresses import show_address
from rollup.core.wire import to_wire
from rollup.l1.manifest import DeployedContract, DeployedKey, DeployedToken, Manifest

ZERO = "0x" + 40 * "0"
MANIFEST = Manifest(
    CHAIN_ID,
    "0x01",
    show_address(1),
    100,
    contracts={"Rollup": DeployedContract(show_address(int(ADDRESS, 16)), 3, 20_000)},
    keys=[DeployedKey(size, 1, "development (unsafe)", f"0x{size:064x}") for size in SIZES],
    tokens=[DeployedToken(0, "ETH", 18, ZERO, 1 << 100), DeployedToken(1, "DAI", 18, show_address(0xDA1), 1 << 100)],
    validators=[show_address(SIGNER.address)],
    complete=True,
)
NO_RATE = Limits(requests_per_second=0, connections_of_one=0, subscribers_of_one=0)
SECONDS = 30.0


def until(condition: Callable[[], bool]) -> None:
    """Wait for what other threads bring about."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        threading.Event().wait(0.005)


class ApiRig:
    """The node with its threads, the server with its, and a client."""

    def __init__(
        self, folder: Path, limits: Limits = NO_RATE, users: Sequence[User] = (OPERATOR, ALICE, BOB, CAROL), **rig: Any
    ) -> None:
        self.rig = Rig(folder, f"sqlite:///{folder / 'node.db'}", **rig)
        self.rig.deposit(*users)
        self.others: dict[str, Any] = {}
        self.limits = limits
        self.seen: list[tuple[str, str, int, float]] = []

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def open(self) -> None:
        """Start node and server."""
        self.rig.node.start()
        self.backend = Backend(self.rig.node, self.rig.database, MANIFEST, SIGNER.address, **self.others)
        self.app = create_app(self.backend, self.limits, lambda *seen: self.seen.append(seen))
        self.server = ApiServer(server_config(self.app, self.limits, "127.0.0.1", 0))
        self.server.__enter__()
        self.url = f"http://127.0.0.1:{self.server.port}"
        self.http = httpx.Client(base_url=self.url, timeout=SECONDS, verify=False)

    def close(self) -> None:
        """Stop both, in order."""
        self.http.close()
        self.server.__exit__(None, None, None)
        self.rig.node.stop()
        self.rig.database.close()

    def restart(self) -> None:
        """A new process on the same database."""
        self.close()
        self.rig.open()
        self.open()

    def get(self, path: str, status: int = 200, **params: Any) -> Any:
        return self._told(self.http.get(path, params=params), status)

    def post(self, operation: Any, status: int = 200) -> Any:
        return self._told(self.http.post("/v1/transactions", json=to_wire(operation)), status)

    def post_many(self, operations: list[Any], status: int = 200) -> Any:
        body = {"operations": [each if isinstance(each, dict) else to_wire(each) for each in operations]}
        return self._told(self.http.post("/v1/transactions/batch", json=body), status)

    def _told(self, response: httpx.Response, status: int) -> Any:
        assert response.status_code == status, response.text
        assert response.headers["content-type"] == "application/json"
        return response.json()
