"""Groth16 on files, for any circom circuit: prove, verify, and make keys from powers of tau.

Stands alone: no chain, no node, no ape, nothing of the rollup's formats. Files are snarkjs's and rapidsnark's.
"""

from rollup.groth16.ceremony import (
    Ceremony,
    Contribution,
    Powers,
    add_beacon,
    check_powers,
    contribute,
    new_key,
    read_ceremony,
    verify_key,
)
from rollup.groth16.errors import (
    CircuitFileError,
    DocumentError,
    FileAccessError,
    Groth16Error,
    KeyFileError,
    PowersFileError,
    WitnessFileError,
)
from rollup.groth16.files import prove_files, read_verification_key, verify_files

__all__ = [
    "Ceremony",
    "CircuitFileError",
    "Contribution",
    "DocumentError",
    "FileAccessError",
    "Groth16Error",
    "KeyFileError",
    "Powers",
    "PowersFileError",
    "WitnessFileError",
    "add_beacon",
    "check_powers",
    "contribute",
    "new_key",
    "prove_files",
    "read_ceremony",
    "read_verification_key",
    "verify_files",
    "verify_key",
]
