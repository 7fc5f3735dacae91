"""One figure a run, in a process of its own: `python -m bench.figures NAME [ARGUMENT]` prints a JSON object.

Peak memory is the operating system's for the whole process, or for its largest child where children do the work.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench import workload
from bench.workload import block_of_transfers, funded_state, transfers
from rollup.circuits import blocks, compiler, keys
from rollup.core import Context
from rollup.exits.prover import ExitProver


def _peak_mb(who: int = resource.RUSAGE_SELF) -> float:
    return round(resource.getrusage(who).ru_maxrss / 1024, 1)


def _folder(domain_log2: str) -> Path:
    return keys.KEYS.parent / "bench" / domain_log2


def compile_circuits(_: str) -> dict[str, Any]:
    """Open, Step and Close from source, nothing cached. Once for all block sizes."""
    started = time.perf_counter()
    sources = [compiler.CIRCUITS / "main" / f"{piece}.circom" for piece in reversed(blocks.PIECES)]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda source: compiler.compile_circuit(source, Path(folder)), sources))
    return {"seconds": time.perf_counter() - started, "peak_mb": _peak_mb(resource.RUSAGE_CHILDREN)}


def setup(domain_log2: str) -> dict[str, Any]:
    """Development key of the largest block that fits the domain, and of exits, made anew."""
    size = blocks.largest_block(int(domain_log2))
    block = blocks.load_block(size)
    folder = _folder(domain_log2)
    shutil.rmtree(folder, ignore_errors=True)
    started = time.perf_counter()
    keys.build_keys([size], folder=folder)
    return {
        "seconds": time.perf_counter() - started,
        "peak_mb": _peak_mb(),
        "steps": size,
        "constraints": block.n_constraints,
        "key_mb": round(sum(path.stat().st_size for path in folder.glob("*.zkey")) / 1e6),
    }


def prove(domain_log2: str) -> dict[str, Any]:
    """Witness and proof of a full block of Transfers, under the key that `setup` left; the proof is verified."""
    from rollup._native import prove as groth16_prove
    from rollup._native import verify

    size = blocks.largest_block(int(domain_log2))
    folder = _folder(domain_log2)
    block = blocks.load_block(size)
    sealed = block_of_transfers(size)
    started = time.perf_counter()
    witness = blocks.block_witness(block, sealed)
    witnessed = time.perf_counter()
    proof = groth16_prove(block, keys.load_proving_key(size, folder), witness)
    proven = time.perf_counter()
    public = [sealed.commitment, sealed.challenge, sealed.evaluation]
    if proof.public != public or not verify(keys.load_verification_key(size, folder), proof.to_json(), public):
        raise SystemExit("the proof does not verify")
    return {
        "witness_seconds": witnessed - started,
        "proof_seconds": proven - witnessed,
        "peak_mb": _peak_mb(),
        "steps": size,
        "bytes_per_transfer": len(sealed.l2) / size,
        "phases": proof.timings,
    }


def apply(count: str) -> dict[str, Any]:
    """Signed Transfers through the state machine, with all checks, trees updated at the end."""
    signed = transfers(int(count))
    state = funded_state()
    context = Context(workload.DOMAIN, workload.TIMESTAMP, workload.FEE_TOKENS)
    started = time.perf_counter()
    for transfer in signed:
        state.apply(transfer, context)
    root = state.root
    seconds = time.perf_counter() - started
    return {"operations_per_second": int(count) / seconds, "peak_mb": _peak_mb(), "root": str(root)}


def exit_proof(_: str) -> dict[str, Any]:
    """All that one exit takes once there is the state: open the kit, witness, proof, verification."""
    folder = _folder("exit")
    shutil.rmtree(folder, ignore_errors=True)
    keys.build_keys([], folder=folder)
    # In a process of its own, as a user's: making the key took memory too.
    program = f"from bench.figures import *; print(json.dumps(prove_exit({str(keys.find_exit_kit(folder))!r})))"
    measured = subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.PIPE).stdout
    key = keys.read_exit_key(folder)
    return json.loads(measured) | {"constraints": key.constraints, "kit_mb": round(key.kit_bytes / 1e6, 1)}


def prove_exit(kit: str) -> dict[str, Any]:
    """The first exit of a process, and the next."""
    state = funded_state()
    state.account_path(0)  # the trees are up to date
    started = time.perf_counter()
    prover = ExitProver(Path(kit))
    prover.prove(state, 0, workload.ETH)
    first = time.perf_counter() - started
    return {"first_seconds": first, "next_seconds": prover.prove(state, 1, workload.ETH).seconds, "peak_mb": _peak_mb()}


def restore(operations: str) -> dict[str, Any]:
    """`sluice restore` of a chain of so many Transfers, the node on the same machine."""
    from bench.restore import measure

    return measure(int(operations))


def intake(operations: str) -> dict[str, Any]:
    """Signed Transfers taken in by a node with durable receipts, and a restart on them: none is on L1 yet."""
    from bench.node import run

    return run(int(operations)) | {"peak_mb": _peak_mb()}


def http(arguments: str) -> dict[str, Any]:
    """The node behind its API: RATE,SECONDS,BATCH,PROVING, such as 2000,60,1,off."""
    from bench.http import measure

    rate, seconds, batch, proving = arguments.split(",")
    return measure(float(rate), float(seconds), int(batch), proving)


def restart(arguments: str) -> dict[str, Any]:
    """A node's restart: ACCOUNTS,OPERATIONS,BLOCKS of which the last are not proven, such as 100000,1000000,64."""
    from bench.restart import measure

    return measure(*(int(part) for part in arguments.split(",")))


FIGURES: dict[str, Callable[[str], dict[str, Any]]] = {
    "compile": compile_circuits,
    "setup": setup,
    "prove": prove,
    "apply": apply,
    "restore": restore,
    "exit": exit_proof,
    "intake": intake,
    "http": http,
    "restart": restart,
}

if __name__ == "__main__":
    print(json.dumps(FIGURES[sys.argv[1]](sys.argv[2] if len(sys.argv) > 2 else "")))
