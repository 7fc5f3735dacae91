"""The keys in `build/keys`, one per block size and the exit circuit's, kept by the circuits' content.

Development keys are made here, from a published seed: whoever knows it can prove anything. For tests and the demo only,
and marked so in name and file. Keys of a ceremony are verified and installed here, and then stay in their place.
"""

import fcntl
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rollup._native import ProvingKey, setup_development
from rollup.circuits.blocks import block_constraints, circuits_digest, load_block, load_pieces
from rollup.circuits.compiler import Progress
from rollup.circuits.errors import ExitKitMissingError, ProvingKeyMissingError, ProvingKeyStaleError
from rollup.circuits.exit_circuit import build_exit, exit_digest, load_exit
from rollup.exits.kit import write_kit
from rollup.groth16 import verify_key
from rollup.toolchain import ROOT

KEYS = ROOT / "build" / "keys"
MANIFEST = "manifest.json"
DEVELOPMENT_SEED = "sluice development key, unsafe"
CEREMONY = "ceremony-"
"""How the names of installed keys begin."""


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
    with _locked(folder):
        keys, jobs = {}, len(set(sizes)) + 1
        for index, size in enumerate(sorted(set(sizes))):
            keys[size] = _build_key(size, folder, variant, _part(progress, index, jobs))
        exit_key = _build_exit_key(folder, _part(progress, jobs - 1, jobs))
        _write_manifest(folder, keys, exit_key)
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
    key = _read_exit_entry(folder)
    if key is None:
        raise ExitKitMissingError(str(folder))
    return key


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


def install_key(size: int, powers: Path, zkey: Path, folder: Path = KEYS, progress: Progress | None = None) -> BlockKey:
    """Verify a ceremony's key for blocks of `size` steps and put it in the place of the development key.

    Raises: KeyFileError, PowersFileError, FileAccessError (`rollup.groth16.verify_key`).
    """
    circuits = circuits_digest()
    verify_key(load_block(size), powers, zkey, progress)
    with _locked(folder):
        keys = read_manifest(folder)
        path = folder / f"{CEREMONY}{size}-{file_hash(zkey)[:20]}.zkey"
        partial = path.with_suffix(".partial")
        shutil.copyfile(zkey, partial)
        partial.rename(path)
        keys[size] = BlockKey(size, block_constraints(size), circuits, path.name)
        _write_manifest(folder, keys, _read_exit_entry(folder))
    return keys[size]


def install_exit_key(powers: Path, zkey: Path, folder: Path = KEYS, progress: Progress | None = None) -> ExitKey:
    """The same for the exit circuit's key; raises as `install_key`."""
    compiled, circuit = build_exit(), load_exit()
    verify_key(circuit, powers, zkey, progress)
    with _locked(folder):
        path = folder / f"{CEREMONY}exit-{file_hash(zkey)[:20]}.kit"
        write_kit(path, compiled.r1cs, compiled.sym, zkey)
        key = _exit_key(path, circuit.n_constraints, compiled.digest)
        _write_manifest(folder, read_manifest(folder), key)
    return key


def _build_key(size: int, folder: Path, variant: str, progress: Progress | None) -> BlockKey:
    circuits = load_pieces(variant).digest
    installed = read_manifest(folder).get(size)
    if installed is not None and _is_ceremony(folder / installed.proving_key) and installed.circuits == circuits:
        return installed
    path = folder / f"development{variant}-{size}-{_content(circuits, str(size))}.zkey"
    if not path.is_file():
        setup_development(load_block(size, variant), path, DEVELOPMENT_SEED, progress=progress)
    return BlockKey(size, block_constraints(size, variant), circuits, path.name)


def _build_exit_key(folder: Path, progress: Progress | None) -> ExitKey:
    compiled, circuit = build_exit(), load_exit()
    installed = _read_exit_entry(folder)
    if installed is not None and _is_ceremony(folder / installed.kit) and installed.circuit == compiled.digest:
        return installed
    path = folder / f"development-exit-{_content(compiled.digest, 'exit')}.kit"
    if not path.is_file():
        zkey = path.with_suffix(".zkey")
        setup_development(circuit, zkey, DEVELOPMENT_SEED, progress=progress)
        write_kit(path, compiled.r1cs, compiled.sym, zkey)
        zkey.unlink()
    return _exit_key(path, circuit.n_constraints, compiled.digest)


def _exit_key(path: Path, constraints: int, digest: str) -> ExitKey:
    return ExitKey(constraints, digest, path.name, path.stat().st_size, file_hash(path))


def _is_ceremony(path: Path) -> bool:
    return path.name.startswith(CEREMONY) and path.is_file()


def file_hash(path: Path) -> str:
    """A file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _content(circuit: str, of: str) -> str:
    return hashlib.sha256(f"{circuit} {of} {DEVELOPMENT_SEED}".encode()).hexdigest()[:20]


def _part(progress: Progress | None, index: int, count: int) -> Progress | None:
    """The progress of one of several jobs as progress of the whole."""
    if progress is None:
        return None
    return lambda phase, done: progress(f"key {index + 1}/{count}: {phase}", (index + done) / count)


def _read_exit_entry(folder: Path) -> ExitKey | None:
    path = folder / MANIFEST
    entry = json.loads(path.read_text()).get("exit") if path.is_file() else None
    return ExitKey(**{name: entry[name] for name in ExitKey.__slots__}) if entry else None


def _write_manifest(folder: Path, keys: Mapping[int, BlockKey], exit_key: ExitKey | None) -> None:
    entries = [asdict(keys[size]) for size in sorted(keys)]
    _write_json(folder / MANIFEST, {"keys": entries, "exit": asdict(exit_key) if exit_key else None})


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write_json(path: Path, value: Any) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(value, indent=2) + "\n")
    partial.rename(path)
