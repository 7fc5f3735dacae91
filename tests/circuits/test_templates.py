"""Every template alone: its inputs leave no wire open, by the plan that our solver makes of its constraints.

The solver asks for what does not follow, so a plan is a proof, but for the few kinds of wires that
`Circuit.hinted_kinds` names: unique by the arguments there, and "quotient" and "aliased bit" by what is said here.
"""

import os
import re

import pytest

from rollup._native import Circuit
from rollup.circuits import blocks
from rollup.circuits.compiler import CIRCUITS, compile_circuit

WHOLE = ("Step", "Open", "Close", "Exit", "Block")
"""Compiled as they are for all other tests; their witnesses are made without hints there."""
PARAMETERS = {
    "AccountUpdate": "(3)", "Touch": "(3, 2)", "UnpackAmount": "(AMOUNT_MANTISSA_BITS(), 1)", "BitsAtMost": "(7, 51)",
    "EitherInRange": "(9, 4)", "Decode": "(3, 2)", "IndexDigits": "(3)", "PathUpdate": "(2)", "PathOpening": "(2)",
    "DoubleAndAdd": "(1)", "PowerOfX": "(3)",
    "WindowOfBase": "(to_montgomery(BASE8()), double_constant(to_montgomery(BASE8()), 5), 1)",
}  # fmt: skip
UNIQUE_OTHERWISE = {
    "AddPoints": "the caller says why p.x != q.x",
    "DoublePoint": "no point of odd order has y = 0",
    "DoubleAndAdd": "checked here where the caller cannot say it",
    "MultiplyBase": "the sums never meet, see its header",
    "MultiplyKey": "the same; bits of h + r are refused by the limit (test_step_bits_of_the_hash_plus_r_are_refused)",
    "CheckSignature": "as those two",
    "Authorise": "as those two",
}
"""Templates with wires that are divisors' quotients or one of two decompositions, and why they are unique."""
INPUT = re.compile(r"^    (?:signal )?input (?:\w+\([^;]*\) )?(\w+)", re.MULTILINE)


def templates() -> dict[str, tuple[str, str]]:
    """File and text of each template of ours that is none of WHOLE, by name."""
    found = {}
    for path in sorted((CIRCUITS / "lib").glob("*.circom")):
        parts = re.split(r"^template (\w+)", path.read_text(), flags=re.MULTILINE)[1:]
        found |= {name: (path.name, text) for name, text in zip(parts[::2], parts[1::2], strict=True)}
    return found


TEMPLATES = templates()


def compile_template(name: str) -> Circuit:
    """With all inputs public: so the optimiser keeps them."""
    file, text = TEMPLATES[name]
    folder = blocks.BUILD / "templates"
    folder.mkdir(parents=True, exist_ok=True)
    main = folder / f"{name}.circom"
    library = os.path.relpath(blocks.CIRCUITS / "lib" / file, folder)
    inputs = ", ".join(INPUT.findall(text))
    main.write_text(
        f'pragma circom 2.2.0;\ninclude "{library}";\n'
        f"component main {{public [{inputs}]}} = {name}{PARAMETERS.get(name, '()')};\n"
    )
    compiled = compile_circuit(main, blocks.BUILD)
    return Circuit(compiled.r1cs, compiled.sym)


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_wire_of_a_template_follows_from_its_inputs(name: str) -> None:
    circuit = compile_template(name)
    circuit.witness(dict.fromkeys(circuit.inputs, 0))  # a ValueError names what does not follow
    doubtful = {kind for kind in circuit.hinted_kinds().values() if kind in ("quotient", "aliased bit")}
    assert bool(doubtful) == (name in UNIQUE_OTHERWISE), doubtful
