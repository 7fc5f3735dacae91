"""Takes blocks back that L1 cannot have any more, so that what was in them can be sequenced anew.

That is so when L1 reverted them, or had none of them for a day (it would refuse their timestamps), or when a
reorganisation changed the queue below them. Receipts of them are broken then, or late, whatever is done: their holders
keep the proof. What can still be done for them is to do their operations, in new blocks.

The file is written first, then the journal's files are put aside, then the database goes back, in one transaction: a
crash in between leaves all as it was, as database and journal complete each other.
"""

import os
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, delete, select, update

from rollup.node.database import Database
from rollup.node.errors import RetractionRefused
from rollup.node.tables import accounts, blocks, leaves, meta, operations, parties, stages, undo
from rollup.node.undo import AFTER

RETRACTED: Final = "retracted"
"""Folder in the journal's, for files of blocks that were taken back; nothing reads it but people."""


def retract(database: Database, journal: Path, first: int, committed: int, file: Path) -> int:
    """Take back all blocks from `first` on.

    Args:
        database, journal: The node's; it does not run.
        first: A block's number.
        committed: The last block that L1 has; those are not taken back.
        file: Gets the users' operations, one a line as `POST /v1/transactions` takes them, in order.

    Returns: How many operations are in the file. The queue's are L1's to give again.
    Raises: RetractionRefused, DatabaseUnusable.
    """
    last = database.last_block()
    if first <= committed:
        raise RetractionRefused(first, f"L1 has the blocks up to {committed}")
    if last is None or last.number < first:
        raise RetractionRefused(first, f"the last block is {last.number if last else 0}")
    if file.exists():
        raise RetractionRefused(first, f"{file} is there already, and may hold what was taken back before")
    entries = [entry for number in range(first, last.number + 1) for entry in database.entries(number)]
    submitted = [entry.payload for entry in entries if entry.payload is not None]
    _write(file, submitted)
    aside = journal / RETRACTED
    aside.mkdir(exist_ok=True)
    for kept in [path for path in journal.glob("*.jsonl") if int(path.stem) >= first]:
        # Under a name of its own: a block of the same number may be taken back again.
        os.replace(kept, aside / f"{kept.stem}-{kept.stat().st_mtime_ns}.jsonl")
    with database.transaction() as connection:
        _go_back(connection, first)
    return len(submitted)


def _go_back(connection: Connection, first: int) -> None:
    known = connection.execute(select(meta.c.value).where(meta.c.key == AFTER)).scalar()
    base = int(connection.execute(select(meta.c.value).where(meta.c.key == "base")).scalar() or 0)
    if base >= first:
        if first <= int(known or 0):
            raise RetractionRefused(first, f"what the state was before block {int(known or 0) + 1} is not kept")
        _restore(connection, first)
        connection.execute(update(meta).where(meta.c.key == "base").values(value=str(first - 1)))
    for table in (operations, parties, stages):
        connection.execute(delete(table).where(table.c.block >= first))
    connection.execute(delete(blocks).where(blocks.c.number >= first))


def _restore(connection: Connection, first: int) -> None:
    """Put back what proven blocks found, the latest block's first."""
    found = connection.execute(select(undo).where(undo.c.block >= first).order_by(undo.c.block.desc())).all()
    held = {row.account_id: row for row in found}
    places = {(row.account_id, row.slot): row.leaf for row in found}
    for account_id, row in held.items():
        connection.execute(delete(accounts).where(accounts.c.id == account_id))
        if row.address is not None:
            values = {"address": row.address, "key": row.key, "nonce": row.nonce}
            connection.execute(accounts.insert().values(id=account_id, **values))
    for (account_id, slot), leaf in places.items():
        place = (leaves.c.account_id == account_id) & (leaves.c.slot == slot)
        connection.execute(delete(leaves).where(place))
        if leaf is not None:
            connection.execute(leaves.insert().values(account_id=account_id, slot=slot, leaf=leaf))
    connection.execute(delete(undo).where(undo.c.block >= first))


def _write(file: Path, lines: list[str]) -> None:
    partial = file.with_name(file.name + ".partial")
    with partial.open("w") as target:
        target.writelines(line + "\n" for line in lines)
        target.flush()
        os.fsync(target.fileno())
    os.replace(partial, file)
