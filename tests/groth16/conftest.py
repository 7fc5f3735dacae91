"""One ceremony of snarkjs for all tests here."""

import json
import sys
from pathlib import Path

import pytest

sys.path.extend([str(Path(__file__).parent), str(Path(__file__).parents[1] / "native")])

from circom_reference import compile_circom
from groth16_rig import POWER, Made, make_powers, snarkjs
from random_circuits import SHAPES


@pytest.fixture(scope="session")
def powers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_powers(tmp_path_factory.mktemp("powers"), POWER, ["first", "second"])


@pytest.fixture(scope="session")
def made(powers: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Made]:
    """All circuits, by name."""
    folder, jobs, made = tmp_path_factory.mktemp("circuits"), [], {}
    for shape in SHAPES:
        compiled = compile_circom(shape.name, shape.source, shape.level)
        paths = [folder / f"{shape.name}.{end}" for end in ("first.zkey", "zkey", "wtns", "json")]
        first, key, wtns, given = paths
        given.write_text(json.dumps({name: _text(value) for name, value in shape.inputs.items()}))
        wasm = compiled.folder / f"{shape.name}_js" / f"{shape.name}.wasm"
        jobs += [
            ("newKey", compiled.r1cs, powers, first),
            ("contribute", first, key, "theirs", "entropy"),
            ("witness", given, wasm, wtns),
        ]
        made[shape.name] = (shape, compiled.r1cs, first, key, wtns)
    hashes = snarkjs(*jobs)[::3]
    return {name: Made(*parts, circuit_hash) for (name, parts), circuit_hash in zip(made.items(), hashes, strict=True)}


def _text(value: object) -> object:
    return [str(item) for item in value] if isinstance(value, list) else str(value)
