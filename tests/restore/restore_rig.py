"""What the restore tests share."""

import threading
from pathlib import Path
from typing import Any

from fake_l1 import CHAIN_ID, ROLLUP, FakeL1
from operator_model import Operator, assert_same_state

from rollup.l1.feed import Feed
from rollup.l1.node import Node
from rollup.l1.rpc import JsonRpc
from rollup.restore import Restored, restore
from rollup.store import Store


class Direct(JsonRpc):
    """A node without HTTP between: calls the answering function, for one thread at a time."""

    __slots__ = ("answer", "lock")

    def __init__(self, answer: Any, url: str = "http://fake") -> None:
        super().__init__(url)
        object.__setattr__(self, "answer", answer)
        object.__setattr__(self, "lock", threading.Lock())

    def __call__(self, method: str, *params: object) -> Any:
        with self.lock:
            return self.answer(method, *params)


class Rig:
    """An operator, an L1, and a store."""

    def __init__(self, path: Path, seed: int = 1) -> None:
        self.path = path
        self.l1 = FakeL1()
        self.operator = Operator(seed, CHAIN_ID, ROLLUP)
        self.pauses: list[float] = []

    def blocks(self, count: int, operations: int = 6, publish: bool = True) -> None:
        """Make blocks, and have them committed and proven."""
        for _ in range(count):
            self.operator.block(operations)
        if publish:
            self.l1.publish(self.operator)

    def reorganise(self, depth: int) -> None:
        """L1 takes back blocks, and the operator what they held."""
        self.l1.reorganise(depth)
        self.operator.go_back(len(self.l1.contract.hashes) - 1)

    def feed(self, rpc: JsonRpc | None = None, attempts: int = 10, **options: Any) -> Feed:
        """The rollup at a node: by default one that is right. Waiting is only noted."""
        return Feed(Node(rpc or Direct(self.l1.answer), attempts, self.pauses.append), self.l1.origin, **options)

    def restore(self, rpc: JsonRpc | None = None, **options: Any) -> Restored:
        """Restore into the store."""
        with Store(self.path, self.l1.origin) as store:
            return restore(store, self.feed(rpc), **options)

    def check(self, number: int | None = None) -> None:
        """The store holds the operator's state after block `number`, by default the last proven one."""
        number = self.l1.contract.proven if number is None else number
        with Store(self.path) as store:
            assert store.tip.block == self.operator.chain[number]
            assert_same_state(store.load(), self.operator.states[number])

    def undoable(self) -> list[int]:
        """The blocks that the store can take back."""
        with Store(self.path) as store:
            return [row[0] for row in store._rows("SELECT DISTINCT block FROM undo ORDER BY block")]
