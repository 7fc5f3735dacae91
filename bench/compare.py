"""Whole provers side by side on one key and witness: ours by each kind of kernels, snarkjs, rapidsnark if it is given.

`python -m bench.compare DOMAIN_LOG2 [PATH_OF_RAPIDSNARK]` prints a JSON object: of each prover wall and CPU seconds and
the operating system's peak memory, medians of BENCH_RUNS processes (snarkjs runs once: it takes minutes).
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from bench.workload import block_of_transfers
from rollup import _native
from rollup.circuits import blocks, keys
from rollup.toolchain import require_tool

RUNS = int(os.environ.get("BENCH_RUNS", "5"))
SEED = "bench"
OURS = """
import sys
from rollup import _native
_native.prove_zkey(sys.argv[1], sys.argv[2])
"""


def _inputs(domain_log2: int) -> tuple[Path, Path]:
    """A key with its coefficients, which only foreign provers need, and the witness of a full block of Transfers."""
    folder = keys.KEYS.parent / "bench" / f"compare-{domain_log2}"
    zkey, wtns = folder / "block.zkey", folder / "block.wtns"
    if not (zkey.exists() and wtns.exists()):
        folder.mkdir(parents=True, exist_ok=True)
        size = blocks.largest_block(domain_log2)
        block = blocks.load_block(size)
        blocks.block_witness(block, block_of_transfers(size)).write_wtns(wtns)
        _native.setup_development(block, zkey, SEED, coefficients=True)
    return zkey, wtns


def _measure(command: list[str | Path], runs: int, **environment: str) -> dict[str, float]:
    results = []
    for _ in range(runs):
        started = time.perf_counter()
        process = subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise SystemExit(f"{command[0]} failed")
        wall = time.perf_counter() - started
        results.append((wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024))
    seconds, cpu, peak = (median(column) for column in zip(*results, strict=True))
    return {"seconds": round(seconds, 2), "cpu_seconds": round(cpu, 2), "peak_mb": round(peak)}


def compare(domain_log2: int, rapidsnark: str | None) -> dict[str, dict[str, float]]:
    """Times every prover that there is; the kernels that this machine lacks are left out."""
    zkey, wtns = _inputs(domain_log2)
    kernels = ["scalar"]
    if "avx512ifma" in Path("/proc/cpuinfo").read_text():
        kernels.insert(0, "ifma")
    ours: list[str | Path] = [sys.executable, "-c", OURS, zkey, wtns]
    figures = {f"ours, {kind}": _measure(ours, RUNS, SLUICE_KERNELS=kind) for kind in kernels}
    with tempfile.TemporaryDirectory() as folder:
        out: list[str | Path] = [zkey, wtns, Path(folder) / "proof.json", Path(folder) / "public.json"]
        if rapidsnark:
            figures["rapidsnark"] = _measure([rapidsnark, *out], RUNS)
        figures["snarkjs"] = _measure([require_tool("snarkjs"), "groth16", "prove", *out], 1)
    return figures


if __name__ == "__main__":
    print(json.dumps(compare(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)))
