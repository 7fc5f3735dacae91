"""The node over HTTP, on the cores that it shares with its load: receipts a second, their latency, CPU and memory."""

import json
import subprocess
import sys
import tempfile
from typing import Any

from bench.node import SIGNER


def measure(rate: float, seconds: float, batch: int, proving: str) -> dict[str, Any]:
    """Run a node and its load.

    Args:
        rate: Transfers a second that are sent.
        seconds: For so long.
        batch: Transfers of a request; 1: by /v1/transactions, more: by /v1/transactions/batch.
        proving: `on` or `off`; blocks are sealed with both.
    """
    with tempfile.TemporaryDirectory() as folder:
        node = _start("bench.served_node", folder, proving)
        assert node.stdout
        port = node.stdout.readline().strip()
        load = _start("bench.load", port, str(rate), str(seconds), str(batch), f"{SIGNER.address:#x}")
        assert load.stdout
        load.stdout.readline()
        _tell(node)
        _tell(load)
        sent = json.loads(load.stdout.readline())
        assert node.stdin
        node.stdin.close()
        served = json.loads(node.stdout.readline())
        load.wait()
        node.wait()
    count = max(1, sent["receipts"])
    threads = {name: round(1000 * seconds / count, 4) for name, seconds in served.pop("threads").items()}
    used = {"node_cpu_ms": round(1000 * served.pop("node_cpu_seconds") / count, 4)}
    return sent | served | used | {"proving": proving, "node_cpu_ms_by_thread": {k: v for k, v in threads.items() if v}}


def _start(module: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.write("\n")
    process.stdin.flush()
