"""Development keys, one per block size, in `build/keys`, kept by the circuits' content.

They are made from a published seed: whoever knows it can prove anything. For tests and the demo only, and marked so in
name and manifest. Production keys come from a ceremony and are never made here.
"""

import fcntl
import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rollup._native import ProvingKey, setup_development
from rollup.circuits.blocks import block_constraints, domain_log2, load_block, load_pieces
from rollup.circuits.compiler import Progress
from rollup.circuits.errors import KeyMissingError
from rollup.toolchain import ROOT

KEYS = ROOT / "build" / "keys"
MANIFEST = "manifest.json"
DEVELOPMENT = "development"
_SEED = "sluice development key, unsafe"


@dataclass(frozen=True, slots=True)
class BlockKey:
    """What the manifest says of one block size. Paths are relative to the manifest's folder."""

    block_size: int
    domain_log2: int
    constraints: int
    key_class: str
    circuits: str
    proving_key: str
    proving_key_hash: str
    verification_key: str
    verification_key_sha256: str


def build_keys(
    sizes: Sequence[int], progress: Progress | None = None, folder: Path = KEYS, variant: str = ""
) -> dict[int, BlockKey]:
    """Make what keys are missing for blocks of these sizes, and write the manifest of exactly these.

    Args:
        sizes: numbers of steps.
        variant: "" or `blocks.SMALL`.

    Returns: the keys by size.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        keys = {}
        for index, size in enumerate(sorted(set(sizes))):
            keys[size] = _build_key(size, folder, variant, _part(progress, index, len(set(sizes))))
        _write_json(folder / MANIFEST, {"class": DEVELOPMENT, "keys": [asdict(key) for key in keys.values()]})
    if progress:
        progress("keys", 1.0)
    return keys


def read_manifest(folder: Path = KEYS) -> dict[int, BlockKey]:
    """The keys that the last `build_keys` left, by size; none if there is no manifest."""
    path = folder / MANIFEST
    if not path.is_file():
        return {}
    return {entry["block_size"]: BlockKey(**entry) for entry in json.loads(path.read_text())["keys"]}


def find_key(size: int, folder: Path = KEYS) -> BlockKey:
    """The key for blocks of `size` steps.

    Raises: KeyMissingError if there is none.
    """
    key = read_manifest(folder).get(size)
    if key is None or not (folder / key.proving_key).is_file():
        raise KeyMissingError(size, str(folder))
    return key


def load_proving_key(size: int, folder: Path = KEYS) -> ProvingKey:
    """The proving key for blocks of `size` steps, mapped into memory."""
    return ProvingKey(folder / find_key(size, folder).proving_key)


def load_verification_key(size: int, folder: Path = KEYS) -> dict[str, Any]:
    """The verification key for blocks of `size` steps, as snarkjs writes it."""
    key: dict[str, Any] = json.loads((folder / find_key(size, folder).verification_key).read_text())
    return key


def _build_key(size: int, folder: Path, variant: str, progress: Progress | None) -> BlockKey:
    circuits = hashlib.sha256(f"{load_pieces(variant).digest} {size} {_SEED}".encode()).hexdigest()[:20]
    name = f"{DEVELOPMENT}{variant}-{size}-{circuits}"
    entry = folder / f"{name}.json"
    if entry.is_file() and (folder / f"{name}.zkey").is_file():
        return BlockKey(**json.loads(entry.read_text()))

    block = load_block(size, variant)
    partial = folder / f"{name}.partial"
    report = setup_development(block, partial, _SEED, progress=progress)
    shutil.move(partial, folder / f"{name}.zkey")
    verification = folder / f"{name}.vkey.json"
    _write_json(verification, ProvingKey(folder / f"{name}.zkey").verification_key())
    key = BlockKey(
        block_size=size,
        domain_log2=int(report["domain_size"]).bit_length() - 1,
        constraints=block.n_constraints,
        key_class=DEVELOPMENT,
        circuits=load_pieces(variant).digest,
        proving_key=f"{name}.zkey",
        proving_key_hash=str(report["hash"]),
        verification_key=verification.name,
        verification_key_sha256=hashlib.sha256(verification.read_bytes()).hexdigest(),
    )
    if not variant and (key.domain_log2, key.constraints) != (domain_log2(size), block_constraints(size)):
        raise AssertionError(f"circuits/constraints.json is stale: {key}")
    _write_json(entry, asdict(key))
    return key


def _part(progress: Progress | None, index: int, count: int) -> Progress | None:
    """The progress of one of several jobs as progress of the whole."""
    if progress is None:
        return None
    return lambda phase, done: progress(f"key {index + 1}/{count}: {phase}", (index + done) / count)


def _write_json(path: Path, value: Any) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(value, indent=2) + "\n")
    partial.rename(path)
