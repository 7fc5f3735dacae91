"""What a node is after a crash: database and journal agree, the state is the last proven one, and all that was promised
since is taken in again, at the same places, with the same times.
"""

from dataclasses import dataclass

from rollup.core.account import empty_root
from rollup.core.constants import QUEUE_EXPIRY_SECONDS
from rollup.core.errors import SluiceError
from rollup.core.rules import Context
from rollup.core.state import State
from rollup.node.database import Database
from rollup.node.entries import BlockRecord
from rollup.node.errors import DatabaseDamaged
from rollup.node.journal import Journal
from rollup.node.ledger import Closed, Ledger
from rollup.node.sealing import EVERYTHING, header_of_blob
from rollup.node.tables import Status


@dataclass(frozen=True, slots=True)
class Recovered:
    """Where a node goes on.

    Args:
        ledger: With the open block, if there was one.
        sealed: The state after block `base`.
        base: The last block that with all before it is proven.
        pending: The closed blocks after it, in order; some may have their proof.
        last: The latest block.
        queue_end: Index of the queue's next entry.
    """

    ledger: Ledger
    sealed: State
    base: int
    pending: list[Closed]
    last: BlockRecord | None
    queue_end: int


def recover(
    database: Database, journal: Journal, domain: int, fee_tokens: tuple[int, ...], validator: int, sizes: list[int]
) -> Recovered:
    """Bring database and journal together, and rebuild what was in memory.

    Raises: DatabaseDamaged, DatabaseUnusable, JournalUnusable.
    """
    _complete(database, journal)
    base = database.base
    sealed, open_state = _load(database, base)
    ledger = Ledger(open_state, validator, sizes)
    pending = []
    last = database.blocks(base, base)[-1] if base else None
    queue_end = 0 if last is None else last.queue_start + _queue_count(database, last)
    for record in database.blocks(base + 1):
        entries = database.entries(record.number)
        context = Context(domain, record.timestamp, fee_tokens, EVERYTHING, EVERYTHING)
        try:
            closed = ledger.replay(record, context, entries)
        except SluiceError as error:
            raise DatabaseDamaged(database.name, record.number, str(error)) from error
        queued = [entry.issued_at for entry in entries if entry.queue_index is not None]
        queue_end = record.queue_start + len(queued)
        if closed is not None:
            pending.append(closed)
        elif ledger.block is not None and queued:
            # When it was requested the database does not say; not long before it was taken.
            ledger.block.queue_expiry = queued[0] + QUEUE_EXPIRY_SECONDS
        last = record
    ledger.save()
    return Recovered(ledger, sealed, base, pending, last, queue_end)


def _load(database: Database, base: int) -> tuple[State, State]:
    """The state of the database twice: with its trees, held to the root of block `base`, and for the open block."""
    sealed = State()
    sealed.fill(database.state())
    expected = empty_root()
    if base:
        (record,) = database.blocks(base, base) or (None,)
        if record is None or record.header is None:
            raise DatabaseDamaged(database.name, base, "the block is missing whose state it holds")
        expected = header_of_blob(record.header).new_root
    if sealed.root != expected:
        raise DatabaseDamaged(database.name, base, f"the state has root {sealed.root:#066x}, not {expected:#066x}")
    return sealed, sealed.copy(has_trees=False)


def _complete(database: Database, journal: Journal) -> None:
    """Give each the end that only the other has: the journal's where the database was put back to an older copy."""
    base = database.base
    written = {block.record.number: block for block in journal.blocks(base + 1)}
    known = {record.number: record for record in database.blocks(base + 1)}
    for expected, number in enumerate(sorted(written.keys() | known.keys()), base + 1):
        if number != expected:
            reason = f"it is missing, and block {number} is there; `sluice database rebuild` gets it from L1"
            raise DatabaseDamaged(database.name, expected, reason)
        copy, record = written.get(number), known.get(number)
        entries = database.entries(number) if record else []
        copied = copy.entries if copy else []
        shared = min(len(entries), len(copied))
        if entries[:shared] != copied[:shared]:
            reason = f"the journal {journal.folder} promises something else in it"
            raise DatabaseDamaged(database.name, number, reason)
        if copy is not None:
            opened = [] if record else [BlockRecord(**copy.record.row() | _UNFINISHED)]
            is_closed = copy.record.status == Status.CLOSED and (record is None or record.status == Status.OPEN)
            missing = copied[shared:]
            if opened or missing or is_closed:
                database.accept(opened, missing, [copy.record] if is_closed else [])
        if record is not None:
            opened = [] if copy else [record]
            is_closed = record.status != Status.OPEN and (copy is None or copy.record.status == Status.OPEN)
            if opened or entries[shared:] or is_closed:
                journal.append(opened, entries[shared:], [record] if is_closed else [])


_UNFINISHED = {"status": Status.OPEN, "size": None, "fee_account": None}


def _queue_count(database: Database, record: BlockRecord) -> int:
    return sum(entry.queue_index is not None for entry in database.entries(record.number))
