"""`make bench`: measures the figures, prints asked and reached, stores them with machine and commit, and in README.

Each run is a process of its own; a figure is the median of BENCH_RUNS of them (setup and restore once: minutes each).
BENCH_DOMAINS=18,20 narrows. BENCH_RAPIDSNARK=path of that binary compares provers, too.
"""

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import l1_cost, node_run, page
from rollup.circuits.compiler import CIRCUITS

RUNS = int(os.environ.get("BENCH_RUNS", "5"))
DOMAINS = [int(domain) for domain in os.environ.get("BENCH_DOMAINS", "").split(",") if domain] or list(page.DOMAINS)
RESTORED_OPERATIONS = 20_000
PROOF_SECONDS_ASKED = {18: 12, 20: 45}
TOGETHER_SECONDS_ASKED, TRANSFERS_A_SECOND_ASKED, GAS_2021_ASKED = 18, 7, 650
"""Of the block of 2^22 rows; of 1,024 Transfers in one block."""


def _measure(figure: str, argument: str, runs: int) -> dict[str, Any]:
    """The median of every number over the runs, and the number of runs."""
    results = []
    for _ in range(runs):
        command = [sys.executable, "-m", "bench.figures", figure, argument]
        results.append(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))
    merged: dict[str, Any] = {"runs": runs}
    for key, value in results[0].items():
        is_number = isinstance(value, int | float)
        merged[key] = round(median(result[key] for result in results), 3) if is_number else value
    return merged


def _compare(domain: int, rapidsnark: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.compare", str(domain), rapidsnark]
    return {"domain": domain, **json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)}


def _ratios(provers: dict[str, Any]) -> list[tuple[str, str, str]]:
    """How many times longer the others take, wall time of whole processes."""
    rows = []
    for kind, asked in (("ifma", (">= 5", ">= 25")), ("scalar", (">= 2", ""))):
        ours = provers.get(f"ours, {kind}")
        for other, least in zip(("rapidsnark", "snarkjs"), asked, strict=True):
            if ours:
                ratio = provers[other]["seconds"] / ours["seconds"]
                rows.append((f"2^{provers['domain']}: {other} / ours, {kind} kernels", least, f"{ratio:.1f}"))
    peaks = " | ".join(f"{figure['peak_mb']:,.0f}" for name, figure in provers.items() if name != "domain")
    names = " | ".join(name for name in provers if name != "domain")
    return [*rows, (f"peak memory, MB: {names}", "not above rapidsnark's", peaks)]


def _machine() -> dict[str, Any]:
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.processor(),
    )
    return {"cpu": model, "cores": os.cpu_count(), "avx512ifma": "avx512ifma" in Path("/proc/cpuinfo").read_text()}


def _seconds_and_memory(exit_: dict[str, Any]) -> str:
    return f"{exit_['first_seconds']:.2f} s, the next {exit_['next_seconds']:.2f} s; {exit_['peak_mb']:.0f} MB"


def _rows(figures: dict[str, Any]) -> list[tuple[str, str, str]]:
    step = json.loads((CIRCUITS / "constraints.json").read_text())["step"]
    compiled = figures["compile"]
    rows = [
        ("constraints of one Step", "<= 30,000", f"{step:,}"),
        (
            "compile Open, Step, Close",
            "<= 60 s, <= 2 GB",
            f"{compiled['seconds']:.0f} s, {compiled['peak_mb']:,.0f} MB",
        ),
    ]
    for domain in DOMAINS:
        setup, prove = figures[f"setup {domain}"], figures[f"prove {domain}"]
        asked = f"<= {PROOF_SECONDS_ASKED[domain]} s" if domain in PROOF_SECONDS_ASKED else ""
        memory = "<= 12,000 MB" if domain == 22 else ""
        rows += [
            (f"2^{domain}: steps in a block", "", f"{prove['steps']}"),
            (f"2^{domain}: witness", "", f"{prove['witness_seconds']:.2f} s"),
            (f"2^{domain}: proof", asked, f"{prove['proof_seconds']:.1f} s"),
            (
                f"2^{domain}: setup",
                "<= 60 s" if domain == 20 else "",
                f"{setup['seconds']:.0f} s, key {setup['key_mb']:,.0f} MB",
            ),
            (
                f"2^{domain}: peak memory, setup | proof",
                memory,
                f"{setup['peak_mb']:,.0f} | {prove['peak_mb']:,.0f} MB",
            ),
        ]
        if domain == 22:
            together = prove["witness_seconds"] + prove["proof_seconds"]
            rate = prove["steps"] / together
            rows += [
                ("2^22: witness and proof", f"<= {TOGETHER_SECONDS_ASKED} s", f"{together:.1f} s"),
                ("2^22: Transfers proven a second", f">= {TRANSFERS_A_SECOND_ASKED}", f"{rate:.1f}"),
            ]
    for title, gas in (("one block", l1_cost.in_one_block), ("blocks of 2^22", l1_cost.in_blocks)):
        each = gas(1_024)[1] / 1_024
        rows.append((f"gas of each of 1,024 Transfers, {title}, 2021", f"<= {GAS_2021_ASKED}", f"{each:,.0f}"))
    last, exit_ = figures[f"prove {DOMAINS[-1]}"], figures["exit"]
    rows += [
        ("an exit, from its kit to a verified proof", "<= 2 s, <= 500 MB", _seconds_and_memory(exit_)),
        ("exit kit, as published", "<= 20 MB", f"{exit_['kit_mb']} MB"),
        ("data per Transfer", "15 bytes", f"{last['bytes_per_transfer']:g} bytes"),
        ("state machine, signed Transfers", "", f"{figures['apply']['operations_per_second']:,.0f} /s"),
        ("restore from a local node", ">= 1,500 /s", f"{figures['restore']['operations_per_second']:,.0f} /s"),
        (
            "restore: peak memory, store",
            "",
            f"{figures['restore']['peak_mb']:,.0f} | {figures['restore']['store_mb']:.1f} MB",
        ),
    ]
    if "provers" in figures:
        rows += _ratios(figures["provers"])
    return rows


def main() -> None:
    """Measure all, print the table, store it."""
    console = Console()
    plan = [("compile", "", RUNS), ("apply", "2000", RUNS), ("exit", "", RUNS)]
    plan += [("restore", str(RESTORED_OPERATIONS), 1)]
    for domain in DOMAINS:
        plan += [("setup", str(domain), 1), ("prove", str(domain), RUNS)]
    figures: dict[str, Any] = {}
    for figure, argument, runs in plan:
        name = f"{figure} {argument}".strip() if figure in ("setup", "prove") else figure
        with console.status(f"measuring {name}, {runs} runs"):
            figures[name] = _measure(figure, argument, runs)
    if rapidsnark := os.environ.get("BENCH_RAPIDSNARK"):
        with console.status("comparing provers"):
            figures["provers"] = _compare(20 if 20 in DOMAINS else DOMAINS[0], rapidsnark)
    rows = _rows(figures)
    machine = _machine()
    title = f"{machine['cpu']}, {machine['cores']} cores, commit {page.commit()}"
    table = Table("figure", "asked", "reached", title=title)
    for row in rows:
        table.add_row(*row)
    console.print(table)
    page.RESULTS.mkdir(exist_ok=True)
    report = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": page.commit(),
        "machine": machine,
        "table": [dict(zip(("figure", "asked", "reached"), row, strict=True)) for row in rows],
        "figures": figures,
    }
    path = page.RESULTS / f"{datetime.now(UTC):%Y-%m-%d}{page.MAIN_SUFFIX}"
    path.write_text(json.dumps(report, indent=2) + "\n")
    page.write_readme(report, page.README)
    console.print(f"stored in {path} and in {page.README}")
    node_run.main()


if __name__ == "__main__":
    main()
