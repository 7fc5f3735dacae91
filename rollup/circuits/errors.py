"""What goes wrong between the circuits' sources and the keys.

SluiceError
└── CircuitError
    ├── CompilerError             circom refuses a source
    ├── LibraryMissingError       circomlib is not installed
    ├── BlockSizeError            no such block fits
    └── KeyMissingError           no key was made for a block size, or it is of other circuits
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
class KeyMissingError(CircuitError):
    """There is no key for these circuits and this block size."""

    steps: int
    folder: str
    code = "key_missing"

    @property
    def message(self) -> str:
        return f"no key for blocks of {self.steps} steps in {self.folder} fits these circuits: run `sluice build keys`"


__all__ = ["BlockSizeError", "CircuitError", "CompilerError", "KeyMissingError", "LibraryMissingError", "SluiceError"]
