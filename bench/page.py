"""The tables of figures of README and docs/performance.md, from what is committed alone: `python -m bench.page` writes
them anew.

Times and memory are those of the newest file in bench/results, which may be of an older commit: it is named. Counts and
gas are of now, from constraints.json and gas.json, which their own tests hold against the sources.
"""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from bench import l1_cost
from bench.sizes import CONSTRAINTS, DOMAINS, SIZES
from rollup.core.constants import CHUNK_BYTES
from rollup.toolchain import ROOT

README = ROOT / "README.md"
RESULTS = Path(__file__).parent / "results"
GAS = ROOT / "tests" / "contracts" / "gas.json"
PERFORMANCE = ROOT / "docs" / "performance.md"


MAIN_SUFFIX, NODE_SUFFIX = "-main-job.json", "-node.json"
"""Results are named by their date, then so; the node's are measured by themselves, too (`bench.node_run`)."""


def commit() -> str:
    """What is measured."""
    described = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return described.stdout.strip() or "unknown"


def newest_results(folder: Path = RESULTS, suffix: str = MAIN_SUFFIX) -> dict[str, Any]:
    """The last measurement, by the dates that the files are named by; empty if there is none."""
    paths = sorted(folder.glob(f"*{suffix}"))
    report: dict[str, Any] = json.loads(paths[-1].read_text()) if paths else {}
    return report


def figures_block(report: dict[str, Any]) -> str:
    """What README holds between its marks."""
    machine = report["machine"]
    vectors = "" if machine["avx512ifma"] else ", no AVX-512"
    node = newest_results(RESULTS, NODE_SUFFIX)
    rows = [("figure", "reached"), ("---", "---"), *_counts(), *_measured(report["figures"]), *_node(node)]
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    title = f"{machine['cpu']}{vectors}, {machine['cores']} cores; times and memory of {report['date'][:10]}"
    return f"{title}, commit {report['commit']}.\n\n{table}\n"


def write_readme(report: dict[str, Any], path: Path | None = None) -> None:
    """Replace the table in README."""
    write_marked(path or README, "figures", figures_block(report))


def write_marked(path: Path, mark: str, text: str) -> None:
    """Replace what a page holds between `<!-- mark -->` and `<!-- /mark -->`."""
    before, after = f"<!-- {mark} -->\n", f"<!-- /{mark} -->\n"
    pattern = re.compile(f"{before}.*{after}", re.DOTALL)
    page, found = pattern.subn(lambda _: before + text + after, path.read_text())
    if found != 1:
        raise SystemExit(f"{path} has {found} tables between <!-- {mark} --> marks: it needs one")
    path.write_text(page)


def _counts() -> list[tuple[str, str]]:
    gas, fit = json.loads(GAS.read_text()), ", ".join(map(str, SIZES))
    transfer, verify = gas["a Transfer in commitBlocks, execution alone"], gas["verify, a transaction"]
    return [
        ("constraints of a Step; of an exit", f"{CONSTRAINTS['step']:,}; {CONSTRAINTS['exit']:,}"),
        (f"steps in a block of 2^{', 2^'.join(map(str, DOMAINS))} rows", fit),
        ("data per Transfer; execution of its commit on L1", f"{CHUNK_BYTES} bytes; {transfer} gas"),
        ("verifying a block's proof on L1, a transaction", f"{verify:,} gas"),
        ("deposit of ETH; full exit through the queue", f"{gas['depositETH']:,}; {gas['requestFullExit']:,} gas"),
    ]


def _measured(figures: dict[str, Any]) -> list[tuple[str, str]]:
    compiled = figures["compile"]
    rows = [("compiling all circuits, for any block size", _time_and_memory(compiled["seconds"], compiled["peak_mb"]))]
    for domain in DOMAINS:
        if proof := figures.get(f"prove {domain}"):
            noted = f" ({proof['note']})" if "note" in proof else ""
            name = f"proof of a block of {proof['steps']} steps (2^{domain}){noted}"
            rows.append((name, _time_and_memory(proof["proof_seconds"], proof["peak_mb"])))
    if exit_ := figures.get("exit"):
        rows.append(
            ("an exit from its kit to a verified proof", _time_and_memory(exit_["first_seconds"], exit_["peak_mb"]))
        )
    if restored := figures.get("restore"):
        rate = f"{restored['operations_per_second']:,.0f} operations a second, {restored['peak_mb']:.0f} MB"
        rows.append(("`sluice restore` from a local node", rate))
    return rows


def _node(report: dict[str, Any]) -> list[tuple[str, str]]:
    """The node's rows, with the date and commit of their own."""
    when = f" ({report['date'][:10]}, {report['commit']})" if report else ""
    return [(f"node: {row['figure']}{when}", row["reached"]) for row in report.get("table", [])]


def _time_and_memory(seconds: float, megabytes: float) -> str:
    return f"{seconds:.1f} s, {megabytes:,.0f} MB"


if __name__ == "__main__":
    write_readme(newest_results())
    write_marked(PERFORMANCE, "l1", l1_cost.table() + "\n")
