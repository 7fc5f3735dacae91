"""Carries what the node does to who has subscribed.

    node's threads --post--> event loop --> sockets
                             event loop --look--> database (a thread), when blocks have moved

What a batch of the sequencer changed is told in the node's own order, from the state as it was then. How far blocks are
is looked up, at most once at a time: however often they move meanwhile, the next look sees it all.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

from rollup.api.answers import dump
from rollup.api.reads import Reads
from rollup.api.records import block_to_json, entry_id, entry_to_json
from rollup.api.stages import BlockStage, Stage, stage_of
from rollup.core.state import State
from rollup.node.chain import Heads
from rollup.node.core import KEPT_BLOCKS
from rollup.node.entries import Entry
from rollup.node.errors import DatabaseError
from rollup.node.listening import Kept
from rollup.node.parties import parties_of

_LOG: Final = logging.getLogger("sluice.api")
IDLE_SECONDS: Final = 1.0
"""While nobody has subscribed, how far blocks are is looked up no more often: every block is read for it."""


class Subscriber(Protocol):
    """Who gets events. `tell` never waits."""

    def tell(self, subscription: int, body: str) -> None: ...


Key = tuple[Subscriber, int]
"""A subscriber, and its number for the subscription."""


@dataclass
class _Watched:
    """What somebody watches; `is_looked_up`: the database was asked since the last of them came."""

    watchers: set[Key] = field(default_factory=set)
    is_looked_up: bool = False


@dataclass
class _Account(_Watched):
    """An account, as last seen."""

    confirmed: dict[str, Any] | None = None
    final: dict[str, Any] | None = None


@dataclass
class _Operation(_Watched):
    """An operation, as last told."""

    entry: Entry | None = None
    told: tuple[int, Stage] | None = None


K = TypeVar("K")
W = TypeVar("W", bound=_Watched)


@dataclass(frozen=True)
class _Look:
    """What one look at the database is to find, and what it found."""

    accounts: tuple[int, ...]
    operations: tuple[str, ...]
    executed: int
    heads: Heads | None = None
    blocks: list[dict[str, Any]] = field(default_factory=list)
    finals: dict[int, dict[str, Any] | None] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)


class Hub:
    """A `Listener` of the node. Its tables are the event loop's; the node's threads only look into them.

    Args:
        reads: Where things are looked up.
    """

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: Callable[[], None] = lambda: None
        self._posted: deque[Callable[[], None]] = deque()
        self._is_called = False
        self._task: asyncio.Task[None] | None = None
        self._has_moved = False
        self._looked_at = 0.0
        self._executed = 0
        self._stages: dict[int, BlockStage] = {}
        self._accounts: dict[int, _Account] = {}
        self._operations: dict[str, _Operation] = {}
        self._blocks: set[Key] = set()
        self._all: dict[Key, int | None] = {}

    def start(self) -> None:
        """Listen from now on; in the event loop."""
        self._loop = asyncio.get_running_loop()
        self._executed = self._reads.heads.executed
        self._end = self._reads.backend.node.listen(self)

    def stop(self) -> None:
        """Listen no more."""
        self._end()
        self._loop = None

    @property
    def has_subscribers(self) -> bool:
        """Whether anybody is to be told of anything."""
        return bool(self._accounts or self._operations or self._blocks or self._all)

    # Subscribing, in the event loop

    def watch_account(self, account_id: int, key: Key) -> None:
        """Tell how an account stands, now and whenever it changes."""
        watched = self._accounts.setdefault(account_id, _Account())
        watched.watchers.add(key)
        watched.is_looked_up = False
        self._look()

    def watch_operation(self, name: str, key: Key) -> None:
        """Tell how far an operation is, now if it was taken, and whenever it comes further."""
        watched = self._operations.setdefault(name, _Operation())
        watched.watchers.add(key)
        watched.told, watched.is_looked_up = None, False
        self._look()

    def watch_blocks(self, key: Key) -> None:
        """Tell of every block that comes further."""
        self._blocks.add(key)
        self._look()

    def watch_all(self, account_id: int | None, key: Key) -> None:
        """Tell of every operation that is taken, or those that name an account."""
        self._all[key] = account_id

    def forget(self, keys: Sequence[Key]) -> None:
        """End subscriptions."""
        for key in keys:
            self._blocks.discard(key)
            self._all.pop(key, None)
        _forget(self._accounts, set(keys))
        _forget(self._operations, set(keys))

    # Told by the node, in its threads

    def kept(self, kept: Kept, state: State) -> None:
        """See `Listener`. A fault here is not the node's: it is logged, and events are missing."""
        try:
            if kept.opened or kept.closed:
                self._post(self._look)
            if not (self._accounts or self._operations or self._all):
                return
            touched = {account_id for each in kept.entries for account_id in parties_of(each.chunks, each.record)}
            touched |= {each.fee_account for each in kept.closed if each.fee_account is not None}
            seen = {
                account_id: self._reads.confirmed_account(state, account_id)
                for account_id in touched
                if account_id in self._accounts
            }
            entries = tuple(kept.entries)
            self._post(lambda: self._taken(entries, seen))
        except Exception:
            _LOG.exception("subscribers were not told of a batch")

    def moved(self) -> None:
        """See `Listener`."""
        self._post(self._look)

    def _post(self, act: Callable[[], None]) -> None:
        loop = self._loop
        if loop is None:
            return
        self._posted.append(act)
        if not self._is_called:
            self._is_called = True
            try:
                loop.call_soon_threadsafe(self._deliver)
            except RuntimeError:  # the loop has just been closed
                self._loop = None

    # In the event loop

    def _deliver(self) -> None:
        self._is_called = False
        while self._posted:
            self._posted.popleft()()

    def _taken(self, entries: Iterable[Entry], seen: Mapping[int, dict[str, Any] | None]) -> None:
        heads = self._reads.heads
        for entry in entries:
            watched = self._operations.get(entry_id(entry))
            if watched is not None:
                watched.entry = entry
                self._tell_operation(watched, heads)
            if self._all:
                self._tell_all(entry, heads)
        for account_id, confirmed in seen.items():
            account = self._accounts.get(account_id)
            if account is not None:
                account.confirmed = confirmed
                self._tell_account(account)

    def _tell_all(self, entry: Entry, heads: Heads) -> None:
        named = parties_of(entry.chunks, entry.record)
        keys = [key for key, account_id in self._all.items() if account_id is None or account_id in named]
        _tell(keys, "transaction", {"transaction": entry_to_json(entry, heads)})

    def _tell_operation(self, watched: _Operation, heads: Heads) -> None:
        assert watched.entry is not None
        now = watched.entry.block, stage_of(watched.entry.block, heads)
        if now != watched.told:
            watched.told = now
            _tell(watched.watchers, "transaction", {"transaction": entry_to_json(watched.entry, heads)})

    def _tell_account(self, account: _Account) -> None:
        if account.confirmed is not None and account.is_looked_up:
            _tell(account.watchers, "account", {"account": account.confirmed | {"final": account.final}})

    # Looking things up

    def _look(self) -> None:
        now = time.monotonic()
        if not self.has_subscribers and now < self._looked_at + IDLE_SECONDS:
            return
        self._looked_at = now
        self._has_moved = True
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._looking())

    async def _looking(self) -> None:
        while self._has_moved:
            self._has_moved = False
            accounts = tuple(number for number, each in self._accounts.items() if not each.is_looked_up)
            names = tuple(name for name, each in self._operations.items() if not each.is_looked_up)
            try:
                self._found(await self._reads.run(self._look_up, _Look(accounts, names, self._executed)))
            except DatabaseError as error:
                _LOG.warning("subscribers were not told how far blocks are: %s", error)

    def _look_up(self, wanted: _Look) -> _Look:
        """In a thread of its own."""
        heads, queries = self._reads.heads, self._reads.queries
        first, last = sorted((wanted.executed, heads.executed))
        accounts = set(wanted.accounts)
        if first < last:
            accounts |= {number for number in queries.touched(first + 1, last) if number in self._accounts}
        for number in wanted.accounts:
            self._reads.backend.node.sequencer.read(lambda state, number=number: self._see(state, number))  # type: ignore[misc]
        records = self._reads.backend.database.blocks(first + 1)
        counts = queries.counts([record.number for record in records])
        on_l1 = queries.on_l1([record.number for record in records])
        entries = {name: self._reads.entries(name)[-1:] for name in wanted.operations}
        return _Look(
            wanted.accounts,
            wanted.operations,
            wanted.executed,
            heads,
            [block_to_json(each, counts.get(each.number, 0), heads, on_l1.get(each.number, {})) for each in records],
            {number: self._reads.final_holdings(number) for number in accounts},
            {name: found[-1] for name, found in entries.items() if found},
        )

    def _see(self, state: State, account_id: int) -> None:
        """Under the sequencer's lock, so in order with what `kept` posts."""
        confirmed = self._reads.confirmed_account(state, account_id)
        self._post(lambda: self._taken((), {account_id: confirmed}))

    def _found(self, found: _Look) -> None:
        assert found.heads is not None
        self._executed = found.heads.executed
        for block in found.blocks:
            if self._stages.get(block["number"]) != block["status"]:
                self._stages[block["number"]] = block["status"]
                _tell(self._blocks, "block", {"block": block})
        # A reorganisation of L1 may still take these back; older ones are not told again.
        for number in [number for number in self._stages if number <= found.heads.executed - KEPT_BLOCKS]:
            del self._stages[number]
        for name in found.operations:
            if (watched := self._operations.get(name)) is not None:
                watched.is_looked_up, watched.entry = True, found.entries.get(name, watched.entry)
        for each in self._operations.values():
            if each.entry is not None:
                self._tell_operation(each, found.heads)
        for number, final in found.finals.items():
            if (account := self._accounts.get(number)) is not None:
                account.final, account.is_looked_up = final, True
                self._tell_account(account)


def _forget(table: dict[K, W], gone: set[Key]) -> None:
    for name in [name for name, each in table.items() if not each.watchers.isdisjoint(gone)]:
        table[name].watchers -= gone
        if not table[name].watchers:
            del table[name]


def _tell(keys: Iterable[Key], kind: str, values: dict[str, Any]) -> None:
    """One text for all of them; each gets its own number in front."""
    body = dump({"type": kind} | values).decode()
    for subscriber, number in tuple(keys):
        subscriber.tell(number, body)
