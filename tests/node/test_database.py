"""The node's database: the same on SQLite and on PostgreSQL, one node at a time, nothing half done."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from node_rig import stored
from sqlalchemy import Connection, create_engine, text

from rollup.cli.database import database as command
from rollup.core.account import Account
from rollup.core.operations import Transfer
from rollup.core.rules import Touch
from rollup.l1.feed import Origin
from rollup.node.database import FORMAT, Database, copy_tables
from rollup.node.entries import BlockRecord, Entry
from rollup.node.errors import DatabaseInUse, DatabaseNewer, DatabaseOfAnother, DatabaseUnusable
from rollup.node.tables import MIGRATIONS, Status

pytestmark = pytest.mark.xdist_group("postgres")
ORIGIN = Origin(31337, "0x" + 20 * "Aa", 3, "0x01")
BIG = (1 << 128) - 1


def block(number: int = 1, **changes: Any) -> BlockRecord:
    return replace(BlockRecord(number, Status.OPEN, 1_800_000_000, 1_800_000_001, bytes(32), 5), **changes)


def entry(number: int = 1, position: int = 0, **changes: Any) -> Entry:
    (chunk,) = Transfer(1, 2, 7, 0, 10, 1, position).chunks()
    made = Entry(
        number, position, "{}", bytes([number]) * 31 + bytes([position]), None, 1, BIG >> 1, 1_800_000_002,
        position, chunk.to_bytes(15, "big"), 0, b"",
    )  # fmt: skip
    return replace(made, **changes)


def state(database: Database) -> set[Touch]:
    return set(stored(database))


def test_accept_then_read_gives_the_same(url: str) -> None:
    closed = block(1, status=Status.CLOSED, size=8, fee_account=0)
    first = [entry(1, 0), entry(1, 1, payload=None, hash=None, queue_index=5, record=bytes(64))]
    with Database(url, ORIGIN) as database:
        database.accept([block(1)], first, [])
        database.accept([block(2)], [entry(1, 2), entry(2, 0)], [closed])
        assert database.last_place() == (2, 0)
    with Database(url) as database:
        assert database.blocks() == [closed, block(2)]
        assert database.blocks(2) == [database.last_block()] == [block(2)]
        assert database.entries(1) == [*first, entry(1, 2)]
        assert database.find(entry(2, 0).hash or b"") == [entry(2, 0)]
        assert database.find(bytes(32)) == []
        assert database.count_operations() == 4


def test_accept_refused_leaves_nothing(url: str) -> None:
    with Database(url, ORIGIN) as database:
        database.accept([block(1)], [entry(1, 0)], [])
        with pytest.raises(DatabaseUnusable, match="nothing half done"):
            database.accept([block(2)], [entry(2, 0), entry(1, 0)], [block(1, status=Status.CLOSED)])
        assert database.blocks() == [block(1)]
        assert database.last_place() == (1, 0)


def test_set_proven_keeps_proof_and_state_together(url: str) -> None:
    rich = Account((BIG, 1), 0xA0, 3)
    with Database(url, ORIGIN) as database:
        database.accept([block(1), block(2)], [], [])
        database.set_proven(
            1, b"p", 1, [(1, [Touch(1, 0, rich, BIG), Touch(1, 5, rich, 7), Touch(2, 0, Account(), 0)])]
        )
        assert (database.base, state(database)) == (1, {Touch(1, 0, rich, BIG), Touch(1, 5, rich, 7)})
        poor = replace(rich, nonce=4)
        changed = [Touch(1, 0, poor, 0), Touch(1, 5, poor, 0), Touch(3, 4000, rich, 1 << 159)]
        database.set_proven(2, b"q", 2, [(2, changed)])
        assert (database.base, state(database)) == (2, {Touch(1, 0, poor, 0), Touch(3, 4000, rich, 1 << 159)})
        assert [record.proof for record in database.blocks()] == [b"p", b"q"]
        database.replace_state(0, [])
        assert (database.base, state(database)) == (0, set())


def test_open_of_another_rollup_is_refused(url: str) -> None:
    Database(url, ORIGIN).close()
    with pytest.raises(DatabaseOfAnother) as caught:
        Database(url, replace(ORIGIN, rollup="0x" + 20 * "bb"))
    assert (caught.value.what, caught.value.got) == ("rollup", "0x" + 20 * "aa")
    Database(url, ORIGIN).close()


def test_open_of_a_newer_format_is_refused_and_left_alone(url: str) -> None:
    Database(url, ORIGIN, [*MIGRATIONS, lambda _: None]).close()
    with pytest.raises(DatabaseNewer) as caught:
        Database(url, ORIGIN)
    assert (caught.value.found, caught.value.known) == (FORMAT + 1, FORMAT)
    Database(url, ORIGIN, [*MIGRATIONS, lambda _: None]).close()


def test_open_of_an_older_format_is_migrated_once_and_keeps_what_it_has(url: str) -> None:
    steps = 0

    def second(connection: Connection) -> None:
        nonlocal steps
        steps += 1
        connection.execute(text("ALTER TABLE blocks ADD COLUMN more INTEGER"))

    with Database(url, ORIGIN) as database:
        database.accept([block(1)], [], [])
    for _ in range(2):
        with Database(url, ORIGIN, [*MIGRATIONS, second]) as database, database.transaction(writing=False) as reading:
            assert reading.execute(text("SELECT number, more FROM blocks")).all() == [(1, None)]
    assert steps == 1


def test_open_of_every_format_that_was_released_brings_it_to_the_latest(url: str) -> None:
    """Each is kept as it was by the steps that made it."""
    with Database(url, ORIGIN, MIGRATIONS[:1]) as database:
        database.accept([block(1)], [], [])
    with Database(url, ORIGIN) as database:
        assert [record.number for record in database.blocks()] == [1]
        assert database.meta("format") == str(FORMAT)
        with database.transaction(writing=False) as reading:
            assert reading.execute(text("SELECT count(*) FROM stages")).scalar() == 0


def test_open_migration_that_fails_leaves_the_old_format(url: str) -> None:
    def broken(connection: Connection) -> None:
        connection.execute(text("ALTER TABLE blocks ADD COLUMN more INTEGER"))
        connection.execute(text("ALTER TABLE nowhere ADD COLUMN more INTEGER"))

    Database(url, ORIGIN).close()
    with pytest.raises(DatabaseUnusable):
        Database(url, ORIGIN, [*MIGRATIONS, broken])
    with Database(url, ORIGIN) as database:
        assert database.meta("format") == str(FORMAT)


def test_open_a_second_time_is_refused_until_the_first_is_gone(url: str) -> None:
    with Database(url, ORIGIN), pytest.raises(DatabaseInUse, match="stop that one first"):
        Database(url, ORIGIN)
    Database(url, ORIGIN).close()


def test_open_after_the_holder_was_killed_succeeds(url: str) -> None:
    program = "import sys, time; from rollup.node.database import Database; d = Database(sys.argv[1]); print('open')"
    command = [sys.executable, "-c", program + "; sys.stdout.flush(); time.sleep(60)", url]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        with pytest.raises(DatabaseInUse):
            Database(url)
        holder.kill()
        holder.wait()
    Database(url).close()


def test_copy_to_another_kind_and_back_gives_the_same(new_database: Callable[[], str], tmp_path: Path) -> None:
    first, backup, second = new_database(), f"sqlite:///{tmp_path / 'backup.db'}", new_database()
    rich = Account((3, 4), 0xA0, 1)
    with Database(first, ORIGIN) as database, Database(backup) as copy:
        database.accept([block(1), block(2)], [entry(1, 0), entry(2, 0)], [block(1, status=Status.CLOSED, size=8)])
        database.set_proven(1, b"p", 1, [(1, [Touch(1, 0, rich, 9)])])
        assert copy_tables(database, copy) | {"meta": 0} == {
            "accounts": 1, "leaves": 1, "blocks": 2, "operations": 2, "parties": 4, "undo": 1, "stages": 0, "meta": 0,
        }  # fmt: skip
    with Database(backup) as copy, Database(second) as database:
        copy_tables(copy, database)
        with pytest.raises(DatabaseUnusable, match="not empty"):
            copy_tables(copy, database)
    with Database(second, ORIGIN) as database:
        assert (database.base, state(database)) == (1, {Touch(1, 0, rich, 9)})
        assert database.entries(2) == [entry(2, 0)]


@pytest.mark.parametrize(
    "wrong", ["nonsense", "mysql://localhost/x", "sqlite:////proc/none/x.db", "postgresql://u:secret@127.0.0.1:1/x"]
)
def test_open_of_no_database_is_refused_without_its_password(wrong: str) -> None:
    with pytest.raises(DatabaseUnusable) as caught:
        Database(wrong)
    assert "secret" not in str(caught.value)


def test_open_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"something else" * 100)
    with pytest.raises(DatabaseUnusable, match="not a database"):
        Database(f"sqlite:///{tmp_path / 'x.db'}")


def test_sqlite_writes_reach_the_disk_before_they_return(tmp_path: Path) -> None:
    with Database(f"sqlite:///{tmp_path / 'x.db'}") as database, database.transaction() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_postgres_writes_reach_the_disk_before_they_return(postgres: str) -> None:
    with create_engine(postgres.replace("postgresql:", "postgresql+psycopg:")).connect() as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar() == "on"
        assert connection.execute(text("SHOW fsync")).scalar() == "on"


def test_backup_and_restore_by_command_give_the_same(url: str, tmp_path: Path) -> None:
    file, again = tmp_path / "backup.db", f"sqlite:///{tmp_path / 'again.db'}"
    with Database(url, ORIGIN) as database:
        database.accept([block(1)], [entry(1, 0)], [])
    run = CliRunner().invoke
    result = run(command, ["backup", "--database", url, str(file)])
    assert json.loads(result.output)["operations"] == 1, result.output
    refused = run(command, ["backup", "--database", url, str(file)])
    assert refused.exit_code == 2
    assert "name a new file" in refused.output
    assert run(command, ["restore", "--database", again, str(file)]).exit_code == 0
    with Database(again, ORIGIN) as database:
        assert database.entries(1) == [entry(1, 0)]
