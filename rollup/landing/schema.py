"""The journal's tables, and how actions stand in them: numbers that may exceed 63 bits as text."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from rollup.landing.calls import Call
from rollup.landing.model import Action, Attempt, Outcome, Place, State
from rollup.landing.signing import Fees

APPLICATION_ID: Final = 0x534C554A
"""SLUJ: tells the file from other SQLite files."""
FORMAT: Final = 1

SCHEMA: Final = (
    "CREATE TABLE origin (chain_id TEXT)",
    # digest: of the call, whose data goes when the action is over.
    """CREATE TABLE actions (id INTEGER PRIMARY KEY, key TEXT UNIQUE, digest BLOB, action TEXT, target TEXT, data BLOB,
       wei TEXT, gas_asked INTEGER, state TEXT, address TEXT, nonce INTEGER, gas_limit INTEGER, outcome TEXT,
       place TEXT, l1_block INTEGER, l1_hash TEXT, gas_used INTEGER, gas_price TEXT, cancelling INTEGER, reason TEXT,
       UNIQUE (address, nonce))""",
    "CREATE INDEX actions_by_state ON actions (state)",
    """CREATE TABLE attempts (id INTEGER PRIMARY KEY, action_id INTEGER, hash TEXT UNIQUE, raw BLOB, max_fee TEXT,
       tip TEXT, head INTEGER, cancels INTEGER)""",
    "CREATE INDEX attempts_by_action ON attempts (action_id)",
    # AUTOINCREMENT: a number is never used again, so that who reads on from one misses nothing.
    "CREATE TABLE events (sequence INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT, key TEXT, detail TEXT, at INTEGER)",
)


def call_digest(call: Call) -> bytes:
    """Tells two calls apart."""
    fields = [call.action, call.to, call.data.hex(), str(call.wei), call.gas_limit]
    return hashlib.sha256(json.dumps(fields).encode()).digest()


def to_json(values: Mapping[str, Any]) -> str:
    """Values as text, bytes as hex."""
    return json.dumps(dict(values), default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)


def action_of_row(row: tuple[Any, ...], attempts: tuple[Attempt, ...]) -> Action:
    """The action of its columns, in the order of SCHEMA."""
    number, key, _, action, target, data, wei, gas_asked, state, address, nonce, gas_limit, *rest = row
    outcome, transaction, l1_block, l1_hash, gas_used, gas_price, cancelling, reason = rest
    place = None
    if outcome is not None:
        place = Place(Outcome(outcome), transaction, l1_block, l1_hash, gas_used, int(gas_price))
    call = Call(action, target, data, int(wei), gas_asked)
    return Action(
        number,
        key,
        call,
        State(state),
        address,
        nonce,
        gas_limit,
        place,
        bool(cancelling),
        json.loads(reason),
        attempts,
    )


def attempt_of_row(row: tuple[Any, ...]) -> Attempt:
    """The attempt of its columns: hash, raw, max_fee, tip, head, cancels."""
    name, raw, max_fee, tip, head, cancels = row
    return Attempt(name, raw, Fees(int(max_fee), int(tip)), head, bool(cancels))
