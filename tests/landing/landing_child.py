"""Runs a sender in processes of their own that may be killed, forked from one that has imported everything already.

Reads jobs from stdin, one JSON list a line: see `run`. The process kills itself before the SQL statement and after the
signature of these numbers (0: never). Answers each with two lines: the process's id, then its exit status.
"""

import json
import os
import signal
import sqlite3
import sys
import traceback
from typing import Any

from landing_rig import SIGNER, call

from bench.l1_simulator import CHAIN_ID
from rollup.l1.refusals import Refusals
from rollup.l1.rpc import JsonRpc
from rollup.landing.endpoints import Endpoints
from rollup.landing.journal import Journal
from rollup.landing.sender import L1Sender
from rollup.landing.signing import LocalSigner, Signed, Unsigned


def die_at(statement: int) -> None:
    """Kill this process before its n-th SQL statement."""
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


class DyingSigner(LocalSigner):
    """Signs, and with its n-th signature is gone."""

    def __init__(self, left: int) -> None:
        super().__init__(SIGNER.account)
        self._left = left

    def sign(self, transaction: Unsigned) -> Signed:
        signed = super().sign(transaction)
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return signed


def run(urls: list[str], path: str, calls: list[int], steps: int, statement: int, signature: int) -> None:
    """Submit what is new, and step."""
    if statement:
        die_at(statement)
    with Journal(path, CHAIN_ID) as journal:
        endpoints = Endpoints([JsonRpc(url, 5) for url in urls], CHAIN_ID)
        sender = L1Sender(journal, endpoints, DyingSigner(signature), Refusals())
        for number in calls:
            sender.submit(f"{number}", call(number))
        for _ in range(steps):
            sender.step()


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
