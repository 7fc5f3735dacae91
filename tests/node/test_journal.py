"""The second copy of the receipts: what was written is read again, wherever it was cut off."""

import errno
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from test_database import block, entry

from rollup.node.errors import JournalUnusable
from rollup.node.journal import Journal
from rollup.node.tables import Status

DOMAIN = 5


def test_append_then_read_gives_the_same(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal", DOMAIN)
    first = [entry(1, 0), entry(1, 1, payload=None, hash=None, queue_index=5, record=bytes(64))]
    closed = block(1, status=Status.CLOSED, size=8, fee_account=3)
    journal.append([block(1)], first)
    journal.append([block(2)], [entry(1, 2), entry(2, 0)], [closed])
    journal.append([], [entry(2, 1)])
    for reader in (journal, Journal(tmp_path / "journal", DOMAIN)):
        one, two = reader.blocks(1)
        assert (one.record, one.entries) == (closed, [*first, entry(1, 2)])
        assert (two.record, two.entries) == (block(2), [entry(2, 0), entry(2, 1)])
        assert [found.record.number for found in reader.blocks(2)] == [2]


def test_read_cut_off_anywhere_gives_what_was_whole(tmp_path: Path) -> None:
    journal = Journal(tmp_path, DOMAIN)
    journal.append([block(1)], [entry(1, 0)])
    (path,) = tmp_path.glob("*.jsonl")
    whole = path.read_bytes()
    journal.append([], [entry(1, 1)])
    for length in range(len(whole), path.stat().st_size):
        os.truncate(path, length)
        (found,) = Journal(tmp_path, DOMAIN).blocks(1)
        assert found.entries == [entry(1, 0)]
        again = Journal(tmp_path, DOMAIN)
        again.append([], [entry(1, 1)])
        assert again.blocks(1)[0].entries == [entry(1, 0), entry(1, 1)]


def test_append_disk_full_is_refused_and_written_first_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path, DOMAIN)
    journal.append([block(1)], [entry(1, 0)])
    write = os.write

    def full(file: int, data: Any) -> int:
        if len(data) > 10:
            return write(file, data[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("rollup.node.journal.os.write", full)
        with pytest.raises(JournalUnusable, match="No space left") as caught:
            journal.append([], [entry(1, 1)])
    assert caught.value.path == str(tmp_path)
    assert journal.blocks(1)[0].entries == [entry(1, 0)]
    journal.append([], [entry(1, 2)])
    assert journal.blocks(1)[0].entries == [entry(1, number) for number in range(3)]


def test_prune_deletes_what_l1_speaks_for(tmp_path: Path) -> None:
    journal = Journal(tmp_path, DOMAIN)
    journal.append([block(number) for number in (1, 2, 3)], [])
    journal.prune(2)
    assert [found.record.number for found in journal.blocks(0)] == [3]


def test_read_damaged_line_is_refused(tmp_path: Path) -> None:
    journal = Journal(tmp_path, DOMAIN)
    journal.append([block(1)], [entry(1, 0)])
    (path,) = tmp_path.glob("*.jsonl")
    path.write_bytes(path.read_bytes().replace(b'"entry"', b'"entrx"'))
    with pytest.raises(JournalUnusable, match="damaged"):
        journal.blocks(1)


def test_open_where_no_folder_can_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalUnusable):
        Journal(tmp_path / "file" / "journal", DOMAIN)


def test_open_of_another_rollup_is_refused(tmp_path: Path) -> None:
    Journal(tmp_path, DOMAIN)
    with pytest.raises(JournalUnusable, match="of the rollup 0x5, not of 0x6"):
        Journal(tmp_path, DOMAIN + 1)


def test_entry_of_json_round_trip_keeps_every_field() -> None:
    whole = replace(entry(3, 4), queue_index=9, record=bytes(range(64)), word_position=6)
    assert type(whole).of_json(whole.to_json()) == whole
