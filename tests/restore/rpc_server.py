"""A JSON-RPC endpoint over HTTP in a thread, in front of a chain, that can be told to misbehave."""

import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from rollup.l1.rpc import RpcError


@dataclass
class Reply(Exception):
    """Raised by a fault: answer exactly this. `length` other than the body's cuts the connection in the middle."""

    status: int = 200
    body: bytes = b""
    length: int | None = None


Answer = Callable[..., Any]
"""Called with (method, *params); returns the result, or raises RpcError or Reply."""
Fault = Callable[[Answer, str, tuple[Any, ...]], Any]
"""Called with (what would answer rightly, method, params); as Answer."""


class RpcServer:
    """Use as a context manager. `fault` may be changed at any time; `asked` counts questions by method."""

    def __init__(self, answer: Answer, fault: Fault | None = None) -> None:
        self.answer = answer
        self.fault = fault
        self.asked: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def reply(self, body: bytes) -> Reply:
        """What goes back for a request."""
        request = json.loads(body)
        method, params = request["method"], request["params"]
        with self._lock:
            self.asked[method] += 1
        try:
            result = self.answer(method, *params) if self.fault is None else self.fault(self.answer, method, params)
            said: dict[str, Any] = {"result": result}
        except Reply as reply:
            return reply
        except RpcError as error:
            said = {"error": {"code": error.code, "message": error.text, "data": error.data}}
        return Reply(200, json.dumps({"jsonrpc": "2.0", "id": request["id"], **said}).encode())

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                reply = server.reply(self.rfile.read(int(self.headers["Content-Length"])))
                try:
                    self.send_response(reply.status)
                    self.send_header("Content-Length", str(len(reply.body) if reply.length is None else reply.length))
                    self.end_headers()
                    self.wfile.write(reply.body)
                except OSError:
                    pass  # the client was killed, or did not wait

            def log_message(self, *_: object) -> None:
                pass

        return Handler
