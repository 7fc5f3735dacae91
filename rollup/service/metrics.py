"""What Prometheus is told. docs/alerts.yaml has rules on these names; a test holds the two together."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from rollup.core.constants import PROOF_DEADLINE_SECONDS
from rollup.core.errors.base import SluiceError
from rollup.core.receipt import Receipt
from rollup.node.core import Node
from rollup.node.database import Database
from rollup.node.entries import BlockRecord, Entry
from rollup.node.errors import DatabaseError
from rollup.node.sequencer import Outcome
from rollup.node.tables import Status, blocks
from rollup.service.observer import Observer
from rollup.service.stages import Stage, Stages

REQUEST_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
WRITE_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
TAKEN: Final = "taken"
OTHER_ROUTE: Final = "other"
WEBSOCKET: Final = "WS"


class TimedDatabase(Database):
    """A database that tells how long what receipts wait for takes."""

    on_write: Callable[[float], None] | None = None

    def accept(self, opened: Sequence[BlockRecord], entries: Sequence[Entry], closed: Sequence[BlockRecord]) -> None:
        """Keep what was promised."""
        start = time.perf_counter()
        super().accept(opened, entries, closed)
        if self.on_write is not None:
            self.on_write(time.perf_counter() - start)


class Metrics:
    """All metrics of one node.

    Args:
        database: Its writes are timed.
    """

    def __init__(self, database: TimedDatabase) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._operations = Counter("sluice_operations", "Operations by outcome", ["outcome"], registry=registry)
        self._requests = Histogram(
            "sluice_request_seconds", "From a request to its answer; of /v1/transactions, to its receipt",
            ["method", "route", "status"], buckets=REQUEST_BUCKETS, registry=registry,
        )  # fmt: skip
        self._proofs = Counter("sluice_proofs", "Proofs that came, or did not", ["outcome"], registry=registry)
        writes = Histogram(
            "sluice_database_write_seconds", "One durable write of a batch", buckets=WRITE_BUCKETS, registry=registry
        )
        started = Gauge("sluice_start_time_seconds", "When this process began to serve", registry=registry)
        started.set_to_current_time()
        database.on_write = writes.observe

    def watch(
        self, node: Node, observer: Observer, stages: Stages, database: Database, in_flight: Callable[[], int]
    ) -> None:
        """Have everything that is looked up when it is asked for."""
        calls = Gauge("sluice_l1_calls_in_flight", "Calls on their way to L1", registry=self.registry)
        calls.set_function(in_flight)
        self.registry.register(NodeCollector(node, observer, stages, database))

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """The API has answered a request. A WebSocket is open for as long as its client likes: it is no request."""
        if method == WEBSOCKET:
            return
        self._requests.labels(method, route or OTHER_ROUTE, str(status)).observe(seconds)

    def outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """The node has judged operations."""
        counts: dict[str, int] = {}
        for outcome in outcomes:
            name = TAKEN if isinstance(outcome, Receipt) else outcome.code
            counts[name] = counts.get(name, 0) + 1
        for name, count in counts.items():
            self._operations.labels(name).inc(count)

    def proof(self, came: bool) -> None:
        """A proof came, or did not."""
        self._proofs.labels("proven" if came else "failed").inc()

    def text(self) -> bytes:
        """In Prometheus' form."""
        return generate_latest(self.registry)


class NodeCollector(Collector):
    """What is looked up when it is asked for."""

    def __init__(self, node: Node, observer: Observer, stages: Stages, database: Database) -> None:
        self._node, self._observer, self._stages, self._database = node, observer, stages, database

    def describe(self) -> list[Metric]:
        """Nothing is known before it is asked for."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All of it."""
        node, heads = self._node, self._node.lander.heads
        notices = self._observer.notices()
        reasons = [each for each in (node.fault, self._refusal()) if each is not None]
        yield _gauge("sluice_ready", "1 if operations are taken", 0 if reasons else 1)
        yield _gauge("sluice_backlog_blocks", "Closed blocks that are not proven here", node.pipeline.waiting)
        yield _gauge("sluice_block_seconds", "How long a block takes to be proven now", node.pipeline.seconds_a_block)
        yield _gauge("sluice_waiting_operations", "Submitted, and not judged yet", node.intake.waiting)
        l1 = (("committed", heads.committed), ("proven", heads.proven), ("executed", heads.executed))
        yield _labelled("sluice_l1_block_number", "Last block of the rollup on L1", "stage", l1)
        yield from self._of_database(heads.committed)
        yield from self._of_l1()
        codes: dict[str, int] = {}
        for notice in notices:
            codes[notice.code] = codes.get(notice.code, 0) + 1
        yield _labelled("sluice_notices", "Notices that stand, by code", "code", codes.items())

    def _refusal(self) -> SluiceError | None:
        return self._node.sequencer.read(lambda _: self._node.refusal())

    def _of_database(self, committed: int) -> Iterator[Metric]:
        query = select(blocks.c.status, func.count()).where(blocks.c.number > committed).group_by(blocks.c.status)
        try:
            with self._database.transaction(writing=False) as connection:
                counts = {str(row[0]): int(row[1]) for row in connection.execute(query)}
            waiting = self._database.blocks(committed + 1, committed + 1)
            last = self._database.last_block()
        except DatabaseError:
            return
        names = [(str(status), counts.get(status, 0)) for status in Status]
        yield _labelled("sluice_blocks", "Blocks that are not on L1, by how far they are", "status", names)
        yield _gauge("sluice_block_number", "The latest block here", last.number if last else 0)
        due = waiting[0].commit_by - time.time() if waiting else PROOF_DEADLINE_SECONDS
        yield _gauge("sluice_commit_deadline_seconds", "Until the oldest block here must be on L1; a day if none", due)

    def _of_l1(self) -> Iterator[Metric]:
        seen, heads, now = self._observer.l1, self._node.lander.heads, time.time()
        if seen.seen_at is not None:
            assert seen.head is not None
            assert seen.head_at is not None
            yield _gauge("sluice_l1_head", "L1's last block", seen.head)
            yield _gauge("sluice_l1_head_age_seconds", "Since L1's last block", now - seen.head_at)
            yield _gauge("sluice_l1_seen_age_seconds", "Since L1 last answered", now - seen.seen_at)
            yield _gauge("sluice_l1_base_fee_gwei", "What gas costs on L1", (seen.base_fee_wei or 0) / 1e9)
            yield _gauge("sluice_sender_balance_eth", "What the sender has", (seen.balance_wei or 0) / 1e18)
        left: float = PROOF_DEADLINE_SECONDS
        if heads.proven < heads.committed:
            try:
                reached = self._stages.of(heads.proven + 1)
            except DatabaseError:
                reached = []
            left = next((each.at + left - now for each in reached if each.stage == Stage.COMMITTED), left)
        words = "Until the oldest committed block must be proven; a day if none"
        yield _gauge("sluice_proof_deadline_seconds", words, left)


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value)


def _labelled(name: str, words: str, label: str, values: Iterable[tuple[str, float]]) -> Metric:
    family = GaugeMetricFamily(name, words, labels=[label])
    for key, value in values:
        family.add_metric([key], value)
    return family
