"""Every way the service does not start.

    SluiceError (rollup.core.errors)
    └── ServiceError
        ├── ConfigInvalid       the configuration file says what cannot be
        ├── FolderUnusable      the data folder cannot be made, read or written
        ├── LocalChainUnusable  the local chain or its deployment does not come up
        ├── ListenUnusable      the API's address cannot be listened at
        ├── KeysNotSeparate     sender and validator have the same key
        ├── L1Needed            L1 does not answer, and there is no database to wait with
        └── CheckFailed         `sluice node check` found something

What an operator must know while the service runs are `ServiceNotice`s (notices.py): told, not raised.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rollup.core.errors.base import DataError


class ServiceError(DataError):
    """The service cannot run."""

    code = "service"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at one place of a configuration, and the way out."""

    key: str
    reason: str

    def __str__(self) -> str:
        return f"{self.key}: {self.reason}"


@dataclass(eq=False)
class ConfigInvalid(ServiceError):
    """The configuration file says what cannot be."""

    path: str
    problems: Sequence[Problem]
    code = "config_invalid"

    @property
    def message(self) -> str:
        lines = "".join(f"\n  {problem}" for problem in self.problems)
        return f"{self.path} cannot be used:{lines}"


@dataclass(eq=False)
class FolderUnusable(ServiceError):
    """The data folder cannot be made, read or written."""

    path: str
    reason: str
    way_out: str = "name another folder with --data, or mend that"
    code = "folder_unusable"

    @property
    def message(self) -> str:
        return f"{self.path} cannot be used: {self.reason}; {self.way_out}"


@dataclass(eq=False)
class LocalChainUnusable(ServiceError):
    """The local chain or its deployment does not come up."""

    what: str
    reason: str
    code = "local_chain_unusable"

    @property
    def message(self) -> str:
        return f"{self.what}: {self.reason}; mend that, or begin anew with another --data folder"


@dataclass(eq=False)
class ListenUnusable(ServiceError):
    """The API's address cannot be listened at."""

    address: str
    reason: str
    code = "listen_unusable"

    @property
    def message(self) -> str:
        return f"cannot listen at {self.address}: {self.reason}; stop what does, or name another with --listen"


@dataclass(eq=False)
class KeysNotSeparate(ServiceError):
    """Sender and validator have the same key."""

    address: str
    code = "keys_not_separate"

    @property
    def message(self) -> str:
        return (
            f"sender and validator are both {self.address}: who takes the one must not have the other, so give each a "
            "keystore of its own"
        )


@dataclass(eq=False)
class L1Needed(ServiceError):
    """L1 does not answer, and there is no database to wait with."""

    reason: str
    code = "l1_needed"

    @property
    def message(self) -> str:
        return (
            f"L1 does not answer ({self.reason}) and there is no database yet, so a wrong address cannot be told from "
            "an outage: mend the endpoint and start again"
        )


@dataclass(eq=False)
class CheckFailed(ServiceError):
    """Something would keep the node from starting or from working."""

    failed: Sequence[str]
    code = "check_failed"

    @property
    def message(self) -> str:
        return f"{len(self.failed)} of the checks failed: {', '.join(self.failed)}; each says above what to do"
