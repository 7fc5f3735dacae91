"""The API as one ASGI application: submissions by a short way of their own, everything else through FastAPI."""

import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from rollup.api.answers import dump, error_to_json, status_of
from rollup.api.asgi import App, ClientGone, Receive, Scope, Send, answer_error, error_headers
from rollup.api.backend import Backend
from rollup.api.errors import ApiError, Internal, MethodNotAllowed, ParameterInvalid, RouteUnknown
from rollup.api.limits import Limits
from rollup.api.reads import Reads
from rollup.api.routes import add_routes
from rollup.api.submit import Submissions
from rollup.core.errors.base import SluiceError

Observe: TypeAlias = Callable[[str, str, int, float], None]
"""Called after each request with its method, its route as the OpenAPI document names it ("" if there is none), the
status and the seconds it took."""

_Hot: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[int]]
_ONE: Final = "/v1/transactions"
_MANY: Final = "/v1/transactions/batch"


def create_app(backend: Backend, limits: Limits | None = None, observe: Observe | None = None) -> App:
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
        submissions = Submissions(backend, limits)
        self._hot: dict[str, _Hot] = {_ONE: submissions.one, _MANY: submissions.many}
        self._observe = observe
        self._rest = _fastapi(Reads(backend, limits))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._rest(scope, receive, send)
            return
        start = time.perf_counter()
        path: str = scope["path"]
        hot = self._hot.get(path)
        if hot is not None:
            route, status = path, await self._answer(hot, scope, receive, send)
        else:
            route, status = await self._through(scope, receive, send)
        if self._observe is not None:
            self._observe(scope["method"], route, status, time.perf_counter() - start)

    async def _answer(self, hot: _Hot, scope: Scope, receive: Receive, send: Send) -> int:
        if scope["method"] != "POST":
            return await answer_error(send, MethodNotAllowed(scope["method"], scope["path"], "POST"))
        try:
            return await hot(scope, receive, send)
        except ClientGone:
            return 499

    async def _through(self, scope: Scope, receive: Receive, send: Send) -> tuple[str, int]:
        status = 499

        async def noting(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        await self._rest(scope, receive, noting)
        return getattr(scope.get("route"), "path", ""), status


def _fastapi(reads: Reads) -> FastAPI:
    app = FastAPI(title="Sluice", openapi_url="/v1/openapi.json", docs_url="/v1/docs", redoc_url=None)
    app.add_exception_handler(SluiceError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _not_routed)
    app.add_exception_handler(Exception, _failed)
    add_routes(app, reads)
    return app


def _response(error: SluiceError) -> Response:
    headers = {name.decode(): value.decode() for name, value in error_headers(error)}
    return Response(dump(error_to_json(error)), status_of(error), headers, "application/json")


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, SluiceError)
    return _response(error)


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"][1:])
    return _response(ParameterInvalid(name, repr(first.get("input"))[:80], first["msg"]))


async def _not_routed(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.url.path
    found: ApiError = RouteUnknown(path)
    if error.status_code == 405:
        found = MethodNotAllowed(request.method, path, (error.headers or {}).get("Allow", "GET"))
    return _response(found)


async def _failed(_: Request, error: Exception) -> Response:
    # Starlette raises it again after the answer, so that the server logs it.
    return _response(Internal(f"{id(error):x}"))
