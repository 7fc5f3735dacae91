"""Development keys, one per block size and the exit circuit's, in `build/keys`, kept by the circuits' content.

They are made from a published seed: whoever knows it can prove anything. For tests and the demo only, and marked so in
name and file. Production keys come from a ceremony and are never made here.
"""

import fcntl
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rollup._native import ProvingKey, setup_development
from rollup.circuits.blocks import block_constraints, circuits_digest, load_block, load_pieces
from rollup.circuits.compiler import Progress
from rollup.circuits.errors import ExitKitMissingError, ProvingKeyMissingError, ProvingKeyStaleError
from rollup.circuits.exit_circuit import build_exit, exit_digest, load_exit
from rollup.exits.kit import write_kit
from rollup.toolchain import ROOT

KEYS = ROOT / "build" / "keys"
MANIFEST = "manifest.json"
DEVELOPMENT_SEED = "sluice development key, unsafe"


@dataclass(frozen=True, slots=True)
class BlockKey:
    """What the manifest says of one block size; all else is in the key itself.

    Args:
        block_size: Steps of the circuit.
        constraints: Of the whole block.
        circuits: Digest of the circuits that the key is of.
        proving_key: File name in the manifest's folder.
    """

    block_size: int
    constraints: int
    circuits: str
    proving_key: str


@dataclass(frozen=True, slots=True)
class ExitKey:
    """What the manifest says of the exit circuit's key.

    Args:
        constraints: Of the circuit.
        circuit: Digest of the circuit that the key is of.
        kit: File name, in the manifest's folder, of what is published with a deployment (`rollup/exits/kit.py`).
        kit_bytes: Its size.
        kit_sha256: Its hash, 64 hexadecimal digits.
    """

    constraints: int
    circuit: str
    kit: str
    kit_bytes: int
    kit_sha256: str


def build_keys(
    sizes: Sequence[int], progress: Progress | None = None, folder: Path = KEYS, variant: str = ""
) -> dict[int, BlockKey]:
    """Make what keys are missing for blocks of these sizes and for exits, and write the manifest of exactly these.

    Args:
        sizes: numbers of steps.
        variant: "" or `blocks.SMALL`; the exit circuit has but one.

    Returns: the keys by size.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        keys, jobs = {}, len(set(sizes)) + 1
        for index, size in enumerate(sorted(set(sizes))):
            keys[size] = _build_key(size, folder, variant, _part(progress, index, jobs))
        exit_key = _build_exit_key(folder, _part(progress, jobs - 1, jobs))
        _write_json(folder / MANIFEST, {"keys": [asdict(key) for key in keys.values()], "exit": asdict(exit_key)})
    if progress:
        progress("keys", 1.0)
    return keys


def read_manifest(folder: Path = KEYS) -> dict[int, BlockKey]:
    """The keys that the last `build_keys` left, by size; none if there is no manifest."""
    path = folder / MANIFEST
    if not path.is_file():
        return {}
    entries = json.loads(path.read_text())["keys"]
    return {entry["block_size"]: BlockKey(**{name: entry[name] for name in BlockKey.__slots__}) for entry in entries}


def read_exit_key(folder: Path = KEYS) -> ExitKey:
    """What the last `build_keys` left of the exit circuit's key.

    Raises: ExitKitMissingError if there is none.
    """
    path = folder / MANIFEST
    entry = json.loads(path.read_text()).get("exit") if path.is_file() else None
    if entry is None:
        raise ExitKitMissingError(str(folder))
    return ExitKey(**{name: entry[name] for name in ExitKey.__slots__})


def find_exit_kit(folder: Path = KEYS) -> Path:
    """The exit kit's file.

    Raises:
        ExitKitMissingError: there is none.
        ProvingKeyStaleError: it is of another circuit than that of this checkout.
    """
    key = read_exit_key(folder)
    if not (folder / key.kit).is_file():
        raise ExitKitMissingError(str(folder))
    if key.circuit != (present := exit_digest()):
        raise ProvingKeyStaleError(str(folder / key.kit), key.circuit, present)
    return folder / key.kit


def find_key(size: int, folder: Path = KEYS, variant: str = "") -> Path:
    """The proving key's file for blocks of `size` steps of a variant's circuits.

    Raises:
        ProvingKeyMissingError: there is none.
        ProvingKeyStaleError: it is of other circuits than those of this checkout.
    """
    key = read_manifest(folder).get(size)
    if key is None or not (folder / key.proving_key).is_file():
        raise ProvingKeyMissingError(size, str(folder))
    if key.circuits != (present := circuits_digest(variant)):
        raise ProvingKeyStaleError(str(folder / key.proving_key), key.circuits, present)
    return folder / key.proving_key


def load_proving_key(size: int, folder: Path = KEYS, variant: str = "") -> ProvingKey:
    """The proving key for blocks of `size` steps, mapped into memory; raises as `find_key`."""
    return ProvingKey(find_key(size, folder, variant))


def load_verification_key(size: int, folder: Path = KEYS, variant: str = "") -> dict[str, Any]:
    """The verification key inside the proving key, as snarkjs writes it; raises as `find_key`."""
    return load_proving_key(size, folder, variant).verification_key()


def _build_key(size: int, folder: Path, variant: str, progress: Progress | None) -> BlockKey:
    circuits = load_pieces(variant).digest
    path = folder / f"development{variant}-{size}-{_content(circuits, str(size))}.zkey"
    if not path.is_file():
        setup_development(load_block(size, variant), path, DEVELOPMENT_SEED, progress=progress)
    return BlockKey(size, block_constraints(size, variant), circuits, path.name)


def _build_exit_key(folder: Path, progress: Progress | None) -> ExitKey:
    compiled, circuit = build_exit(), load_exit()
    path = folder / f"development-exit-{_content(compiled.digest, 'exit')}.kit"
    if not path.is_file():
        zkey = path.with_suffix(".zkey")
        setup_development(circuit, zkey, DEVELOPMENT_SEED, progress=progress)
        write_kit(path, compiled.r1cs, compiled.sym, zkey)
        zkey.unlink()
    kit = path.read_bytes()
    return ExitKey(circuit.n_constraints, compiled.digest, path.name, len(kit), hashlib.sha256(kit).hexdigest())


def _content(circuit: str, of: str) -> str:
    return hashlib.sha256(f"{circuit} {of} {DEVELOPMENT_SEED}".encode()).hexdigest()[:20]


def _part(progress: Progress | None, index: int, count: int) -> Progress | None:
    """The progress of one of several jobs as progress of the whole."""
    if progress is None:
        return None
    return lambda phase, done: progress(f"key {index + 1}/{count}: {phase}", (index + done) / count)


def _write_json(path: Path, value: Any) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(value, indent=2) + "\n")
    partial.rename(path)
