"""POST /v1/transactions and /v1/transactions/batch: plain ASGI, as thousands a second come this way."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import orjson

from rollup._native import parse_transfer, parse_transfers
from rollup.api.answers import dump, error_to_json, hash_text, status_of
from rollup.api.asgi import Receive, Scope, Send, answer, answer_error, client_of, read_body
from rollup.api.backend import Backend
from rollup.api.errors import BatchTooLarge
from rollup.api.limits import Limits
from rollup.api.rates import Rates
from rollup.api.stages import stage_of
from rollup.core.errors import SluiceError, WireError
from rollup.core.receipt import Receipt
from rollup.core.wire import WireOperation, from_wire, loads, loads_values
from rollup.node.chain import Heads
from rollup.node.core import Node
from rollup.node.errors import FaultError
from rollup.node.plain import Submission
from rollup.node.sequencer import Outcome

Settle: TypeAlias = Callable[[Sequence[Outcome]], None]
BRACKETS_AN_OPERATION: Final = 12
"""Lists and objects, of what is usual; a swap has 5."""


class Relay:
    """Carries outcomes from the sequencer's thread to the event loop: those of a batch with one call."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._done: deque[tuple[Settle, Sequence[Outcome]]] = deque()
        self._is_called = False

    def submit(self, operations: Sequence[Submission]) -> asyncio.Future[Sequence[Outcome]]:
        """Have operations taken in; an outcome each, in the running event loop."""
        waiting: asyncio.Future[Sequence[Outcome]] = asyncio.get_running_loop().create_future()

        def settle(outcomes: Sequence[Outcome]) -> None:
            if not waiting.done():
                waiting.set_result(outcomes)

        self.hand_in(operations, settle)
        return waiting

    def hand_in(self, operations: Sequence[Submission], settle: Settle) -> None:
        """The same, but `settle` is called with the outcomes, in the running event loop."""
        loop = asyncio.get_running_loop()

        def deliver(outcomes: Sequence[Outcome] | BaseException) -> None:
            if isinstance(outcomes, BaseException):
                outcomes = [FaultError(str(outcomes))] * len(operations)
            self._done.append((settle, outcomes))
            if not self._is_called:
                self._is_called = True
                loop.call_soon_threadsafe(self._deliver)

        self._node.hand_in(operations, deliver)

    def _deliver(self) -> None:
        # Before the first is taken: what is added from here on calls again, at worst for nothing.
        self._is_called = False
        while self._done:
            settle, outcomes = self._done.popleft()
            settle(outcomes)


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
        self._relay = Relay(backend.node)

    async def one(self, scope: Scope, receive: Receive, send: Send) -> int:
        """One operation in, its receipt or error out; returns the status."""
        try:
            operation = _operation(await read_body(scope, receive, self._limits))
        except SluiceError as error:
            return await answer_error(send, error)
        (outcome,) = await self._relay.submit([operation])
        if isinstance(outcome, SluiceError):
            return await answer_error(send, outcome)
        await answer(send, 200, dump(self._confirmed(outcome)))
        return 200

    def directly(self, body: bytes, reply: Callable[[bytes | SluiceError], None]) -> None:
        """The same without ASGI; `reply` gets the answer's text or why there is none, mostly after this returned.

        Raises: SluiceError.
        """

        def settle(outcomes: Sequence[Outcome]) -> None:
            (outcome,) = outcomes
            reply(outcome if isinstance(outcome, SluiceError) else dump(self._confirmed(outcome)))

        self._relay.hand_in([_operation(body)], settle)

    async def many(self, scope: Scope, receive: Receive, send: Send) -> int:
        """A list of independent operations in, a receipt or error for each out, in order; returns the status."""
        try:
            read = self._read(await read_body(scope, receive, self._limits))
            self._rates.charge(client_of(scope), max(0, len(read) - 1))
        except SluiceError as error:
            return await answer_error(send, error)
        outcomes = iter(await self._relay.submit([each for each in read if not isinstance(each, WireError)]))
        results = [each if isinstance(each, WireError) else next(outcomes) for each in read]
        await answer(send, 200, dump({"results": self._results(results)}))
        return 200

    def _read(self, body: bytes) -> Sequence[Submission | WireError]:
        # As for one; here the only list is that of the operations.
        plain = parse_transfers(body) if body[:1] == b"{" and body.count(b"[") == 1 else None
        if plain is not None and len(plain) <= self._limits.batch_operations:
            return plain
        return [_read(values, index) for index, values in enumerate(self._list(body))]

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
    """What a submitter is told, for `dump`."""
    stage = stage_of(receipt.block_number, heads)
    return {
        "hash": hash_text(receipt.operation_hash),
        "status": stage,
        "is_final": stage == "final",
        "block": receipt.block_number,
        "position": receipt.chunk_position,
        "receipt": orjson.Fragment(receipt.text),
    }


def _operation(body: bytes) -> Submission:
    # The native reader takes a list of the values for an object; no Transfer has a list in it.
    return (parse_transfer(body) if b"[" not in body else None) or loads(body)


def _read(values: object, index: int) -> WireOperation | WireError:
    try:
        return from_wire(values, f"operations[{index}]")
    except WireError as error:
        return error
