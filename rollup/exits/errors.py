"""Every way an exit cannot be proven.

SluiceError (rollup.core.errors)
└── ExitError
    ├── NothingToExitError   the account has none of the token
    ├── ExitKitError         a file is no exit kit
    └── ExitProofError       a proof came out that does not fit its claim

An account that does not exist and a slot that is not money are the core's AccountMissingError and TokenNotMoneyError.
"""

from dataclasses import dataclass

from rollup.core.errors.base import DataError


class ExitError(DataError):
    """An exit cannot be proven."""

    code = "exit"


@dataclass(eq=False)
class NothingToExitError(ExitError):
    """The account has none of the token."""

    account_id: int
    token: int
    code = "nothing_to_exit"

    @property
    def message(self) -> str:
        return f"account {self.account_id} has nothing of token {self.token}: exit a token that it has"


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
