"""Keys from powers of tau and contributions, in snarkjs's formats: either program goes on where the other stopped.

A key is safe if one contributor, of the powers or of the key, forgot the secret. Each publishes the hash that
`contribute` gave; `verify_key` shows those that a key has, and that there is nothing else in it.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rollup import _native
from rollup.groth16.errors import naming
from rollup.groth16.files import Progress

BEACON_LOG2_ITERATIONS = 10
"""Hashes of a beacon's value, as a power of two: the least that snarkjs takes."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """A step of phase 2.

    Args:
        name: Given by its maker.
        hash: BLAKE2b of its public part, 128 hexadecimal digits: what the maker published.
        beacon: The public value that its secret came from, in hexadecimal, if it is a beacon.
        beacon_log2_iterations: How often that was hashed, as a power of two.
    """

    name: str
    hash: str
    beacon: str | None = None
    beacon_log2_iterations: int | None = None


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What a key is made of.

    Args:
        circuit: snarkjs's circuit hash, of the first key, 128 hexadecimal digits.
        contributions: In order.
    """

    circuit: str
    contributions: tuple[Contribution, ...]


@dataclass(frozen=True, slots=True)
class Powers:
    """A powers-of-tau file that passed every check.

    Args:
        power: For circuits of up to 2^power rows.
        prepared: Whether it has the Lagrange forms (`snarkjs powersoftau prepare phase2`).
        contributions: (name, response hash) of each, in order.
    """

    path: Path
    power: int
    prepared: bool
    contributions: tuple[tuple[str, str], ...]


def check_powers(path: Path, progress: Progress | None = None) -> Powers:
    """Check a `.ptau` whole: curve, points, powers of one tau, contributions, and all Lagrange forms if it has them.

    Raises: PowersFileError, FileAccessError.
    """
    with naming(powers_of_tau=path):
        opened = _native.PowersOfTau(path, progress)
        opened.check_prepared(progress)
        contributions = tuple((step["name"], step["hash"]) for step in opened.contributions)
        return Powers(path, opened.power, opened.prepared, contributions)


def new_key(circuit: Path | object, powers: Path, key: Path, progress: Progress | None = None) -> str:
    """Write a circuit's first key; nobody may use it before it has contributions.

    Args:
        circuit: A `.r1cs`, or a Circuit, Block or System.
        powers: A `.ptau`; with Lagrange forms it is much faster. It is checked, the Lagrange forms that are used too.

    Returns: The circuit hash, 128 hexadecimal digits.
    Raises: PowersFileError, CircuitFileError, FileAccessError.
    """
    with naming(powers_of_tau=powers, constraint_system=_circuit_name(circuit), key=key):
        return _native.PowersOfTau(powers, progress).new_key(circuit, key, progress)


def contribute(old: Path, new: Path, name: str = "", entropy: bytes = b"", progress: Progress | None = None) -> str:
    """Write `new`: `old` with a contribution whose secret comes from the operating system and is forgotten.

    Args:
        name: At most 64 bytes of UTF-8, published in the key.
        entropy: Anything; it is hashed together with the system's random bytes, and only adds to them.

    Returns: The contribution's hash, to publish.
    Raises: KeyFileError, FileAccessError.
    """
    with naming(key=old):
        return _native.contribute(old, new, name, entropy, progress)


def add_beacon(
    old: Path,
    new: Path,
    value: bytes,
    log2_iterations: int = BEACON_LOG2_ITERATIONS,
    name: str = "",
    progress: Progress | None = None,
) -> str:
    """Write `new`: `old` with a last contribution made of a public value that nobody could foresee.

    Args:
        value: 1 to 255 bytes, such as a later L1 block's hash, announced before the ceremony.
        log2_iterations: 10 to 40; hashing it 2^40 times takes a day.

    Returns: The contribution's hash.
    Raises: KeyFileError, FileAccessError.
    """
    with naming(key=old):
        return _native.contribute_beacon(old, new, name, value, log2_iterations, progress)


def verify_key(circuit: Path | object, powers: Path, key: Path, progress: Progress | None = None) -> Ceremony:
    """Check that a key is the circuit's, from these powers and the contributions that it lists, and nothing else.

    The first key is made again in a temporary folder, which needs as much space as the key.

    Raises:
        KeyFileError: It is not; the reason names the section. Also if it has no contribution.
        PowersFileError, CircuitFileError, FileAccessError.
    """
    files = {"powers_of_tau": powers, "constraint_system": _circuit_name(circuit), "key": key}
    with TemporaryDirectory() as folder, naming(**files):
        opened = _native.PowersOfTau(powers, progress)
        return _ceremony(opened.verify_key(circuit, key, Path(folder) / "first.zkey", progress))


def read_ceremony(key: Path) -> Ceremony:
    """The contributions in a key, checked among themselves; whether the rest is theirs is for `verify_key` to say.

    Raises: KeyFileError, FileAccessError.
    """
    with naming(key=key):
        return _ceremony(_native.read_contributions(key))


def _ceremony(found: dict[str, Any]) -> Ceremony:
    return Ceremony(found["circuit"], tuple(Contribution(**step) for step in found["contributions"]))


def _circuit_name(circuit: Path | object) -> Path | str:
    return Path(circuit) if isinstance(circuit, str | os.PathLike) else type(circuit).__name__
