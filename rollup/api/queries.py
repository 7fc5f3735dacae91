"""What the API asks of the node's database, each in one view of it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Select, func, select, tuple_

from rollup.api.cursors import Place
from rollup.core.account import Account
from rollup.node.database import Database
from rollup.node.entries import BlockRecord, Entry
from rollup.node.parties import parties_of
from rollup.node.tables import Status, blocks, operations, parties, stages
from rollup.node.undo import holdings_at

OnL1 = Mapping[str, Mapping[str, Any]]
"""By stage (committed, proven, executed): the L1 transaction, its block, and the time."""

_ON_L1 = {"committed": "committed", "proven_on_l1": "proven", "executed": "executed"}
"""What the service calls them, and what users know them as."""


class Queries:
    """Args:
    database: Of the node.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def holdings(self, account_id: int, block: int) -> tuple[Account, dict[int, int]] | None:
        """See `holdings_at`."""
        with self._database.transaction(writing=False) as connection:
            return holdings_at(connection, account_id, block)

    def history(self, account_id: int, before: Place | None, limit: int) -> list[Entry]:
        """The operations that name an account, newest first, those before a place."""
        query = (
            select(operations)
            .join(parties, (parties.c.block == operations.c.block) & (parties.c.position == operations.c.position))
            .where(parties.c.account_id == account_id)
            .order_by(parties.c.block.desc(), parties.c.position.desc())
            .limit(limit)
        )
        if before is not None:
            query = query.where(tuple_(parties.c.block, parties.c.position) < before)
        return self._entries(query)

    def touched(self, first: int, last: int) -> set[int]:
        """The accounts that blocks from `first` to `last` have changed."""
        published = select(operations.c.chunks, operations.c.record)
        published = published.where(operations.c.block >= first, operations.c.block <= last)
        got_fees = select(blocks.c.fee_account).where(blocks.c.number >= first, blocks.c.number <= last)
        with self._database.transaction(writing=False) as connection:
            named = {account_id for row in connection.execute(published) for account_id in parties_of(*row)}
            return named | {row[0] for row in connection.execute(got_fees) if row[0] is not None}

    def of_block(self, block: int, after: int | None, limit: int) -> list[Entry]:
        """A block's operations in order, those after a position."""
        query = select(operations).where(operations.c.block == block).order_by(operations.c.position).limit(limit)
        return self._entries(query if after is None else query.where(operations.c.position > after))

    def queued(self, index: int) -> Entry | None:
        """The entry of L1's queue of this index, if it was taken in."""
        found = self._entries(select(operations).where(operations.c.queue_index == index))
        return found[0] if found else None

    def open_queue(self, executed: int, after: int | None, limit: int) -> list[Entry]:
        """The entries of L1's queue that were taken in and are not executed, by their index."""
        with self._database.transaction(writing=False) as connection:
            next_block = select(blocks.c.queue_start).where(blocks.c.number == executed + 1)
            first = connection.execute(next_block).scalar()
            if first is None:
                return []
            first = first if after is None else max(first, after + 1)
            query = select(operations).where(operations.c.queue_index >= first, operations.c.block > executed)
            return _read(connection, query.order_by(operations.c.queue_index).limit(limit))

    def blocks(self, before: int | None, limit: int) -> list[BlockRecord]:
        """Blocks, newest first."""
        query = select(blocks).order_by(blocks.c.number.desc()).limit(limit)
        if before is not None:
            query = query.where(blocks.c.number < before)
        with self._database.transaction(writing=False) as connection:
            return [BlockRecord(**row) for row in connection.execute(query).mappings()]

    def last(self, *statuses: Status) -> int | None:
        """Number of the last block with one of these statuses."""
        query = select(blocks.c.number).where(blocks.c.status.in_(statuses)).order_by(blocks.c.number.desc()).limit(1)
        with self._database.transaction(writing=False) as connection:
            found: int | None = connection.execute(query).scalar()
        return found

    def counts(self, numbers: Iterable[int]) -> dict[int, int]:
        """How many operations blocks have."""
        query = select(operations.c.block, func.count()).where(operations.c.block.in_(list(numbers)))
        with self._database.transaction(writing=False) as connection:
            return {row[0]: row[1] for row in connection.execute(query.group_by(operations.c.block))}

    def on_l1(self, numbers: Iterable[int]) -> dict[int, OnL1]:
        """What is known of blocks on L1."""
        query = select(stages).where(stages.c.block.in_(list(numbers)), stages.c.stage.in_(_ON_L1))
        found: dict[int, dict[str, Mapping[str, Any]]] = defaultdict(dict)
        with self._database.transaction(writing=False) as connection:
            for row in connection.execute(query):
                place = {"transaction": row.l1_transaction, "l1_block": row.l1_block, "at": int(row.at)}
                found[row.block][_ON_L1[row.stage]] = place
        return dict(found)

    def stages(self, block: int) -> list[dict[str, Any]]:
        """Everything that was noted of a block, in the order of time."""
        query = select(stages).where(stages.c.block == block).order_by(stages.c.at)
        with self._database.transaction(writing=False) as connection:
            return [{str(name): row[name] for name in row} for row in connection.execute(query).mappings()]

    def _entries(self, query: Select[Any]) -> list[Entry]:
        with self._database.transaction(writing=False) as connection:
            return _read(connection, query)


def _read(connection: Connection, query: Select[Any]) -> list[Entry]:
    return [Entry.of_row(dict(row)) for row in connection.execute(query).mappings()]
