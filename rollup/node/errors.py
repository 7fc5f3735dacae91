"""Every way a validator stops.

SluiceError (rollup.core.errors)
└── NodeError
    ├── NoFeeAccountError      the validator has no L2 account that could get the fees
    ├── FeeAccountNotOwnError  the account that would get the fees is not the validator's in this block
    ├── OperationTooLargeError no block has room for all its steps
    ├── ForeignBlockError      L1 made another block of the data than the validator
    ├── L1AheadError           L1 has blocks that the database does not know
    ├── RetractionRefused      blocks cannot be taken back
    ├── DatabaseError
    │   ├── DatabaseUnusable   it cannot be opened, read or written
    │   ├── DatabaseInUse      another node has it open
    │   ├── DatabaseOfAnother  it is of another rollup than the manifest names
    │   ├── DatabaseNewer      a newer version of the node wrote it
    │   └── DatabaseDamaged    what it holds does not fit together
    ├── JournalUnusable        the second copy of the receipts cannot be written
    ├── PromiseBrokenError     what was promised of a block does not come out
    ├── CrashError             a thread of the node ended by a mistake of ours
    ├── FeeTooLowError         an operation pays less than this node asks
    └── AdmissionError         new work is refused for now
        ├── NotConnectedError  the node has not seen L1 since it started
        ├── ClockError         the machine's clock cannot be believed
        ├── StoppingError      the node is being stopped
        ├── FaultError         the node cannot go on
        ├── QueueChangedError  L1's queue is not what was taken of it
        ├── BacklogError       proving is behind: promises would be at risk
        ├── StorageError       what was promised could not be made durable
        └── QueueFullError     too many submissions wait
"""

from dataclasses import dataclass

from rollup.core.errors.base import DataError


class NodeError(DataError):
    """A validator cannot go on."""

    code = "node"


@dataclass(eq=False)
class NoFeeAccountError(NodeError):
    """The validator has no L2 account that could get the fees."""

    address: str
    code = "no_fee_account"

    @property
    def message(self) -> str:
        return f"validator {self.address} has no account for the fees: deposit to it first"


@dataclass(eq=False)
class FeeAccountNotOwnError(NodeError):
    """The account that would get the fees is not the validator's at the end of this block."""

    account_id: int
    address: str
    code = "fee_account_not_own"

    @property
    def message(self) -> str:
        return (
            f"account {self.account_id} is to get the fees and is not validator {self.address}'s in this block: "
            "take his deposit into it"
        )


@dataclass(eq=False)
class OperationTooLargeError(NodeError):
    """A batch has more steps than the largest block, or more records than L1 executes at once."""

    steps: int
    most_steps: int
    records: int
    most_records: int
    code = "operation_too_large"

    @property
    def message(self) -> str:
        return (
            f"the operation has {self.steps} steps, {self.records} of them with an L1 record; a block holds "
            f"{self.most_steps} and {self.most_records}: split the batch into smaller ones"
        )


@dataclass(eq=False)
class ForeignBlockError(NodeError):
    """L1 made another block of the data than the validator."""

    block_number: int
    expected: bytes
    got: bytes
    code = "foreign_block"

    @property
    def message(self) -> str:
        return (
            f"block {self.block_number} hashes to 0x{self.expected.hex()}, L1 says 0x{self.got.hex()}: this is a fault "
            "of Sluice, please report it"
        )


@dataclass(eq=False)
class L1AheadError(NodeError):
    """L1 has blocks that the database does not know."""

    known: int
    committed: int
    code = "l1_ahead"

    @property
    def message(self) -> str:
        return (
            f"L1 has {self.committed} blocks, the database knows {self.known}: it is an old copy, or another validator "
            "commits too; `sluice database rebuild` brings it up to date"
        )


@dataclass(eq=False)
class RetractionRefused(NodeError):
    """Blocks cannot be taken back; nothing was changed."""

    first: int
    reason: str
    code = "retraction_refused"

    @property
    def message(self) -> str:
        return f"blocks from {self.first} on are not taken back: {self.reason}"


class DatabaseError(NodeError):
    """The node's database cannot be used."""

    code = "database"


@dataclass(eq=False)
class DatabaseUnusable(DatabaseError):
    """It cannot be opened, read or written."""

    name: str
    reason: str
    code = "database_unusable"

    @property
    def message(self) -> str:
        return f"{self.name} cannot be used: {self.reason}; nothing half done is left in it"


@dataclass(eq=False)
class DatabaseInUse(DatabaseError):
    """Another node has it open."""

    name: str
    code = "database_in_use"

    @property
    def message(self) -> str:
        return f"another node uses {self.name}: two would promise two things, so stop that one first"


@dataclass(eq=False)
class DatabaseOfAnother(DatabaseError):
    """It is of another rollup than the manifest names."""

    name: str
    what: str
    expected: str
    got: str
    code = "database_of_another"

    @property
    def message(self) -> str:
        return (
            f"{self.name} is of another rollup: its {self.what} is {self.got}, the manifest's {self.expected}; name "
            "another database, or the manifest it was made with"
        )


@dataclass(eq=False)
class DatabaseNewer(DatabaseError):
    """A newer version of the node wrote it."""

    name: str
    found: int
    known: int
    code = "database_newer"

    @property
    def message(self) -> str:
        return f"{self.name} has format {self.found}, this version knows up to {self.known}: run a newer one"


@dataclass(eq=False)
class DatabaseDamaged(DatabaseError):
    """What it holds does not fit together."""

    name: str
    block_number: int
    reason: str
    code = "database_damaged"

    @property
    def message(self) -> str:
        return (
            f"{self.name} is damaged: block {self.block_number}: {self.reason}; nothing was sent: restore a backup, "
            "the journal of receipts completes it"
        )


@dataclass(eq=False)
class PromiseBrokenError(NodeError):
    """What was promised of a block does not come out when it is taken in again."""

    block_number: int
    reason: str
    code = "promise_broken"

    @property
    def message(self) -> str:
        return f"block {self.block_number}: {self.reason}; nothing was sent: restore a backup"


@dataclass(eq=False)
class JournalUnusable(NodeError):
    """The second copy of the receipts cannot be written or read."""

    path: str
    reason: str
    code = "journal_unusable"

    @property
    def message(self) -> str:
        return f"the journal {self.path} cannot be used: {self.reason}; no receipt is given without it"


@dataclass(eq=False)
class CrashError(NodeError):
    """A thread of the node ended by a mistake of ours."""

    thread: str
    reason: str
    code = "crash"

    @property
    def message(self) -> str:
        return f"the {self.thread} thread ended: {self.reason}; start the node again, and please report this"


@dataclass(eq=False)
class FeeTooLowError(NodeError):
    """An operation pays less than this node asks.

    Args:
        steps: It has.
        paid_steps: What its fees are enough for.
        least: For a step: so much of one token, or of another.
    """

    steps: int
    paid_steps: str
    least: str
    code = "fee_too_low"

    @property
    def message(self) -> str:
        return (
            f"its fees pay for {self.paid_steps} of {self.steps} steps: offer for each at least {self.least}, "
            "in smallest units, or what /v1/fees quotes"
        )


class AdmissionError(NodeError):
    """New work is refused for now; what was promised is kept."""

    code = "admission"


@dataclass(eq=False)
class NotConnectedError(AdmissionError):
    """The node has not seen L1 since it started."""

    code = "not_connected"

    @property
    def message(self) -> str:
        return "the node has just started and has not reached L1 yet: try again in a moment"


@dataclass(eq=False)
class ClockError(AdmissionError):
    """The machine's clock cannot be believed. `seconds`: so far it was set forward; back, if negative."""

    seconds: int
    code = "clock"

    @property
    def message(self) -> str:
        return (
            f"the node's clock was set by {self.seconds} s: nothing new is promised until L1's time bears it out, "
            "try again later"
        )


@dataclass(eq=False)
class StoppingError(AdmissionError):
    """The node is being stopped."""

    code = "stopping"

    @property
    def message(self) -> str:
        return "the node is stopping: try again when it is back"


@dataclass(eq=False)
class FaultError(AdmissionError):
    """The node cannot go on until a person has looked."""

    reason: str
    code = "fault"

    @property
    def message(self) -> str:
        return f"the node is out of service ({self.reason}): its operator must look; receipts given out stand"


@dataclass(eq=False)
class BacklogError(AdmissionError):
    """Proving is behind: another promise would put those made at risk."""

    blocks: int
    reason: str
    code = "backlog"

    @property
    def message(self) -> str:
        return f"{self.blocks} blocks are not on L1 yet: {self.reason}; try again later"


@dataclass(eq=False)
class QueueChangedError(AdmissionError):
    """L1's queue is not what was taken of it: a reorganisation went deeper than `confirmations`."""

    index: int
    taken: str
    found: str
    code = "queue_changed"

    @property
    def message(self) -> str:
        return (
            f"entry {self.index} of L1's queue was {self.taken} and is now {self.found}: blocks with it cannot be "
            "committed; if L1 does not bring it back, the operator must sequence anew (docs/operations.md)"
        )


@dataclass(eq=False)
class StorageError(AdmissionError):
    """What was to be promised could not be made durable."""

    reason: str
    code = "storage"

    @property
    def message(self) -> str:
        return f"no receipt could be made durable: {self.reason}; submit it again, it is never done twice"


@dataclass(eq=False)
class QueueFullError(AdmissionError):
    """Too many submissions wait."""

    waiting: int
    most: int
    code = "queue_full"

    @property
    def message(self) -> str:
        return f"{self.waiting} operations wait, {self.most} may: try again in a second"
