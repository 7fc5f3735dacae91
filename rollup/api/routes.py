"""The routes that go through FastAPI: everything that is read."""

from typing import Annotated, Any, Final, TypeAlias

from fastapi import FastAPI, Path, Query
from starlette.responses import Response

from rollup.api import models
from rollup.api.answers import dump, error_to_json
from rollup.api.backend import Backend
from rollup.api.cursors import NUMBER, PLACE
from rollup.api.limits import PAGE_MOST
from rollup.api.models import QuotedType
from rollup.api.overview import Overview
from rollup.api.reads import Reads
from rollup.core.addresses import parse_address
from rollup.core.constants import ACCOUNT_ID_BITS, BLOCK_NUMBER_BITS, COUNT_BITS

HASH = "0x[0-9a-fA-F]{64}"
AccountId: TypeAlias = Annotated[int, Path(ge=0, lt=1 << ACCOUNT_ID_BITS)]
BlockNumber: TypeAlias = Annotated[int, Path(ge=0, lt=1 << BLOCK_NUMBER_BITS - 1)]
Hash: TypeAlias = Annotated[str, Path(pattern=f"^{HASH}$", description="An operation's hash.")]
Name: TypeAlias = Annotated[
    str,
    Path(
        pattern=f"^({HASH}|queue:(0|[1-9][0-9]{{0,11}}))$",
        description="An operation's hash; `queue:` and the index of an entry of L1's queue.",
    ),
]
_CURSOR: Final = "The page before's `next_cursor`, as it was given; none: the first page."
PlaceCursor: TypeAlias = Annotated[str | None, Query(pattern=PLACE, description=_CURSOR)]
NumberCursor: TypeAlias = Annotated[str | None, Query(pattern=NUMBER, description=_CURSOR)]
Block: TypeAlias = Annotated[
    int | None, Query(ge=0, lt=1 << BLOCK_NUMBER_BITS, description="Of a swap that was taken several times: which.")
]
Position: TypeAlias = Annotated[int | None, Query(ge=0, lt=1 << COUNT_BITS, description="As `block`.")]
Address: TypeAlias = Annotated[
    str, Query(pattern="^0x[0-9a-fA-F]{40}$", description="In one case, or with EIP-55's checksum.")
]
Limit: TypeAlias = Annotated[int, Query(ge=1, le=PAGE_MOST, description="Entries of the page.")]
Symbol: TypeAlias = Annotated[str, Query(min_length=1, max_length=40, description="A token's symbol.")]


PAGE_ENTRIES: Final = 25
"""Of a page whose size nobody asked for."""


def add_routes(app: FastAPI, reads: Reads, overview: Overview) -> None:
    """Add all of them; the description of each is in its docstring and model."""
    _about_the_node(app, reads, overview, reads.backend)
    _about_the_rollup(app, reads, overview)
    _accounts(app, reads)
    _transactions(app, reads)
    _blocks(app, reads)


def _about_the_node(app: FastAPI, reads: Reads, overview: Overview, backend: Backend) -> None:
    @app.get("/health", response_model=models.Health, tags=["node"], responses=models.errors(429))
    async def health() -> Response:
        """Whether the process answers."""
        return _json({"status": "alive"})

    @app.get("/ready", response_model=models.Ready, tags=["node"], responses=models.NOT_READY)
    async def ready() -> Response:
        """Whether operations are taken; if not, why."""
        reasons = [error_to_json(each)["error"] for each in overview.not_ready()]
        return _json({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)

    @app.get("/metrics", tags=["node"], response_class=models.PlainText, responses=models.errors(429))
    async def metrics() -> Response:
        """Prometheus' text."""
        return Response(await reads.run(backend.metrics), media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.get("/v1/status", response_model=models.NodeStatus, tags=["node"], responses=models.errors(429, 503))
    async def status() -> Response:
        """How the node is doing."""
        return _json(await reads.run(overview.status))


def _about_the_rollup(app: FastAPI, reads: Reads, overview: Overview) -> None:
    @app.get("/v1/config", response_model=models.Config, tags=["rollup"], responses=models.errors(429))
    async def config() -> Response:
        """What a client must know once, the limits of this API among it."""
        return _json(overview.config())

    @app.get("/v1/tokens", response_model=models.Tokens, tags=["rollup"], responses=models.errors(429))
    async def tokens() -> Response:
        """The listed tokens."""
        return _json({"tokens": overview.tokens()})

    @app.get("/v1/fees", response_model=models.Quote, tags=["rollup"], responses=models.errors(400, 404, 422, 429, 503))
    async def fees(type: QuotedType, token: Symbol = "ETH") -> Response:  # noqa: A002, S107  # a token's name
        """A fee that covers what an operation of this type costs: its share of the block, its data, its proof."""
        return _json(await reads.run(overview.fee, type, token))

    @app.get("/v1/queue", response_model=models.Queue, tags=["rollup"], responses=models.errors(400, 429, 503))
    async def queue(cursor: NumberCursor = None, limit: Limit = PAGE_ENTRIES) -> Response:
        """L1's queue: the deposits and full exits that L1 has not executed yet."""
        return _json(await reads.run(reads.queue.page, cursor, limit))


def _accounts(app: FastAPI, reads: Reads) -> None:
    @app.get("/v1/accounts", response_model=models.Accounts, tags=["accounts"], responses=models.errors(400, 429, 503))
    async def accounts(address: Address) -> Response:
        """The accounts of an L1 address, oldest first."""
        return _json({"accounts": await reads.run(reads.accounts_of, parse_address(address))})

    @app.get(
        "/v1/accounts/{account_id}",
        response_model=models.Account, tags=["accounts"], responses=models.errors(400, 404, 429, 503),
    )  # fmt: skip
    async def account(account_id: AccountId) -> Response:
        """An account: as confirmed by receipts, and as L1 has executed it."""
        return _json(await reads.run(reads.account, account_id))

    @app.get(
        "/v1/accounts/{account_id}/transactions",
        response_model=models.Transactions, tags=["accounts"], responses=models.errors(400, 404, 429, 503),
    )  # fmt: skip
    async def history(account_id: AccountId, cursor: PlaceCursor = None, limit: Limit = PAGE_ENTRIES) -> Response:
        """The operations that name an account, newest first: what it pays, gets, trades, deposits and withdraws."""
        return _json(await reads.run(reads.history, account_id, cursor, limit))


def _transactions(app: FastAPI, reads: Reads) -> None:
    found = models.errors(400, 404, 429, 503)

    @app.get("/v1/transactions/{hash}", response_model=models.Transaction, tags=["transactions"], responses=found)
    async def transaction(hash: Name, block: Block = None, position: Position = None) -> Response:  # noqa: A002
        """An operation, how far it is, and its receipt."""
        return _json(await reads.run(reads.transaction, hash, (block, position)))

    @app.get("/v1/transactions/{hash}/receipt", response_model=models.Receipt, tags=["transactions"], responses=found)
    async def receipt(hash: Hash, block: Block = None, position: Position = None) -> Response:  # noqa: A002
        """The signed receipt alone, as `sluice receipt verify` reads it."""
        return _json(await reads.run(reads.receipt, hash, (block, position)))

    @app.get("/v1/transactions/{hash}/trace", response_model=models.Trace, tags=["transactions"], responses=found)
    async def trace(hash: Name, block: Block = None, position: Position = None) -> Response:  # noqa: A002
        """An operation's way through the node, each stage with its time."""
        return _json(await reads.run(reads.trace, hash, (block, position)))


def _blocks(app: FastAPI, reads: Reads) -> None:
    @app.get("/v1/blocks", response_model=models.Blocks, tags=["blocks"], responses=models.errors(400, 429, 503))
    async def blocks(cursor: NumberCursor = None, limit: Limit = PAGE_ENTRIES) -> Response:
        """Blocks, newest first."""
        return _json(await reads.run(reads.blocks, cursor, limit))

    found = models.errors(400, 404, 429, 503)

    @app.get("/v1/blocks/{number}", response_model=models.Block, tags=["blocks"], responses=found)
    async def block(number: BlockNumber) -> Response:
        """A block."""
        return _json(await reads.run(reads.block, number))

    @app.get("/v1/blocks/{number}/transactions", response_model=models.Transactions, tags=["blocks"], responses=found)
    async def of_block(number: BlockNumber, cursor: NumberCursor = None, limit: Limit = PAGE_ENTRIES) -> Response:
        """A block's operations, in their order."""
        return _json(await reads.run(reads.of_block, number, cursor, limit))


def _json(values: Any, status: int = 200) -> Response:
    return Response(dump(values), status, media_type="application/json")
