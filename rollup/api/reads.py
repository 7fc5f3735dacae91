"""What the API reads of accounts, operations and blocks, off the event loop, and nothing that is not durable: the
state between two batches of the sequencer, the database as of its last commit, L1's heads as last seen.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from anyio import CapacityLimiter, to_thread

from rollup.api.accounts import account_to_json, holdings_to_json, leaves_of
from rollup.api.backend import Backend
from rollup.api.cursors import read_number, read_place, write_place
from rollup.api.errors import AccountUnknown, BlockUnknown, TransactionUnknown
from rollup.api.limits import PAGE_MOST, Limits
from rollup.api.queries import Queries
from rollup.api.queue import L1Queue
from rollup.api.records import QUEUE_PREFIX, block_to_json, entry_to_json, on_l1_to_json
from rollup.core.receipt import receipt_to_wire
from rollup.core.state import State
from rollup.node.chain import Heads
from rollup.node.entries import Entry

T = TypeVar("T")

THREADS: Final = 8
"""That read at once; the database has connections for them and for the node's own threads."""

OCCURRENCES: Final = PAGE_MOST
"""Shown of a swap that was taken many times: there may be as many as its parties like."""


class Reads:
    """Answers in JSON values.

    Args:
        backend: What is read.
        limits: Of pages.
    """

    def __init__(self, backend: Backend, limits: Limits) -> None:
        self.backend = backend
        self.limits = limits
        self.queries = Queries(backend.database)
        self.queue = L1Queue(backend, self.queries)
        self._threads = CapacityLimiter(THREADS)

    async def run(self, look: Callable[..., T], *arguments: Any) -> T:
        """Call what blocks in another thread."""
        return await to_thread.run_sync(look, *arguments, limiter=self._threads)

    @property
    def heads(self) -> Heads:
        """How far L1 is."""
        return self.backend.node.lander.heads

    # Accounts

    def account(self, account_id: int) -> dict[str, Any]:
        """An account, as confirmed and as final.

        Raises: AccountUnknown.
        """
        confirmed = self.backend.node.sequencer.read(lambda state: self.confirmed_account(state, account_id))
        if confirmed is None:
            raise AccountUnknown(account_id)
        return confirmed | {"final": self.final_holdings(account_id)}

    def accounts_of(self, address: int) -> list[dict[str, Any]]:
        """All accounts of an address, oldest first."""

        def look(state: State) -> list[dict[str, Any]]:
            found = [self.confirmed_account(state, account_id) for account_id in state.find(address)]
            return [each for each in found if each is not None]

        accounts = self.backend.node.sequencer.read(look)
        return [each | {"final": self.final_holdings(each["id"])} for each in accounts]

    def confirmed_account(self, state: State, account_id: int) -> dict[str, Any] | None:
        """An account without its final holdings; None if there is none."""
        account = state.account(account_id)
        if not account.exists:
            return None
        held = holdings_to_json(self.backend, account, leaves_of(state, account_id))
        return account_to_json(account_id, account) | {"confirmed": held}

    def final_holdings(self, account_id: int) -> dict[str, Any] | None:
        """What L1 has executed; None if it is not known, for a while after the database was rebuilt."""
        found = self.queries.holdings(account_id, self.heads.executed)
        return None if found is None else holdings_to_json(self.backend, *found)

    def history(self, account_id: int, cursor: str | None, limit: int) -> dict[str, Any]:
        """A page of the operations that name an account.

        Raises: AccountUnknown.
        """
        before = read_place(cursor)
        entries = self.queries.history(account_id, before, limit + 1)
        if not entries and not self.backend.node.sequencer.read(lambda state: state.account(account_id).exists):
            raise AccountUnknown(account_id)
        return self._page(entries, limit)

    # Operations

    def transaction(self, name: str, place: tuple[int | None, int | None] = (None, None)) -> dict[str, Any]:
        """An operation that was taken, or an entry of L1's queue that waits.

        Args:
            name: Its hash, or its place in the queue.
            place: Block and position; of a swap that was submitted several times, the latest by default.

        Raises: TransactionUnknown.
        """
        entries = self.entries(name)
        if not entries and name.startswith(QUEUE_PREFIX):
            return self.queue.waiting(int(name.removeprefix(QUEUE_PREFIX)))
        entry = self._entry(name, place)
        receipt = None
        if entry.hash is not None:
            receipt = receipt_to_wire(self.backend.node.sequencer.receipt(entry))
        occurrences = [{"block": each.block, "position": each.chunk_position} for each in entries]
        on_l1 = on_l1_to_json(self.queries.on_l1([entry.block]).get(entry.block, {}))
        return entry_to_json(entry, self.heads) | {"receipt": receipt, "l1": on_l1, "occurrences": occurrences}

    def receipt(self, name: str, place: tuple[int | None, int | None]) -> dict[str, Any]:
        """The receipt of an operation.

        Raises: TransactionUnknown.
        """
        entry = self._entry(name, place)
        assert entry.hash is not None, "the route takes hashes alone"
        return receipt_to_wire(self.backend.node.sequencer.receipt(entry))

    def trace(self, name: str, place: tuple[int | None, int | None]) -> dict[str, Any]:
        """An operation's way through the node.

        Raises: TransactionUnknown.
        """
        entry = self._entry(name, place)
        noted = self.backend.trace(entry)
        if noted is None:
            began = {"stage": "durable", "at": entry.issued_at, "block": entry.block, "position": entry.position}
            noted = [began, *self.queries.stages(entry.block)]
        return {"hash": name, "stages": [_stage(each) for each in noted]}

    def _entry(self, name: str, place: tuple[int | None, int | None]) -> Entry:
        """The operation of this name that is at a place, the latest by default.

        Raises: TransactionUnknown.
        """
        block, position = place
        if name.startswith(QUEUE_PREFIX):
            found = [each for each in self.entries(name) if block in (None, each.block)]
            found = [each for each in found if position in (None, each.chunk_position)]
        else:
            found = self.backend.database.find(bytes.fromhex(name[2:]), 1, block, position)
        if not found:
            raise TransactionUnknown(name)
        return found[-1]

    def entries(self, name: str) -> list[Entry]:
        """The operations of this hash, or of this place in the queue, oldest first: the latest OCCURRENCES."""
        if not name.startswith(QUEUE_PREFIX):
            return self.backend.database.find(bytes.fromhex(name[2:]), OCCURRENCES)
        entry = self.queries.queued(int(name.removeprefix(QUEUE_PREFIX)))
        return [] if entry is None else [entry]

    # Blocks

    def blocks(self, cursor: str | None, limit: int) -> dict[str, Any]:
        """A page of blocks, newest first."""
        records = self.queries.blocks(read_number(cursor), limit + 1)
        numbers = [record.number for record in records]
        counts, on_l1, heads = self.queries.counts(numbers), self.queries.on_l1(numbers), self.heads
        shown = [
            block_to_json(record, counts.get(record.number, 0), heads, on_l1.get(record.number, {}))
            for record in records[:limit]
        ]
        return {"blocks": shown, "next_cursor": str(numbers[limit - 1]) if len(records) > limit else None}

    def block(self, number: int) -> dict[str, Any]:
        """A block.

        Raises: BlockUnknown.
        """
        found = self.queries.blocks(number + 1, 1)
        if not found or found[0].number != number:
            raise BlockUnknown(number, self._last_block())
        counts, on_l1 = self.queries.counts([number]), self.queries.on_l1([number])
        return block_to_json(found[0], counts.get(number, 0), self.heads, on_l1.get(number, {}))

    def of_block(self, number: int, cursor: str | None, limit: int) -> dict[str, Any]:
        """A page of a block's operations, in their order.

        Raises: BlockUnknown.
        """
        after = read_number(cursor)
        entries = self.queries.of_block(number, after, limit + 1)
        if not entries:
            self.block(number)
        page = self._page(entries, limit)
        page["next_cursor"] = str(entries[limit - 1].position) if len(entries) > limit else None
        return page

    def _last_block(self) -> int:
        last = self.backend.database.last_block()
        return last.number if last else 0

    def _page(self, entries: Sequence[Entry], limit: int) -> dict[str, Any]:
        heads = self.heads
        shown = [entry_to_json(entry, heads) for entry in entries[:limit]]
        more = len(entries) > limit
        last = entries[limit - 1] if more else None
        return {"transactions": shown, "next_cursor": write_place((last.block, last.position)) if last else None}


def _stage(noted: Any) -> dict[str, Any]:
    return {name: value for name, value in noted.items() if value is not None}
