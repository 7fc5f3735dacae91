"""ExitVerifier, as generated for a toy key, with a proof by snarkjs; and what its generator refuses.

The check itself is BlockVerifier's, and its points are tested there.
"""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from contract_rig import TOYS, Refusal, Rig

from rollup.core.constants import FIELD_MODULUS
from rollup.l1.verifier_source import (
    BASE_FIELD_MODULUS,
    EXIT,
    VerificationKey,
    VerifierKeyError,
    proof_words,
    render,
    render_exit,
    write,
)

KEY = TOYS[0]["key"]
PROOF = list(proof_words(TOYS[0]["proof"]))
INPUTS = [int(value) for value in TOYS[0]["inputs"]]
BLOCK_KEYS = [(toy["block_size"], toy["key"]) for toy in TOYS[1:]]


@pytest.fixture
def verifier(rig: Rig) -> Any:
    return rig.owner.deploy(rig.project.ExitVerifier)


def test_proof_by_snarkjs_is_accepted_within_its_gas(rig: Rig, verifier: Any) -> None:
    assert verifier.verify(PROOF, INPUTS)
    used = rig.send(verifier, "verify", PROOF, INPUTS, sender=rig.bob)["gasUsed"]
    print(f"gas: verification of an exit proof, with its transaction: {used:,}")
    assert used < 240_000


def test_key_hash_is_that_of_the_artefact(verifier: Any) -> None:
    assert bytes(verifier.keyHash()) == VerificationKey.from_snarkjs(EXIT, KEY).key_hash()


@pytest.mark.parametrize("position", range(3))
def test_every_input_counts(verifier: Any, position: int) -> None:
    changed = [*INPUTS[:position], (INPUTS[position] + 1) % FIELD_MODULUS, *INPUTS[position + 1 :]]
    assert not verifier.verify(PROOF, changed)


@pytest.mark.parametrize("position", range(3))
def test_input_plus_r_reverts(rig: Rig, verifier: Any, position: int) -> None:
    for value in (INPUTS[position] + FIELD_MODULUS, FIELD_MODULUS, BASE_FIELD_MODULUS, 2**256 - 1):
        wrong = [*INPUTS[:position], value, *INPUTS[position + 1 :]]
        refused = rig.refused(verifier, "verify", PROOF, wrong, sender=rig.bob)
        assert refused == Refusal("InputNotInField", (position, value))


@pytest.mark.parametrize("position", range(8))
def test_changed_or_too_large_proof_word_is_refused(verifier: Any, position: int) -> None:
    for value in ((PROOF[position] + 1) % BASE_FIELD_MODULUS, PROOF[position] + BASE_FIELD_MODULUS, 0):
        assert not verifier.verify([*PROOF[:position], value, *PROOF[position + 1 :]], INPUTS)


def test_proof_of_another_key_is_refused(verifier: Any) -> None:
    other = TOYS[1]
    assert not verifier.verify(list(proof_words(other["proof"])), [int(value) for value in other["inputs"]])


# ---- The generator ----


@pytest.mark.parametrize("sign", [1, -1])
def test_render_exit_refuses_the_delta_of_a_block_size(sign: int) -> None:
    """A proof of one circuit could be made one of the other."""
    key = deepcopy(KEY)
    x, y, one = TOYS[1]["key"]["vk_delta_2"]
    key["vk_delta_2"] = [x, [str(sign * int(value) % BASE_FIELD_MODULUS) for value in y], one]
    size = TOYS[1]["block_size"]
    with pytest.raises(VerifierKeyError, match=f"the exit circuit: delta is that of block size {size}, up to sign"):
        render_exit(key, BLOCK_KEYS)
    assert "contract ExitVerifier is IExitVerifier" in render_exit(KEY, BLOCK_KEYS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"curve": "bls12381"}, "groth16 over bls12381"),
        ({"IC": KEY["IC"][:3]}, "2 public inputs, not 3"),
        ({"vk_delta_2": KEY["vk_gamma_2"]}, "phase 2 of the setup was skipped"),
    ],
)
def test_render_exit_refuses_what_is_no_key(change: dict[str, Any], message: str) -> None:
    with pytest.raises(VerifierKeyError, match=f"for the exit circuit: .*{message}") as caught:
        render_exit(KEY | change)
    assert caught.value.values["block_size"] is EXIT


def test_write_leaves_what_is_the_same_untouched(tmp_path: Path) -> None:
    """Its date is what makes a build compile everything again."""
    write(BLOCK_KEYS, KEY, tmp_path)
    assert (tmp_path / "BlockVerifier.sol").read_text() == render(BLOCK_KEYS)
    exit_verifier = tmp_path / "ExitVerifier.sol"
    assert exit_verifier.read_text() == render_exit(KEY, BLOCK_KEYS)
    dates = [path.stat().st_mtime_ns for path in sorted(tmp_path.iterdir())]
    write(BLOCK_KEYS, KEY, tmp_path)
    assert [path.stat().st_mtime_ns for path in sorted(tmp_path.iterdir())] == dates
    exit_verifier.write_text("edited")
    write(BLOCK_KEYS, KEY, tmp_path)
    assert exit_verifier.read_text() == render_exit(KEY, BLOCK_KEYS)
