"""The API's description: what FastAPI knows of the routes, and by hand what goes past it."""

import inspect
from collections.abc import Iterator
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema
from starlette.responses import HTMLResponse

from rollup.api import models
from rollup.api.answers import status_of
from rollup.api.docs_page import docs_page
from rollup.api.errors import ApiError
from rollup.api.limits import Limits
from rollup.api.subscribe import PATH, SLOW_READER
from rollup.core.errors import EncodingError, OperationError, SluiceError
from rollup.core.wire_schema import operation_schemas, submittable
from rollup.node.errors import AdmissionError, DatabaseError, FeeTooLowError, NoFeeAccountError, OperationTooLargeError

_SCHEMAS: Final = "#/components/schemas/"
REFUSALS: Final = (
    EncodingError, OperationError, OperationTooLargeError, FeeTooLowError, AdmissionError, NoFeeAccountError,
    DatabaseError, ApiError,
)  # fmt: skip
"""The roots of what can be answered."""

_INTRODUCTION: Final = """
The API of one operator of a Sluice rollup. Amounts are decimal strings in the token's smallest unit, addresses carry
EIP-55's checksum, hashes are 0x and 64 digits, times unix seconds.

An operation is **confirmed** when its receipt is given (durable, signed, its money spendable at once), **committed**
and **proven** when L1 has its block and its proof, and **final** when L1 has executed it. Lists are paged by
`next_cursor`; a cursor names a place, so what comes meanwhile neither shifts nor repeats entries.

Every answer that is not 2xx is an `Error`: a stable `code`, a `message` with the way out, and the `values`. All codes
are in `x-errors` of this document.

**Limits** of this node (also in /v1/config): {limits}. Whoever asks faster gets 429 with `Retry-After`.

**Subscriptions**: a WebSocket at `{path}`, JSON as text.
{protocol}
A client that leaves {unread} messages unread is cut off with close code {slow}; the server pings, and closes where no
pong comes. After a new connection subscribe again: accounts and transactions are told as they stand then.
"""


def describe(app: FastAPI, limits: Limits) -> None:
    """Have the application serve the whole description."""
    made: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not made:
            made.update(_document(app, limits))
        return made

    app.openapi = openapi  # type: ignore[method-assign]

    @app.get("/v1/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(docs_page(openapi()))


def _document(app: FastAPI, limits: Limits) -> dict[str, Any]:
    document = get_openapi(
        title="Sluice", version="1", description=_introduction(limits), routes=app.routes, openapi_version="3.1.0"
    )
    for path in document["paths"].values():
        for operation in path.values():
            _forget_default(operation["responses"])
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    needed = [(each, "serialization") for each in (models.Confirmed, models.Results, models.Error)]
    _, own = models_json_schema(needed, ref_template=_SCHEMAS + "{model}")  # type: ignore[arg-type]
    schemas.update(own["$defs"])
    schemas.update(operation_schemas(_SCHEMAS))
    schemas["Operation"] = {"oneOf": [{"$ref": _SCHEMAS + name} for name in submittable()]}
    document["paths"] |= {"/v1/transactions": {"post": _one()}, "/v1/transactions/batch": {"post": _many(limits)}}
    document["x-errors"] = error_codes()
    return document


def error_codes() -> list[dict[str, Any]]:
    """Every code that an answer can have, with its status (of what is not for HTTP alone), values and meaning."""
    found = {each.code: each for root in REFUSALS for each in tree(root)}
    return [
        {
            "code": code,
            "status": status_of(kind.__new__(kind)),
            "values": [name for name in inspect.get_annotations(kind) if name not in ("code", "status")],
            "meaning": (kind.__doc__ or "").partition("\n")[0],
        }
        for code, kind in sorted(found.items())
    ]


def tree(root: type[SluiceError]) -> Iterator[type[SluiceError]]:
    """The class and all below it that are raised themselves: those with a message of their own."""
    if "message" in vars(root):
        yield root
    for below in root.__subclasses__():
        yield from tree(below)


def _introduction(limits: Limits) -> str:
    from rollup.api import subscribe

    said = (subscribe.__doc__ or "").partition("\n\n")[2]
    shown = ", ".join(f"{name} {value:,.10g}" for name, value in limits.to_json().items())
    return _INTRODUCTION.format(
        limits=shown, path=PATH, protocol="\n" + said, unread=limits.unread_messages, slow=SLOW_READER
    )


def _forget_default(responses: dict[str, Any]) -> None:
    """FastAPI's own 422: what it stands for is our 400."""
    content = responses.get("422", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    if schema.get("$ref", "").endswith("HTTPValidationError"):
        del responses["422"]


def _one() -> dict[str, Any]:
    return {
        "tags": ["transactions"],
        "summary": "Submit",
        "operationId": "submit",
        "description": "Submit one operation. The answer is its receipt. Submitted again, it is not done twice, and "
        "the receipt is the same.",
        "requestBody": _body({"$ref": _SCHEMAS + "Operation"}),
        "responses": _responses("Confirmed", 400, 408, 409, 413, 422, 429, 503),
    }


def _many(limits: Limits) -> dict[str, Any]:
    description = f"At most {limits.batch_operations}; more are 413."
    operations = {"type": "array", "items": {"$ref": _SCHEMAS + "Operation"}, "description": description}
    return {
        "tags": ["transactions"],
        "summary": "Submit many",
        "operationId": "submit_many",
        "description": "Submit independent operations, taken in their order; each has its own result, and one that is "
        "refused does not hold up the others. What is to be done whole or not at all is one operation, of type batch.",
        "requestBody": _body(
            {
                "type": "object",
                "properties": {"operations": operations},
                "required": ["operations"],
                "additionalProperties": False,
            }
        ),
        "responses": _responses("Results", 400, 408, 413, 429, 503),
    }


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _responses(model: str, *statuses: int) -> dict[str, Any]:
    said: dict[str, Any] = {"200": _answer(model, "Taken; each as it says." if model == "Results" else "Taken.")}
    for status, each in models.errors(*statuses).items():
        headers = {"headers": each["headers"]} if "headers" in each else {}
        said[str(status)] = _answer("Error", each["description"]) | headers
    return said


def _answer(model: str, description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": {"$ref": _SCHEMAS + model}}}}
