"""JSON-RPC over HTTP, with the standard library alone."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, Final

from rollup.l1.errors import NodeUnreachable

TIMEOUT_SECONDS: Final = 60
LOG_RANGE_BLOCKS: Final = 10_000
"""L1 blocks asked for at once: what the stricter public endpoints allow."""


class RpcError(Exception):
    """The node answered with an error.

    Args:
        method: What was asked.
        text: The node's words.
        data: The node's data, such as the bytes a call reverted with; None if it gave none.
    """

    def __init__(self, method: str, text: str, data: Any = None) -> None:
        super().__init__(f"{method}: {text}")
        self.method = method
        self.text = text
        self.data = data

    def revert_data(self) -> bytes:
        """Return what the call reverted with, empty if the node did not say."""
        data = self.data.get("data") if isinstance(self.data, dict) else self.data
        if not isinstance(data, str) or not data.startswith("0x"):
            return b""
        return bytes.fromhex(data[2:])


@dataclass(frozen=True, slots=True)
class JsonRpc:
    """A node.

    Args:
        url: Its HTTP address.
        timeout_seconds: How long one answer may take.
    """

    url: str
    timeout_seconds: float = TIMEOUT_SECONDS

    def __call__(self, method: str, *params: object) -> Any:
        """Return the result of a method.

        Raises: NodeUnreachable; RpcError if the node answers with an error.
        """
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        try:
            request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})  # noqa: S310
            with urllib.request.urlopen(request, timeout=self.timeout_seconds) as response:  # noqa: S310
                answer = json.load(response)
        except (OSError, HTTPException, ValueError) as error:  # URLError is an OSError
            raise NodeUnreachable(self.url, str(getattr(error, "reason", error)) or type(error).__name__) from error
        if not isinstance(answer, dict) or ("error" not in answer and "result" not in answer):
            raise NodeUnreachable(self.url, "it does not speak JSON-RPC")
        if "error" in answer:
            raise RpcError(method, str(answer["error"].get("message")), answer["error"].get("data"))
        return answer["result"]

    def chain_id(self) -> int:
        """Return the EIP-155 chain id."""
        return int(self("eth_chainId"), 16)

    def call(self, to: str, data: bytes) -> bytes:
        """Return what a view answers on the latest block."""
        result: str = self("eth_call", {"to": to, "data": "0x" + data.hex()}, "latest")
        return bytes.fromhex(result[2:])

    def code(self, address: str) -> bytes:
        """Return the code at an address, empty if there is none."""
        return bytes.fromhex(self("eth_getCode", address, "latest")[2:])

    def logs(self, address: str, events: Sequence[bytes], start: int) -> Iterator[dict[str, Any]]:
        """Yield a contract's logs of any of some events, in order, a range of L1 blocks at a time.

        Args:
            address: The contract.
            events: First topics, 32 bytes each.
            start: L1 block number to begin with; the last is the node's head.
        """
        topics = [["0x" + event.hex() for event in events]]
        head = int(self("eth_blockNumber"), 16)
        for first in range(start, head + 1, LOG_RANGE_BLOCKS):
            last = min(first + LOG_RANGE_BLOCKS - 1, head)
            yield from self(
                "eth_getLogs", {"address": address, "topics": topics, "fromBlock": hex(first), "toBlock": hex(last)}
            )
