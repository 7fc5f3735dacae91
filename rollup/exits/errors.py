"""Every way an exit cannot be proven.

SluiceError (rollup.core.errors)
└── ExitError
    ├── ExitKitError         a file is no exit kit
    └── ExitProofError       a proof came out that does not fit its claim

An account that does not exist, a slot that is not money and a balance of 0 are the core's AccountMissingError,
TokenNotMoneyError and NothingToExitError.
"""

from dataclasses import dataclass

from rollup.core.errors import NothingToExitError as NothingToExitError
from rollup.core.errors.base import DataError


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
class ExitProofError(ExitError):
    """A proof came out that does not fit its claim."""

    account_id: int
    token: int
    reason: str
    code = "exit_proof"

    @property
    def message(self) -> str:
        return f"exit of token {self.token} of account {self.account_id}: {self.reason}; get the deployment's own kit"
