"""Proofs from and to files, as rapidsnark and snarkjs have them."""

import json
import os
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from typing import Any

from rollup._native import Proof, ProvingKey, prove_zkey, verify
from rollup.groth16.errors import DocumentError, FileAccessError, naming

Progress = Callable[[str, float], None]
"""Called with the phase and the part of it that is done, 0 to 1."""

MAX_NESTING = 16
_NESTING = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def prove_files(
    zkey: Path, witness: Path, proof: Path | None = None, public: Path | None = None, progress: Progress | None = None
) -> Proof:
    """Prove with any circom Groth16 key over BN254 (bn128), as `snarkjs groth16 prove` and rapidsnark do.

    Args:
        zkey: The proving key, with its coefficients.
        witness: The `.wtns` of its circuit.
        proof, public: Where to write the proof and the public inputs as JSON; each appears only when complete.

    Returns: The proof, which has been verified under the key.
    Raises:
        KeyFileError, WitnessFileError: A file is damaged, or the two do not belong together.
        FileAccessError: A file cannot be read or written.
    """
    with naming(key=zkey, witness=witness):
        made = prove_zkey(zkey, witness, progress=progress)
    if public is not None:
        _write_json(public, [str(value) for value in made.public])
    if proof is not None:
        _write_json(proof, made.to_json())
    return made


def verify_files(key: Path, public: Path, proof: Path) -> bool:
    """Whether a proof holds, as `snarkjs groth16 verify` says.

    Args:
        key: A verification key in JSON, or a proving key, which has it inside.
        public, proof: As `prove_files` or snarkjs wrote them.

    Raises:
        DocumentError: A file is not of its form; a number has another form than the one that each has, or is too large.
        KeyFileError: Proofs under the key mean nothing: its phase 2 was skipped.
        FileAccessError: A file cannot be read.
    """
    verification_key = read_verification_key(key)
    inputs = [_input(public, value) for value in _read_json(public, list)]
    document = _read_json(proof, dict)
    with naming(key=key, proof=proof):
        return verify(verification_key, document, inputs)


def read_verification_key(path: Path) -> dict[str, Any]:
    """The verification key in a JSON file, or inside a `.zkey`.

    Raises: KeyFileError, DocumentError, FileAccessError.
    """
    if path.suffix == ".json":
        key: dict[str, Any] = _read_json(path, dict)
        return key
    with naming(key=path):
        return ProvingKey(path).verification_key()


def _input(path: Path, value: Any) -> int:
    if not isinstance(value, str) or not (value.isascii() and value.isdecimal()) or len(value) > 80:
        raise DocumentError(str(path), f"public input {value!r:.90} is not a decimal string")
    return int(value)


def _read_json(path: Path, kind: type[Any]) -> Any:
    try:
        data = path.read_bytes()
        # Python's reader overruns its stack on deep nesting, even if it raises RecursionError for less.
        if max(accumulate(_NESTING.get(byte, 0) for byte in data), default=0) > MAX_NESTING:
            raise DocumentError(str(path), f"lists more than {MAX_NESTING} deep")
        value = json.loads(data)
    except OSError as error:
        raise FileAccessError(str(path), error.strerror or "cannot be read") from error
    except ValueError as error:
        raise DocumentError(str(path), f"not JSON ({error})") from error
    if not isinstance(value, kind):
        raise DocumentError(str(path), f"a {type(value).__name__}, where a {kind.__name__} is expected")
    return value


def _write_json(path: Path, value: Any) -> None:
    partial = path.with_name(f"{path.name}.partial-{os.getpid()}")
    try:
        partial.write_text(json.dumps(value, indent=1) + "\n")
        partial.rename(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise FileAccessError(str(path), error.strerror or "cannot be written") from error
