"""JSON-RPC over HTTP, with the standard library alone."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from rollup.l1.errors import NodeUnreachable

TIMEOUT_SECONDS: Final = 60
LOG_RANGE_BLOCKS: Final = 10_000
"""L1 blocks asked for at once: what the stricter public endpoints allow."""
MAX_ANSWER_BYTES: Final = 1 << 28
"""More than any honest answer has: a transaction is below 2^24 bytes."""
READ_BYTES: Final = 1 << 16


class RpcError(Exception):
    """The node answered with an error.

    Args:
        method: What was asked.
        text: The node's words.
        data: The node's data, such as the bytes a call reverted with; None if it gave none.
        code: The node's error code, 0 if it gave none.
    """

    def __init__(self, method: str, text: str, data: Any = None, code: int = 0) -> None:
        super().__init__(f"{method}: {text}")
        self.method = method
        self.text = text
        self.data = data
        self.code = code

    def revert_data(self) -> bytes:
        """Return what the call reverted with, empty if the node did not say."""
        data = self.data.get("data") if isinstance(self.data, dict) else self.data
        if not isinstance(data, str) or not data.startswith("0x"):
            return b""
        return bytes.fromhex(data[2:])


class Rpc(Protocol):
    """Asks a node, as JsonRpc does."""

    @property
    def name(self) -> str:
        """What error messages call the node."""

    def __call__(self, method: str, *params: object) -> Any:
        """Return the result of a method.

        Raises: NodeUnreachable; RpcError if the node answers with an error.
        """


@dataclass(frozen=True, slots=True)
class JsonRpc:
    """A node.

    Args:
        url: Its HTTP address.
        timeout_seconds: How long one answer may take.
    """

    url: str
    timeout_seconds: float = TIMEOUT_SECONDS

    @property
    def name(self) -> str:
        """The address without what may be secret of it: who asks for it in an error message must not publish a key."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    def __call__(self, method: str, *params: object) -> Any:
        """Return the result of a method.

        Raises: NodeUnreachable; RpcError if the node answers with an error.
        """
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        try:
            status, content = self._post(body)
        except (OSError, HTTPException, ValueError) as error:  # URLError is an OSError
            raise NodeUnreachable(self.name, str(getattr(error, "reason", error)) or type(error).__name__) from error
        try:
            answer = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise NodeUnreachable(self.name, f"{status}, and not JSON") from error
        if not isinstance(answer, dict) or not ("result" in answer or answer.get("error")):
            raise NodeUnreachable(self.name, f"{status}, and not JSON-RPC")
        if answer.get("error"):  # some send null beside a result
            raise _rpc_error(method, answer["error"])
        return answer["result"]

    def _post(self, body: bytes) -> tuple[str, bytes]:
        """Send; return the status in words, and the answer: JSON-RPC errors come with other statuses than 200 too."""
        deadline = time.monotonic() + self.timeout_seconds
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})  # noqa: S310
        try:
            opened = urllib.request.urlopen(request, timeout=self.timeout_seconds)  # noqa: S310
        except urllib.error.HTTPError as error:
            opened = error
        with opened as response:
            return f"HTTP {response.status} {response.reason}", _read(response, deadline)

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


def _rpc_error(method: str, error: Any) -> RpcError:
    said = error if isinstance(error, dict) else {"message": error}
    code = said.get("code")
    return RpcError(method, str(said.get("message")), said.get("data"), code if isinstance(code, int) else 0)


def _read(response: HTTPResponse, deadline: float) -> bytes:
    """The whole answer: a socket's own timeout starts again with every byte that trickles in."""
    content = bytearray()
    while part := response.read1(READ_BYTES):
        content += part
        if time.monotonic() > deadline:
            raise TimeoutError("timed out in the middle of the answer")
        if len(content) > MAX_ANSWER_BYTES:
            raise ValueError(f"the answer is longer than {MAX_ANSWER_BYTES} bytes")
    return bytes(content)
