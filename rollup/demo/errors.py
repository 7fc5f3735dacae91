"""Every way the demo refuses its input.

SluiceError (rollup.core.errors)
└── DemoError
    ├── InputFileError      a file is missing, unreadable, or no CSV
    ├── PaymentsInvalid     all that is wrong in the rows of the files, at once
    └── DemoFailed          the run itself did not come out as it must
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rollup.core.errors.base import DataError


class DemoError(DataError):
    """The demo cannot go on."""

    code = "demo"


@dataclass(eq=False)
class InputFileError(DemoError):
    """A file is missing, unreadable, or no CSV."""

    path: str
    reason: str
    way_out: str
    code = "input_file"

    @property
    def message(self) -> str:
        return f"{self.path}: {self.reason}; {self.way_out}"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a file.

    Args:
        path: The file.
        line: Line in the file, from 1; the header is usually line 1.
        column: Name of the column.
        value: What stands there.
        reason: What is wrong with it.
        way_out: How to mend it.
    """

    path: str
    line: int
    column: str
    value: str
    reason: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.column} = {self.value!r}: {self.reason}; {self.way_out}"


@dataclass(eq=False)
class PaymentsInvalid(DemoError):
    """All that is wrong in the rows, so that one pass mends the file."""

    problems: Sequence[Problem]
    code = "payments_invalid"

    @property
    def message(self) -> str:
        count = len(self.problems)
        head = f"{count} problem{'s' if count > 1 else ''} in the input, nothing was sent:"
        return "\n".join([head, *(f"  {problem}" for problem in self.problems)])


@dataclass(eq=False)
class DemoFailed(DemoError):
    """The run did not come out as it must."""

    reason: str
    code = "demo_failed"

    @property
    def message(self) -> str:
        return f"{self.reason}; this is a fault of Sluice, please report it with the output above"
