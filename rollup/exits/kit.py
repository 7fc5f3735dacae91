"""The exit kit: one file, published with a deployment, that holds all that proving an exit takes besides the state.

It is a zip of the compiled exit circuit (.r1cs, .sym) and its proving key (.zkey). Nobody need trust who hands it out:
the key's hash is on L1 (IExitVerifier.keyHash), and every proof is verified under that key before it is sent.
"""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from rollup._native import Circuit, ProvingKey
from rollup.exits.errors import ExitKitError
from rollup.l1.verifier_source import EXIT, VerificationKey

_CIRCUIT: Final = "exit.r1cs"
_SYMBOLS: Final = "exit.sym"
_KEY: Final = "exit.zkey"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The date of every member, so that the same content is the same file."""
_DAMAGES: Final = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, RuntimeError, ValueError)
"""What damaged bytes make of `zipfile` and of the readers of the members."""


@dataclass(frozen=True, slots=True)
class ExitKit:
    """An open kit."""

    path: Path
    circuit: Circuit
    key: ProvingKey

    @classmethod
    def open(cls, path: Path) -> "ExitKit":
        """Read a kit.

        Raises: ExitKitError if there is none, or it is damaged.
        """
        try:
            with TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
                circuit, symbols, key = (archive.extract(name, folder) for name in (_CIRCUIT, _SYMBOLS, _KEY))
                # The key is mapped into memory, and stays there when its file is gone.
                return cls(path, Circuit(circuit, symbols), ProvingKey(key))
        except (OSError, *_DAMAGES) as error:
            raise ExitKitError(str(path), str(error)) from error

    def verification_key(self) -> dict[str, Any]:
        """The verification key as snarkjs writes it."""
        return self.key.verification_key()

    def key_hash(self) -> bytes:
        """What IExitVerifier.keyHash must answer, for proofs of this kit to be taken.

        Raises: VerifierKeyError if no verifier can be of this key.
        """
        return VerificationKey.from_snarkjs(EXIT, self.verification_key()).key_hash()


@contextmanager
def unpacked_key(kit: Path) -> Iterator[Path]:
    """The proving key of a kit as a file of its own, for as long as it is needed.

    Raises: ExitKitError if there is no kit, or it is damaged.
    """
    with TemporaryDirectory() as folder:
        try:
            with zipfile.ZipFile(kit) as archive:
                path = Path(archive.extract(_KEY, folder))
        except (OSError, *_DAMAGES) as error:
            raise ExitKitError(str(kit), str(error)) from error
        yield path


def write_kit(path: Path, r1cs: Path, sym: Path, zkey: Path) -> None:
    """Pack a compiled exit circuit and its proving key; the file appears under its name only when complete."""
    partial = path.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, source in ((_CIRCUIT, r1cs), (_SYMBOLS, sym), (_KEY, zkey)):
            member = zipfile.ZipInfo(name, _EPOCH)
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, source.read_bytes())
    partial.rename(path)
