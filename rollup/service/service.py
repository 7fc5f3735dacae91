"""The service: everything a node is made of, put together, started in order, watched, and stopped in order.

main thread    starts, watches, stops
sender         lands calls on L1
node           intake, pipeline, landing, watch (rollup/node/core.py), and the provers
observer       looks at L1, disks and clock; writes down how far blocks are
api            HTTP and WebSocket
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final

from rollup.api import Backend, L1Status, Limits, create_app
from rollup.api.serve import ApiServer, server_config
from rollup.l1.client import RollupClient
from rollup.l1.errors import L1Error, ManifestInvalid
from rollup.l1.feed import Origin
from rollup.l1.manifest import Manifest, load_manifest
from rollup.l1.refusals import Refusals
from rollup.l1.rpc import JsonRpc, RpcError
from rollup.landing.endpoints import Endpoints
from rollup.landing.journal import Journal as SenderJournal
from rollup.landing.sending import DurableSending
from rollup.landing.signing import Signer
from rollup.node.chain import RollupChain
from rollup.node.core import Node, Rollup
from rollup.node.errors import AdmissionError, ClockError, CrashError, DatabaseError, NodeError
from rollup.node.journal import Journal
from rollup.node.ledger import Closed
from rollup.node.plain import Submission
from rollup.node.provers import ProverPool
from rollup.node.sequencer import Outcome
from rollup.service.clock import Clock
from rollup.service.config import Config
from rollup.service.errors import L1Needed, ListenUnusable
from rollup.service.logs import Event, log
from rollup.service.metrics import Metrics, TimedDatabase
from rollup.service.observer import Observer
from rollup.service.pools import WatchedPool, make_pool
from rollup.service.sending import ServiceSender
from rollup.service.signers import open_signers
from rollup.service.stages import Stage, Stages
from rollup.service.views import views_of
from rollup.wallet.tokens import Token

LOOK_SECONDS: Final = 1.0
RETRY_SECONDS: Final = 2.0
JOIN_SECONDS: Final = 30.0


class ServiceNode(Node):
    """A node that tells what it does, and promises nothing while its clock cannot be believed."""

    believed: Clock | None = None
    _closed: Callable[[int], None] | None = None
    _judged: Callable[[Sequence[Outcome]], None] | None = None

    def tell(self, closed: Callable[[int], None], judged: Callable[[Sequence[Outcome]], None]) -> None:
        """Have these called: with the number of each block that is closed, with what became of each batch."""
        self._closed, self._judged = closed, judged

    def refusal(self) -> AdmissionError | None:
        """Why no new promise may be made."""
        jumped = self.believed.jumped() if self.believed is not None else 0
        return ClockError(jumped) if jumped else super().refusal()

    def look(self) -> None:
        """Take in what L1's queue has, as far as it can be dated."""
        if self.believed is None or not self.believed.jumped():
            super().look()

    def closed(self, block: Closed) -> None:
        """Have a block sealed."""
        super().closed(block)
        if self._closed is not None:
            self._closed(block.record.number)

    def _take(self, operations: Sequence[Submission]) -> list[Outcome]:
        outcomes = super()._take(operations)
        if self._judged is not None:
            self._judged(outcomes)
        return outcomes


class Service:
    """A node in one process. Made, it has its database and journals, and shares them with nobody; `run` does the rest.

    Args:
        config: Everything it is to be.
        database: Of `open_database`.
        pool: Who proves, if not whom the configuration names.
        clock: The machine's.

    Raises: SluiceError: any of the many that keep a node from starting.
    """

    def __init__(
        self, config: Config, database: TimedDatabase, pool: ProverPool | None = None, clock: Clock | None = None
    ) -> None:
        self._clock = clock = clock or Clock()
        self.config, self.database = config, database
        self.manifest = manifest = load_manifest(config.manifest)
        self._stop = threading.Event()
        self._open = ExitStack()
        try:
            is_new = database.meta("rollup") is None
            database.adopt(Origin.of(manifest))
            signer, retired, receipts = open_signers(config)
            self._rpc = views_of(config.l1.endpoints, manifest.chain_id, config.l1.timeout_seconds)
            if is_new:
                self._require_l1()
            self._sender = self._make_sender(signer, retired)
            self._stages = Stages(database, clock)
            self._metrics = Metrics(database)
            journal = self._open.enter_context(_closing(Journal(config.journal, manifest.domain)))
            watched = self._watched(pool or make_pool(config.prover))
            tokens = {each.symbol: Token(each.token_id, each.symbol, each.decimals) for each in manifest.tokens}
            self._pricing = config.pricing(tokens)
            self.node = ServiceNode(
                database, journal, Rollup(manifest.domain, manifest.fee_tokens, manifest.block_sizes), receipts,
                self._chain(signer), watched, config.node_policy(tokens),
                config.l1.poll_seconds, clock,
            )  # fmt: skip
            self.node.believed = clock
            self.node.tell(lambda number: self._stages.note(number, Stage.CLOSED), self._metrics.outcomes)
            self._observer = Observer(
                self.node, self._stages, self._sender, self._rpc, receipts.address, watched.problems,
                (config.data, config.journal, config.sender_journal.parent), not config.l1.has_finalized_tag, clock,
            )  # fmt: skip
            self._metrics.watch(self.node, self._observer, self._stages, database, lambda: self.in_flight)
            self._server = self._make_server(receipts.address)
        except BaseException:
            self._open.close()
            raise

    @property
    def address(self) -> str:
        """Where the API listens: host:port."""
        return f"{self.config.host}:{self._server.port}"

    @property
    def in_flight(self) -> int:
        """Calls that are on their way to L1, or wait to be."""
        return len(self._sender.journal.unfinished())

    def stop(self) -> None:
        """End `run`; may be called from a signal handler."""
        self._stop.set()

    def run(self, ready: Callable[[], None] = lambda: None) -> int:
        """Work until told to stop, or until it cannot go on.

        Args:
            ready: Called once operations can be taken.

        Returns: The exit code.
        Raises: SluiceError: it does not start.
        """
        sending = threading.Thread(target=self._sender.run, args=(self._stop,), name="sender", daemon=True)
        looking = threading.Thread(target=self._look, name="observer", daemon=True)
        log(Event.STARTING, database=self.database.name, l1=[JsonRpc(url).name for url in self.config.l1.endpoints])
        with self._open, self._server:
            log(Event.LISTENING, api=f"http://{self.address}")
            sending.start()
            looking.start()
            try:
                if self._start_node():
                    log(Event.READY, rollup=self.manifest.rollup, block=self._last_block())
                    ready()
                return self._watch(sending, looking)
            finally:
                self._stop.set()
                log(Event.STOPPING)
                self.node.stop()
                for thread in (looking, sending):
                    thread.join(JOIN_SECONDS)
                self._keep_stages()
                log(Event.STOPPED)

    # Putting together

    def _make_sender(self, signer: Signer, retired: list[Signer]) -> ServiceSender:
        config, chain_id = self.config, self.manifest.chain_id
        journal = self._open.enter_context(SenderJournal(config.sender_journal, chain_id))
        nodes = [JsonRpc(url, config.l1.timeout_seconds) for url in config.l1.endpoints]
        return ServiceSender(
            journal, Endpoints(nodes, chain_id), signer, Refusals.of_contracts(), config.sender_config(), retired,
            stopping=self._stop,
        )  # fmt: skip

    def _chain(self, signer: Signer) -> RollupChain:
        manifest = self.manifest
        sending = DurableSending(self._rpc, Refusals.of_contracts(), self._sender)
        self._client = RollupClient(sending, manifest.rollup, manifest.deployed_at)
        return RollupChain(self._client, manifest, signer, self.config.l1.confirmations)

    def _watched(self, pool: ProverPool) -> WatchedPool:
        def begun(number: int) -> None:
            self._stages.note(number, Stage.SEALED)

        def ended(number: int, came: bool) -> None:
            if came:
                self._stages.note(number, Stage.PROVEN)
            else:
                log(Event.PROOF_FAILED, logging.WARNING, block=number)
            self._metrics.proof(came)

        return WatchedPool(pool, begun, ended)

    def _make_server(self, validator: int) -> ApiServer:
        limits = Limits(**self.config.api)
        app = create_app(self._backend(validator), limits, self._metrics.observe)
        try:
            return ApiServer(server_config(app, limits, self.config.host, self.config.port))
        except (OSError, SystemExit) as error:  # uvicorn logs the reason and exits
            raise ListenUnusable(self.config.listen, "it is taken, or none of this machine") from error

    def _backend(self, validator: int) -> Backend:
        return Backend(
            self.node, self.database, self.manifest, validator, self.config.l1.confirmations,
            l1_status=self._l1_status, notices=self._observer.notices, trace=self._stages.trace_of,
            metrics=self._metrics.text, l1_queue=self._client.queue, pricing=self._pricing,
        )  # fmt: skip

    def _l1_status(self) -> L1Status:
        seen = self._observer.l1
        sender = self._sender.signer.address
        return L1Status(seen.head, seen.base_fee_wei, sender, seen.balance_wei, seen.seen_at)

    # Working

    def _require_l1(self) -> None:
        """A fresh node must not take a wrong address for an outage."""
        try:
            check_chain(self._rpc, self.manifest)
        except (L1Error, RpcError) as error:
            if isinstance(error, ManifestInvalid):
                raise
            raise L1Needed(str(error)) from error

    def _start_node(self) -> bool:
        """Start the node as soon as L1 is there; whether it was before the service was stopped."""
        while not self._stop.is_set():
            try:
                check_chain(self._rpc, self.manifest)
                self._observer.look()
                if not self._clock.is_confirmed:
                    self._stop.wait(RETRY_SECONDS)
                    continue
                self.node.start()
            except ManifestInvalid:
                raise
            except (L1Error, RpcError) as error:
                if self._observer.unreachable(str(error)):
                    log(Event.WAITING, logging.WARNING, reason=str(error))
                self._stop.wait(RETRY_SECONDS)
            else:
                self._observer.unreachable(None)
                return True
        return False

    def _watch(self, *threads: threading.Thread) -> int:
        """Wait; return the exit code: 0 if told to stop, 1 if a part has ended that others need."""
        told: NodeError | None = None
        while not self._stop.wait(LOOK_SECONDS / 4):
            fault = self.node.fault
            if fault is not None and fault is not told:
                told = fault
                log(Event.FAULT, logging.ERROR, code=fault.code, message=fault.message)
            if isinstance(fault, CrashError):
                logging.getLogger("sluice").error("the crash", exc_info=fault.__cause__)
                return 1
            ended = [thread.name for thread in threads if not thread.is_alive()]
            if not self._server.is_alive():
                ended.append(self._server.name)
            if ended:
                log(Event.CRASH, logging.ERROR, threads=ended)
                return 1
        return 0

    def _look(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            self._observer.look()
            self._keep_stages()

    def _keep_stages(self) -> None:
        try:
            self._stages.keep()
            self._stages.look(self.node.lander.heads, self._rpc, self.manifest.rollup, self.manifest.deployed_at)
            self._sender.tell()
        except (DatabaseError, L1Error, RpcError):
            pass  # the node's own threads say so; all of it is looked at again

    def _last_block(self) -> int:
        last = self.database.last_block()
        return last.number if last else 0


def open_database(url: str) -> TimedDatabase:
    """The node's database, for this process alone.

    Raises: DatabaseUnusable, DatabaseInUse, DatabaseNewer.
    """
    return TimedDatabase(url)


def check_chain(rpc: JsonRpc, manifest: Manifest) -> None:
    """See that L1 is the manifest's: two local chains may have one id.

    Raises: ManifestInvalid; L1Error, RpcError: it cannot be seen.
    """
    genesis = str(rpc("eth_getBlockByNumber", "0x0", False)["hash"])
    if genesis != manifest.l1_genesis:
        reason = f"it is of a chain whose first block is {manifest.l1_genesis}, L1's is {genesis}"
        raise ManifestInvalid("the manifest", reason)
    if not rpc.code(manifest.rollup):
        raise ManifestInvalid("the manifest", f"there is no contract at {manifest.rollup} on L1")


@contextmanager
def _closing(journal: Journal) -> Iterator[Journal]:
    try:
        yield journal
    finally:
        journal.close()
