"""Who proves, by the configuration; what is seen of it goes to the record of stages and to the metrics."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

from rollup.circuits.keys import KEYS
from rollup.core.block import SealedBlock
from rollup.node.provers import LocalPool, Proof, ProverPool
from rollup.prover import BlockProver
from rollup.service.config import ProverSettings

NICENESS: Final = 10
"""Of the threads that prove in this process: receipts come first."""
Told = Callable[[int, bool], None]
"""Called with a block's number, and whether its proof came; when it did not, it is tried again."""


def make_pool(settings: ProverSettings) -> ProverPool:
    """The pool that proves: in this process, or the workers of a scheduler.

    Raises: CertificateUnusable, SchedulerUnusable.
    """
    keys = settings.keys or KEYS
    if settings.scheduler is not None:
        from rollup.proving.pool import open_pool
        from rollup.proving.tls import Tls

        assert settings.tls_ca is not None
        assert settings.tls_certificate is not None
        assert settings.tls_key is not None
        return open_pool(settings.scheduler, Tls(settings.tls_ca, settings.tls_certificate, settings.tls_key), keys)
    prover = BlockProver(keys)
    return LocalPool(lambda block: prover.prove(block).proof, settings.workers, NICENESS)


class WatchedPool:
    """A pool that tells when a block is given to it and when it comes back.

    Args:
        pool: Who proves.
        begun: Called with a block's number, in the pipeline's thread.
        ended: Called in a prover's thread.
    """

    def __init__(self, pool: ProverPool, begun: Callable[[int], None], ended: Told) -> None:
        self._pool, self._begun, self._ended = pool, begun, ended

    @property
    def capacity(self) -> int:
        """How many blocks are worked on at once."""
        return self._pool.capacity

    def submit(self, block: SealedBlock) -> Future[Proof]:
        """Have a block proven."""
        number = block.header.block_number
        self._begun(number)
        future = self._pool.submit(block)
        future.add_done_callback(lambda done: self._ended(number, _came(done)))
        return future

    def problems(self) -> list[str]:
        """What keeps it from proving, in words."""
        state = getattr(self._pool, "state", None)
        found: list[str] = [] if state is None else state.problems()
        return found

    def close(self) -> None:
        """Stop."""
        self._pool.close()


def _came(future: Future[Proof]) -> bool:
    return not future.cancelled() and future.exception() is None
