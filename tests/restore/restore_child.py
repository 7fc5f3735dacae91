"""Runs `restore` in processes of their own that may be killed, forked from one that has imported everything already.

Reads jobs from stdin, one JSON list a line: URL, store, the origin's fields, and the number of the SQL statement before
which the process kills itself (0: none). Answers each with two lines: the process's id, then its exit status.
"""

import json
import os
import signal
import sqlite3
import sys
import traceback
from typing import Any

from rollup.l1.feed import Feed, Origin
from rollup.l1.node import Node
from rollup.l1.rpc import JsonRpc
from rollup.restore import restore
from rollup.store import Store

CHECKPOINT_OPERATIONS = 4


def die_at(statement: int) -> None:
    """Kill this process before its n-th SQL statement; every row of many is one."""
    connect, left = sqlite3.connect, statement

    def count(_: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def traced(*args: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **options)
        connection.set_trace_callback(count)
        return connection

    sqlite3.connect = traced  # type: ignore[assignment]


def run(url: str, path: str, origin: dict[str, Any], kill_at: int) -> None:
    """Restore."""
    if kill_at:
        die_at(kill_at)
    where = Origin(**origin)
    with Store(path, where) as store:
        restore(store, Feed(Node(JsonRpc(url)), where), checkpoint_operations=CHECKPOINT_OPERATIONS)


for line in sys.stdin:
    pid = os.fork()
    if not pid:
        status = 1
        try:
            run(*json.loads(line))
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    print(pid, flush=True)
    _, ended = os.waitpid(pid, 0)
    print(os.waitstatus_to_exitcode(ended), flush=True)
