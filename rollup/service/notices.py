"""What an operator must know of the whole node, while it is so. The L1 sender's own are in `rollup.landing.errors`.

SluiceError (rollup.core.errors)
└── ServiceNotice
    ├── L1Unreachable    no L1 node answers: receipts are given as long as promises are safe
    ├── NodeFault        a part of the node cannot go on
    ├── StorageFailing   database or journal cannot be written now
    ├── ProofsFailing    a block's proof did not come, again and again
    ├── ProversMissing   the pool of provers is not as it should be
    ├── RefusingWork     new work is refused
    ├── NoFeeAccount     the validator has no L2 account
    ├── DiskRunningLow   the disk of the database or of the journal is nearly full
    ├── ClockAstray      this machine's clock and L1's differ
    └── ProofDeadlineNear a committed block must be proven soon
"""

from dataclasses import dataclass

from rollup.core.errors.base import DataError


class ServiceNotice(DataError):
    """What an operator must know while the node goes on by itself, as far as it can."""

    code = "service_notice"


@dataclass(eq=False)
class L1Unreachable(ServiceNotice):
    """No L1 node answers."""

    reason: str
    code = "l1_unreachable"

    @property
    def message(self) -> str:
        return f"L1 does not answer ({self.reason}): nothing lands until it does; mend an endpoint or name another"


@dataclass(eq=False)
class NodeFault(ServiceNotice):
    """A part of the node cannot go on."""

    part: str
    reason: str
    code = "node_fault"

    @property
    def message(self) -> str:
        return f"{self.part} cannot go on: {self.reason}; no new receipts are given, those given out stand"


@dataclass(eq=False)
class StorageFailing(ServiceNotice):
    """Database or journal cannot be written now."""

    reason: str
    code = "storage_failing"

    @property
    def message(self) -> str:
        return f"nothing can be made durable: {self.reason}; make room or mend the disk, the node goes on by itself"


@dataclass(eq=False)
class ProofsFailing(ServiceNotice):
    """A block's proof did not come, again and again."""

    reason: str
    code = "proofs_failing"

    @property
    def message(self) -> str:
        return f"{self.reason}: it is tried again; see the prover's log, its memory and its keys"


@dataclass(eq=False)
class ProversMissing(ServiceNotice):
    """The pool of provers is not as it should be."""

    reason: str
    code = "provers_missing"

    @property
    def message(self) -> str:
        return f"{self.reason}; blocks wait until there are provers again"


@dataclass(eq=False)
class RefusingWork(ServiceNotice):
    """New work is refused."""

    refusal: str
    reason: str
    code = "refusing_work"

    @property
    def message(self) -> str:
        return f"new work is refused: {self.reason}"


@dataclass(eq=False)
class NoFeeAccount(ServiceNotice):
    """The validator has no L2 account, so that users' operations are refused."""

    address: str
    code = "no_fee_account"

    @property
    def message(self) -> str:
        return f"validator {self.address} has no account for the fees: deposit to it (`sluice deposit --to`)"


@dataclass(eq=False)
class DiskRunningLow(ServiceNotice):
    """The disk is nearly full."""

    path: str
    free_bytes: int
    least_bytes: int
    code = "disk_running_low"

    @property
    def message(self) -> str:
        free, least = (f"{value / (1 << 20):,.0f} MiB" for value in (self.free_bytes, self.least_bytes))
        return f"{self.path} has {free} left, less than {least}: without room no receipt can be made durable"


@dataclass(eq=False)
class ClockAstray(ServiceNotice):
    """This machine's clock and L1's differ. `seconds`: ours is ahead by so much, behind if negative."""

    seconds: int
    code = "clock_astray"

    @property
    def message(self) -> str:
        way = "ahead of" if self.seconds > 0 else "behind"
        return (
            f"this machine's clock is {abs(self.seconds)} s {way} L1's latest block: L1 refuses blocks of other times, "
            "so set it by NTP, or see why L1 stands still"
        )


@dataclass(eq=False)
class ProofDeadlineNear(ServiceNotice):
    """A committed block must be proven soon, or anyone may revert it and suspend the committer."""

    block: int
    seconds_left: int
    code = "proof_deadline_near"

    @property
    def message(self) -> str:
        return (
            f"block {self.block} must be proven on L1 within {self.seconds_left} s, or it can be reverted and its "
            "committer is suspended: see why its proof does not land"
        )
