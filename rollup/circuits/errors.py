"""What goes wrong between the circuits' sources and the keys.

SluiceError
└── CircuitError
    ├── CompilerError             circom refuses a source
    ├── LibraryMissingError       circomlib is not installed
    ├── BlockSizeError            no such block fits
    ├── ProvingKeyMissingError    no key was made for a block size
    ├── ExitKitMissingError       no key was made for exits
    └── ProvingKeyStaleError      the key is of other circuits
"""

from dataclasses import dataclass

from rollup.core.errors import SluiceError
from rollup.core.errors.base import DataError


class CircuitError(DataError):
    """Base of the errors of circuit building."""

    code = "circuit"


@dataclass(eq=False)
class CompilerError(CircuitError):
    """circom refused a source; `output` is what it printed."""

    source: str
    output: str
    code = "circuit_compiler"

    @property
    def message(self) -> str:
        return f"{self.source} does not compile:\n{self.output}"


@dataclass(eq=False)
class LibraryMissingError(CircuitError):
    """An included file is nowhere."""

    source: str
    include: str
    code = "circuit_library_missing"

    @property
    def message(self) -> str:
        return f'{self.source} includes "{self.include}", which is not there: run `make setup`, or mend the path'


@dataclass(eq=False)
class BlockSizeError(CircuitError):
    """A number of steps that no block can have."""

    steps: int
    limit: int
    code = "block_size"

    @property
    def message(self) -> str:
        return f"a block of {self.steps} steps cannot be built: 1 to {self.limit} fit"


@dataclass(eq=False)
class ProvingKeyMissingError(CircuitError):
    """There is no key for this block size."""

    steps: int
    folder: str
    code = "proving_key_missing"

    @property
    def message(self) -> str:
        return f"no key for blocks of {self.steps} steps in {self.folder}: run `sluice build keys`"


@dataclass(eq=False)
class ExitKitMissingError(CircuitError):
    """There is no key for exits."""

    folder: str
    code = "exit_kit_missing"

    @property
    def message(self) -> str:
        return f"no exit kit in {self.folder}: run `sluice build keys`"


@dataclass(eq=False)
class ProvingKeyStaleError(CircuitError):
    """A key was made for other circuits than those of this checkout; both by their digests."""

    path: str
    of: str
    present: str
    code = "proving_key_stale"

    @property
    def message(self) -> str:
        return f"{self.path} is of circuits {self.of}, present are {self.present}: run `sluice build keys contracts`"


__all__ = [
    "BlockSizeError",
    "CircuitError",
    "CompilerError",
    "ExitKitMissingError",
    "LibraryMissingError",
    "ProvingKeyMissingError",
    "ProvingKeyStaleError",
    "SluiceError",
]
