"""The API as one ASGI application: submissions and subscriptions go a short way of their own, the rest by FastAPI."""

import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from rollup.api.answers import dump, error_to_json, status_of
from rollup.api.asgi import ClientGone, Receive, Scope, Send, answer_error, client_of, error_headers
from rollup.api.backend import Backend
from rollup.api.errors import ApiError, Internal, MethodNotAllowed, ParameterInvalid, RouteUnknown
from rollup.api.hub import Hub
from rollup.api.limits import Limits
from rollup.api.openapi import describe
from rollup.api.overview import Overview
from rollup.api.rates import Rates
from rollup.api.reads import Reads
from rollup.api.routes import add_routes
from rollup.api.submit import Submissions
from rollup.api.subscribe import PATH, Sockets
from rollup.api.wireline import Reply
from rollup.core.errors.base import SluiceError

Observe: TypeAlias = Callable[[str, str, int, float], None]
"""Called after each request with its method (of a WebSocket "WS"), its route as the OpenAPI document names it ("" if
there is none), the status and the seconds it took."""

_Hot: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[int]]
_LOG: Final = logging.getLogger("sluice.api")
_UNCOUNTED: Final = frozenset({"/health", "/ready", "/metrics"})
SUBMIT_PATH: Final = "/v1/transactions"
CLIENT_GONE: Final = 499
"""What an observer is told where nobody was left to get a status."""


def create_app(backend: Backend, limits: Limits | None = None, observe: Observe | None = None) -> "Api":
    """The API.

    Args:
        backend: The node and its surroundings.
        limits: What clients may ask.
        observe: Told of every request.
    """
    return Api(backend, limits or Limits(), observe)


class Api:
    """The whole application; see `create_app`."""

    def __init__(self, backend: Backend, limits: Limits, observe: Observe | None) -> None:
        self._observe = observe
        self._rates = Rates(limits)
        submissions = Submissions(backend, limits, self._rates)
        self._submissions = submissions
        self._hot: dict[str, _Hot] = {SUBMIT_PATH: submissions.one, "/v1/transactions/batch": submissions.many}
        reads = Reads(backend, limits)
        self.hub = Hub(reads)
        self._sockets = Sockets(limits, self._rates, self.hub)
        self._rest = _fastapi(reads, Overview(backend, limits, reads.queries), limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        start = time.perf_counter()
        if scope["type"] == "websocket":
            method, route, status = "WS", PATH, await self._sockets.serve(scope, receive, send)
        else:
            method = scope["method"]
            route, status = await self._serve(scope, receive, send)
        if self._observe is not None:
            self._observe(method, route, status, time.perf_counter() - start)

    def submit(self, client: str, body: bytes, reply: Reply) -> None:
        """POST /v1/transactions without ASGI, in the event loop; see `HttpProtocol`."""
        start = time.perf_counter()

        def end(answer: bytes | SluiceError) -> None:
            if isinstance(answer, SluiceError):
                status = status_of(answer)
                reply(status, dump(error_to_json(answer)), error_headers(answer))
            else:
                status = 200
                reply(status, answer, ())
            if self._observe is not None:
                self._observe("POST", SUBMIT_PATH, status, time.perf_counter() - start)

        try:
            self._rates.charge(client)
            self._submissions.directly(body, end)
        except SluiceError as error:
            end(error)
        except Exception as error:
            end(_internal(error))

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self.hub.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.hub.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> tuple[str, int]:
        path: str = scope["path"]
        if path not in _UNCOUNTED:
            try:
                self._rates.charge(client_of(scope))
            except ApiError as error:
                return path if path in self._hot else "", await answer_error(send, error)
        hot = self._hot.get(path)
        if hot is None:
            return await self._through(scope, receive, send)
        if scope["method"] != "POST":
            return path, await answer_error(send, MethodNotAllowed(scope["method"], path, "POST"))
        try:
            return path, await hot(scope, receive, send)
        except ClientGone:
            return path, CLIENT_GONE
        except Exception as error:
            return path, await answer_error(send, _internal(error))

    async def _through(self, scope: Scope, receive: Receive, send: Send) -> tuple[str, int]:
        status = CLIENT_GONE

        async def noting(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._rest(scope, receive, noting)
        except Exception as error:
            # Mostly it was answered by `_failed`, and is raised again.
            if status == CLIENT_GONE:
                status = await answer_error(send, _internal(error))
        return getattr(scope.get("route"), "path", ""), status


def _fastapi(reads: Reads, overview: Overview, limits: Limits) -> FastAPI:
    app = FastAPI(openapi_url="/v1/openapi.json", docs_url=None, redoc_url=None, redirect_slashes=False)
    app.add_exception_handler(SluiceError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _not_routed)
    app.add_exception_handler(Exception, _failed)
    add_routes(app, reads, overview)
    describe(app, limits)
    return app


def _internal(error: Exception) -> Internal:
    reference = secrets.token_hex(8)
    _LOG.error("fault %s", reference, exc_info=error)
    return Internal(reference)


def _response(error: SluiceError) -> Response:
    headers = {name.decode(): value.decode() for name, value in error_headers(error)}
    return Response(dump(error_to_json(error)), status_of(error), headers, "application/json")


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, SluiceError)
    return _response(error)


_FORMS: Final = {
    "hash": "write 0x and 64 hexadecimal digits; an entry of L1's queue is queue: and its index",
    "address": "write 0x and 40 hexadecimal digits",
    "cursor": "give back a page's next_cursor as it was given",
}
"""Of parameters, where a pattern says it to machines."""


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"][1:])
    form = _FORMS.get(name) if first["type"] == "string_pattern_mismatch" else None
    return _response(ParameterInvalid(name, repr(first.get("input"))[:80], form or first["msg"]))


async def _failed(_: Request, error: Exception) -> Response:
    return _response(_internal(error))


async def _not_routed(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.url.path
    found: ApiError = RouteUnknown(path)
    if error.status_code == 405:
        found = MethodNotAllowed(request.method, path, (error.headers or {}).get("Allow", "GET"))
    return _response(found)
