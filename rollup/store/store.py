"""One rollup's state and blocks in an SQLite file. Every change is one transaction, so a process may die anywhere."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from eth_abi.abi import decode, encode

from rollup.core.account import Account
from rollup.core.rules import Touch
from rollup.core.state import State
from rollup.l1.abi import BLOCK_TYPE, L1Block
from rollup.l1.feed import Origin
from rollup.l1.published import Published
from rollup.store.errors import StoreDamaged, StoreError, StoreOfAnother, StoreUnusable, StoreWrittenTwice
from rollup.store.schema import (
    ADDRESS_BYTES,
    APPLICATION_ID,
    FORMAT,
    SCHEMA,
    account_of_row,
    account_to_row,
    number_to_blob,
)
from rollup.store.tracked import TrackedState

IN_MEMORY: Final = ":memory:"
LOCK_TIMEOUT_SECONDS: Final = 30
ROWS_PER_FORGET: Final = 10_000

LoadProgress = Callable[[int, int], object]
"""Called with (balances loaded, balances in all)."""


@dataclass(frozen=True, slots=True)
class StoredBlock:
    """A block of the store, and where its commit was on L1 when it was read."""

    block: L1Block
    hash: bytes
    transaction: str
    l1_block: int


class Store:
    """Use as a context manager.

    Args:
        path: The file, or IN_MEMORY.
        origin: Which rollup it holds or, if there is no file yet, is to hold; None: whichever it holds.

    Raises: StoreUnusable, StoreOfAnother.
    """

    def __init__(self, path: Path | str, origin: Origin | None = None) -> None:
        self.path = str(path)
        if origin is None and not Path(path).is_file():
            raise StoreUnusable(self.path, "there is no such file: `sluice restore` makes it")
        with self._refusals():
            # Autocommit: every transaction is opened and ended here, by name.
            self._db = sqlite3.connect(self.path, timeout=LOCK_TIMEOUT_SECONDS, isolation_level=None)
        try:
            with self._refusals():
                self._open(origin)
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    # Reading

    @property
    def origin(self) -> Origin:
        """Which rollup this is."""
        chain_id, *rest = self._row("SELECT chain_id, rollup, deployed_at, l1_genesis FROM origin")
        return Origin(int(chain_id), *rest)

    @property
    def final(self) -> int:
        """Number of the last block known to be final on L1; it may be ahead of the store."""
        (number,) = self._row("SELECT final FROM origin")
        return int(number)

    @property
    def tip(self) -> StoredBlock:
        """The last block; genesis if there is none."""
        (number,) = self._row("SELECT coalesce(max(number), 0) FROM blocks")
        return self.block(number)

    def block(self, number: int) -> StoredBlock:
        """A block of the store by number, from 0 to the tip's.

        Raises: StoreUnusable: it is not there.
        """
        if number == 0:
            genesis = L1Block.genesis()
            return StoredBlock(genesis, genesis.hash(), "", self.origin.deployed_at)
        found = self._rows("SELECT preimage, hash, l1_transaction, l1_block FROM blocks WHERE number = ?", number)
        if not found:
            raise StoreUnusable(self.path, f"it has no block {number}")
        preimage, *rest = found[0]
        return StoredBlock(L1Block.of(decode([BLOCK_TYPE], preimage)[0]), *rest)

    def account(self, account_id: int) -> Account:
        """The account, the empty one if there is none."""
        found = self._rows("SELECT address, key, nonce FROM accounts WHERE id = ?", account_id)
        return account_of_row(*found[0]) if found else Account()

    def find(self, address: int) -> list[int]:
        """The ids of an address's accounts; mostly one or none."""
        blob = address.to_bytes(ADDRESS_BYTES, "big")
        return [row[0] for row in self._rows("SELECT id FROM accounts WHERE address = ? ORDER BY id", blob)]

    def leaves(self, account_id: int) -> dict[int, int]:
        """What is not 0 in an account's balance tree, by slot: money below the first order slot."""
        found = self._rows("SELECT slot, leaf FROM leaves WHERE account_id = ? ORDER BY slot", account_id)
        return {slot: int.from_bytes(leaf, "big") for slot, leaf in found}

    def count_accounts(self) -> int:
        """How many accounts there are."""
        (count,) = self._row("SELECT count(*) FROM accounts")
        return int(count)

    def load(self, progress: LoadProgress | None = None) -> TrackedState:
        """The whole state, with its trees, after the tip. Accounts of one address come in the order of their ids.

        Raises: StoreDamaged: it does not have the root of the tip.
        """
        state, (total,) = TrackedState(), self._row("SELECT count(*) FROM leaves")
        for done, contents in enumerate(self._contents()):
            state.touch(Touch(*contents))
            if done % ROWS_PER_FORGET == 0:
                state.forget()
                state.take()
                if progress is not None:
                    progress(done, total)
        state.forget()
        state.take()
        block = self.tip.block
        if state.root != block.new_root:
            raise StoreDamaged(self.path, block.number, block.new_root, state.root)
        return state

    def _contents(self) -> Iterator[tuple[int, int, Account, int]]:
        """Every slot that holds something with its account, and accounts that hold nothing with slot 0."""
        query = (
            "SELECT id, coalesce(slot, 0), coalesce(leaf, x''), address, key, nonce"
            " FROM accounts LEFT JOIN leaves ON account_id = id ORDER BY id"
        )
        with self._refusals(), closing(self._db.execute(query)) as rows:
            for account_id, slot, leaf, *account in rows:
                yield account_id, slot, account_of_row(*account), int.from_bytes(leaf, "big")

    # Writing

    def append(self, blocks: Sequence[Published], before: Sequence[list[Touch]], state: State, final: int) -> None:
        """Add blocks after the tip, and the state after the last of them, all or nothing.

        Args:
            blocks: One after the other.
            before: Of each block, what it found where it changed something.
            state: The state after them.
            final: Number of the last block that is final on L1.

        Raises: StoreWrittenTwice, StoreUnusable; then nothing has changed.
        """
        with self._transaction(blocks[0].block.number - 1):
            self._db.executemany(
                "INSERT INTO blocks VALUES (?, ?, ?, ?, ?)",
                (
                    (item.block.number, item.hash, _preimage(item.block), item.transaction, item.l1_block)
                    for item in blocks
                ),
            )
            self._db.executemany(
                "INSERT INTO undo VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    (item.block.number, *row)
                    for item, touches in zip(blocks, before, strict=True)
                    if item.block.number > final
                    for row in map(_undo_row, touches)
                ),
            )
            places = {(touch.account_id, touch.slot) for touches in before for touch in touches}
            self._write(Touch(*place, state.account(place[0]), state.leaf(*place)) for place in places)
            self._settle(final)

    def settle(self, final: int) -> None:
        """Give up the way back to blocks before `final`."""
        with self._transaction():
            self._settle(final)

    def cut(self, tip: int, number: int) -> list[Touch]:
        """Take back every block after `number`, all or nothing.

        Args:
            tip: The last block's number, as the caller knows it.
            number: The last block to stay; not before the final one.

        Returns:
            What now stands where something was taken back, for a state in memory.

        Raises: StoreWrittenTwice, StoreUnusable; then nothing has changed.
        """
        accounts: dict[int, Account] = {}
        leaves: dict[tuple[int, int], int] = {}
        with self._transaction(tip):
            # The oldest block's findings are applied last and stay.
            rows = self._db.execute(
                "SELECT account_id, slot, leaf, address, key, nonce FROM undo WHERE block > ? ORDER BY block DESC",
                (number,),
            )
            for account_id, slot, leaf, *account in rows:
                accounts[account_id] = account_of_row(*account)
                leaves[account_id, slot] = int.from_bytes(leaf, "big")
            touches = [Touch(*place, accounts[place[0]], leaf) for place, leaf in leaves.items()]
            self._write(touches)
            self._db.execute("DELETE FROM undo WHERE block > ?", (number,))
            self._db.execute("DELETE FROM blocks WHERE number > ?", (number,))
        return touches

    def _write(self, touches: Iterable[Touch]) -> None:
        accounts: dict[int, Account] = {}
        leaves, emptied = [], []
        for touch in touches:
            accounts[touch.account_id] = touch.account
            if touch.leaf:
                leaves.append((touch.account_id, touch.slot, number_to_blob(touch.leaf)))
            else:
                emptied.append((touch.account_id, touch.slot))
        existing = [(number, *account_to_row(account)) for number, account in accounts.items() if account.exists]
        gone = [(number,) for number, account in accounts.items() if not account.exists]
        self._db.executemany("INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?)", existing)
        self._db.executemany("DELETE FROM accounts WHERE id = ?", gone)
        self._db.executemany("INSERT OR REPLACE INTO leaves VALUES (?, ?, ?)", leaves)
        self._db.executemany("DELETE FROM leaves WHERE account_id = ? AND slot = ?", emptied)

    def _settle(self, final: int) -> None:
        self._db.execute("UPDATE origin SET final = max(final, ?)", (final,))
        self._db.execute("DELETE FROM undo WHERE block <= ?", (final,))

    # SQLite

    def _open(self, origin: Origin | None) -> None:
        is_empty = self._row("SELECT count(*) FROM sqlite_master") == (0,)
        (application_id,), (version,) = self._row("PRAGMA application_id"), self._row("PRAGMA user_version")
        if (application_id, version) != (APPLICATION_ID, FORMAT) and not (is_empty and origin):
            kind = f"another kind (application {application_id:#x}, version {version})"
            raise StoreUnusable(self.path, f"it is an SQLite file of {kind}")
        # A reader sees the last transaction while the next is written; a killed process loses none that had ended.
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        if origin is not None:
            self._create(origin)
            self._check_origin(origin)

    def _create(self, origin: Origin) -> None:
        """Make the tables, unless there are any."""
        with self._transaction():
            if self._row("SELECT count(*) FROM sqlite_master") != (0,):
                return
            for statement in SCHEMA:
                self._db.execute(statement)
            values = (str(origin.chain_id), origin.rollup, origin.deployed_at, origin.l1_genesis)
            self._db.execute("INSERT INTO origin VALUES (?, ?, ?, ?, 0)", values)
            self._db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self._db.execute(f"PRAGMA user_version = {FORMAT}")

    def _check_origin(self, origin: Origin) -> None:
        mine = self.origin
        for what in ("chain_id", "rollup", "l1_genesis"):
            expected, got = str(getattr(origin, what)), str(getattr(mine, what))
            if expected.lower() != got.lower():
                raise StoreOfAnother(self.path, what, expected, got)

    @contextmanager
    def _transaction(self, tip: int | None = None) -> Iterator[None]:
        """All or nothing; with `tip`, only on top of that block."""
        with self._refusals():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                if tip is not None and tip != (found := self.tip.block.number):
                    raise StoreWrittenTwice(self.path, tip, found)
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except StoreError:
            raise
        except sqlite3.Error as error:
            raise StoreUnusable(self.path, f"SQLite says {error}") from error

    def _row(self, query: str, *values: Any) -> tuple[Any, ...]:
        (row,) = self._rows(query, *values)
        return row

    def _rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._refusals():
            return self._db.execute(query, values).fetchall()


def _preimage(block: L1Block) -> bytes:
    return encode([BLOCK_TYPE], [block.as_tuple()])


def _undo_row(touch: Touch) -> tuple[Any, ...]:
    return touch.account_id, touch.slot, number_to_blob(touch.leaf), *account_to_row(touch.account)
