"""What goes wrong with files of keys, witnesses, proofs and ceremonies.

SluiceError
└── Groth16Error
    ├── FileAccessError     cannot be read or written
    ├── KeyFileError        a .zkey is damaged, unusable, or not of its ceremony
    ├── WitnessFileError    a .wtns is damaged, or does not satisfy the circuit
    ├── PowersFileError     a .ptau is damaged, or not what a ceremony leaves
    ├── CircuitFileError    a .r1cs is damaged
    └── DocumentError       a proof, public inputs or verification key in JSON is malformed
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rollup.core.errors.base import DataError


@dataclass(eq=False)
class Groth16Error(DataError):
    """A file was refused. `reason` names the section or item and the value."""

    path: str
    reason: str
    code = "groth16"
    way_out: ClassVar[str] = ""

    @property
    def message(self) -> str:
        return f"{self.path}: {self.reason}; {self.way_out}"


class FileAccessError(Groth16Error):
    """The system does not let the file be read or written."""

    code = "file_access"
    way_out = "mend the path, its permissions or the disk"


class KeyFileError(Groth16Error):
    """A proving key is damaged, cannot be used for this, or is not of its circuit and ceremony."""

    code = "key_file"
    way_out = "get the key again and compare its hash; if it is as published, do not use it"


class WitnessFileError(Groth16Error):
    """A witness is damaged, or of another circuit, or does not satisfy it."""

    code = "witness_file"
    way_out = "compute the witness again, with the circuit that the key is of"


class PowersFileError(Groth16Error):
    """A powers-of-tau file is damaged, or not what an honest ceremony leaves."""

    code = "powers_file"
    way_out = "get the file of a published ceremony again and compare its hash"


class CircuitFileError(Groth16Error):
    """Constraints are damaged, or do not fit together."""

    code = "circuit_file"
    way_out = "compile the circuit again (circom --r1cs, curve bn128)"


class DocumentError(Groth16Error):
    """A JSON file is not what snarkjs writes."""

    code = "document"
    way_out = "use the file as `sluice prover prove` or snarkjs wrote it"


KINDS: dict[str, type[Groth16Error]] = {
    "key": KeyFileError,
    "witness": WitnessFileError,
    "powers of tau": PowersFileError,
    "constraint system": CircuitFileError,
    "proof": DocumentError,
}
"""By how the native module's errors begin (native/src/groth16_error.rs)."""


@contextmanager
def naming(**files: Path | str) -> Iterator[None]:
    """Give the native module's errors the file that they are about.

    Args:
        files: By kind, with `_` for a space: key=..., powers_of_tau=...

    Raises: Groth16Error in place of ValueError and OSError.
    """
    try:
        yield
    except OSError as error:
        path, _, reason = str(error).partition(": ")
        raise FileAccessError(path, reason or "cannot be used") from error
    except ValueError as error:
        kind, _, reason = str(error).partition(": ")
        path = str(files.get(kind.replace(" ", "_"), ""))
        if kind not in KINDS or not path:
            raise
        raise KINDS[kind](path, reason) from error
