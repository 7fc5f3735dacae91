"""From a sealed block to a proof that L1 will accept: witness, proof, and both checked before anything is sent."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rollup._native import prove, verify
from rollup.circuits.blocks import block_witness, load_block
from rollup.circuits.keys import KEYS, load_proving_key
from rollup.core.block import SealedBlock
from rollup.core.errors.base import DataError

Progress = Callable[[str, float], None]
"""Called with the phase and the part of it that is done, 0 to 1."""


@dataclass(eq=False)
class ProofError(DataError):
    """A proof came out that does not fit its block; it was not sent."""

    block_number: int
    reason: str
    code = "proof"

    @property
    def message(self) -> str:
        return f"block {self.block_number}: {self.reason}; run `sluice build`: keys and circuits may be of two versions"


@dataclass(frozen=True, slots=True)
class ProvenBlock:
    """A sealed block and its proof.

    Args:
        block: The block.
        proof: The eight words that the contract takes.
        proof_json: The proof as snarkjs writes it.
        witness_seconds, prove_seconds, verify_seconds: How long each took.
        phases: Seconds of the prover's phases, by name.
    """

    block: SealedBlock
    proof: tuple[int, ...]
    proof_json: dict[str, Any]
    witness_seconds: float
    prove_seconds: float
    verify_seconds: float
    phases: dict[str, float]


class BlockProver:
    """Proves blocks with the keys of a folder.

    Args:
        folder: Where `sluice build keys` left them.
    """

    def __init__(self, folder: Path = KEYS) -> None:
        self._folder = folder

    def prove(self, sealed: SealedBlock, progress: Progress | None = None) -> ProvenBlock:
        """Prove a block.

        Raises:
            ProvingKeyMissingError, ProvingKeyStaleError: There is no key for blocks of its size and these circuits.
            ProofError: The proof does not verify, or is of other public inputs than the block's.
            ValueError: The block was sealed without its witness, or its inputs break the circuit.
        """
        header = sealed.header
        circuit = load_block(header.block_size)
        key = load_proving_key(header.block_size, self._folder)
        start = time.perf_counter()
        witness = block_witness(circuit, sealed)
        computed = time.perf_counter()
        proof = prove(circuit, key, witness, progress=progress)
        proved = time.perf_counter()
        expected = [sealed.commitment, sealed.challenge, sealed.evaluation]
        if list(proof.public) != expected:
            raise ProofError(header.block_number, f"the proof is of {list(proof.public)}, the block's are {expected}")
        proof_json = proof.to_json()
        if not verify(key.verification_key(), proof_json, expected):
            raise ProofError(header.block_number, "the proof does not verify")
        return ProvenBlock(
            block=sealed,
            proof=tuple(proof.solidity()),
            proof_json=proof_json,
            witness_seconds=computed - start,
            prove_seconds=proved - computed,
            verify_seconds=time.perf_counter() - proved,
            phases=dict(proof.timings),
        )
