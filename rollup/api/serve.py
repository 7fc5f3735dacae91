"""The API over sockets: uvicorn with our settings, in a thread of its own."""

import threading
from types import TracebackType
from typing import Any, Final, Self

import uvicorn

from rollup.api.app import SUBMIT_PATH, Api
from rollup.api.asgi import App
from rollup.api.limits import Limits
from rollup.api.wireline import protocols

JOIN_SECONDS: Final = 10


def server_config(app: App, limits: Limits, host: str, port: int, **others: Any) -> uvicorn.Config:
    """How uvicorn is to serve the API.

    Args:
        app: Of `create_app`; another, in front of it, gets everything by ASGI.
        limits: The same as there.
        host, port: Where; port 0 is any that is free.
        others: Settings of uvicorn, such as for TLS or a proxy in front.
    """
    settings: dict[str, Any] = {
        "loop": "uvloop",
        "lifespan": "on",
        "access_log": False,
        "log_config": None,
        "server_header": False,
        "date_header": False,
        "timeout_keep_alive": max(1, round(limits.idle_seconds)),
        "ws_max_size": limits.message_bytes,
        # It would keep some 300 kB for each subscriber.
        "ws_per_message_deflate": False,
        "timeout_graceful_shutdown": JOIN_SECONDS,
        **protocols(limits, (SUBMIT_PATH.encode(), app.submit) if isinstance(app, Api) else None),
    }
    return uvicorn.Config(app, host=host, port=port, **settings | others)


class ApiServer:
    """Serves in a thread, as a context manager: it listens when the block begins.

    Args:
        config: Of `server_config`.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        self._server = uvicorn.Server(config)
        self._socket = config.bind_socket()
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="api", daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._socket.getsockname()[1])

    @property
    def name(self) -> str:
        """What its thread is called."""
        return self._thread.name

    def is_alive(self) -> bool:
        """Whether it serves."""
        return self._thread.is_alive()

    def __enter__(self) -> Self:
        self._socket.listen(2048)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(JOIN_SECONDS + 1)
        self._socket.close()
