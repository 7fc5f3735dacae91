"""Several L1 nodes as one: who answers and keeps up is asked, the others are left alone for a while."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from rollup.l1.errors import L1Error, NodeFaulty, NodeUnreachable, WrongChain
from rollup.l1.node import Head, data, quantity
from rollup.l1.rpc import Rpc, RpcError
from rollup.landing.errors import EndpointsDown

FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 60.0
LAG_BLOCKS: Final = 1
"""So far a node may be behind the best one and still be asked."""
RATE_LIMIT_CODES: Final = (429, -32005, -32029)
PROTOCOL_CODES: Final = range(-32768, -32599)
"""JSON-RPC's own: no such method, an internal error."""
_RATE_LIMIT: Final = re.compile(r"rate.?limit|too many requests|limit exceeded|capacity|throttl", re.IGNORECASE)

T = TypeVar("T")


@dataclass
class Endpoint:
    """A node and how it does.

    Args:
        rpc: How it is asked.
        failures: How often in a row it gave no answer.
        rests_until: Not asked before, on the clock of `Endpoints`.
        reason: Why it rests, empty if it does not.
        head: Its last known head.
        is_of_chain: Its chain id was checked since it last failed.
    """

    rpc: Rpc
    failures: int = 0
    rests_until: float = 0.0
    reason: str = ""
    head: Head | None = None
    is_of_chain: bool = field(default=False, repr=False)

    @property
    def name(self) -> str:
        """What error messages call it."""
        return self.rpc.name


class Endpoints:
    """The nodes of one chain.

    Args:
        nodes: In order of preference, at least one.
        chain_id: EIP-155 chain id.
        clock: Seconds that only grow.
    """

    def __init__(self, nodes: Sequence[Rpc], chain_id: int, clock: Callable[[], float] = time.monotonic) -> None:
        if not nodes:
            raise EndpointsDown({"configuration": "no node is named"})
        self.chain_id = chain_id
        self.all = [Endpoint(node) for node in nodes]
        self._clock = clock

    def best(self) -> Endpoint:
        """The first node that is not behind the others, its head read anew.

        Raises: EndpointsDown.
        """
        answering = list(self._heads())
        if not answering:
            raise EndpointsDown({endpoint.name: endpoint.reason for endpoint in self.all})
        highest = max(head.number for _, head in answering)
        return next(endpoint for endpoint, head in answering if head.number >= highest - LAG_BLOCKS)

    def others(self, than: Endpoint) -> list[Endpoint]:
        """The other nodes that answer, as far as is known."""
        return [endpoint for endpoint in self.available() if endpoint is not than]

    def available(self) -> list[Endpoint]:
        """The nodes that do not rest."""
        return [endpoint for endpoint in self.all if endpoint.rests_until <= self._clock()]

    def ask(self, endpoint: Endpoint, parse: Callable[[Any], T], method: str, *params: object) -> T:
        """Return what a method answers.

        Args:
            endpoint: Who is asked.
            parse: Makes the answer into what is wanted; an error it raises makes the answer none.
            method: The method's name, then its parameters.

        Raises: NodeUnreachable, NodeFaulty; the node then rests.
        """
        try:
            return parse(self.call(endpoint, method, *params))
        except RpcError as error:
            reason = f"it says {error.text!r}"
            raise self._failed(endpoint, NodeFaulty(endpoint.name, method, reason)) from error
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            reason = str(error) or type(error).__name__
            raise self._failed(endpoint, NodeFaulty(endpoint.name, method, reason)) from error

    def call(self, endpoint: Endpoint, method: str, *params: object) -> Any:
        """Return a method's answer as it comes.

        Raises: NodeUnreachable, NodeFaulty: it does not answer, limits requests or is broken; it then rests. RpcError.
        """
        try:
            return endpoint.rpc(method, *params)
        except NodeUnreachable as error:
            raise self._failed(endpoint, error) from error
        except RpcError as error:
            if _is_fault(error):
                fault = NodeFaulty(endpoint.name, method, f"it says {error.text!r}")
                raise self._failed(endpoint, fault) from error
            raise

    def header(self, endpoint: Endpoint, tag: str | int) -> Head | None:
        """The L1 block of a number or tag, None if the node has none.

        Raises: NodeUnreachable, NodeFaulty.
        """

        def parse(answer: Any) -> Head | None:
            if answer is None:
                return None
            found = Head(quantity(answer["number"]), block_hash(answer["hash"]))
            if isinstance(tag, int) and found.number != tag:
                raise ValueError(f"asked for block {tag}, it gives block {found.number}")
            return found

        return self.ask(endpoint, parse, "eth_getBlockByNumber", hex(tag) if isinstance(tag, int) else tag, False)

    def faulty(self, endpoint: Endpoint, method: str, reason: str) -> L1Error:
        """Let a node rest whose answer is none, or not of one chain with its others; return what to raise."""
        return self._failed(endpoint, NodeFaulty(endpoint.name, method, reason))

    def did_well(self, endpoint: Endpoint) -> None:
        """It has answered all that it was asked."""
        endpoint.failures = 0

    def _heads(self) -> Iterator[tuple[Endpoint, Head]]:
        for endpoint in self.available():
            try:
                if not endpoint.is_of_chain:
                    self._check_chain(endpoint)
                head = self.header(endpoint, "latest")
                if head is None:
                    raise self._failed(endpoint, NodeFaulty(endpoint.name, "eth_getBlockByNumber", "it has no block"))
            except (NodeUnreachable, NodeFaulty, WrongChain):
                continue
            endpoint.head, endpoint.reason = head, ""
            if self._clock() > endpoint.rests_until + LONGEST_PAUSE_SECONDS:
                endpoint.failures = 0
            yield endpoint, head

    def _check_chain(self, endpoint: Endpoint) -> None:
        found = self.ask(endpoint, quantity, "eth_chainId")
        if found != self.chain_id:
            raise self._failed(endpoint, WrongChain(endpoint.name, "chain id", str(self.chain_id), str(found)))
        endpoint.is_of_chain = True

    def _failed(self, endpoint: Endpoint, error: L1Error) -> L1Error:
        pause = min(FIRST_PAUSE_SECONDS * 2**endpoint.failures, LONGEST_PAUSE_SECONDS)
        endpoint.failures = min(endpoint.failures + 1, 16)
        endpoint.rests_until = self._clock() + pause
        endpoint.reason = str(getattr(error, "reason", error))
        endpoint.is_of_chain = False
        return error


def _is_fault(error: RpcError) -> bool:
    """Whether it is the node's fault, and not an answer to what was asked."""
    if error.code in RATE_LIMIT_CODES or _RATE_LIMIT.search(error.text):
        return True
    return error.code in PROTOCOL_CODES and not error.revert_data() and "revert" not in error.text.lower()


def block_hash(value: Any) -> str:
    """A hash as the journal has it.

    Raises: ValueError: it is none.
    """
    if len(data(value)) != 32:
        raise ValueError(f"{value!r} is not a hash")
    return str(value).lower()
