"""The exit circuit: a small one of its own, not part of any block."""

from functools import cache
from pathlib import Path

from rollup._native import Circuit
from rollup.circuits.compiler import BUILD, CIRCUITS, CompiledCircuit, compile_circuit, source_digest


def build_exit() -> CompiledCircuit:
    """Compile the exit circuit, or find it compiled already.

    Raises: CompilerError, LibraryMissingError.
    """
    return compile_circuit(_main(), BUILD)


@cache
def load_exit() -> Circuit:
    """The exit circuit, compiled if needed; raises as `build_exit`."""
    compiled = build_exit()
    return Circuit(compiled.r1cs, compiled.sym)


@cache
def exit_digest() -> str:
    """What `build_exit` would name its sources by; compiles nothing."""
    return source_digest(_main())


def _main() -> Path:
    return CIRCUITS / "main" / "exit.circom"
