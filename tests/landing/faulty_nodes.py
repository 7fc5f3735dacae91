"""Nodes in front of a simulated L1 that are not as they should be."""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from bench.l1_simulator import Simulator
from rollup.l1.errors import NodeUnreachable
from rollup.l1.rpc import RpcError

Fault = Callable[[str, tuple[Any, ...]], Any]
"""Called with (method, params); raises, or returns an answer, or None to have the right one given."""


class Node:
    """A node of a name; `fault` may be changed at any time. `asked` counts questions by method."""

    def __init__(self, l1: Simulator, name: str = "http://node", fault: Fault | None = None) -> None:
        self.l1 = l1
        self.name = name
        self.fault = fault
        self.asked: Counter[str] = Counter()

    def __call__(self, method: str, *params: Any) -> Any:
        self.asked[method] += 1
        found = None if self.fault is None else self.fault(method, params)
        return self.l1(method, *params) if found is None else found

    def down(self, *_: Any) -> Any:
        raise NodeUnreachable(self.name, "connection refused")


class Lagging(Node):
    """Is some blocks behind, and has no transaction that waits."""

    def __init__(self, l1: Simulator, name: str, blocks: int) -> None:
        super().__init__(l1, name)
        self._blocks = blocks

    def __call__(self, method: str, *params: Any) -> Any:
        if method == "eth_sendRawTransaction":
            raise RpcError(method, "the node is syncing", None, -32000)
        behind = Simulator(blocks=self.l1.blocks[: len(self.l1.blocks) - self._blocks], fails=self.l1.fails)
        self.asked[method] += 1
        return behind(method, *params)


class Random(Node):
    """Fails now and then in every way: before it acts, after it acted, or with nonsense."""

    def __init__(self, l1: Simulator, name: str, rng: random.Random, share: float) -> None:
        super().__init__(l1, name)
        self._rng = rng
        self.share = share

    def __call__(self, method: str, *params: Any) -> Any:
        if self._rng.random() >= self.share:
            return super().__call__(method, *params)
        match self._rng.randrange(6):
            case 0:
                return self.down()
            case 1:
                raise RpcError(method, "Too Many Requests", None, 429)
            case 2:
                return None
            case 3:
                return "0xnonsense"
            case 4:
                raise RpcError(method, "internal error", None, -32603)
            case _:
                super().__call__(method, *params)
                raise NodeUnreachable(self.name, "timed out")
