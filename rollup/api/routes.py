"""The routes that go through FastAPI."""

from typing import Annotated, Any

from fastapi import FastAPI, Path, Query
from starlette.responses import Response

from rollup.api.answers import dump, error_to_json
from rollup.api.reads import Reads
from rollup.core.addresses import parse_address
from rollup.core.constants import ACCOUNT_ID_BITS

AccountId = Annotated[int, Path(ge=0, lt=1 << ACCOUNT_ID_BITS)]
OperationHash = Annotated[str, Path(pattern="^0x[0-9a-fA-F]{64}$")]


def add_routes(app: FastAPI, reads: Reads) -> None:
    """Everything that is read."""

    @app.get("/v1/config")
    async def config() -> Response:
        return _json(reads.config())

    @app.get("/v1/accounts/{account_id}")
    async def account(account_id: AccountId) -> Response:
        return _json(await reads.run(reads.account, account_id))

    @app.get("/v1/accounts")
    async def accounts(address: Annotated[str, Query()]) -> Response:
        return _json({"accounts": await reads.run(reads.accounts_of, parse_address(address))})

    @app.get("/v1/transactions/{hash}")
    async def transaction(hash: OperationHash) -> Response:  # noqa: A002  # as the path names it
        return _json(await reads.run(reads.transaction, bytes.fromhex(hash[2:])))

    @app.get("/health")
    async def health() -> Response:
        return _json({"status": "alive"})

    @app.get("/ready")
    async def ready() -> Response:
        reasons = [error_to_json(each)["error"] for each in await reads.run(reads.not_ready)]
        return _json({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)


def _json(values: Any, status: int = 200) -> Response:
    return Response(dump(values), status, media_type="application/json")
