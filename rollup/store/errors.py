"""Why a store cannot be used.

SluiceError (rollup.core.errors)
└── StoreError
    ├── StoreUnusable      the file is no store, or SQLite says no
    ├── StoreOfAnother     it holds another rollup than the manifest names
    ├── StoreDamaged       what it holds is not what it says it holds
    └── StoreWrittenTwice  somebody else wrote to it meanwhile
"""

from dataclasses import dataclass

from rollup.core.errors.base import DataError


class StoreError(DataError):
    """A store cannot be used."""

    code = "store"


@dataclass(eq=False)
class StoreUnusable(StoreError):
    """The file is no store of ours, or SQLite cannot work with it."""

    path: str
    reason: str
    code = "store_unusable"

    @property
    def message(self) -> str:
        return f"{self.path} cannot be used as a store: {self.reason}; name another file with --store"


@dataclass(eq=False)
class StoreOfAnother(StoreError):
    """The store holds another rollup."""

    path: str
    what: str
    expected: str
    got: str
    code = "store_of_another"

    @property
    def message(self) -> str:
        return (
            f"{self.path} holds another rollup: its {self.what} is {self.got}, the manifest's {self.expected}; name "
            "another file with --store, or the manifest it was made with"
        )


@dataclass(eq=False)
class StoreDamaged(StoreError):
    """The accounts in the store do not have the root of its last block."""

    path: str
    block_number: int
    expected: int
    got: int
    code = "store_damaged"

    @property
    def message(self) -> str:
        return (
            f"{self.path} is damaged: its accounts have root {self.got:#066x}, block {self.block_number} has "
            f"{self.expected:#066x}; delete it and run `sluice restore` again"
        )


@dataclass(eq=False)
class StoreWrittenTwice(StoreError):
    """Another process wrote to the store since this one read it."""

    path: str
    expected: int
    got: int
    code = "store_written_twice"

    @property
    def message(self) -> str:
        return (
            f"{self.path} is at block {self.got}, not at {self.expected} as this process left it: another one "
            "writes it; let only one restore run"
        )
