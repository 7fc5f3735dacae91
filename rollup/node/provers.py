"""Who proves blocks: a pool behind one interface. Results come in any order."""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, Protocol

from rollup._native import poseidon_many
from rollup.core.block import SealedBlock

Proof = tuple[int, ...]
"""The eight words of IVerifier.verify."""
Prove = Callable[[SealedBlock], Proof]
"""Proves one block; the work is outside the interpreter's lock."""


class ProverPool(Protocol):
    """Proves several blocks at once."""

    @property
    def capacity(self) -> int:
        """How many blocks are taken at once; more are not given, as each holds its witness in memory.

        It may change at any time, and be 0.
        """
        ...

    def submit(self, block: SealedBlock) -> Future[Proof]:
        """Have a block proven."""
        ...

    def close(self) -> None:
        """Stop; what is not proven is proven after the next start."""
        ...


class LocalPool:
    """Proves in this process.

    Args:
        prove: How.
        workers: How many blocks at once.
        niceness: Of the threads that prove, the arithmetic's too: what receipts need of the cores they get first. For
            that it must be made before anything is computed in parallel.
    """

    def __init__(self, prove: Prove, workers: int = 1, niceness: int = 0) -> None:
        self._prove = prove
        self._workers = workers
        self._executor = ThreadPoolExecutor(
            workers, thread_name_prefix="prover", initializer=_step_back, initargs=(niceness,)
        )
        if niceness:
            self._executor.submit(poseidon_many, [[0]] * _PARALLEL).result()

    @property
    def capacity(self) -> int:
        """How many blocks are worked on at once."""
        return self._workers

    def submit(self, block: SealedBlock) -> Future[Proof]:
        """Have a block proven."""
        return self._executor.submit(self._prove, block)

    def close(self) -> None:
        """Stop; what has begun is waited for."""
        self._executor.shutdown(wait=True, cancel_futures=True)


_PARALLEL: Final = 2_048
"""So many hashes are made in parallel: the arithmetic's threads are started for them, and inherit the priority."""


def _step_back(niceness: int) -> None:
    os.nice(niceness)  # on Linux of this thread alone
