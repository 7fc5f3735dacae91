"""The input of the demo as a whole: users.csv (`users`) and payments.csv (`instructions`)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from rollup.demo.books import Books
from rollup.demo.errors import InputFileError, PaymentsInvalid, Problem
from rollup.demo.instructions import COLUMNS, OPTIONAL_COLUMNS, Instruction, InstructionReader, Kind
from rollup.demo.table import Row, read_rows
from rollup.demo.users import User, read_users


@dataclass(frozen=True, slots=True)
class Payroll:
    """The whole input, checked: everything can be done, in order. `books` are those at its end."""

    users: tuple[User, ...]
    instructions: tuple[Instruction, ...]
    books: Books

    @property
    def payments(self) -> int:
        """Number of payments."""
        return sum(instruction.kind is Kind.PAY for instruction in self.instructions)

    def check_batches(self, most: int) -> None:
        """Raise PaymentsInvalid if a batch has more than `most` rows: a block is not larger."""
        for unit in self.units():
            if len(unit) > most:
                reason = f"a batch of {len(unit)} rows, a block has {most} steps"
                raise PaymentsInvalid([unit[0].row.problem("batch", reason, "split it into smaller ones")])

    def units(self) -> Iterator[list[Instruction]]:
        """Yield what goes together: a batch, or a row by itself."""
        for label, rows in groupby(self.instructions, key=lambda instruction: instruction.batch):
            if label:
                yield list(rows)
            else:
                yield from ([row] for row in rows)


def read_payroll(payments_path: Path, users_path: Path) -> Payroll:
    """Read and check both files.

    Raises: InputFileError if a file cannot be used at all; PaymentsInvalid with every problem of the rows.
    """
    problems: list[Problem] = []
    users = read_users(users_path, problems)
    rows, row_problems = read_rows(payments_path, COLUMNS, OPTIONAL_COLUMNS)
    problems += row_problems
    reader, books = InstructionReader(users, users_path), Books.opened(users)
    instructions = []
    for row in rows:
        instruction = reader.read(row, problems)
        if instruction is None:
            continue
        if (problem := books.post(instruction)) is not None:
            problems.append(problem)
        instructions.append(instruction)
    problems += _batch_problems(rows)
    if problems:
        raise PaymentsInvalid(sorted(problems, key=lambda problem: (problem.path, problem.line)))
    if not instructions:
        raise InputFileError(str(payments_path), "there is no payment in it", "add at least one row below the header")
    return Payroll(tuple(users.values()), tuple(instructions), books)


def _batch_problems(rows: Sequence[Row]) -> Iterator[Problem]:
    """A batch is two rows or more, one after the other."""
    labels = [row["batch"] for row in rows]
    ended: set[str] = set()
    for index, (row, label) in enumerate(zip(rows, labels, strict=True)):
        if not label:
            continue
        begins, ends = index == 0 or labels[index - 1] != label, labels[index + 1 :][:1] != [label]
        if begins and label in ended:
            yield row.problem("batch", "a batch of this name ended above", "move the rows together, or rename one")
        elif begins and ends:
            yield row.problem("batch", "a batch of one row", "give the rows beside it the same name, or leave it empty")
        if ends:
            ended.add(label)
