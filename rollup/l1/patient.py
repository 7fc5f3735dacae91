"""A node that may fail for a moment, or limit how much it gives at once: what users' commands ask."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rollup.l1.errors import NodeFaulty, NodeUnreachable
from rollup.l1.node import FINAL_CODES, FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS
from rollup.l1.rpc import LOG_RANGE_BLOCKS, JsonRpc, RpcError

ATTEMPTS: Final = 6
"""How often one question is asked: for a few seconds, timeouts apart."""
REFUSABLE: Final = ("eth_sendRawTransaction", "eth_estimateGas", "eth_maxPriorityFeePerGas")
"""Methods by whose errors a node says something about what was asked, with any code: those are not asked again."""


@dataclass(frozen=True, slots=True)
class PatientRpc(JsonRpc):
    """As JsonRpc, but a question is asked again until there is an answer, and logs in ranges as small as it takes.

    Args:
        pause: Waits so many seconds.
    """

    pause: Callable[[float], None] = time.sleep

    def __call__(self, method: str, *params: object) -> Any:
        """Return the result of a method.

        Raises:
            RpcError: What the node says of a call or transaction.
            NodeUnreachable, NodeFaulty: After the last attempt.
        """
        for attempt in range(ATTEMPTS):
            is_last = attempt + 1 == ATTEMPTS
            try:
                return JsonRpc.__call__(self, method, *params)
            except NodeUnreachable:
                if is_last:
                    raise
            except RpcError as error:
                if method in REFUSABLE or error.code in FINAL_CODES or error.revert_data():
                    raise
                if is_last:
                    raise NodeFaulty(self.name, method, f"it says {error.text!r}") from error
            self._wait(attempt)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def logs(self, address: str, events: Sequence[bytes], start: int) -> Iterator[dict[str, Any]]:
        """As JsonRpc's; a range is halved when the node refuses it, since their limits differ.

        Raises: NodeUnreachable, NodeFaulty.
        """
        topics = [["0x" + event.hex() for event in events]]
        head = int(self("eth_blockNumber"), 16)
        first, span, failures = start, LOG_RANGE_BLOCKS, 0
        while first <= head:
            last = min(first + span - 1, head)
            query = {"address": address, "topics": topics, "fromBlock": hex(first), "toBlock": hex(last)}
            try:
                found = JsonRpc.__call__(self, "eth_getLogs", query)
            except (NodeUnreachable, RpcError) as error:
                if first == last and failures + 1 >= ATTEMPTS:
                    if isinstance(error, NodeUnreachable):
                        raise
                    raise NodeFaulty(self.name, "eth_getLogs", f"it says {error.text!r}") from error
                span = max((last - first + 1) // 2, 1)
                self._wait(failures)
                failures += 1
                continue
            yield from found
            first, failures = last + 1, 0

    def _wait(self, failures: int) -> None:
        self.pause(min(FIRST_PAUSE_SECONDS * 2**failures, LONGEST_PAUSE_SECONDS))
