"""Every way in which proving on other machines fails.

SluiceError (rollup.core.errors)
└── ProvingError
    ├── CertificateUnusable  a certificate or its key cannot be used
    ├── SchedulerUnusable    the scheduler's address or port cannot be used
    ├── WorkerFailed         a worker could not prove a block
    ├── ProofWrong           a worker gave a proof that is none of the block
    └── PoolClosed           the pool was closed before the block was proven
"""

from dataclasses import dataclass

from rollup.core.errors.base import DataError


class ProvingError(DataError):
    """Proving on other machines failed."""

    code = "proving"


@dataclass(eq=False)
class CertificateUnusable(ProvingError):
    """A certificate or its key cannot be used."""

    path: str
    reason: str
    code = "certificate_unusable"

    @property
    def message(self) -> str:
        return f"{self.path}: {self.reason}; `sluice prover certificates` makes new ones"


@dataclass(eq=False)
class SchedulerUnusable(ProvingError):
    """The scheduler's address or port cannot be used."""

    address: str
    reason: str
    code = "scheduler_unusable"

    @property
    def message(self) -> str:
        return f"scheduler {self.address}: {self.reason}; it is written tls://HOST:PORT"


@dataclass(eq=False)
class WorkerFailed(ProvingError):
    """A worker could not prove a block."""

    block_number: int
    worker: str
    reason: str
    code = "worker_failed"

    @property
    def message(self) -> str:
        return f"block {self.block_number}: worker {self.worker} did not prove it: {self.reason}; it is tried again"


@dataclass(eq=False)
class ProofWrong(ProvingError):
    """A worker gave a proof that is none of the block."""

    block_number: int
    worker: str
    reason: str
    code = "proof_wrong"

    @property
    def message(self) -> str:
        return (
            f"block {self.block_number}: the proof of worker {self.worker} is refused: {self.reason}; it gets no more "
            "jobs: look at that machine, then start its worker again"
        )


@dataclass(eq=False)
class PoolClosed(ProvingError):
    """The pool was closed before the block was proven."""

    block_number: int
    code = "pool_closed"

    @property
    def message(self) -> str:
        return f"block {self.block_number} is not proven yet: it will be after the next start"
