"""What node and worker must have in common before a job is given: versions, and each block size's key."""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, TypeAlias

from rollup.circuits.errors import ProvingKeyMissingError, ProvingKeyStaleError
from rollup.circuits.keys import KEYS, load_proving_key, read_manifest

FORMAT: Final = 1
"""Of jobs and results (job.py)."""

STATED_AS: Final = "sluice"
"""Under this name a worker tells the scheduler its facts."""

Facts: TypeAlias = dict[str, str]
"""By name: "format", "version", and "key N" for blocks of N steps. Plain text, as it crosses the network."""


def facts(folder: Path = KEYS) -> Facts:
    """Of this installation and the keys in a folder; a key that is missing or of other circuits is left out.

    A key is named by its circuits and its verification key, in which delta is another for every ceremony. That the rest
    of the file is sound shows in the proofs, each of which the node verifies.
    """
    found = {"format": str(FORMAT), "version": version("sluice-rollup")}
    for size, key in read_manifest(folder).items():
        try:
            verification = load_proving_key(size, folder).verification_key()
        except (ProvingKeyMissingError, ProvingKeyStaleError):
            continue
        content = json.dumps([key.circuits, verification], sort_keys=True)
        found[f"key {size}"] = hashlib.sha256(content.encode()).hexdigest()
    return found


def difference(expected: Facts, got: Any) -> str | None:
    """What of a worker's facts is not as the node's; None if all of the node's are the worker's too."""
    if not isinstance(got, dict):
        return "it does not say which keys it has: it was not started by `sluice prover worker`"
    for name, value in expected.items():
        theirs = got.get(name)
        if theirs != value:
            found = "none" if theirs is None else f"{str(theirs)[:16]!r}"
            return f"its {name} is {found}, the node's {value[:16]!r}"
    return None
