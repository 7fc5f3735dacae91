"""A dispatcher that an evil scheduler or worker has taken over: it may end, not the node's own thread."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from proving_rig import FACTS, check, until

from rollup.proving.pool import DaskPool
from rollup.proving.tls import Tls

GOOD = {"state": {"connected": True, "reason": None, "workers": []}}


def worker(**changes: Any) -> dict[str, Any]:
    fields = {"name": "w", "slots": 1, "busy": 0, "refused": None}
    return {"state": {"connected": True, "reason": None, "workers": [fields | changes]}}


@pytest.mark.parametrize(
    "line",
    [
        "no JSON", "[]", "{}", "7", '{"state": 3}', "[" * 50_000, '{"done": []}', "x" * (1 << 21),
        json.dumps(worker(slots="many")), json.dumps(worker(slots=10**9)), json.dumps(worker(slots=-5)),
        json.dumps(worker(extra=1)),
    ],
)  # fmt: skip
def test_dispatcher_that_says_anything_is_started_again(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread died of it: no block was proven any more, and nothing said so."""
    (tmp_path / "evil").write_text(line + "\n" + json.dumps(GOOD))
    script = (
        "import pathlib, sys, time; folder = pathlib.Path(sys.argv[1]); evil = folder / 'evil'\n"
        "text = evil.read_text() if evil.exists() else (folder / 'good').read_text()\n"
        "evil.unlink(missing_ok=True); print(text, flush=True); time.sleep(60)"
    )
    (tmp_path / "good").write_text(json.dumps(GOOD))
    (tmp_path / "child.py").write_text(script)
    (tmp_path / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "{tmp_path}/child.py" "{tmp_path}"\n')
    (tmp_path / "python").chmod(0o700)
    monkeypatch.setattr("rollup.proving.pool.sys.executable", str(tmp_path / "python"))
    monkeypatch.setattr("rollup.proving.pool.RESTART_SECONDS", 0.05)
    monkeypatch.setattr("rollup.proving.pool.STOP_SECONDS", 0.5)
    pool = DaskPool("tls://x:1", Tls(tmp_path, tmp_path, tmp_path), FACTS, check)
    try:
        until(lambda: pool.state.connected and not (tmp_path / "evil").exists(), "a new dispatcher")
        assert pool.capacity == 0
        assert pool._thread.is_alive()
    finally:
        pool.close()
