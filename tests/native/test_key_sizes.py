"""Keys, witnesses and proofs of blocks of different sizes, mixed: refused, and the error names what does not fit."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from test_native_linker import inputs, link, solve

from rollup import _native
from rollup.groth16 import WitnessFileError, prove_files

PAIRS = [(2, 3), (3, 2), (3, 12), (12, 3)]
"""Of what: size of the key, and of all else. 2 and 3 have one domain, 12 has another."""


@dataclass(frozen=True)
class Sized:
    """A block of one size with its key, a witness, and its proof."""

    block: _native.Block
    path: Path
    key: _native.ProvingKey
    witness: _native.Witness
    proof: _native.Proof


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Sized]:
    folder, found = tmp_path_factory.mktemp("sizes"), {}
    for steps in (2, 3, 12):
        block, path = link(steps), folder / f"{steps}.zkey"
        _native.setup_development(block, path, "test", coefficients=True)
        key, witness = _native.ProvingKey(path), solve(block, inputs(steps))
        found[steps] = Sized(block, path, key, witness, _native.prove(block, key, witness))
    return found


def test_sizes_are_of_one_domain_and_of_two(made: dict[int, Sized]) -> None:
    domains = {steps: sized.key.domain_size for steps, sized in made.items()}
    assert domains[2] == domains[3] < domains[12]
    assert {sized.key.n_public for sized in made.values()} == {3}


@pytest.mark.parametrize(("of_key", "of_all_else"), PAIRS)
def test_prove_with_a_key_of_another_size_is_refused(made: dict[int, Sized], of_key: int, of_all_else: int) -> None:
    key, ours = made[of_key].key, made[of_all_else]
    expected = (
        rf"\({len(ours.witness)}, 3, {ours.key.domain_size}\), those of the key \({key.n_wires}, 3, {key.domain_size}\)"
    )
    with pytest.raises(ValueError, match=expected):
        _native.prove(ours.block, key, ours.witness)


@pytest.mark.parametrize(("of_witness", "of_all_else"), PAIRS)
def test_prove_a_witness_of_another_size_is_refused(made: dict[int, Sized], of_witness: int, of_all_else: int) -> None:
    witness, ours = made[of_witness].witness, made[of_all_else]
    with pytest.raises(ValueError, match=f"{len(witness)} values for {ours.key.n_wires} wires"):
        _native.prove(ours.block, ours.key, witness)


@pytest.mark.parametrize(("of_key", "of_all_else"), PAIRS)
def test_prove_files_of_two_sizes_is_refused_with_the_file(
    made: dict[int, Sized], tmp_path: Path, of_key: int, of_all_else: int
) -> None:
    wtns, ours = tmp_path / "block.wtns", made[of_all_else]
    ours.witness.write_wtns(wtns)
    with pytest.raises(
        WitnessFileError, match=f"{len(ours.witness)} values for {made[of_key].key.n_wires} wires"
    ) as told:
        prove_files(made[of_key].path, wtns, tmp_path / "proof.json", tmp_path / "public.json")
    assert told.value.path == str(wtns)


@pytest.mark.parametrize(("of_key", "of_all_else"), PAIRS)
def test_verify_with_a_key_of_another_size_is_false(made: dict[int, Sized], of_key: int, of_all_else: int) -> None:
    """Every size has three public inputs and one alpha, beta, gamma: what tells them apart are delta and IC."""
    key, proof = made[of_key].key.verification_key(), made[of_all_else].proof
    assert _native.verify(made[of_all_else].key.verification_key(), proof.to_json(), proof.public)
    assert not _native.verify(key, proof.to_json(), proof.public)


@pytest.mark.parametrize("name", ["vk_delta_2", "IC"])
def test_verify_with_a_key_half_of_another_size_is_false(made: dict[int, Sized], name: str) -> None:
    key, proof = made[3].key.verification_key(), made[3].proof
    other = made[2].key.verification_key()
    assert key[name] != other[name]
    assert not _native.verify(key | {name: other[name]}, proof.to_json(), proof.public)
