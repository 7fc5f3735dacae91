"""L1 as one node has it, as of one head: where nonces were used, by what, and how far back nothing changes any more."""

from collections.abc import Callable
from typing import Any, TypeVar

from rollup.l1.node import Head, quantity
from rollup.l1.refusals import Refusals
from rollup.l1.rpc import Rpc, RpcError
from rollup.landing.calls import Call, gas_limit
from rollup.landing.endpoints import Endpoint, Endpoints, block_hash
from rollup.landing.fees import HISTORY_BLOCKS, PERCENTILES, Market
from rollup.landing.model import Action, Outcome, Place

T = TypeVar("T")


class Look:
    """One round's view of L1.

    Args:
        endpoints: The nodes.
        endpoint: The one that is asked; its head was just read.

    What all methods raise: NodeUnreachable, NodeFaulty; the view is then worth nothing.
    """

    def __init__(self, endpoints: Endpoints, endpoint: Endpoint) -> None:
        assert endpoint.head is not None
        self.head: Head = endpoint.head
        self.endpoint = endpoint
        self._endpoints = endpoints
        self._counts: dict[str, int] = {}
        self._headers: dict[int, Head | None] = {self.head.number: self.head}
        self._market: Market | None = None

    @property
    def rpc(self) -> Rpc:
        """Asks this node, and lets it rest if it fails."""
        return _Asking(self._endpoints, self.endpoint)

    @property
    def market(self) -> Market:
        """What gas costs."""
        if self._market is None:
            question = "eth_feeHistory", hex(HISTORY_BLOCKS), "latest", list(PERCENTILES)
            self._market = self._ask(Market.of, *question)
        return self._market

    def count(self, address: str) -> int:
        """How many nonces of an address are used as of the head."""
        if address not in self._counts:
            count = self._ask(quantity, "eth_getTransactionCount", address, hex(self.head.number))
            self._counts[address] = count
        return self._counts[address]

    def count_waiting(self, address: str) -> int:
        """The same with the transactions that wait for a block."""
        return self._ask(quantity, "eth_getTransactionCount", address, "pending")

    def gas_limit(self, refusals: Refusals, call: Call, address: str) -> int:
        """The gas to allow a call.

        Raises: ContractRefused, TransactionReverted, GasLimitExceeded.
        """
        try:
            return gas_limit(self.rpc, refusals, call, address)
        except (ValueError, TypeError) as error:
            raise self._endpoints.faulty(self.endpoint, "eth_estimateGas", str(error)) from error

    def balance(self, address: str) -> int:
        """What an address has, in wei."""
        return self._ask(quantity, "eth_getBalance", address, "latest")

    def has(self, transaction: str) -> bool:
        """Whether the node has a transaction, mined or waiting."""
        found: bool = self._ask(lambda answer: answer is not None, "eth_getTransactionByHash", transaction)
        return found

    def is_there(self, place: Place) -> bool | None:
        """Whether an L1 block is still on the chain; None if the chain does not reach it yet."""
        if place.l1_block > self.head.number:
            return None
        header = self._header(place.l1_block)
        return header is not None and header.hash == place.l1_hash

    def place(self, action: Action) -> Place | None:
        """Where an action's nonce is used; None if it is not."""
        assert action.address is not None
        assert action.nonce is not None
        if self.count(action.address) <= action.nonce:
            return None
        for attempt in reversed(action.attempts):
            found = self._ask(_receipt, "eth_getTransactionReceipt", attempt.hash)
            if found is None:
                continue
            if self.is_there(found) is not True:
                raise self._contradiction(f"{attempt.hash} is in block {found.l1_hash}, which it does not have")
            if attempt.cancels:
                return Place(Outcome.CANCELLED, *_rest(found))
            return found
        return self._foreign(action.address, action.nonce, {attempt.hash for attempt in action.attempts})

    def foreign(self, address: str, nonce: int) -> str:
        """Name of the mined transaction that used a nonce, empty if the node cannot tell."""
        return self._foreign(address, nonce, set()).transaction

    def foreign_waiting(self, address: str, nonce: int) -> str:
        """Name of the transaction of a nonce that waits for a block, empty if the node cannot tell."""
        try:
            return _named(self.rpc("eth_getBlockByNumber", "pending", True), address, nonce)
        except (RpcError, ValueError, TypeError, KeyError):
            return ""

    def final_number(self, depth: int, has_tag: bool) -> int:
        """Number of the last L1 block that stays: so deep, and finalised if the chain knows that; may be < 0."""
        number = self.head.number - depth
        if has_tag:
            finalized = self._endpoints.header(self.endpoint, "finalized")
            number = min(number, -1 if finalized is None else finalized.number)
        return number

    def require_same_head(self) -> None:
        """See that all was of one chain: L1 may be reorganised between two questions."""
        header = self._endpoints.header(self.endpoint, self.head.number)
        if header != self.head:
            raise self._contradiction(f"its block {self.head.number} was replaced meanwhile")

    def _foreign(self, address: str, nonce: int, ours: set[str]) -> Place:
        number = self._used_in(address, nonce)
        if number is None:
            return Place(Outcome.DISPLACED, "", self.head.number, self.head.hash)
        # A node that cannot show the block may be wrong about the receipt too: nothing is lost on its word.
        name = self._ask(lambda block: _named(block, address, nonce), "eth_getBlockByNumber", hex(number), True)
        header = self._header(number)
        if name in ours or header is None:
            raise self._contradiction(f"it has {name} in a block, and no receipt of it")
        return Place(Outcome.DISPLACED, name, number, header.hash)

    def _used_in(self, address: str, nonce: int) -> int | None:
        """Number of the L1 block that used a nonce, looked for backwards from the head in growing steps.

        None if the node does not know its state of so many blocks ago any more.
        """
        try:
            high, step = self.head.number, 1
            low = max(high - step, 0)
            while low > 0 and self._count_at(address, low) > nonce:
                high, step = low, 2 * step
                low = max(low - step, 0)
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (low, middle) if self._count_at(address, middle) > nonce else (middle, high)
        except RpcError:
            return None
        return high

    def _count_at(self, address: str, number: int) -> int:
        answer = self.rpc("eth_getTransactionCount", address, hex(number))
        try:
            return quantity(answer)
        except ValueError as error:
            raise self._endpoints.faulty(self.endpoint, "eth_getTransactionCount", str(error)) from error

    def _header(self, number: int) -> Head | None:
        if number not in self._headers:
            self._headers[number] = self._endpoints.header(self.endpoint, number)
        return self._headers[number]

    def _ask(self, parse: Callable[[Any], T], method: str, *params: object) -> T:
        return self._endpoints.ask(self.endpoint, parse, method, *params)

    def _contradiction(self, reason: str) -> Exception:
        return self._endpoints.faulty(self.endpoint, "eth_getBlockByNumber", reason)


class _Asking:
    def __init__(self, endpoints: Endpoints, endpoint: Endpoint) -> None:
        self._endpoints, self._endpoint = endpoints, endpoint

    @property
    def name(self) -> str:
        return self._endpoint.name

    def __call__(self, method: str, *params: object) -> Any:
        return self._endpoints.call(self._endpoint, method, *params)


def _receipt(answer: Any) -> Place | None:
    if answer is None or answer.get("blockHash") is None:
        return None
    return Place(
        Outcome.SUCCEEDED if quantity(answer["status"]) == 1 else Outcome.FAILED,
        block_hash(answer["transactionHash"]),
        quantity(answer["blockNumber"]),
        block_hash(answer["blockHash"]),
        quantity(answer["gasUsed"]),
        quantity(answer["effectiveGasPrice"]),
    )


def _rest(place: Place) -> tuple[str, int, str, int, int]:
    return place.transaction, place.l1_block, place.l1_hash, place.gas_used, place.gas_price


def _named(block: Any, address: str, nonce: int) -> str:
    """Name of an address's transaction of a nonce in a block with its transactions; empty if it is not there."""
    for transaction in block["transactions"]:
        if int(transaction["from"], 16) == int(address, 16) and quantity(transaction["nonce"]) == nonce:
            return block_hash(transaction["hash"])
    return ""
