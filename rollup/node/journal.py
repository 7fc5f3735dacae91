"""The second copy of what was promised: a folder of append-only files, one a block, that needs no database to be read.

    rollup           whose promises these are: the domain, as 0x-hex
    <block>.jsonl    {"block": ...}, then {"entry": ...} for each operation, then {"closed": ...}; one a line

The database is written first, the journal second, the receipt is given out third. So the journal never knows more than
the database did; where the database is lost or put back to an older copy, it knows what is to be honoured.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from rollup.node.entries import BlockRecord, Entry
from rollup.node.errors import JournalUnusable
from rollup.node.tables import Status

_SUFFIX: Final = ".jsonl"
_ORIGIN: Final = "rollup"


@dataclass
class JournaledBlock:
    """A block as the journal has it."""

    record: BlockRecord
    entries: list[Entry] = field(default_factory=list)


class Journal:
    """Written by one thread.

    Args:
        folder: Made if it is not there.
        domain: Of the rollup it is of, or is to be of.

    Raises: JournalUnusable: it is of another rollup too.
    """

    def __init__(self, folder: Path, domain: int) -> None:
        self.folder = folder
        self._file: int | None = None
        self._number = -1
        self._waiting: list[tuple[int, bytes]] = []
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._adopt(f"{domain:#x}")
        except OSError as error:
            raise self._unusable(error) from error

    @property
    def is_behind(self) -> bool:
        """Something could not be written yet."""
        return bool(self._waiting)

    def append(
        self, opened: Sequence[BlockRecord], entries: Sequence[Entry], closed: Sequence[BlockRecord] = ()
    ) -> None:
        """Write what the database was told; on the disk when it returns. What could not be written comes first later.

        Raises: JournalUnusable.
        """
        lines = [(block.number, 0, "block", _block_json(block)) for block in opened]
        lines += [(entry.block, 1, "entry", entry.to_json()) for entry in entries]
        lines += [(block.number, 2, "closed", _closed_json(block)) for block in closed]
        # Each file whole before the next; within one, the order of the kinds and of the entries.
        lines.sort(key=lambda line: line[:2])
        self._waiting += [(number, _line({kind: values})) for number, _, kind, values in lines]
        try:
            self._write()
        except OSError as error:
            self._forget_file()
            raise self._unusable(error) from error

    def blocks(self, first: int) -> list[JournaledBlock]:
        """The blocks from `first` on. A line that a crash cut off at the end of a file was never promised.

        Raises: JournalUnusable.
        """
        numbers = sorted(number for number in self._numbers() if number >= first)
        return [block for number in numbers if (block := self._read(number)) is not None]

    def prune(self, last: int) -> None:
        """Delete the files of blocks up to `last`: for them L1 speaks."""
        for number in self._numbers():
            if number <= last and number != self._number:
                self._path(number).unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file."""
        self._forget_file()

    def _adopt(self, domain: str) -> None:
        path = self.folder / _ORIGIN
        if not path.exists():
            partial = path.with_suffix(".partial")
            partial.write_text(domain)
            os.replace(partial, path)
        elif (found := path.read_text()) != domain:
            raise JournalUnusable(str(self.folder), f"it is of the rollup {found}, not of {domain}")

    def _write(self) -> None:
        while self._waiting:
            number = self._waiting[0][0]
            count = next((i for i, (other, _) in enumerate(self._waiting) if other != number), len(self._waiting))
            file = self._open(number)
            end = os.lseek(file, 0, os.SEEK_END)
            data = memoryview(b"".join(line for _, line in self._waiting[:count]))
            try:
                while data:
                    data = data[os.write(file, data) :]
                os.fsync(file)
            except OSError:
                # Half a line in the middle of a file would end it for every reader.
                os.ftruncate(file, end)
                raise
            del self._waiting[:count]

    def _open(self, number: int) -> int:
        if self._file is None or self._number != number:
            self._forget_file()
            path = self._path(number)
            is_new = not path.exists()
            if not is_new:
                _cut_half_line(path)
            self._file, self._number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), number
            if is_new:
                _sync_folder(self.folder)
        return self._file

    def _read(self, number: int) -> JournaledBlock | None:
        try:
            lines = self._path(number).read_bytes().split(b"\n")[:-1]
            values = [json.loads(line) for line in lines]
            if not values:
                return None
            block = JournaledBlock(_block_of_json(values[0]["block"]))
            for value in values[1:]:
                if "entry" in value:
                    block.entries.append(Entry.of_json(value["entry"]))
                else:
                    block.record = BlockRecord(**block.record.row() | value["closed"] | {"status": Status.CLOSED})
            return block
        except OSError as error:
            raise self._unusable(error) from error
        except (ValueError, KeyError, TypeError) as error:
            raise JournalUnusable(str(self._path(number)), f"it is damaged ({error})") from error

    def _numbers(self) -> Iterator[int]:
        return (int(path.stem) for path in list(self.folder.glob(f"*{_SUFFIX}")) if path.stem.isdecimal())

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:010d}{_SUFFIX}"

    def _forget_file(self) -> None:
        if self._file is not None:
            os.close(self._file)
        self._file, self._number = None, -1

    def _unusable(self, error: OSError) -> JournalUnusable:
        return JournalUnusable(str(self.folder), error.strerror or str(error))


def _line(values: dict[str, Any]) -> bytes:
    return orjson.dumps(values, option=orjson.OPT_APPEND_NEWLINE)


def _block_json(block: BlockRecord) -> dict[str, Any]:
    return {
        "number": block.number,
        "timestamp": block.timestamp,
        "opened_at": block.opened_at,
        "validator_set": block.validator_set.hex(),
        "queue_start": block.queue_start,
    }


def _block_of_json(values: dict[str, Any]) -> BlockRecord:
    return BlockRecord(status=Status.OPEN, **values | {"validator_set": bytes.fromhex(values["validator_set"])})


def _closed_json(block: BlockRecord) -> dict[str, Any]:
    return {"size": block.size, "fee_account": block.fee_account}


def _cut_half_line(path: Path) -> None:
    data = path.read_bytes()
    if not data.endswith(b"\n"):
        os.truncate(path, data.rfind(b"\n") + 1)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
