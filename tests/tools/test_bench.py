"""`make bench` without the measuring, and README's figures against what they are taken from."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bench import l1_cost, node_run, page, run
from rollup.circuits.blocks import load_pieces, steps_that_fit
from rollup.circuits.compiler import CIRCUITS

MEASURED: dict[str, dict[str, Any]] = {
    "compile": {"seconds": 31.0, "peak_mb": 300.0},
    "apply": {"operations_per_second": 3000.0},
    "setup": {"seconds": 5.0, "key_mb": 90, "peak_mb": 400.0},
    "prove": {"steps": 7, "witness_seconds": 1.0, "proof_seconds": 6.04, "peak_mb": 512.0, "bytes_per_transfer": 15.0},
    "exit": {"first_seconds": 1.23, "next_seconds": 0.2, "peak_mb": 200.0, "kit_mb": 4.9},
    "restore": {"operations_per_second": 2345, "peak_mb": 111.0, "store_mb": 2.0},
}
LOAD: dict[str, Any] = {
    "operations_per_second": 2000, "seconds": 60.0, "p50_ms": 21.2, "p99_ms": 87.9, "node_cpu_ms": 0.45,
    "load_cpu_ms": 0.034, "peak_mb": 250.0, "proven": 0, "failures": 0, "not_sealed": 0,
}  # fmt: skip
NODE: dict[str, Any] = {
    "http": LOAD,
    "http, proving": LOAD | {"proven": 7, "failures": 2, "not_sealed": 3},
    "http, batches": LOAD | {"operations_per_second": 4000},
    "restart": {"accounts": 100_000, "operations": 1_000_000, "seconds": 9.5, "peak_mb": 321.0},
}


def test_bench_with_every_figure_measured_stores_and_shows_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def measure(figure: str, argument: str, runs: int) -> dict[str, Any]:
        asked.append((figure, argument))
        return {"runs": runs, **MEASURED[figure]}

    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- figures -->\nold\n<!-- /figures -->\nafter\n")
    monkeypatch.setattr(run, "_measure", measure)
    monkeypatch.setattr(run, "DOMAINS", [18])
    monkeypatch.setattr(node_run, "measure", lambda: NODE)
    monkeypatch.setattr(page, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(page, "README", readme)
    run.main()
    assert {figure for figure, _ in asked} == set(MEASURED)
    (stored,) = (tmp_path / "results").glob("*-main-job.json")
    report = json.loads(stored.read_text())
    assert report["figures"]["restore"]["operations_per_second"] == 2345
    assert {"figure": "2^18: proof", "asked": "<= 12 s", "reached": "6.0 s"} in report["table"]
    assert {row["figure"]: row["reached"] for row in report["table"]}[
        "gas of each of 1,024 Transfers, one block, 2021"
    ] == f"{l1_cost.in_one_block(1_024)[1] / 1_024:,.0f}"
    text = readme.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "| `sluice restore` from a local node | 2,345 operations a second, 111 MB |" in text
    (node,) = (tmp_path / "results").glob("*-node.json")
    shown = {row["figure"]: row["reached"] for row in json.loads(node.read_text())["table"]}
    assert shown["restart with 100,000 accounts, 1,000,000 operations"] == "9.5 s, 321 MB"
    assert shown["over HTTP, proving off"] == ("2,000 /s for 60 s, p50 21, p99 88 ms; CPU 0.45 + 0.03 ms each; 250 MB")
    assert shown["over HTTP, proving on"].endswith("250 MB, 7 blocks proven, 2 FAILED, 3 blocks not sealed")
    assert "| 9.5 s, 321 MB |" in text


def test_write_readme_without_its_marks_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("no table")
    with pytest.raises(SystemExit, match="has 0 tables between <!-- figures --> marks"):
        page.write_readme(page.newest_results(), tmp_path / "README.md")


def test_readme_figures_are_the_committed_ones() -> None:
    assert page.figures_block(page.newest_results()) in page.README.read_text(), "run `python -m bench.page`"


def test_performance_page_has_the_gas_of_now() -> None:
    assert l1_cost.table() in page.PERFORMANCE.read_text(), "run `python -m bench.page`"


def test_gas_of_1024_transfers_at_the_prices_of_2021_is_below_what_is_asked() -> None:
    _, in_2021 = l1_cost.in_one_block(1_024)
    assert in_2021 / 1_024 <= 650


def test_readme_demo_output_has_the_circuits_counts() -> None:
    counts = json.loads((CIRCUITS / "constraints.json").read_text())
    shown = re.findall(r"block \d: (\d+) steps, ([0-9,]+) constraints", page.README.read_text())
    assert shown
    for steps, constraints in shown:
        expected = counts["open"] + int(steps) * counts["step"] + counts["close"]
        assert int(constraints.replace(",", "")) == expected
    assert f"{round(counts['step'], -3) // 1000}k constraints" in page.README.read_text()


def test_largest_block_of_the_committed_counts_is_that_of_the_circuits() -> None:
    pieces = load_pieces()
    compiled = {piece: getattr(pieces, piece).n_constraints for piece in ("open", "step", "close")}
    counts = json.loads((CIRCUITS / "constraints.json").read_text())
    assert [steps_that_fit(domain, counts) for domain in page.DOMAINS] == [
        steps_that_fit(domain, compiled) for domain in page.DOMAINS
    ]
