"""Whole blocks: linked against monolithic, the public inputs against the core, sizes, counts."""

import json
from collections.abc import Callable

import pytest
from circuit_world import ALICE, BOB, CAROL, Inputs, World, following, one_after_another, populated

from rollup._native import Circuit, Witness
from rollup.circuits.blocks import (
    PARTS,
    PIECES,
    SMALL,
    Pieces,
    block_constraints,
    block_witness,
    build_circuits,
    largest_block,
    load_block,
    load_pieces,
)
from rollup.circuits.compiler import CIRCUITS, compile_circuit
from rollup.circuits.errors import BlockSizeError
from rollup.circuits.exit_circuit import load_exit
from rollup.core.block import SealedBlock
from rollup.core.constants import FIELD_MODULUS
from rollup.core.operations import FullExit, Operation


def in_block(name: str, index: int) -> str:
    """A Step's private input by its name in Block(N): `op.amount` is `op[0].amount`."""
    bus, _, signal = name.partition(".")
    return f"{bus}[{index}].{signal}"


def monolithic_inputs(sealed: SealedBlock) -> Inputs:
    """The same inputs by the names of Block(N)."""
    witness = sealed.witness
    assert witness is not None
    inputs: Inputs = {"C": sealed.commitment, "Y": sealed.evaluation, **witness.open.signals()}
    for index, step in enumerate(witness.steps):
        inputs |= {in_block(name, index): value for name, value in step.signals().items() if "." in name}
    own = ("account.", "account_path", "balance_paths")
    return inputs | {f"close_{name}": v for name, v in witness.close.signals().items() if name.startswith(own)}


def monolithic(steps: int) -> tuple[Circuit, list[str]]:
    compiled = compile_circuit(CIRCUITS / "main" / f"block_{steps}{SMALL}.circom")
    lines = (line.split(",", 3) for line in compiled.sym.read_text().splitlines())
    names = [name.removeprefix("main.") for _, wire, _, name in lines if wire != "-1"]
    return Circuit(compiled.r1cs, compiled.sym), names


def wires_in_common(linked: Witness, whole: Witness, names: list[str]) -> int:
    """Compares the wires that both kept, by name; returns how many they are."""
    common = 0
    for name in names:
        if not name.startswith(("open.", "steps[", "close.")):
            continue
        try:
            value = linked.get(name)
        except KeyError:
            continue  # dropped in the piece
        assert value == whole.get(name), name
        common += 1
    return common


def payments(world: World) -> list[Operation]:
    """A transfer that a withdrawal spends on."""
    spent = world.withdraw(BOB, 0xBEEF, 0, 10**17 + 1, 10**14)
    return [world.transfer(ALICE, BOB, 0, 12 * 10**17, 21 * 10**14), spent]


MONOLITHS = [
    (2, payments),
    pytest.param(3, lambda world: [world.swap()], marks=pytest.mark.long, id="3-swap"),
    pytest.param(
        4,
        lambda world: [world.batch(), FullExit(CAROL.account_id, 5, CAROL.address)],
        marks=pytest.mark.long,
        id="4-batch",
    ),
]
"""Steps, and what the block does: nothing but Block(N) grows with N."""
Made = Callable[[World], list[Operation]]


@pytest.mark.slow
@pytest.mark.parametrize(("steps", "made"), MONOLITHS)
def test_linked_block_equals_the_monolithic_one(world: World, steps: int, made: Made) -> None:
    sealed = world.block(made(world), steps)
    block = load_block(steps, SMALL)
    whole, names = monolithic(steps)
    linked, other = block_witness(block, sealed), whole.witness(monolithic_inputs(sealed))
    assert block.check(linked) is None
    assert whole.check(other) is None
    assert linked.public() == other.public() == [sealed.commitment, sealed.challenge, sealed.evaluation]
    assert wires_in_common(linked, other, names) > 10_000 * steps


CHANGED = (
    *(f"op.{name}" for name in ("amount", "fee_packed", "refused", "from_id", "order_id", "link", "signature_s")),
    "from.account.nonce",
)


@pytest.mark.slow
@pytest.mark.parametrize(("steps", "made"), MONOLITHS)
def test_linked_and_monolithic_blocks_refuse_the_same(world: World, steps: int, made: Made) -> None:
    sealed = world.block(made(world), steps)
    block, pieces = load_block(steps, SMALL), load_pieces(SMALL)
    whole, _ = monolithic(steps)
    inputs = monolithic_inputs(sealed)
    for name in ("C", "Y"):
        refused = whole.witness(inputs | {name: (inputs[name] + 1) % FIELD_MODULUS})
        assert whole.check(refused) is not None
    assert sealed.witness is not None
    for index, honest in enumerate(sealed.witness.steps):
        signals = honest.signals()
        for name in CHANGED:
            value = signals[name]
            assert isinstance(value, int)
            refused_whole = whole.check(whole.witness(inputs | {in_block(name, index): value + 1})) is not None
            refused_linked = _chain_refuses(pieces, sealed, index, {name: value + 1})
            assert refused_whole
            assert refused_linked
    assert block.n_constraints == pieces.open.n_constraints + steps * pieces.step.n_constraints + (
        pieces.close.n_constraints
    )


def _chain_refuses(pieces: Pieces, sealed: SealedBlock, index: int, changes: Inputs) -> bool:
    """Open, each Step, Close, one after the other, each with the outputs of the one before."""
    assert sealed.witness is not None
    witness = pieces.open.witness(sealed.witness.open.signals())
    refused = pieces.open.check(witness) is not None
    for i, step in enumerate(sealed.witness.steps):
        inputs = step.signals() | following(witness.outputs()) | (changes if i == index else {})
        witness = pieces.step.witness(inputs)
        refused |= pieces.step.check(witness) is not None
    close = sealed.witness.close.signals() | following(witness.outputs())
    return refused or pieces.close.check(pieces.close.witness(close)) is not None


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6, 13])
def test_block_of_every_operation_is_accepted(world: World, count: int) -> None:
    """Odd and even numbers of chunks; what is left of the block is Noops."""
    sealed = world.block(one_after_another(world)[:count], 18)
    block = load_block(18, SMALL)
    witness = block_witness(block, sealed)
    assert block.check(witness) is None
    assert witness.public() == [sealed.commitment, sealed.challenge, sealed.evaluation]


def test_block_of_noops_is_accepted(world: World) -> None:
    sealed = world.block([], 3)
    witness = block_witness(load_block(3, SMALL), sealed)
    assert load_block(3, SMALL).check(witness) is None


@pytest.mark.slow
def test_block_at_full_depth_is_accepted() -> None:
    world = populated(8, 4)
    tokens = (0, 5, 9, 100, 1000, 2000, 2046, 2047)
    taken = [*one_after_another(world), FullExit((1 << 24) - 1, 4095, 0xF00D)]
    sealed = world.block(taken, 20, fee_tokens=tokens)
    block = load_block(20)
    witness = block_witness(block, sealed)
    assert block.check(witness) is None
    assert witness.public() == [sealed.commitment, sealed.challenge, sealed.evaluation]


@pytest.mark.slow
def test_constraints_are_those_of_the_checked_file() -> None:
    pieces = load_pieces()
    counts = {piece: getattr(pieces, piece).n_constraints for piece in PIECES}
    for part in PARTS:
        compiled = compile_circuit(CIRCUITS / "main" / "parts" / f"{part}.circom", keep_inputs=False)
        counts[part] = Circuit(compiled.r1cs, compiled.sym).n_constraints
    counts["exit"] = load_exit().n_constraints
    assert counts == json.loads((CIRCUITS / "constraints.json").read_text())
    assert block_constraints(3) == load_block(3).n_constraints
    assert counts["step"] <= 30_000
    assert counts["emit"] <= 0.03 * counts["step"]  # what the data binding costs


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["", SMALL])
def test_every_input_of_every_piece_is_a_wire(variant: str) -> None:
    """A dropped one would leave its value without effect on the witness."""
    for compiled in build_circuits(variant=variant).values():
        circuit = Circuit(compiled.r1cs, compiled.sym)
        wires = {fields[3]: fields[1] for fields in (line.split(",", 3) for line in compiled.sym.open())}
        assert not [name for name in circuit.inputs if wires[f"main.{name}\n"] == "-1"]


@pytest.mark.parametrize("exponent", [16, 18, 20, 22])
def test_largest_block_fills_its_domain_and_no_more(exponent: int) -> None:
    steps = largest_block(exponent)
    assert block_constraints(steps) + 4 <= 1 << exponent < block_constraints(steps + 1) + 4


def test_largest_block_of_a_small_domain_is_refused() -> None:
    with pytest.raises(BlockSizeError) as caught:
        largest_block(15)
    assert caught.value.values == {"steps": 1, "limit": 0}


@pytest.mark.parametrize("steps", [0, 1 << 16])
def test_block_size_out_of_range_is_refused(steps: int) -> None:
    with pytest.raises(BlockSizeError) as caught:
        load_block(steps)
    assert caught.value.values == {"steps": steps, "limit": (1 << 16) - 1}


def test_witness_of_a_block_sealed_without_inputs_is_refused(world: World) -> None:
    sealed = world.block([], 1, witness=False)
    with pytest.raises(ValueError, match="witness=False"):
        block_witness(load_block(1, SMALL), sealed)
