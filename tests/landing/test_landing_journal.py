"""The journal's file: whose it is, who has it, and what happens when the disk fails."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from landing_rig import Rig, call

from bench.l1_simulator import CHAIN_ID
from rollup.landing.errors import JournalInUse, JournalOfAnother, JournalUnusable
from rollup.landing.journal import Journal
from rollup.landing.model import State


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def test_journal_of_another_chain_is_refused(path: Path) -> None:
    Journal(path, CHAIN_ID).close()
    with pytest.raises(JournalOfAnother, match="is of chain 31337, this sender of chain 1") as error:
        Journal(path, 1)
    assert error.value.values == {"path": str(path), "expected": 1, "got": CHAIN_ID}
    Journal(path, CHAIN_ID).close()


def test_journal_that_is_used_is_refused(path: Path) -> None:
    with Journal(path, CHAIN_ID), pytest.raises(JournalInUse, match="another process uses") as error:
        Journal(path, CHAIN_ID)
    assert error.value.values == {"path": str(path)}
    Journal(path, CHAIN_ID).close()


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (lambda path: path.write_text("no database" * 1_000), "not a database"),
        (lambda path: sqlite3.connect(path).execute("CREATE TABLE t (x)"), "another program's file"),
        (lambda path: path.mkdir(), "unable to open"),
        (
            lambda path: (Journal(path, CHAIN_ID).close(), _set_format(path, 9)),
            "has format 9, this program writes format",
        ),
    ],
)
def test_file_that_is_no_journal_is_refused(path: Path, prepare: object, reason: str) -> None:
    prepare(path)  # type: ignore[operator]
    with pytest.raises(JournalUnusable, match=reason) as error:
        Journal(path, CHAIN_ID)
    assert error.value.values["path"] == str(path)


def _set_format(path: Path, number: int) -> None:
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA user_version = {number}")


def test_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JournalUnusable, match="No such file"):
        Journal(tmp_path / "nowhere" / "journal.db", CHAIN_ID)


def test_full_disk_sends_nothing_and_goes_on_when_there_is_room(path: Path) -> None:
    rig = Rig(path=path)
    for number in range(3):
        rig.sender.submit(f"{number}", replace(call(), data=bytes([number]) * 4_000))
    (pages,) = rig.journal._db.execute("PRAGMA page_count").fetchone()
    rig.journal._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(JournalUnusable, match="full") as error:
        rig.sender.submit("more", replace(call(), data=bytes(9_000)))
    assert error.value.values["path"] == str(path)
    with pytest.raises(JournalUnusable, match="full"):
        rig.step()
    journaled = {attempt.hash for action in rig.journal.unfinished() for attempt in action.attempts}
    assert {each.hash for each in rig.l1.mempool.values()} <= journaled
    assert len(journaled) < 3
    rig.restart()
    rig.step(blocks=1)
    assert rig.landed() == [bytes([number]) * 4_000 for number in range(3)]


def test_journal_is_flushed_before_a_change_returns(path: Path) -> None:
    with Journal(path, CHAIN_ID) as journal:
        assert journal._db.execute("PRAGMA synchronous").fetchone() == (2,)
        assert journal._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_events_are_read_on_from_where_a_reader_was(path: Path) -> None:
    rig = Rig(path=path)
    rig.sender.submit("a", call(1))
    rig.step(blocks=1)
    seen = rig.sender.events()
    rig.restart()
    rig.sender.submit("b", call(2))
    rig.step(blocks=1)
    new = rig.sender.events(after=seen[-1].sequence)
    assert [event.sequence for event in seen + new] == list(range(1, len(seen + new) + 1))
    assert {event.key for event in new} == {"b"}


def test_final_action_keeps_its_key_and_not_its_bytes(path: Path) -> None:
    rig = Rig(path=path)
    rig.sender.submit("a", call(1))
    rig.step(blocks=66)
    action = rig.sender.status("a")
    assert (action.state, action.call.data, action.attempts[0].raw) == (State.FINAL, b"", b"")
    assert rig.sender.submit("a", call(1)).state == State.FINAL
