"""A restart of a node with a history: so many accounts, so many operations in its database, so many blocks not proven.

The history is written straight into the database, in the form that the node gives it; the blocks that are not proven
are taken in by a node. What is measured is a process of its own, from opening the database to the first promise that
it could make.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from bench.load import signed_text
from bench.node import ORIGIN, SIGNER, DepositsOnly
from bench.sizes import SIZES
from bench.workload import DOMAIN, ETH, FEE_TOKENS, account_address, account_key
from rollup._native import EddsaKey, eddsa_public_key, parse_transfers, prepare_transfers
from rollup.core.account import Account, empty_root
from rollup.core.header import Header
from rollup.core.receipt import Receipt
from rollup.core.state import State
from rollup.l1.abi import L1Block
from rollup.l1.published import Published
from rollup.node.chain import Heads
from rollup.node.core import Node, Rollup
from rollup.node.database import Database
from rollup.node.entries import BlockRecord, Entry
from rollup.node.journal import Journal
from rollup.node.policy import Policy
from rollup.node.provers import LocalPool
from rollup.node.sealing import header_to_blob
from rollup.node.tables import Status, accounts, leaves
from rollup.store.schema import account_to_row, number_to_blob

KEYS: Final = 512
"""So many keys: the accounts share them, as making one takes longer than all else of an account."""
AT_ONCE: Final = 10_000


class History(DepositsOnly):
    """An L1 that has executed so many blocks, and whose queue was taken long ago."""

    def __init__(self, executed: int) -> None:
        self._queue = []
        self._executed = executed

    def heads(self) -> Heads:
        """All at once."""
        return Heads(self._executed, self._executed, self._executed)

    def find(self, number: int) -> Published:
        """A block without data: what the node compares at its start is the commitment, which its own has none of."""
        header = Header(DOMAIN, SIZES[-1], number, 1, 0, 0, 0, 0, 0, empty_root(), 0, FEE_TOKENS)
        return Published(replace(L1Block.genesis(), number=number), bytes(32), header, b"", b"", "0x", number)


def state_of(count: int) -> State:
    """Accounts with money in two tokens; the first is the validator's, the next are those of `bench.load`."""
    keys = [eddsa_public_key(account_key(number)) for number in range(KEYS)]
    state = State()
    state.fill(
        (number, Account(keys[(number - 1) % KEYS], _owner(number)), {ETH: 10**20 + number, 1: 10**19 + number})
        for number in range(count)
    )
    return state


def _owner(number: int) -> int:
    return SIGNER.address if number == 0 else account_address(number - 1)


def write_history(database: Database, state: State, operations: int) -> int:
    """Put a state there, and proven blocks before it, full of Transfers; the last block's number."""
    size = SIZES[-1]
    count = -(-operations // size)
    with database.transaction() as connection:
        rows = [(number, *account_to_row(account)) for number, account in state.accounts()]
        database.put_rows(connection, accounts, rows)
        held = [
            (number, slot, number_to_blob(leaf)) for number, *_ in rows for slot, leaf in state.balances(number).items()
        ]
        database.put_rows(connection, leaves, held)
    text = signed_text(0, 0)
    (plain,) = parse_transfers(f'{{"operations": [{text}]}}'.encode()) or []
    (prepared,) = prepare_transfers([plain], [EddsaKey(eddsa_public_key(account_key(0)))], DOMAIN)
    assert prepared is not None
    header = Header(DOMAIN, size, count, 1, 0, 0, size, 0, 0, state.root, 0, FEE_TOKENS)
    opened: list[BlockRecord] = []
    entries: list[Entry] = []
    for number in range(1, count + 1):
        opened.append(BlockRecord(number, Status.PROVEN, 1, 1, bytes(32), 0, size, 0, header_to_blob(header)))
        for position in range(min(size, operations - (number - 1) * size)):
            payer, name = (number * size + position) * 7919 % KEYS, os.urandom(32)
            entries.append(
                Entry(number, position, prepared[11], name, None, payer, 7, 1, position, prepared[10], 0, b"")
            )
        if len(entries) >= AT_ONCE or number == count:
            database.accept(opened, entries, [])
            opened, entries = [], []
    with database.transaction() as connection:
        database.put_meta(connection, "base", str(count))
    return count


def node_on(folder: Path) -> tuple[Database, Node]:
    """The node of a folder, ready to promise."""
    database = Database(f"sqlite:///{folder / 'node.db'}", ORIGIN)
    rollup, policy = Rollup(DOMAIN, FEE_TOKENS, SIZES), Policy(max_backlog=10**9, promise_margin_seconds=-(10**9))
    journal, pool = Journal(folder / "journal", DOMAIN), LocalPool(lambda _: (0,) * 8)
    node = Node(database, journal, rollup, SIGNER, History(database.base), pool, policy)
    node.connect()
    return database, node


def prepare(folder: Path, count: int, operations: int, waiting: int) -> None:
    """Make the database; `waiting` blocks of it are not proven, and one is open."""
    with Database(f"sqlite:///{folder / 'node.db'}", ORIGIN) as database:
        write_history(database, state_of(count), operations - (waiting + 1) * SIZES[-1])
    database, node = node_on(folder)
    for nonce in range((waiting * SIZES[-1] + SIZES[-1] // 2) // KEYS + 1):
        texts = ",".join(signed_text(payer, nonce) for payer in range(KEYS))
        plain = parse_transfers(f'{{"operations": [{texts}]}}'.encode())
        assert plain is not None
        refused = [each for each in node.sequencer.submit(plain) if not isinstance(each, Receipt)]
        if refused:
            raise SystemExit(f"refused: {refused[0]}")
    database.close()


def reopen(folder: str) -> dict[str, Any]:
    """Of a new process: seconds until it could promise, and its memory then."""
    started, cpu = time.perf_counter(), time.process_time()
    database, node = node_on(Path(folder))
    seconds, used = time.perf_counter() - started, time.process_time() - cpu
    return {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(used, 2),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "operations": database.count_operations(),
        "blocks_not_proven": node.pipeline.waiting,
    }


def measure(count: int, operations: int, waiting: int) -> dict[str, Any]:
    """Make it, start a process on it, throw it away."""
    with tempfile.TemporaryDirectory() as name:
        prepare(Path(name), count, operations, waiting)
        size = sum(path.stat().st_size for path in Path(name).rglob("*") if path.is_file())
        program = f"from bench.restart import *; print(json.dumps(reopen({name!r})))"
        measured = subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.PIPE).stdout
    return {"accounts": count, "disk_mb": round(size / 1e6)} | json.loads(measured)
