"""Reading a CSV file into rows that remember where they stood."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rollup.demo.errors import InputFileError, Problem


@dataclass(frozen=True)
class Row:
    """One row: its fields by column, stripped, and where it stands. An optional column that is not there is empty."""

    path: str
    line: int
    fields: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.fields.get(column, "")

    def problem(self, column: str, reason: str, way_out: str) -> Problem:
        """Return a problem with this row's field."""
        return Problem(self.path, self.line, column, self[column], reason, way_out)


def read_rows(path: Path, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> tuple[list[Row], list[Problem]]:
    """Read a CSV file with a header. Empty lines and lines that start with # are skipped; a row may end before its
    optional columns.

    Returns: The rows of the right shape, and a problem for each row of another.
    Raises: InputFileError if the file cannot be read or a column is missing or unknown.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _split(path, list(_records(file)), required, optional)
    except OSError as error:
        raise InputFileError(str(path), error.strerror or "cannot be read", "give the path of a CSV file") from error
    except UnicodeDecodeError as error:
        raise InputFileError(str(path), f"byte {error.start} is not UTF-8", "save the file as UTF-8") from error
    except csv.Error as error:
        raise InputFileError(str(path), f"not a CSV file ({error})", "check its quotation marks") from error


def _records(file: Iterator[str]) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(file, strict=True)
    line = 1
    for record in reader:
        cells = [cell.strip() for cell in record]
        if any(cells) and not cells[0].startswith("#"):
            yield line, cells
        line = reader.line_num + 1


def _split(
    path: Path, records: list[tuple[int, list[str]]], required: tuple[str, ...], optional: tuple[str, ...]
) -> tuple[list[Row], list[Problem]]:
    wanted = ",".join(required)
    if not records:
        raise InputFileError(str(path), "the file is empty", f"start it with the line {wanted}")
    line, header = records[0]
    missing = [column for column in required if column not in header]
    unknown = [column for column in header if column not in required + optional]
    if missing or unknown or len(set(header)) < len(header):
        reason = f"line {line}, the header, "
        reason += f"lacks {', '.join(missing)}" if missing else f"has unknown or repeated columns ({','.join(header)})"
        extra = f"; optional: {','.join(optional)}" if optional else ""
        raise InputFileError(str(path), reason, f"the columns are {wanted}{extra}")
    rows, problems = [], []
    for line, cells in records[1:]:
        left_out = header[len(cells) :]
        if len(cells) > len(header) or any(column in required for column in left_out):
            reason = f"{len(cells)} fields, the header has {len(header)}"
            way_out = "write one field per column, and quote a field that has a comma"
            problems.append(Problem(str(path), line, "(row)", ",".join(cells), reason, way_out))
        else:
            rows.append(Row(str(path), line, dict(zip(header, cells, strict=False))))
    return rows, problems
