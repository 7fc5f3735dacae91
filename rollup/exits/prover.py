"""From a state to a proof that L1 pays out on: claim, witness, proof, checked before anything is sent."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rollup._native import prove, verify
from rollup.core.state import State
from rollup.exits.claim import ExitClaim, ExitInputs, exit_inputs
from rollup.exits.errors import ExitProofError
from rollup.exits.kit import ExitKit


@dataclass(frozen=True, slots=True)
class ProvenExit:
    """A claim and its proof.

    Args:
        claim: What is proven.
        proof: The eight words that IExitVerifier.verify takes.
        proof_json: The proof as snarkjs writes it.
        seconds: How long witness, proof and verification took.
    """

    claim: ExitClaim
    proof: tuple[int, ...]
    proof_json: dict[str, Any]
    seconds: float


class ExitProver:
    """Proves exits with a deployment's kit.

    Args:
        kit: The file that was published with the deployment.

    Raises: ExitKitError if it is none.
    """

    def __init__(self, kit: Path) -> None:
        self.kit = ExitKit.open(kit)
        self._verification_key = self.kit.verification_key()

    def prove(self, state: State, account_id: int, token: int) -> ProvenExit:
        """Prove what an account has of a token in a state, which must have the depths of the protocol.

        Raises: as `exit_inputs` and `prove_inputs`.
        """
        return self.prove_inputs(exit_inputs(state, account_id, token))

    def prove_inputs(self, inputs: ExitInputs) -> ProvenExit:
        """Prove a claim.

        Raises:
            ExitProofError: the claim is not true, or the kit is of another circuit.
        """
        claim = inputs.claim
        start = time.perf_counter()
        try:
            proof = prove(self.kit.circuit, self.kit.key, self.kit.circuit.witness(inputs.signals()))
        except ValueError as error:
            raise ExitProofError(claim.account_id, claim.token, str(error)) from error
        public, proof_json = list(claim.public_inputs()), proof.to_json()
        if list(proof.public) != public:
            raise ExitProofError(claim.account_id, claim.token, f"the proof is of {proof.public}, not of {public}")
        if not verify(self._verification_key, proof_json, public):
            raise ExitProofError(claim.account_id, claim.token, "the proof does not verify")
        return ProvenExit(claim, tuple(proof.solidity()), proof_json, time.perf_counter() - start)
