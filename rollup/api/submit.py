"""POST /v1/transactions and /v1/transactions/batch: plain ASGI, as thousands a second come this way."""

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, Final

from rollup.api.answers import dump, error_to_json, hash_text, status_of
from rollup.api.asgi import Receive, Scope, Send, answer, answer_error, client_of, read_body
from rollup.api.backend import Backend
from rollup.api.errors import BatchTooLarge
from rollup.api.limits import Limits
from rollup.api.rates import Rates
from rollup.api.stages import stage_of
from rollup.core.errors import SluiceError, WireError
from rollup.core.receipt import Receipt, receipt_to_wire
from rollup.core.wire import WireOperation, from_wire, loads, loads_values
from rollup.node.chain import Heads
from rollup.node.errors import FaultError
from rollup.node.sequencer import Outcome

BRACKETS_AN_OPERATION: Final = 12
"""Lists and objects, of what is usual; a swap has 5."""


class Relay:
    """Carries outcomes from the sequencer's thread to the event loop: those of a batch with one call."""

    def __init__(self) -> None:
        self._done: deque[tuple[asyncio.Future[Outcome], Future[Outcome]]] = deque()
        self._is_called = False

    def wait(self, future: Future[Outcome]) -> asyncio.Future[Outcome]:
        """The same future for the running event loop."""
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[Outcome] = loop.create_future()

        def done(finished: Future[Outcome]) -> None:
            self._done.append((waiting, finished))
            if not self._is_called:
                self._is_called = True
                loop.call_soon_threadsafe(self._deliver)

        future.add_done_callback(done)
        return waiting

    def _deliver(self) -> None:
        # Before the first is taken: what is added from here on calls again, at worst for nothing.
        self._is_called = False
        while self._done:
            waiting, finished = self._done.popleft()
            if not waiting.done():
                waiting.set_result(_outcome(finished))


def _outcome(finished: Future[Outcome]) -> Outcome:
    error = finished.exception()
    return finished.result() if error is None else FaultError(str(error))


class Submissions:
    """The two routes.

    Args:
        backend: Who takes operations.
        limits: Of body and batch.
        rates: Who may send how many.
    """

    def __init__(self, backend: Backend, limits: Limits, rates: Rates) -> None:
        self._node = backend.node
        self._limits, self._rates = limits, rates
        self._relay = Relay()

    async def one(self, scope: Scope, receive: Receive, send: Send) -> int:
        """One operation in, its receipt or error out; returns the status."""
        try:
            operation = loads(await read_body(scope, receive, self._limits))
        except SluiceError as error:
            return await answer_error(send, error)
        (future,) = self._node.submit([operation])
        outcome = await self._relay.wait(future)
        if isinstance(outcome, SluiceError):
            return await answer_error(send, outcome)
        await answer(send, 200, dump(self._confirmed(outcome)))
        return 200

    async def many(self, scope: Scope, receive: Receive, send: Send) -> int:
        """A list of independent operations in, a receipt or error for each out, in order; returns the status."""
        try:
            listed = self._list(await read_body(scope, receive, self._limits))
            self._rates.charge(client_of(scope), max(0, len(listed) - 1))
        except SluiceError as error:
            return await answer_error(send, error)
        read = [_read(values, index) for index, values in enumerate(listed)]
        futures = iter(self._node.submit([each for each in read if not isinstance(each, WireError)]))
        waiting = [each if isinstance(each, WireError) else self._relay.wait(next(futures)) for each in read]
        outcomes = [each if isinstance(each, WireError) else await each for each in waiting]
        await answer(send, 200, dump({"results": self._results(outcomes)}))
        return 200

    def _list(self, body: bytes) -> list[Any]:
        values = loads_values(body, BRACKETS_AN_OPERATION * self._limits.batch_operations)
        if (
            not isinstance(values, dict)
            or values.keys() != {"operations"}
            or not isinstance(values["operations"], list)
        ):
            raise WireError("(all)", type(values).__name__, 'an object with the one field "operations", a list')
        listed: list[Any] = values["operations"]
        if len(listed) > self._limits.batch_operations:
            raise BatchTooLarge(len(listed), self._limits.batch_operations)
        return listed

    def _results(self, outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
        return [
            error_to_json(each) | {"status_code": status_of(each)}
            if isinstance(each, SluiceError)
            else self._confirmed(each)
            for each in outcomes
        ]

    def _confirmed(self, receipt: Receipt) -> dict[str, Any]:
        return confirmed(receipt, self._node.lander.heads)


def confirmed(receipt: Receipt, heads: Heads) -> dict[str, Any]:
    """What a submitter is told."""
    stage = stage_of(receipt.block_number, heads)
    return {
        "hash": hash_text(receipt.operation_hash),
        "status": stage,
        "is_final": stage == "final",
        "block": receipt.block_number,
        "position": receipt.chunk_position,
        "receipt": receipt_to_wire(receipt),
    }


def _read(values: object, index: int) -> WireOperation | WireError:
    try:
        return from_wire(values, f"operations[{index}]")
    except WireError as error:
        return error
