"""The circuits of a block, loaded and linked, and the block sizes that fit."""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rollup._native import Block, Circuit, Witness
from rollup.circuits.compiler import BUILD, CIRCUITS, CompiledCircuit, Progress, compile_circuit, source_digest
from rollup.circuits.errors import BlockSizeError
from rollup.core.block import SealedBlock
from rollup.core.constants import BLOCK_SIZE_BITS, PUBLIC_INPUTS

PIECES = ("open", "step", "close")
PARTS = (
    "kind", "decode", "touch", "authorise", "order", "widths", "link", "emit", "credit_fee", "unpack_amount",
    "unpack_fee",
)  # fmt: skip
"""What a Step is made of, compiled alone for their counts: two touches, one of each other."""
SMALL = "_small"
"""Suffix of the shallow variant: 3 account levels, 2 balance levels. For tests."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """Open, Step and Close, of one variant. `digest` names their sources."""

    open: Circuit
    step: Circuit
    close: Circuit
    digest: str


def build_circuits(progress: Progress | None = None, variant: str = "") -> dict[str, CompiledCircuit]:
    """Compile Open, Step and Close, as many at once as there are cores; what is compiled already is found.

    Returns: the outputs by piece.
    Raises: CompilerError, LibraryMissingError.
    """
    workers = min(len(PIECES), os.cpu_count() or 1)
    with ThreadPoolExecutor(workers) as pool:
        # The longest first
        waiting = {piece: pool.submit(compile_circuit, _main(piece, variant), BUILD) for piece in reversed(PIECES)}
        compiled = {}
        for done, piece in enumerate(PIECES):
            if progress:
                progress(f"compile {piece}{variant}", done / len(PIECES))
            compiled[piece] = waiting[piece].result()
    if progress:
        progress("circuits", 1.0)
    return compiled


@cache
def circuits_digest(variant: str = "") -> str:
    """What `load_pieces` would name its sources by; compiles nothing."""
    return "-".join(source_digest(_main(piece, variant)) for piece in PIECES)


@cache
def load_pieces(variant: str = "") -> Pieces:
    """Compile if needed, and read Open, Step and Close. Kept: they are what all block sizes share."""
    compiled = build_circuits(variant=variant)
    circuits = {piece: Circuit(compiled[piece].r1cs, compiled[piece].sym) for piece in PIECES}
    digest = "-".join(compiled[piece].digest for piece in PIECES)
    return Pieces(circuits["open"], circuits["step"], circuits["close"], digest)


@cache
def load_block(steps: int, variant: str = "") -> Block:
    """The linked circuit of a block of `steps` steps.

    Raises: BlockSizeError if the header cannot hold that size.
    """
    if not 0 < steps < 1 << BLOCK_SIZE_BITS:
        raise BlockSizeError(steps, (1 << BLOCK_SIZE_BITS) - 1)
    pieces = load_pieces(variant)
    return Block(pieces.open, pieces.step, pieces.close, steps)


def block_constraints(steps: int, variant: str = "") -> int:
    """Constraints of a block of `steps` steps of the compiled circuits."""
    pieces = load_pieces(variant)
    return pieces.open.n_constraints + steps * pieces.step.n_constraints + pieces.close.n_constraints


def largest_block(domain_log2: int) -> int:
    """The most steps of the compiled circuits whose block fits a domain, as `steps_that_fit` says.

    Raises: BlockSizeError if not even one step fits.
    """
    pieces = load_pieces()
    return steps_that_fit(domain_log2, {piece: getattr(pieces, piece).n_constraints for piece in PIECES})


def steps_that_fit(domain_log2: int, constraints: Mapping[str, int]) -> int:
    """The most steps whose block fits a domain of 2^domain_log2 rows: constraints, public inputs and the constant.

    Args:
        constraints: of each of PIECES, by name.

    Raises: BlockSizeError if not even one step fits.
    """
    room = (1 << domain_log2) - PUBLIC_INPUTS - 1 - constraints["open"] - constraints["close"]
    steps = min(room // constraints["step"], (1 << BLOCK_SIZE_BITS) - 1)
    if steps < 1:
        raise BlockSizeError(1, 0)
    return steps


def block_witness(block: Block, sealed: SealedBlock) -> Witness:
    """All wires of a sealed block.

    Raises: ValueError if the block was sealed without its witness, or the inputs do not fit the circuit.
    """
    inputs = sealed.witness
    if inputs is None:
        raise ValueError(
            f"block {sealed.header.block_number} was built with witness=False: its inputs were not collected"
        )
    return block.witness(inputs.open.signals(), [step.signals() for step in inputs.steps], inputs.close.signals())


def _main(piece: str, variant: str) -> Path:
    return CIRCUITS / "main" / f"{piece}{variant}.circom"
