"""From source to bytecode: the hash of everything that is made on the way, as docs/artefacts.json lists it.

Whoever builds the same commit gets the same hashes, and can hold a deployment to them: `bytecode` is creation code
without constructor arguments. Keys are the development keys, whose seed is public.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rollup.circuits.blocks import build_circuits
from rollup.circuits.exit_circuit import build_exit
from rollup.circuits.keys import file_hash, find_exit_kit, find_key, read_manifest
from rollup.l1.verifier_source import FOLDER
from rollup.toolchain import ROOT

PATH: Final = ROOT / "docs" / "artefacts.json"
DEPLOYED: Final = ("Rollup", "Governor", "BlockVerifier", "ExitVerifier")

Hashes = Mapping[str, Mapping[str, str]]
"""SHA-256 in hexadecimal, by kind and name."""


def artefact_hashes() -> Hashes:
    """Of the artefacts as they are built now.

    Raises: ProvingKeyMissingError, ProvingKeyStaleError, ExitKitMissingError: run `sluice build` first.
    """
    from rollup.l1.project import compiled_contracts

    contracts = compiled_contracts()
    circuits = {**build_circuits(), "exit": build_exit()}
    keys = {f"block of {size} steps": find_key(size) for size in sorted(read_manifest())} | {"exit": find_exit_kit()}
    verifiers = {name: FOLDER / f"{name}.sol" for name in ("BlockVerifier", "ExitVerifier")}
    code = {name: contracts(name).contract_type.deployment_bytecode.bytecode for name in DEPLOYED}
    return {
        "r1cs": {name: file_hash(circuit.r1cs) for name, circuit in circuits.items()},
        "key": {name: file_hash(path) for name, path in keys.items()},
        "verifier": {name: file_hash(path) for name, path in verifiers.items()},
        "bytecode": {name: hashlib.sha256(bytes.fromhex(hexed[2:])).hexdigest() for name, hexed in code.items()},
    }


def write_hashes(path: Path = PATH) -> None:
    """List them; raises as `artefact_hashes`."""
    path.write_text(json.dumps(artefact_hashes(), indent=2) + "\n")
