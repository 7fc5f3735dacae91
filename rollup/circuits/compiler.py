"""Runs circom (circom 2 as WebAssembly, npm package circom2) and keeps what it made by the content of the sources."""

import fcntl
import hashlib
import json
import re
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from rollup.circuits.errors import CompilerError, LibraryMissingError
from rollup.toolchain import ROOT, require_tool

Progress: TypeAlias = Callable[[str, float], None]
"""Called with what is being done and the part done, 0 to 1."""

CIRCUITS = ROOT / "circuits"
BUILD = ROOT / "build" / "circuits"
LIBRARY = ROOT / "node_modules"
_FLAGS = ("--r1cs", "--sym", "--O2")
_OURS = "aliases 1"
"""What this module does to the output; to be changed with it."""
_INCLUDE = re.compile(r'^\s*include\s+"([^"]+)"', re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_COMPILER_FILES = ("package.json", "circom.wasm")


@dataclass(frozen=True, slots=True)
class CompiledCircuit:
    """The compiler's output. `digest` is of all sources, compiler and flags that it came from."""

    name: str
    digest: str
    r1cs: Path
    sym: Path


def source_closure(main: Path, library: Path = LIBRARY) -> list[Path]:
    """Every file that `main` includes, itself first, in the order of inclusion.

    Raises: LibraryMissingError if an included file is neither beside its includer nor in `library`.
    """
    found = [main.resolve()]
    for source in found:
        for include in _INCLUDE.findall(source.read_text()):
            candidates = [source.parent / include, library / include]
            path = next((path.resolve() for path in candidates if path.is_file()), None)
            if path is None:
                raise LibraryMissingError(str(source), include)
            if path not in found:
                found.append(path)
    return found


def source_digest(main: Path, library: Path = LIBRARY) -> str:
    """A hash of every byte that decides the output: sources, compiler, flags."""
    digest = hashlib.sha256(" ".join((*_FLAGS, _OURS)).encode())
    compiler = [library / "circom2" / name for name in _COMPILER_FILES]
    for path in [*source_closure(main, library), *compiler]:
        digest.update(f"\n{path.name}\n".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:20]


def compile_circuit(main: Path, build: Path = BUILD, *, keep_inputs: bool = True) -> CompiledCircuit:
    """Compile one `main`, or find it compiled already.

    Args:
        main: a source with a main component. It must lie in the checkout: the compiler sees no other files.
        build: where the outputs are kept, one folder per content.
        keep_inputs: refuse a circuit whose inputs do not all survive; without, it serves to count constraints only.

    Raises:
        CompilerError: circom refuses the source.
        LibraryMissingError: circomlib is not installed.
    """
    name, digest = main.stem, source_digest(main)
    folder = build / f"{name}-{digest}"
    compiled = CompiledCircuit(name, digest, folder / f"{name}.r1cs", folder / f"{name}.sym")
    with _locked(build / f"{name}.lock"):
        if not folder.is_dir():
            partial = folder.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            _run_compiler(main, partial, keep_inputs)
            partial.rename(folder)
    return compiled


def _run_compiler(main: Path, output: Path, keep_inputs: bool) -> None:
    _circom(main, output, *_FLAGS)
    sym = output / f"{main.stem}.sym"
    dropped = _dropped_inputs(sym) if keep_inputs else {}
    if dropped:
        _circom(main, output, *_FLAGS, "--simplification_substitution")
        substitutions = output / f"{main.stem}_substitutions.json"
        _name_aliases(main, sym, dropped, json.loads(substitutions.read_text()))
        substitutions.unlink()


def _circom(main: Path, output: Path, *flags: str) -> None:
    # The package preopens the folders above the working directory only, and mishandles absolute and linked paths.
    command = [
        str(require_tool("circom2")),
        str(main.resolve()),
        *flags,
        "-l",
        str(LIBRARY),
        "-o",
        str(output.resolve()),
    ]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    printed = _COLOUR.sub("", finished.stdout + finished.stderr).strip()
    made = all((output / f"{main.stem}.{suffix}").is_file() for suffix in ("r1cs", "sym"))
    if finished.returncode or not made:
        raise CompilerError(str(main), printed or f"circom2 ended with status {finished.returncode} and said nothing")


def _dropped_inputs(sym: Path) -> dict[int, str]:
    """Inputs of the main component that the optimiser dropped: label to name."""
    names = {}
    count = _count_interface(sym.with_suffix(".r1cs"))
    with sym.open() as lines:
        for line in lines:
            label, wire, _, name = line.rstrip("\n").split(",", 3)
            if int(label) > count:
                break
            if wire == "-1":
                names[int(label)] = name
    return names


def _count_interface(r1cs: Path) -> int:
    """Number of public outputs, public and private inputs: the labels from 1 to it are theirs."""
    data = r1cs.read_bytes()
    at = 12
    while True:
        kind, size = struct.unpack_from("<IQ", data, at)
        at += 12
        if kind == 1:
            field = struct.unpack_from("<I", data, at)[0]
            _wires, outputs, public, private = struct.unpack_from("<4I", data, at + 4 + field)
            return int(outputs + public + private)
        at += size


def _name_aliases(main: Path, sym: Path, dropped: dict[int, str], substitutions: dict[str, dict[str, str]]) -> None:
    """Give a dropped input the wire that it equals, in the symbols: whoever sets the input then sets that wire.

    Raises: CompilerError if it equals no one wire: then no witness could be made from its value.
    """
    lines = sym.read_text().splitlines()
    wires = dict(line.split(",", 2)[:2] for line in lines)
    for label, name in dropped.items():
        terms = {other: factor for other, factor in substitutions.get(str(label), {}).items() if factor != "0"}
        other, factor = next(iter(terms.items()), ("0", "0"))
        if len(terms) != 1 or factor != "1" or wires.get(other, "-1") == "-1":
            raise CompilerError(
                str(main), f"the optimiser dropped the input {name} for {terms}: it must stay a wire of its own"
            )
        fields = lines[label - 1].split(",", 3)
        lines[label - 1] = ",".join([fields[0], wires[other], *fields[2:]])
    sym.write_text("\n".join(lines) + "\n")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Holds a file lock, so that two processes do not compile the same source at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
