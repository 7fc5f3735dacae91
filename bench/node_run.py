"""The node's figures: `python -m bench.node_run`, the last part of `make bench`. Stored by themselves, and in README.

BENCH_NODE_SECONDS is how long each load lasts, 60 if it is not set. Node and load share the machine's cores.
"""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from bench import page

SECONDS: Final = int(os.environ.get("BENCH_NODE_SECONDS", "60"))
SINGLE_RATE: Final = 2_000
BATCH_RATE: Final = 4_000
BATCH: Final = 100
PLAN: Final = {
    "http": ("http", f"{SINGLE_RATE},{SECONDS},1,off"),
    "http, proving": ("http", f"{SINGLE_RATE},{SECONDS},1,on"),
    "http, batches": ("http", f"{BATCH_RATE},{SECONDS},{BATCH},off"),
    "restart": ("restart", "100000,1000000,64"),
}
"""By name: the figure and argument of `bench.figures`."""
Row = tuple[str, str, str]


def measure() -> dict[str, Any]:
    """Each in a process of its own, once."""
    figures = {}
    for name, (figure, argument) in PLAN.items():
        command = [sys.executable, "-m", "bench.figures", figure, argument]
        figures[name] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return figures


def rows(figures: dict[str, Any]) -> list[Row]:
    """What was asked and reached."""
    restart = figures["restart"]
    reached = f"{restart['seconds']:.1f} s, {restart['peak_mb']:,.0f} MB"
    size = f"{restart['accounts']:,} accounts, {restart['operations']:,} operations"
    latency = "p99 <= 250 ms"
    return [
        ("over HTTP, proving off", f">= {SINGLE_RATE:,} /s, {latency}", _load(figures["http"])),
        ("over HTTP, proving on", f">= {SINGLE_RATE:,} /s, {latency}", _load(figures["http, proving"])),
        (f"over HTTP, {BATCH} a request", f">= {BATCH_RATE:,} /s", _load(figures["http, batches"])),
        (f"restart with {size}", "<= 15 s", reached),
    ]


def _load(figure: dict[str, Any]) -> str:
    """Receipts a second, their latency, CPU of node and load for each, and the node's memory."""
    proven = f", {figure['proven']} blocks proven" if figure["proven"] else ""
    failed = f", {figure['failures']} FAILED" if figure["failures"] else ""
    behind = f", {figure['not_sealed']} blocks not sealed" if figure["not_sealed"] else ""
    return (
        f"{figure['operations_per_second']:,} /s for {figure['seconds']:.0f} s, p50 {figure['p50_ms']:.0f}, "
        f"p99 {figure['p99_ms']:.0f} ms; CPU {figure['node_cpu_ms']:.2f} + {figure['load_cpu_ms']:.2f} ms each; "
        f"{figure['peak_mb']:,.0f} MB{proven}{failed}{behind}"
    )


def main() -> None:
    """Measure, print the table, store it."""
    console = Console()
    with console.status("measuring the node"):
        figures = measure()
    table = Table("the node", "asked", "reached")
    for row in rows(figures):
        table.add_row(*row)
    console.print(table)
    now = datetime.now(UTC)
    report = {
        "date": now.isoformat(timespec="seconds"),
        "commit": page.commit(),
        "load_average": os.getloadavg()[2],
        "table": [dict(zip(("figure", "asked", "reached"), row, strict=True)) for row in rows(figures)],
        "figures": figures,
    }
    page.RESULTS.mkdir(exist_ok=True)
    path = page.RESULTS / f"{now:%Y-%m-%d}{page.NODE_SUFFIX}"
    path.write_text(json.dumps(report, indent=2) + "\n")
    page.write_readme(page.newest_results(page.RESULTS), page.README)
    console.print(f"stored in {path} and in {page.README}")


if __name__ == "__main__":
    main()
