"""Every way that nobody gets out, or not yet.

SluiceError (rollup.core.errors)
└── ExitError
    ├── ExitKitError         a file is no exit kit
    ├── KitOfAnotherError    a kit is another deployment's
    ├── ExitProofError       a proof came out that does not fit its claim
    ├── NotInExodusError     the rollup is in normal operation
    ├── NotDueError          it is too early for what was asked
    └── WrongStateError      the state is not the one that everything leaves from

An account that does not exist, a slot that is not money and a balance of 0 are the core's AccountMissingError,
TokenNotMoneyError and NothingToExitError.
"""

from dataclasses import dataclass

from rollup.core.errors.base import DataError
from rollup.core.times import show_time


class ExitError(DataError):
    """An exit cannot be proven."""

    code = "exit"


@dataclass(eq=False)
class ExitKitError(ExitError):
    """A file is no exit kit."""

    path: str
    reason: str
    code = "exit_kit"

    @property
    def message(self) -> str:
        return f"{self.path} is no exit kit: {self.reason}; get the one that was published with the deployment"


@dataclass(eq=False)
class KitOfAnotherError(ExitError):
    """The kit's key is not the one that the deployment's verifier holds."""

    path: str
    expected: str
    got: str
    code = "kit_of_another"

    @property
    def message(self) -> str:
        return (
            f"{self.path} is another deployment's exit kit: its key hash is {self.got}, the verifier on L1 has "
            f"{self.expected}; get the one that was published with the deployment"
        )


@dataclass(eq=False)
class ExitProofError(ExitError):
    """A proof came out that does not fit its claim."""

    account_id: int
    token: int
    reason: str
    code = "exit_proof"

    @property
    def message(self) -> str:
        return f"exit of token {self.token} of account {self.account_id}: {self.reason}; get the deployment's own kit"


@dataclass(eq=False)
class NotInExodusError(ExitError):
    """Nobody has begun exodus."""

    due: int | None
    code = "not_in_exodus"

    @property
    def message(self) -> str:
        if self.due is None:
            reason = "nobody waits in its queue: `sluice exit request` asks for your money back"
        else:
            reason = f"`sluice exodus activate` begins it from {show_time(self.due)} on if the queue is not served"
        return f"the rollup is not in exodus: {reason}"


@dataclass(eq=False)
class NotDueError(ExitError):
    """It is too early."""

    action: str
    due: int
    now: int
    code = "not_due"

    @property
    def message(self) -> str:
        hours, minutes = divmod(-(-(self.due - self.now) // 60), 60)
        wait = f"in {hours} h {minutes} min"
        return f"{self.action} is not due yet: try again {wait}, at {show_time(self.due)} or later"


@dataclass(eq=False)
class WrongStateError(ExitError):
    """The store's state is not the one that everything leaves from."""

    store: str
    expected: int
    got: int
    code = "wrong_state"

    @property
    def message(self) -> str:
        return (
            f"{self.store} has root {self.got:#066x}, everything leaves from {self.expected:#066x}: the node may be "
            "behind, so try again or name another one"
        )
