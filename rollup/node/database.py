"""The node's database: SQLite or PostgreSQL by its URL, one writer at a time, every change one durable transaction."""

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from sqlalchemy import Connection, Engine, Table, create_engine, delete, event, func, insert, select, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from rollup.core.account import Account
from rollup.core.rules import Touch
from rollup.l1.feed import Origin
from rollup.node.entries import BlockRecord, Entry
from rollup.node.errors import DatabaseInUse, DatabaseNewer, DatabaseOfAnother, DatabaseUnusable, NodeError
from rollup.node.parties import parties_of
from rollup.node.tables import MIGRATIONS, Status, accounts, blocks, leaves, meta, operations, parties, stages, undo
from rollup.node.undo import forget_undo, keep_undo
from rollup.store.schema import account_of_row, account_to_row, number_to_blob

FORMAT: Final = len(MIGRATIONS)
_POSTGRES_LOCK: Final = 0x534C5549
"""SLUI: the advisory lock that one node holds."""
_SQLITE_PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    # Every COMMIT is on the disk before it returns: receipts depend on it.
    "PRAGMA synchronous = FULL",
    "PRAGMA busy_timeout = 30000",
)
ROWS_AT_ONCE: Final = 10_000
ROWS_OF_A_STATEMENT: Final = (64, 8, 1)
"""In one INSERT into SQLite; few numbers, as each is a statement that is kept prepared."""


class Database:
    """Use as a context manager. One process at a time may have it open.

    Args:
        url: `sqlite:///path` or `postgresql://user:password@host/name`.
        origin: Which rollup it is, or is to be, of; None: whichever it is of.
        migrations: The steps from one format to the next.

    Raises: DatabaseUnusable, DatabaseInUse, DatabaseOfAnother, DatabaseNewer.
    """

    def __init__(
        self, url: str, origin: Origin | None = None, migrations: Sequence[Callable[[Connection], None]] = MIGRATIONS
    ) -> None:
        try:
            parsed = make_url(url)
            if parsed.drivername == "postgresql":
                parsed = parsed.set(drivername="postgresql+psycopg")
            # Never the password.
            self.name = parsed.render_as_string(hide_password=True)
            self._engine: Engine = create_engine(parsed)
        except (ArgumentError, ImportError) as error:
            raise DatabaseUnusable(url.partition("@")[2] or url, str(error)) from error
        self._is_sqlite = parsed.get_backend_name() == "sqlite"
        if self._is_sqlite:
            event.listen(self._engine, "connect", _set_pragmas)
            event.listen(self._engine, "begin", _begin)
        self._writing = self._engine.execution_options(writing=True)
        self._lock: Callable[[], None] = _no_lock
        try:
            self._lock = self._lock_file(parsed.database) if self._is_sqlite else self._lock_session()
            self._migrate(migrations)
            if origin is not None:
                self.adopt(origin)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the database up."""
        self._engine.dispose()
        self._lock()
        self._lock = _no_lock

    @contextmanager
    def transaction(self, writing: bool = True) -> Iterator[Connection]:
        """All or nothing, durable when it ends; without `writing`, one view of what there is.

        Raises: DatabaseUnusable.
        """
        try:
            with (self._writing if writing else self._engine).begin() as connection:
                yield connection
        except NodeError:
            raise
        except SQLAlchemyError as error:
            raise DatabaseUnusable(self.name, _reason(error)) from error

    # Reading

    def meta(self, key: str) -> str | None:
        """A value of the table `meta`."""
        with self.transaction(writing=False) as connection:
            return connection.execute(select(meta.c.value).where(meta.c.key == key)).scalar()

    @property
    def base(self) -> int:
        """Number of the block whose state the tables hold."""
        return int(self.meta("base") or 0)

    def blocks(self, first: int = 0, last: int | None = None) -> list[BlockRecord]:
        """The blocks from `first` to `last`, in order."""
        query = select(blocks).where(blocks.c.number >= first).order_by(blocks.c.number)
        if last is not None:
            query = query.where(blocks.c.number <= last)
        with self.transaction(writing=False) as connection:
            return [BlockRecord(**row) for row in connection.execute(query).mappings()]

    def last_block(self) -> BlockRecord | None:
        """The latest block, open or not."""
        query = select(blocks).order_by(blocks.c.number.desc()).limit(1)
        with self.transaction(writing=False) as connection:
            row = connection.execute(query).mappings().first()
        return BlockRecord(**row) if row else None

    def entries(self, block: int) -> list[Entry]:
        """A block's operations, in order."""
        query = select(operations).where(operations.c.block == block).order_by(operations.c.position)
        return self._entries(query)

    def find(
        self, operation_hash: bytes, latest: int | None = None, block: int | None = None, chunk: int | None = None
    ) -> list[Entry]:
        """The operations of this hash, oldest first: more than one only of a Swap, and then as many as somebody likes.

        Args:
            latest: Only so many, the latest.
            block, chunk: Only those of this block, at this chunk position.
        """
        query = select(operations).where(operations.c.hash == operation_hash)
        if block is not None:
            query = query.where(operations.c.block == block)
        if chunk is not None:
            query = query.where(operations.c.chunk_position == chunk)
        query = query.order_by(operations.c.block.desc(), operations.c.position.desc()).limit(latest)
        return self._entries(query)[::-1]

    def count_operations(self) -> int:
        """All operations that were ever taken."""
        with self.transaction(writing=False) as connection:
            return int(connection.execute(select(func.count()).select_from(operations)).scalar() or 0)

    def state(self) -> Iterator[tuple[int, Account, dict[int, int]]]:
        """After block `base`, every account with what its slots hold."""
        held = select(leaves.c.account_id, leaves.c.slot, leaves.c.leaf).order_by(leaves.c.account_id, leaves.c.slot)
        with self.transaction(writing=False) as connection:
            # Two ordered walks side by side: a join would give each account once for every slot.
            slots = iter(_rows(connection, held))
            owner, slot, leaf = next(slots, _NO_SLOT)
            for account_id, address, key, nonce in _rows(connection, select(accounts).order_by(accounts.c.id)):
                contents = {}
                while owner == account_id:
                    contents[slot] = int.from_bytes(leaf, "big")
                    owner, slot, leaf = next(slots, _NO_SLOT)
                yield account_id, account_of_row(address, key, nonce), contents

    # Writing

    def accept(self, opened: Sequence[BlockRecord], entries: Sequence[Entry], closed: Sequence[BlockRecord]) -> None:
        """Keep what was promised: blocks opened, operations placed, blocks closed, all or nothing.

        Raises: DatabaseUnusable; then nothing, or everything where the database died as it said yes: `last_place`.
        """
        with self.transaction() as connection:
            if opened:
                connection.execute(insert(blocks), [block.row() for block in opened])
            if entries:
                self.put_rows(connection, operations, [entry.values() for entry in entries])
                self.put_rows(connection, parties, _party_rows(entries))
            for block in closed:
                self._set(connection, block.number, status=block.status, size=block.size, fee_account=block.fee_account)

    def last_place(self) -> tuple[int, int] | None:
        """Block and position of the operation that was taken last."""
        query = select(operations.c.block, operations.c.position)
        query = query.order_by(operations.c.block.desc(), operations.c.position.desc()).limit(1)
        with self.transaction() as connection:
            row = connection.execute(query).first()
        return (row[0], row[1]) if row else None

    def set_block(self, number: int, **values: Any) -> None:
        """Change columns of a block."""
        with self.transaction() as connection:
            self._set(connection, number, **values)

    def set_blocks(self, values: Mapping[int, Mapping[str, Any]]) -> None:
        """Change columns of blocks, by their number, all at once."""
        if values:
            with self.transaction() as connection:
                for number, columns in values.items():
                    self._set(connection, number, **columns)

    def set_proven(self, number: int, proof: bytes, base: int, changes: Sequence[tuple[int, Sequence[Touch]]]) -> None:
        """Keep a proof, and move the state on to block `base`.

        Args:
            number: The block.
            proof: Its proof.
            base: The last block that with all before it is proven.
            changes: Blocks from after the base before to `base`, each with the places that it changed, as they stand
                after it.
        """
        with self.transaction() as connection:
            self._set(connection, number, status=Status.PROVEN, proof=proof)
            for block, touches in changes:
                keep_undo(connection, block, touches)
                self._put_state(connection, touches)
            self.put_meta(connection, "base", str(base))

    def replace_state(self, base: int, touches: Iterable[Touch]) -> None:
        """Make this the state after block `base`, whatever was there."""
        with self.transaction() as connection:
            connection.execute(delete(leaves))
            connection.execute(delete(accounts))
            connection.execute(delete(undo))
            forget_undo(connection, base)
            self._put_state(connection, touches)
            self.put_meta(connection, "base", str(base))

    def forget_undo(self, last: int) -> None:
        """Give up the way back to before blocks up to `last`: see `undo.py`."""
        with self.transaction() as connection:
            forget_undo(connection, last)

    # Inside

    def _entries(self, query: Any) -> list[Entry]:
        with self.transaction() as connection:
            return [Entry.of_row(dict(row)) for row in connection.execute(query).mappings()]

    @staticmethod
    def _set(connection: Connection, number: int, **values: Any) -> None:
        connection.execute(update(blocks).where(blocks.c.number == number).values(**values))

    @staticmethod
    def put_meta(connection: Connection, key: str, value: str) -> None:
        """Set a value of the table `meta`."""
        connection.execute(delete(meta).where(meta.c.key == key))
        connection.execute(insert(meta).values(key=key, value=value))

    def put_rows(self, connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows of all columns, in their order; to SQLite straight through its driver, thousands a second."""
        if not rows:
            return
        if self._is_sqlite:
            # Many a statement: the driver gives the interpreter's lock away with each, and waits to have it back.
            names, marks = ", ".join(table.columns.keys()), f"({', '.join('?' * len(table.columns))})"
            start = 0
            while start < len(rows):
                count = next(count for count in ROWS_OF_A_STATEMENT if count <= len(rows) - start)
                values = tuple(chain.from_iterable(rows[start : start + count]))
                statement = f"INSERT INTO {table.name} ({names}) VALUES {', '.join([marks] * count)}"  # noqa: S608  # names of our own tables
                connection.exec_driver_sql(statement, values)
                start += count
        else:
            connection.execute(insert(table), [dict(zip(table.columns.keys(), row, strict=True)) for row in rows])

    @staticmethod
    def _put_state(connection: Connection, touches: Iterable[Touch]) -> None:
        """Write places as they stand now. Rows are deleted, then inserted: the same SQL everywhere."""
        held: dict[int, Account] = {}
        places: dict[tuple[int, int], int] = {}
        for touch in touches:
            held[touch.account_id] = touch.account
            places[touch.account_id, touch.slot] = touch.leaf
        if not held:
            return
        connection.execute(accounts.delete().where(accounts.c.id == _named("id_")), [{"id_": i} for i in held])
        by_place = leaves.delete().where(leaves.c.account_id == _named("id_"), leaves.c.slot == _named("slot_"))
        connection.execute(by_place, [{"id_": account_id, "slot_": slot} for account_id, slot in places])
        rows = [(number, *account_to_row(account)) for number, account in held.items() if account.exists]
        if rows:
            connection.execute(insert(accounts), [dict(zip(accounts.c.keys(), row, strict=True)) for row in rows])
        full = [
            {"account_id": account_id, "slot": slot, "leaf": number_to_blob(leaf)}
            for (account_id, slot), leaf in places.items()
            if leaf
        ]
        if full:
            connection.execute(insert(leaves), full)

    def _migrate(self, migrations: Sequence[Callable[[Connection], None]]) -> None:
        with self.transaction() as connection:
            found = 0
            if self._engine.dialect.has_table(connection, meta.name):
                found = int(connection.execute(select(meta.c.value).where(meta.c.key == "format")).scalar() or 0)
            if found > len(migrations):
                raise DatabaseNewer(self.name, found, len(migrations))
            for step in migrations[found:]:
                step(connection)
            if found < len(migrations):
                self.put_meta(connection, "format", str(len(migrations)))

    def adopt(self, origin: Origin) -> None:
        """Make this the database of a rollup, unless it is already.

        Raises: DatabaseOfAnother, DatabaseUnusable.
        """
        mine = {"chain_id": str(origin.chain_id), "rollup": origin.rollup.lower(), "l1_genesis": origin.l1_genesis}
        for what, expected in mine.items():
            with self.transaction() as connection:
                got = connection.execute(select(meta.c.value).where(meta.c.key == what)).scalar()
                if got is None:
                    self.put_meta(connection, what, expected)
                elif got != expected:
                    raise DatabaseOfAnother(self.name, what, expected, got)

    def _lock_file(self, path: str | None) -> Callable[[], None]:
        if not path or path == ":memory:":
            return _no_lock
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise DatabaseUnusable(self.name, error.strerror or str(error)) from error
        try:
            # The kernel lets it go when the process ends, however it ends.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise DatabaseInUse(self.name) from error
        return lambda: os.close(descriptor)

    def _lock_session(self) -> Callable[[], None]:
        """An advisory lock of a connection that is kept: the server lets it go when the connection ends."""
        try:
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            if not connection.execute(text(f"SELECT pg_try_advisory_lock({_POSTGRES_LOCK})")).scalar():
                connection.close()
                raise DatabaseInUse(self.name)
        except SQLAlchemyError as error:
            raise DatabaseUnusable(self.name, _reason(error)) from error
        # Detached from the pool, so that closing it ends the session.
        connection.detach()

        def release() -> None:
            # The server notices a closed connection only a moment later, and the next node may be there by then.
            with suppress(SQLAlchemyError):
                connection.execute(text(f"SELECT pg_advisory_unlock({_POSTGRES_LOCK})"))
            connection.close()

        return release


def copy_tables(source: Database, target: Database) -> dict[str, int]:
    """Copy everything from one database into another that is empty, each in one transaction.

    Returns: Rows by table.
    Raises: DatabaseUnusable: the target is not empty.
    """
    tables: tuple[Table, ...] = (accounts, leaves, blocks, operations, parties, undo, stages, meta)
    counts = {}
    with source.transaction(writing=False) as reading, target.transaction() as writing:
        if writing.execute(select(func.count()).select_from(blocks)).scalar():
            raise DatabaseUnusable(target.name, "it is not empty: copy into a new one")
        writing.execute(delete(meta))
        for table in tables:
            query = select(table).order_by(*table.primary_key.columns)
            rows = reading.execution_options(yield_per=ROWS_AT_ONCE).execute(query).mappings()
            counts[table.name] = 0
            for part in rows.partitions(ROWS_AT_ONCE):
                writing.execute(insert(table), [dict(row) for row in part])
                counts[table.name] += len(part)
    return counts


def _party_rows(entries: Sequence[Entry]) -> list[tuple[int, int, int]]:
    return [
        (account_id, entry.block, entry.position)
        for entry in entries
        for account_id in parties_of(entry.chunks, entry.record)
    ]


_NO_SLOT: Final = (-1, 0, b"")


def _rows(connection: Connection, query: Any) -> Iterator[Any]:
    return iter(connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query))


def _named(name: str) -> Any:
    from sqlalchemy import bindparam

    return bindparam(name)


def _set_pragmas(connection: Any, _: Any) -> None:
    connection.isolation_level = None
    for pragma in _SQLITE_PRAGMAS:
        connection.execute(pragma)


def _begin(connection: Connection) -> None:
    """The driver would begin on its own, late: every transaction is begun here."""
    is_writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")


def _no_lock() -> None:
    pass


def _reason(error: SQLAlchemyError) -> str:
    """The driver's own words, in one line, without the statement and its values."""
    original = getattr(error, "orig", None)
    return " ".join(str(original or error).split())
