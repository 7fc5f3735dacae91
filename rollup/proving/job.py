"""What goes to a worker and comes back, as JSON: numbers, lists and texts, nothing that runs.

job      {"block": 7, "size": 35, "open": {...}, "steps": [{...}], "close": {...}}: the circuits' inputs by name
result   {"proof": {...}, "public": [C, X, Y], "seconds": 1.9}, or {"error": "..."}
"""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from rollup._native import prove, verify
from rollup.circuits.blocks import load_block
from rollup.circuits.keys import KEYS, load_proving_key, load_verification_key
from rollup.core.block import SealedBlock
from rollup.l1.verifier_source import proof_words

MOST_ERROR_CHARACTERS: Final = 1_000
MOST_SLOTS: Final = 16
"""Of one worker: more would only be claimed to have the node seal ahead."""
Work = Callable[[str], str]
"""Makes a result of a job."""
_installed: list[Work] = []


def job_of(block: SealedBlock) -> str:
    """The job of proving a block.

    Raises: ValueError: it was sealed without its witness.
    """
    inputs = block.witness
    if inputs is None:
        raise ValueError(f"block {block.header.block_number} was sealed without its witness")
    return json.dumps(
        {
            "block": block.header.block_number,
            "size": block.header.block_size,
            "open": inputs.open.signals(),
            "steps": [step.signals() for step in inputs.steps],
            "close": inputs.close.signals(),
        },
        separators=(",", ":"),
    )


def prove_job(job: str, folder: Path = KEYS) -> str:
    """Do a job with the keys of a folder."""
    given = json.loads(job)
    started = time.perf_counter()
    circuit, key = load_block(given["size"]), load_proving_key(given["size"], folder)
    proof = prove(circuit, key, circuit.witness(given["open"], given["steps"], given["close"]))
    seconds = round(time.perf_counter() - started, 3)
    return json.dumps({"proof": proof.to_json(), "public": [str(word) for word in proof.public], "seconds": seconds})


def check_result(block: SealedBlock, result: dict[str, Any], folder: Path = KEYS) -> tuple[int, ...]:
    """The proof in a result, if it is one of this block.

    Returns: The eight words that L1 takes.
    Raises: ValueError, saying why it is none; whatever the result holds, nothing else.
    """
    expected = [block.commitment, block.challenge, block.evaluation]
    key = load_verification_key(block.header.block_size, folder)
    try:
        words = proof_words(result["proof"])
        is_valid = verify(key, _proof_of(words), expected)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
        raise ValueError(f"it is malformed ({type(error).__name__}: {str(error)[:200]})") from error
    if not is_valid:
        raise ValueError("it does not verify for what the block publishes")
    return words


def _proof_of(words: Sequence[int]) -> dict[str, Any]:
    """The proof of eight words in snarkjs's form: what is verified is what L1 gets, however a result was written."""
    ax, ay, bx1, bx0, by1, by0, cx, cy = (str(word) for word in words)
    pi_b = [[bx0, bx1], [by0, by1], ["1", "0"]]
    return {"pi_a": [ax, ay, "1"], "pi_b": pi_b, "pi_c": [cx, cy, "1"], "protocol": "groth16", "curve": "bn128"}


def install(work: Work) -> None:
    """Say how this process does jobs."""
    _installed[:] = [work]


def run(job: str) -> str:
    """Called by Dask in a worker: the result of a job, or why there is none."""
    try:
        return _installed[0](job)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        return json.dumps({"error": reason[:MOST_ERROR_CHARACTERS]})
