"""How far each block has come and when: written down as it happens, and read from L1's events where it was missed.

    closed -> sealed -> proven (here) -> committed -> proven_on_l1 -> executed (on L1, each by a transaction)

`received` and `durable` are an operation's own: the time in its receipt, which is given out when it is durable.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from eth_hash.auto import keccak
from sqlalchemy import and_, delete, func, insert, or_, select

from rollup.l1.abi import BLOCK_COMMITTED
from rollup.l1.rpc import LOG_RANGE_BLOCKS, JsonRpc
from rollup.node.chain import Heads
from rollup.node.database import Database
from rollup.node.entries import Entry
from rollup.node.errors import DatabaseError
from rollup.node.tables import stages
from rollup.service.logs import Event, log, log_values

BLOCK_PROVEN: Final = keccak(b"BlockProven(uint64,bytes32)")
BLOCK_EXECUTED: Final = keccak(b"BlockExecuted(uint64,bytes32,address)")
KEPT_WAITING: Final = 100_000
"""Stages that could not be written yet; older ones are forgotten first."""
BLOCKS_AT_ONCE: Final = 200
"""So many are asked of L1's events at once, the oldest first."""


class Stage(StrEnum):
    """How far a block has come."""

    CLOSED = "closed"
    SEALED = "sealed"
    PROVEN = "proven"
    COMMITTED = "committed"
    PROVEN_ON_L1 = "proven_on_l1"
    EXECUTED = "executed"


ON_L1: Final = (Stage.COMMITTED, Stage.PROVEN_ON_L1, Stage.EXECUTED)
_TOPICS: Final = {BLOCK_COMMITTED: Stage.COMMITTED, BLOCK_PROVEN: Stage.PROVEN_ON_L1, BLOCK_EXECUTED: Stage.EXECUTED}
_EVENTS: Final = {
    Stage.CLOSED: Event.CLOSED,
    Stage.SEALED: Event.PROVING,
    Stage.PROVEN: Event.PROVEN,
    Stage.COMMITTED: Event.COMMITTED,
    Stage.PROVEN_ON_L1: Event.PROVEN_ON_L1,
    Stage.EXECUTED: Event.EXECUTED,
}


@dataclass(frozen=True, slots=True)
class Reached:
    """A block came to a stage; `at` in unix seconds, by our clock or the L1 block's."""

    block: int
    stage: Stage
    at: float
    l1_transaction: str | None = None
    l1_block: int | None = None


class Stages:
    """The record. `note` may be called from any thread and never waits; `keep` and `look` are one thread's.

    Args:
        database: Where it is kept.
        clock: Unix seconds.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database, self._clock = database, clock
        self._lock = threading.Lock()
        self._waiting: list[Reached] = []
        self._seen = Heads(-1, -1, -1)

    def note(self, block: int, stage: Stage) -> None:
        """A block came to a stage here, now; of a stage that is noted again, the first time counts."""
        self._add([Reached(block, stage, self._clock())])

    def keep(self) -> None:
        """Write down what was noted.

        Raises: DatabaseError: it is kept for the next time.
        """
        with self._lock:
            waiting, self._waiting = self._waiting, []
        try:
            self._write(waiting)
        except DatabaseError:
            with self._lock:
                self._waiting = (waiting + self._waiting)[-KEPT_WAITING:]
            raise

    def look(self, heads: Heads, rpc: JsonRpc, rollup: str, deployed_at: int) -> None:
        """Take in what L1 has done since the last look, and forget what it took back.

        Args:
            heads: How far L1 is.
            rpc, rollup, deployed_at: Where its events are.

        Raises: L1Error, RpcError, DatabaseError: all is looked at again the next time.
        """
        if heads == self._seen:
            return
        last = {Stage.COMMITTED: heads.committed, Stage.PROVEN_ON_L1: heads.proven, Stage.EXECUTED: heads.executed}
        self._forget_beyond(last)
        known = self._last_on_l1()
        wanted = {
            (number, stage)
            for stage in ON_L1
            for number in range(known[stage] + 1, min(last[stage], known[stage] + BLOCKS_AT_ONCE) + 1)
        }
        start = max(deployed_at, self._l1_block(min(known.values())))
        found = [each for each in self._events(rpc, rollup, start, wanted) if (each.block, each.stage) in wanted]
        self._add(found)
        self.keep()
        if all(last[stage] <= known[stage] + BLOCKS_AT_ONCE for stage in ON_L1):
            self._seen = heads

    def of(self, block: int) -> list[Reached]:
        """What is known of a block, in order."""
        return list(self.between(block, block))

    def between(self, first: int, last: int) -> Iterator[Reached]:
        """What is known of blocks, in order; also what is noted and not written yet."""
        query = select(stages).where(stages.c.block >= first, stages.c.block <= last)
        with self._database.transaction(writing=False) as connection:
            rows = [Reached(**row) for row in connection.execute(query).mappings()]
        found = {(each.block, each.stage): each for each in rows}
        with self._lock:
            for each in self._waiting:
                if first <= each.block <= last:
                    found.setdefault((each.block, each.stage), each)
        order = list(Stage)
        yield from sorted(found.values(), key=lambda each: (each.block, order.index(each.stage)))

    def trace(self, operation_hash: bytes) -> list[Mapping[str, Any]] | None:
        """An operation's stages with their times, by its hash; None if it is not known."""
        entries = self._database.find(operation_hash, latest=1)
        return self.trace_of(entries[-1]) if entries else None

    def trace_of(self, entry: Entry) -> list[Mapping[str, Any]]:
        """The stages of an operation at its place."""
        place = {"block": entry.block, "position": entry.position}
        steps: list[Mapping[str, Any]] = [
            {"stage": "received", "at": entry.issued_at},
            {"stage": "durable", "at": entry.issued_at, **place},
        ]
        for each in self.of(entry.block):
            step = {name: value for name, value in asdict(each).items() if value is not None and name != "block"}
            steps.append(step | {"stage": str(each.stage), "at": round(each.at, 3)})
        return steps

    # Inside

    def _add(self, reached: Sequence[Reached]) -> None:
        with self._lock:
            self._waiting += reached
        for each in reached:
            values: dict[str, Any] = {"block": each.block}
            if each.l1_transaction is not None:
                values["transaction"] = each.l1_transaction
            log_values(_EVENTS[each.stage], values)

    def _write(self, reached: Sequence[Reached]) -> None:
        if not reached:
            return
        first = {(each.block, str(each.stage)): each for each in reversed(reached)}
        numbers = {number for number, _ in first}
        with self._database.transaction() as connection:
            query = select(stages.c.block, stages.c.stage).where(stages.c.block.in_(numbers))
            there = {(row.block, row.stage) for row in connection.execute(query)}
            rows = [asdict(each) | {"stage": str(each.stage)} for key, each in first.items() if key not in there]
            if rows:
                connection.execute(insert(stages), rows)

    def _last_on_l1(self) -> dict[Stage, int]:
        """The last block that is known to have come to each stage on L1; 0 if none is."""
        query = select(stages.c.stage, func.max(stages.c.block)).group_by(stages.c.stage)
        with self._database.transaction(writing=False) as connection:
            found = {row[0]: int(row[1]) for row in connection.execute(query)}
        return {stage: found.get(stage, 0) for stage in ON_L1}

    def _l1_block(self, number: int) -> int:
        """Where a block was committed, as far as is known."""
        query = select(stages.c.l1_block).where(stages.c.block == number, stages.c.stage == Stage.COMMITTED)
        with self._database.transaction(writing=False) as connection:
            return int(connection.execute(query).scalar() or 0)

    def _forget_beyond(self, last: Mapping[Stage, int]) -> None:
        """L1 was reorganised: what it took back did not happen."""
        is_gone = or_(*(and_(stages.c.stage == stage, stages.c.block > last[stage]) for stage in ON_L1))
        with self._database.transaction(writing=False) as connection:
            gone = sorted({row.block for row in connection.execute(select(stages.c.block).where(is_gone))})
        if gone:
            log(Event.TAKEN_BACK, logging.WARNING, blocks=gone)
            with self._database.transaction() as connection:
                connection.execute(delete(stages).where(is_gone))

    def _events(self, rpc: JsonRpc, rollup: str, deployed_at: int, wanted: set[tuple[int, Stage]]) -> Iterator[Reached]:
        if not wanted:
            return
        numbers = [f"0x{number:064x}" for number in sorted({number for number, _ in wanted})]
        topics = [["0x" + event.hex() for event in _TOPICS], numbers]
        head, times = int(rpc("eth_blockNumber"), 16), dict[str, float]()
        for first in range(deployed_at, head + 1, LOG_RANGE_BLOCKS):
            last = min(first + LOG_RANGE_BLOCKS - 1, head)
            place = {"fromBlock": hex(first), "toBlock": hex(last)}
            for found in rpc("eth_getLogs", {"address": rollup, "topics": topics, **place}):
                number = found["blockNumber"]
                if number not in times:
                    times[number] = float(int(rpc("eth_getBlockByNumber", number, False)["timestamp"], 16))
                stage = _TOPICS[bytes.fromhex(found["topics"][0][2:])]
                block = int(found["topics"][1], 16)
                yield Reached(block, stage, times[number], found["transactionHash"], int(number, 16))
