"""What was submitted, signed and seen, in an SQLite file. Every change is one transaction on disk before it returns, so
a process may die anywhere; what is unfinished is held in memory too.
"""

import fcntl
import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from rollup.landing.calls import Call
from rollup.landing.errors import (
    ActionDiffers,
    ActionOver,
    ActionUnknown,
    JournalInUse,
    JournalOfAnother,
    JournalUnusable,
)
from rollup.landing.model import Action, Attempt, Event, Kind, Place, State
from rollup.landing.schema import APPLICATION_ID, FORMAT, SCHEMA, action_of_row, attempt_of_row, call_digest, to_json

IN_MEMORY: Final = ":memory:"
LOCK_TIMEOUT_SECONDS: Final = 30
PRIVATE: Final = 0o600
_UNFINISHED: Final = (State.QUEUED, State.PENDING, State.MINED)

Values = Mapping[str, Any]


class Journal:
    """Use as a context manager. May be used from several threads, but by one process at a time.

    Args:
        path: The file, or IN_MEMORY.
        chain_id: EIP-155 chain id.

    Raises: JournalUnusable, JournalOfAnother, JournalInUse. Every method raises JournalUnusable if the disk fails; then
        nothing was changed.
    """

    def __init__(self, path: Path | str, chain_id: int) -> None:
        self.path = str(path)
        self.chain_id = chain_id
        self._mutex = threading.RLock()
        self._lock = self._locked()
        try:
            with self._refusals():
                # Autocommit: every transaction is opened and ended here, by name.
                self._db = sqlite3.connect(
                    self.path, timeout=LOCK_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
                )
                self._open()
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
        """Close the file and let others have it."""
        if hasattr(self, "_db"):
            self._db.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    # Reading

    def unfinished(self) -> list[Action]:
        """What is queued, pending or mined, in order of submission."""
        with self._mutex:
            return [self._actions[number] for number in sorted(self._actions)]

    def action(self, key: str) -> Action:
        """The action of a key. Of a final one, calldata and signed bytes are not kept.

        Raises: ActionUnknown.
        """
        found = self._rows("SELECT id FROM actions WHERE key = ?", key)
        if not found:
            raise ActionUnknown(key)
        return self._load(found[0][0])

    def next_nonce(self, address: str) -> int:
        """The first nonce of an address that no action has had; 0 if none has any."""
        ((number,),) = self._rows("SELECT coalesce(max(nonce) + 1, 0) FROM actions WHERE address = ?", address)
        return int(number)

    def final_nonce(self, address: str) -> int:
        """The highest nonce of an address that was used for good; -1 if there is none."""
        ((number,),) = self._rows(
            "SELECT coalesce(max(nonce), -1) FROM actions WHERE address = ? AND state = ?", address, State.FINAL
        )
        return int(number)

    def events(self, after: int = 0, limit: int = 1_000) -> list[Event]:
        """Events with a greater sequence, the oldest first."""
        rows = self._rows(
            "SELECT sequence, kind, key, detail, at FROM events WHERE sequence > ? ORDER BY sequence LIMIT ?",
            after,
            limit,
        )
        return [Event(sequence, Kind(kind), key, json.loads(detail), at) for sequence, kind, key, detail, at in rows]

    def last_event(self) -> int:
        """Sequence of the latest event; 0 if there is none."""
        ((number,),) = self._rows("SELECT coalesce(max(sequence), 0) FROM events")
        return int(number)

    # Changing

    def submit(self, key: str, call: Call, at: int) -> Action:
        """Take a call in; the same call under the same key is taken once.

        Raises: ActionDiffers.
        """
        with self._change():
            found = self._rows("SELECT id, digest, state FROM actions WHERE key = ?", key)
            if found:
                number, digest, state = found[0]
                if digest != call_digest(call):
                    raise ActionDiffers(key, state)
                return self._load(number)
            number = self._write(
                "INSERT INTO actions (key, digest, action, target, data, wei, gas_asked, state, cancelling, reason)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, '{}')",
                key,
                call_digest(call),
                call.action,
                call.to,
                call.data,
                str(call.wei),
                call.gas_limit,
                State.QUEUED,
            )
            self._tell(Kind.QUEUED, key, {"action": call.action}, at)
        return self._refresh(number)

    def sign(self, action: Action, address: str, nonce: int, gas_limit: int, attempt: Attempt, at: int) -> Action:
        """Give a queued action its nonce and its first transaction, before that is sent."""
        with self._change():
            self._set(action, State.PENDING, address=address, nonce=nonce, gas_limit=gas_limit)
            self._attempt(action, attempt)
            self._tell(Kind.SENT, action.key, _fees(attempt) | {"address": address, "nonce": nonce}, at)
        return self._refresh(action.id)

    def replace(self, action: Action, attempt: Attempt, at: int) -> Action:
        """Give a pending action a dearer transaction, before that is sent."""
        with self._change():
            self._attempt(action, attempt)
            self._tell(Kind.REPLACED, action.key, _fees(attempt) | {"nonce": action.nonce}, at)
        return self._refresh(action.id)

    def place(self, action: Action, place: Place, reason: Values, at: int) -> Action:
        """Its nonce is used on L1."""
        with self._change():
            outcome, transaction, l1_block, l1_hash, gas_used, gas_price = astuple(place)
            self._set(
                action, State.MINED, outcome=outcome, place=transaction, l1_block=l1_block, l1_hash=l1_hash,
                gas_used=gas_used, gas_price=str(gas_price), reason=to_json(reason),
            )  # fmt: skip
            self._tell(Kind.MINED, action.key, _place(place) | {"reason": dict(reason)}, at)
        return self._refresh(action.id)

    def take_back(self, action: Action, at: int) -> Action:
        """The L1 block with it is none any more."""
        with self._change():
            self._set(action, State.PENDING, outcome=None, reason="{}")
            lost = {} if action.place is None else _place(action.place)
            self._tell(Kind.TAKEN_BACK, action.key, lost, at)
        return self._refresh(action.id)

    def finish(self, action: Action, at: int) -> None:
        """Its L1 block stays. The bulk of it goes."""
        with self._change():
            self._set(action, State.FINAL, data=b"")
            self._write("UPDATE attempts SET raw = x'' WHERE action_id = ?", action.id)
            self._tell(Kind.FINAL, action.key, {} if action.place is None else _place(action.place), at)
        self._refresh(action.id)

    def requeue(self, action: Action, at: int) -> Action:
        """Its nonce is lost for good, and so is all that was signed for it: it gets another."""
        with self._change():
            self._set(action, State.QUEUED, address=None, nonce=None, outcome=None, reason="{}")
            self._write("DELETE FROM attempts WHERE action_id = ?", action.id)
            dead = [attempt.hash for attempt in action.attempts]
            self._tell(Kind.REQUEUED, action.key, {"nonce": action.nonce, "dead": dead}, at)
        return self._refresh(action.id)

    def refuse(self, action: Action, reason: Values, at: int) -> None:
        """It would fail, and nothing was signed for it."""
        with self._change():
            self._set(action, State.REFUSED, data=b"", reason=to_json(reason))
            self._tell(Kind.REFUSED, action.key, dict(reason), at)
        self._refresh(action.id)

    def withdraw(self, action: Action, at: int) -> Action:
        """It is not wanted any more, and nothing was signed for it."""
        with self._change():
            self._set(action, State.WITHDRAWN, data=b"")
            self._tell(Kind.WITHDRAWN, action.key, {}, at)
        return self._refresh(action.id)

    def cancel(self, key: str) -> Action:
        """Mark an action as not wanted any more.

        Raises: ActionUnknown, ActionOver.
        """
        with self._change():
            action = self.action(key)
            if action.state not in _UNFINISHED:
                raise ActionOver(key, action.state)
            self._write("UPDATE actions SET cancelling = 1 WHERE id = ?", action.id)
        return self._refresh(action.id)

    def tell(self, kind: Kind, key: str | None, values: Values, at: int) -> None:
        """Append an event."""
        with self._change():
            self._tell(kind, key, values, at)

    # SQLite

    def _locked(self) -> int | None:
        """A lock file of its own: closing any descriptor of the database would drop SQLite's own locks."""
        if self.path == IN_MEMORY:
            return None
        try:
            lock = os.open(f"{self.path}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, PRIVATE)
        except OSError as error:
            raise JournalUnusable(self.path, str(error)) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            raise JournalInUse(self.path) from error
        return lock

    def _open(self) -> None:
        (application,) = self._db.execute("PRAGMA application_id").fetchone()
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if tables and application != APPLICATION_ID:
            raise JournalUnusable(self.path, "it is another program's file")
        if tables and version != FORMAT:
            raise JournalUnusable(self.path, f"it has format {version}, this program writes format {FORMAT}")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        if not tables:
            with self._change():
                for statement in SCHEMA:
                    self._db.execute(statement)
                self._write("INSERT INTO origin VALUES (?)", str(self.chain_id))
                self._db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                self._db.execute(f"PRAGMA user_version = {FORMAT}")
        ((chain_id,),) = self._rows("SELECT chain_id FROM origin")
        if int(chain_id) != self.chain_id:
            raise JournalOfAnother(self.path, self.chain_id, int(chain_id))
        rows = self._rows("SELECT id FROM actions WHERE state IN (?, ?, ?)", *_UNFINISHED)
        self._actions = {number: self._load(number) for (number,) in rows}

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise JournalUnusable(self.path, str(error)) from error

    @contextmanager
    def _change(self) -> Iterator[None]:
        with self._mutex, self._refusals():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _rows(self, statement: str, *values: object) -> list[Any]:
        with self._mutex, self._refusals():
            return self._db.execute(statement, values).fetchall()

    def _write(self, statement: str, *values: object) -> int:
        return self._db.execute(statement, values).lastrowid or 0

    def _set(self, action: Action, state: State, **columns: object) -> None:
        names = ", ".join(f"{name} = ?" for name in ("state", *columns))
        self._write(f"UPDATE actions SET {names} WHERE id = ?", state, *columns.values(), action.id)  # noqa: S608

    def _attempt(self, action: Action, attempt: Attempt) -> None:
        fees = str(attempt.fees.max_fee), str(attempt.fees.tip)
        self._write(
            "INSERT INTO attempts (action_id, hash, raw, max_fee, tip, head, cancels) VALUES (?, ?, ?, ?, ?, ?, ?)",
            action.id, attempt.hash, attempt.raw, *fees, attempt.head, attempt.cancels,
        )  # fmt: skip

    def _tell(self, kind: Kind, key: str | None, values: Values, at: int) -> None:
        detail = to_json(values)
        self._write("INSERT INTO events (kind, key, detail, at) VALUES (?, ?, ?, ?)", kind, key, detail, at)

    def _load(self, number: int) -> Action:
        (row,) = self._rows("SELECT * FROM actions WHERE id = ?", number)
        attempts = self._rows(
            "SELECT hash, raw, max_fee, tip, head, cancels FROM attempts WHERE action_id = ? ORDER BY id", number
        )
        return action_of_row(row, tuple(attempt_of_row(attempt) for attempt in attempts))

    def _refresh(self, number: int) -> Action:
        with self._mutex:
            action = self._load(number)
            if action.state in _UNFINISHED:
                self._actions[number] = action
            else:
                self._actions.pop(number, None)
            return action


def _fees(attempt: Attempt) -> dict[str, Any]:
    fees = {"max_fee": str(attempt.fees.max_fee), "tip": str(attempt.fees.tip)}
    return fees | {"transaction": attempt.hash, "cancels": attempt.cancels}


def _place(place: Place) -> dict[str, Any]:
    return {
        "outcome": place.outcome,
        "transaction": place.transaction,
        "l1_block": place.l1_block,
        "l1_hash": place.l1_hash,
        "gas_used": place.gas_used,
        "gas_price": str(place.gas_price),
    }
