"""Runs circom (circom 2 as WebAssembly, npm package circom2) and keeps what it made by the content of the sources."""

import fcntl
import hashlib
import re
import shutil
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
    digest = hashlib.sha256(" ".join(_FLAGS).encode())
    compiler = [library / "circom2" / name for name in _COMPILER_FILES]
    for path in [*source_closure(main, library), *compiler]:
        digest.update(f"\n{path.name}\n".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:20]


def compile_circuit(main: Path, build: Path = BUILD) -> CompiledCircuit:
    """Compile one `main`, or find it compiled already.

    Args:
        main: a source with a main component. It must lie in the checkout: the compiler sees no other files.
        build: where the outputs are kept, one folder per content.

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
            _run_compiler(main, partial)
            partial.rename(folder)
    return compiled


def _run_compiler(main: Path, output: Path) -> None:
    # The package preopens the folders above the working directory only, and mishandles absolute and linked paths.
    command = [str(require_tool("circom2")), str(main.resolve()), *_FLAGS, "-l", str(LIBRARY), "-o", str(output.resolve())]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    printed = _COLOUR.sub("", finished.stdout + finished.stderr).strip()
    made = all((output / f"{main.stem}.{suffix}").is_file() for suffix in ("r1cs", "sym"))
    if finished.returncode or not made:
        raise CompilerError(str(main), printed or f"circom2 ended with status {finished.returncode} and said nothing")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Holds a file lock, so that two processes do not compile the same source at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
