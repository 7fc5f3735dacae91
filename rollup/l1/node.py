"""A JSON-RPC node as nodes are: slow, busy, with limits of their own, for a moment behind their siblings.

Every question is asked again, with growing pauses, until its answer is one; what never becomes one is raised, with the
node's words. Whether an answer is true is not judged here: `feed.py` holds it to hashes.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from rollup.l1.errors import L1BlockReplaced, NodeFaulty, NodeUnreachable
from rollup.l1.rpc import LOG_RANGE_BLOCKS, JsonRpc, RpcError

ATTEMPTS: Final = 10
"""How often one question is asked: for the better part of a minute, timeouts apart."""
FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 15.0
CALMS_BEFORE_GROWTH: Final = 16
"""After so many answers in a row a narrowed range of logs is doubled again."""
FINAL_CODES: Final = (3, -32601)
"""A call that reverted and a method that does not exist are the same the next time."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Head:
    """An L1 block by number and hash, the hash as 0x and 64 digits."""

    number: int
    hash: str


@dataclass(frozen=True, slots=True)
class Log:
    """A contract's log: what it says, and where it stands."""

    topics: tuple[bytes, ...]
    data: bytes
    transaction: str
    l1_block: int
    index: int


class Node:
    """Asks a node until it answers.

    Args:
        rpc: Its endpoint.
        attempts: How often a question is asked, at least 1.
        pause: Waits so many seconds.
    """

    def __init__(self, rpc: JsonRpc, attempts: int = ATTEMPTS, pause: Callable[[float], None] = time.sleep) -> None:
        self.rpc = rpc
        self._attempts = attempts
        self._pause = pause
        self._span = LOG_RANGE_BLOCKS
        self._calms = 0

    @property
    def name(self) -> str:
        """What error messages call it."""
        return self.rpc.name

    def ask(self, parse: Callable[[Any], T], method: str, *params: object, at: Head | None = None) -> T:
        """Return what a method answers.

        Args:
            parse: Makes the answer into what is wanted; an error it raises makes the answer none.
            method: The method's name, then its parameters.
            at: The L1 block that the question depends on.

        Raises: NodeUnreachable, NodeFaulty: after the last attempt. L1BlockReplaced: the node has given up `at`.
        """
        for attempt in range(self._attempts):
            try:
                return self._once(parse, method, *params)
            except (NodeUnreachable, NodeFaulty) as error:
                is_last = attempt + 1 == self._attempts
                self._require(at, error, is_last)
                if is_last or isinstance(error, _NodeRefuses):
                    raise
            self.wait(attempt)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def wait(self, failures: int) -> None:
        """Pause before another attempt, longer after each failure."""
        self._pause(min(FIRST_PAUSE_SECONDS * 2**failures, LONGEST_PAUSE_SECONDS))

    def chain_id(self) -> int:
        """The EIP-155 chain id."""
        return self.ask(quantity, "eth_chainId")

    def header(self, number: int | None = None) -> Head:
        """The L1 block of a number, the latest by default."""

        def parse(answer: Any) -> Head:
            found = Head(quantity(answer["number"]), _hash(answer["hash"]))
            if number not in (None, found.number):
                raise ValueError(f"asked for block {number}, it gives block {found.number}")
            return found

        return self.ask(parse, "eth_getBlockByNumber", "latest" if number is None else hex(number), False)

    def view(self, contract: str, call: bytes, at: Head | None = None, length: int | None = None) -> bytes:
        """What a view of a contract answers.

        Args:
            contract, call: Who is asked what.
            at: As of which L1 block, by its hash, so that a node on another fork has no answer; by default the latest.
            length: How many bytes an answer must have; by default any number.
        """

        def parse(answer: Any) -> bytes:
            found = data(answer)
            if length not in (None, len(found)):
                raise ValueError(f"{contract} answers {answer!r} instead of {length} bytes")
            return found

        question = {"to": contract, "data": "0x" + call.hex()}
        return self.ask(parse, "eth_call", question, {"blockHash": at.hash} if at else "latest", at=at)

    def code(self, contract: str) -> bytes:
        """The code of a contract, empty if there is none."""
        return self.ask(data, "eth_getCode", contract, "latest")

    def transaction(self, name: str, at: Head) -> dict[str, bytes]:
        """Recipient and input of a transaction by its hash; it is in the chain of an L1 block."""

        def parse(answer: Any) -> dict[str, bytes]:
            if answer is None:
                raise ValueError(f"it does not have transaction {name}: a node that keeps all history does")
            return {"to": data(answer["to"] or "0x"), "input": data(answer["input"])}

        return self.ask(parse, "eth_getTransactionByHash", name, at=at)

    def logs(self, contract: str, event: bytes, first: int, last: Head, parse: Callable[[Log], T]) -> Iterator[list[T]]:
        """Yield a contract's logs of one event, in order, those of a range of L1 blocks at a time.

        The range is halved when the node refuses or fails: their limits differ, as do the words in which they say so.

        Args:
            contract, event: Whose logs, and their first topic.
            first, last: Number of the first L1 block, and the last one.
            parse: Makes a log into what is wanted; a ValueError it raises makes the answer none.
        """
        failures = 0
        while first <= last.number:
            end = min(first + self._span - 1, last.number)
            query = {
                "address": contract,
                "topics": ["0x" + event.hex()],
                "fromBlock": hex(first),
                "toBlock": hex(end),
            }
            try:
                found = self._once(partial(_logs, (contract, event, first, end), parse), "eth_getLogs", query)
            except (NodeUnreachable, NodeFaulty) as error:
                is_last = end == first and failures + 1 >= self._attempts
                self._require(last, error, is_last)
                if is_last:
                    raise
                self._span, self._calms = max((end - first + 1) // 2, 1), 0
                self.wait(failures)
                failures += 1
                continue
            yield found
            failures, first = 0, end + 1
            self._calms += 1
            if self._calms == CALMS_BEFORE_GROWTH:
                self._span, self._calms = min(2 * self._span, LOG_RANGE_BLOCKS), 0

    def _require(self, at: Head | None, error: Exception, is_last: bool) -> None:
        """Raise if an answer was none because the L1 block that was asked about is gone."""
        if at is None or isinstance(error, NodeUnreachable):
            return
        latest = self.header()
        # Below it, the node may only be a sibling that lags: it gets all attempts to catch up.
        is_gone = is_last if latest.number < at.number else self.header(at.number).hash != at.hash
        if is_gone:
            raise L1BlockReplaced(self.name, at.number, at.hash) from error

    def _once(self, parse: Callable[[Any], T], method: str, *params: object) -> T:
        try:
            answer = self.rpc(method, *params)
        except RpcError as error:
            kind = _NodeRefuses if error.code in FINAL_CODES else NodeFaulty
            raise kind(self.name, method, f"it says {error.text!r}") from error
        try:
            return parse(answer)
        except (ValueError, TypeError, KeyError, IndexError) as error:
            raise NodeFaulty(self.name, method, str(error) or type(error).__name__) from error


class _NodeRefuses(NodeFaulty):
    """Asking again is no use."""


def quantity(value: Any) -> int:
    """A JSON-RPC quantity.

    Raises: ValueError: it is none.
    """
    if not isinstance(value, str) or not value.startswith("0x"):
        raise ValueError(f"{value!r} is not a quantity such as 0x1f")
    return int(value, 16)


def data(value: Any) -> bytes:
    """JSON-RPC data.

    Raises: ValueError: it is none.
    """
    if not isinstance(value, str) or not value.startswith("0x"):
        raise ValueError(f"{value!r} is not data such as 0x00ff")
    return bytes.fromhex(value[2:])


def _hash(value: Any) -> str:
    if len(data(value)) != 32:
        raise ValueError(f"{value!r} is not a hash")
    return str(value).lower()


def _logs(asked: tuple[str, bytes, int, int], parse: Callable[[Log], T], answer: Sequence[Any]) -> list[T]:
    contract, event, first, last = asked
    logs: dict[tuple[int, int], Log] = {}
    for entry in answer:
        at, index = quantity(entry["blockNumber"]), quantity(entry["logIndex"])
        topics = tuple(data(topic) for topic in entry["topics"])
        if int(entry["address"], 16) != int(contract, 16) or topics[0] != event or not first <= at <= last:
            raise ValueError(f"asked for logs of {contract} in blocks {first} to {last}, it gives {entry}")
        if not entry.get("removed"):
            logs[at, index] = Log(topics, data(entry["data"]), _hash(entry["transactionHash"]), at, index)
    return [parse(log) for _, log in sorted(logs.items())]
