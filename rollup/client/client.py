"""SluiceClient and AsyncSluiceClient: one node, asked with blocking calls or with asyncio; the same in all else."""

from types import TracebackType
from typing import Any, Self

from rollup.client.awaiting import Awaiting, awaiting
from rollup.client.blocking import Blocking, blocking
from rollup.client.core import Core
from rollup.client.flow import REQUEST_SECONDS
from rollup.client.retrying import ATTEMPTS
from rollup.client.trust import Deployment
from rollup.l1.rpc import JsonRpc


def _core(client: Any) -> Core:
    return client.core  # type: ignore[no-any-return]  # of the two classes below


class SluiceClient:
    """A node of a rollup; for any number of threads. Close it, or use it as a context manager.

    Args:
        url: Its address, such as http://127.0.0.1:8000.
        deployment: Which rollup it must be of (`Deployment.of_manifest`); None: as it says when it is first asked.
        l1: A node of L1, so that validators and finality are looked up there, and not believed.
        attempts: How often a question is asked before it is given up.
        seconds: How long each attempt may take.
    """

    def __init__(
        self,
        url: str,
        deployment: Deployment | None = None,
        l1: JsonRpc | None = None,
        attempts: int = ATTEMPTS,
        seconds: float = REQUEST_SECONDS,
    ) -> None:
        self.core = Core(url, deployment, l1, attempts, seconds)
        self.shell = Blocking(url)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.shell.close()

    known = blocking(Core.known, _core)
    config = blocking(Core.config, _core)
    status = blocking(Core.status, _core)
    account = blocking(Core.account, _core)
    accounts = blocking(Core.accounts, _core)
    history = blocking(Core.history, _core)
    quote = blocking(Core.quote, _core)
    transaction = blocking(Core.transaction, _core)
    submit = blocking(Core.submit, _core)
    submit_many = blocking(Core.submit_many, _core)
    find = blocking(Core.find, _core)
    wait = blocking(Core.wait, _core)


class AsyncSluiceClient:
    """As SluiceClient, with asyncio; for any number of tasks of one event loop."""

    def __init__(
        self,
        url: str,
        deployment: Deployment | None = None,
        l1: JsonRpc | None = None,
        attempts: int = ATTEMPTS,
        seconds: float = REQUEST_SECONDS,
    ) -> None:
        self.core = Core(url, deployment, l1, attempts, seconds)
        self.shell = Awaiting(url)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self.shell.close()

    known = awaiting(Core.known, _core)
    config = awaiting(Core.config, _core)
    status = awaiting(Core.status, _core)
    account = awaiting(Core.account, _core)
    accounts = awaiting(Core.accounts, _core)
    history = awaiting(Core.history, _core)
    quote = awaiting(Core.quote, _core)
    transaction = awaiting(Core.transaction, _core)
    submit = awaiting(Core.submit, _core)
    submit_many = awaiting(Core.submit_many, _core)
    find = awaiting(Core.find, _core)
    wait = awaiting(Core.wait, _core)
