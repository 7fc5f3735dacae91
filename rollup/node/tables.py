"""The node's tables, the same in SQLite and PostgreSQL. Numbers that may exceed 63 bits are big-endian bytes, as in
`rollup/store/schema.py`, which says how accounts stand in columns.

    meta             whose database this is, its format, and `base`: the block whose state the next two hold
    accounts, leaves the state after block `base`
    blocks           from `base` back to the first and on to the open one, each with how far it has come
    operations       in their blocks, in order, with what their receipts promise
    parties          whose history each of them belongs to
    undo             what proven blocks found where they changed something (undo.py)
    stages           when a block came how far, as the service saw it
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    insert,
    select,
    text,
)

from rollup.node.parties import parties_of

_ROWS_AT_ONCE: Final = 10_000
metadata: Final = MetaData()


class Status(StrEnum):
    """How far a block has come here. What L1 says of it is asked of L1."""

    OPEN = "open"
    CLOSED = "closed"
    SEALED = "sealed"
    PROVEN = "proven"


meta: Final = Table("meta", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

accounts: Final = Table(
    "accounts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("address", LargeBinary, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("nonce", BigInteger, nullable=False),
)

leaves: Final = Table(
    "leaves",
    metadata,
    Column("account_id", Integer, nullable=False),
    Column("slot", Integer, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    PrimaryKeyConstraint("account_id", "slot"),
)

blocks: Final = Table(
    "blocks",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("status", Text, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("validator_set", LargeBinary, nullable=False),
    Column("queue_start", BigInteger, nullable=False),
    # From CLOSED on:
    Column("size", Integer),
    Column("fee_account", Integer),
    # From SEALED on: H0..H4, and C.
    Column("header", LargeBinary),
    Column("commitment", LargeBinary),
    # From PROVEN on: the eight words of the proof.
    Column("proof", LargeBinary),
    # The ABI encoding whose hash L1 keeps, as L1 had it when it was last seen there.
    Column("preimage", LargeBinary),
)

operations: Final = Table(
    "operations",
    metadata,
    Column("block", BigInteger, nullable=False),
    Column("position", Integer, nullable=False),
    # A user's, as JSON (rollup/core/wire.py), with its hash; or the queue's, by its index.
    Column("payload", Text),
    Column("hash", LargeBinary),
    Column("queue_index", BigInteger),
    Column("account_id", Integer, nullable=False),
    Column("recipient", LargeBinary, nullable=False),
    Column("issued_at", BigInteger, nullable=False),
    Column("chunk_position", Integer, nullable=False),
    Column("chunks", LargeBinary, nullable=False),
    Column("word_position", Integer, nullable=False),
    Column("record", LargeBinary, nullable=False),
    PrimaryKeyConstraint("block", "position"),
    Index("operations_by_hash", "hash"),
)

parties: Final = Table(
    "parties",
    metadata,
    Column("account_id", Integer, nullable=False),
    Column("block", BigInteger, nullable=False),
    Column("position", Integer, nullable=False),
    PrimaryKeyConstraint("account_id", "block", "position"),
    sqlite_with_rowid=False,
)

undo: Final = Table(
    "undo",
    metadata,
    Column("block", BigInteger, nullable=False),
    Column("account_id", Integer, nullable=False),
    Column("slot", Integer, nullable=False),
    # What was there before the block; null where nothing was.
    Column("leaf", LargeBinary),
    Column("address", LargeBinary),
    Column("key", LargeBinary),
    Column("nonce", BigInteger),
    PrimaryKeyConstraint("account_id", "slot", "block"),
    sqlite_with_rowid=False,
)

stages: Final = Table(
    "stages",
    metadata,
    Column("block", BigInteger, nullable=False),
    Column("stage", Text, nullable=False),
    # Unix seconds: ours, or of the L1 block.
    Column("at", Float, nullable=False),
    # Where it is on L1, if it is.
    Column("l1_transaction", Text),
    Column("l1_block", BigInteger),
    PrimaryKeyConstraint("block", "stage"),
)

_FIRST: Final = (meta, accounts, leaves, blocks, operations)


def _first(connection: Connection) -> None:
    metadata.create_all(connection, tables=_FIRST, checkfirst=False)


def _stages(connection: Connection) -> None:
    stages.create(connection)


def _histories(connection: Connection) -> None:
    """Histories, and the state that L1 has executed."""
    metadata.create_all(connection, [parties, undo], checkfirst=False)
    for unused in ("operations_by_account", "operations_by_recipient"):
        connection.execute(text(f"DROP INDEX IF EXISTS {unused}"))
    by_queue = "CREATE INDEX operations_by_queue ON operations (queue_index) WHERE queue_index IS NOT NULL"
    connection.execute(text(by_queue))
    columns = operations.c.block, operations.c.position, operations.c.chunks, operations.c.record
    taken = connection.execute(select(*columns), execution_options={"yield_per": _ROWS_AT_ONCE})
    for part in taken.partitions(_ROWS_AT_ONCE):
        rows = [(account, *row[:2]) for row in part for account in parties_of(*row[2:])]
        if rows:
            connection.execute(insert(parties), [dict(zip(parties.c.keys(), row, strict=True)) for row in rows])
    connection.execute(text("INSERT INTO meta (key, value) SELECT 'undo_after', value FROM meta WHERE key = 'base'"))


MIGRATIONS: Final[tuple[Callable[[Connection], None], ...]] = (_first, _stages, _histories)
"""Number n brings a database of format n to n + 1. Those that were released stay as they are; later ones are added."""
