"""Random operations, good and bad, on one state: the core and the circuit say the same, and reach the same root."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from circuit_world import DOMAIN, FEE_TOKENS, NOW, Approved, World, array
from random_steps import Chooser
from raw_step import IDLE, RawStep, raw_step

from rollup._native import Circuit
from rollup.circuits.blocks import SMALL, Pieces, block_witness, load_block
from rollup.core.constants import BALANCE_BITS
from rollup.core.errors import SluiceError
from rollup.core.operations import Batch, ForcedExit, FullExit, Operation, StepOperation, Swap, batch_chain, steps_of
from rollup.core.rules import Context
from rollup.core.state import State

BLOCK = 16


def kind_of(operation: Operation) -> str:
    return type(operation).__name__


def raw_steps(state: State, operation: Operation) -> Iterator[RawStep]:
    """The operation's steps, each on what the one before leaves; exits take what is there."""
    rests: Sequence[int | None] = [None] * 3
    if isinstance(operation, Batch):
        rests = batch_chain(operation.operations)[1:]
    before = IDLE
    for step, rest in zip(steps_of(operation), rests, strict=False):
        raw = raw_step(state, _exact(state, step), batch_rest=rest, before=before)  # type: ignore[arg-type]
        yield raw
        state, before = raw.state, raw.unfinished


def _exact(state: State, step: StepOperation) -> StepOperation:
    if not isinstance(step, ForcedExit | FullExit) or step.amount is not None:
        return step
    leaf = state.leaf(step.account_id, step.token)
    is_money = step.token < state.shape.first_order_slot and leaf >> BALANCE_BITS == 0
    is_owner = isinstance(step, ForcedExit) or state.account(step.account_id).address == step.owner
    return replace(step, amount=leaf if is_owner and is_money else 0)


@pytest.mark.parametrize("seed", range(4))
def test_random_operations_are_judged_alike(step: Circuit, world: World, seed: int) -> None:
    rng = random.Random(seed)
    chooser, context = Chooser(rng, world, wrong=0.06), Context(DOMAIN, NOW, FEE_TOKENS, Approved())
    accepted: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for _ in range(60):
        operation = chooser.operation()
        before, reason = world.state.copy(), None
        try:
            world.state.apply(operation, context)
        except SluiceError as error:
            reason = error
        raws = list(raw_steps(before, operation))
        witnesses = step.witness_many([raw.inputs for raw in raws])
        refusals = [step.check(witness) for witness in witnesses]
        assert any(refusals) == (reason is not None), (operation, reason, refusals)
        (refused if reason else accepted)[kind_of(operation)] += 1
        if reason is None:
            outputs = witnesses[-1].outputs()
            assert (array(outputs, "nodes_out"), outputs["pending_out"]) == (world.state.shared_nodes(), 0)
    assert min(accepted.total(), refused.total()) >= 12
    assert len(accepted) >= 6


@pytest.mark.slow
def test_two_thousand_random_operations_of_every_kind_are_proven_right(pieces: Pieces, world: World) -> None:
    """Blocks as an operator builds them, each witness held against every constraint. Prints its seed."""
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    chooser, block = Chooser(rng, world), load_block(BLOCK, SMALL)
    taken: Counter[str] = Counter()
    while taken.total() < 2000:
        builder = world.open_block(BLOCK)
        while not builder.is_full and rng.random() > 0.02:
            operation = chooser.operation()
            if len(steps_of(operation)) > builder.free_steps:
                break
            try:
                builder.add(operation)
            except SluiceError:
                continue
            taken[kind_of(operation)] += 1
        sealed = builder.seal()
        witness = block_witness(block, sealed)
        assert block.check(witness) is None
        assert witness.public() == [sealed.commitment, sealed.challenge, sealed.evaluation]
    assert taken[Swap.__name__] > 100
    assert len(taken) == 10
    assert min(taken.values()) >= 20, taken
