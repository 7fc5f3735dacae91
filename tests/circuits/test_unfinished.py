"""All or nothing: sequences of steps, each right but for what came before it, and the block's end (I-18, I-19)."""

from collections.abc import Sequence

import pytest
from circuit_world import ALICE, BOB, FEE_TOKENS, LIVE, OPERATOR, ORDER_SLOT, Inputs, World, following, lower_path
from raw_step import IDLE, X, raw_step

from rollup.circuits.blocks import Pieces
from rollup.core.binding import join_evaluations
from rollup.core.operations import (
    CancelOrder,
    Deposit,
    FullExit,
    Noop,
    Order,
    StepOperation,
    Swap,
    Transfer,
    Withdraw,
    batch_chain,
    linked,
)
from rollup.core.state import State
from rollup.core.witness_inputs import account_signals

SIGNERS = {who.account_id: who for who in (ALICE, BOB, OPERATOR)}


def swap(x: int, y: int) -> Swap:
    maker = Order(ALICE.account_id, ORDER_SLOT, 7, 5, 9, 9000, 0, 90, **LIVE)
    taker = Order(BOB.account_id, ORDER_SLOT + 3, 4, 9, 5, 19000, 0, 190, **LIVE)
    return Swap(maker, taker, x, y, 3, 6)


MAKER, TAKER, SETTLEMENT = swap(3000, 6000).steps()
OTHER_MAKER, OTHER_TAKER, OTHER_SETTLEMENT = swap(3000, 5990).steps()
BATCH = linked(
    (
        Transfer(ALICE.account_id, BOB.account_id, BOB.address, 5, 1000, 7, 0, **LIVE),
        Withdraw(BOB.account_id, 0xBEEF, 9, 5, 1, 0, **LIVE),
        CancelOrder(OPERATOR.account_id, ORDER_SLOT, 1, 0, 0, 0, **LIVE),
    )
)
OTHER_BATCH = linked((BATCH[1], BATCH[0]))
FIRST, SECOND, LAST = BATCH
LONE = Transfer(OPERATOR.account_id, BOB.account_id, BOB.address, 0, 5, 2, 0, **LIVE)
REFUND = Deposit(0, 5, 1, ALICE.address, refused=True)
EXIT = FullExit(ALICE.account_id, 17, ALICE.address, 0)
RESTS = {
    id(operation): rest
    for batch in (BATCH, OTHER_BATCH)
    for operation, rest in zip(batch, batch_chain(batch)[1:], strict=True)
}

WHOLE: dict[str, Sequence[StepOperation]] = {
    "nothing": (Noop(),),
    "swap": (MAKER, TAKER, SETTLEMENT),
    "batch": (FIRST, SECOND, LAST),
    "two_swaps": (MAKER, TAKER, SETTLEMENT, OTHER_MAKER, OTHER_TAKER, OTHER_SETTLEMENT),
    "all_in_turn": (MAKER, TAKER, SETTLEMENT, Noop(), FIRST, SECOND, LAST, LONE, EXIT),
    "swap_after_batch": (FIRST, SECOND, LAST, MAKER, TAKER, SETTLEMENT),
}
BROKEN: dict[str, tuple[Sequence[StepOperation], int]] = {
    "taker_alone": ((TAKER,), 0),
    "settlement_alone": ((SETTLEMENT,), 0),
    "settlement_after_maker": ((MAKER, SETTLEMENT), 1),
    "settlement_twice": ((MAKER, TAKER, SETTLEMENT, SETTLEMENT), 3),
    "maker_twice": ((MAKER, MAKER), 1),
    "taker_twice": ((MAKER, TAKER, TAKER), 2),
    "two_swaps_crossed": ((MAKER, OTHER_MAKER, TAKER), 1),
    "taker_of_another_swap": ((MAKER, OTHER_TAKER), 1),
    "settlement_of_another_swap": ((MAKER, TAKER, OTHER_SETTLEMENT), 2),
    **{
        f"{name}_{place}": ((*(MAKER, TAKER)[:index], step), index)
        for name, step in {"noop": Noop(), "transfer": LONE, "refund": REFUND, "exit": EXIT, "batch": FIRST}.items()
        for index, place in ((1, "between_maker_and_taker"), (2, "before_the_settlement"))
    },
    **{
        f"{name}_within_a_batch": ((FIRST, step), 1)
        for name, step in {"noop": Noop(), "transfer": LONE, "refund": REFUND, "exit": EXIT, "swap": MAKER}.items()
    },
    "batch_without_its_first": ((SECOND, LAST), 0),
    "batch_without_its_second": ((FIRST, LAST), 1),
    "last_of_a_batch_alone": ((LAST,), 0),
    "batch_reordered": ((FIRST, LAST, SECOND), 1),
    "batch_reversed": ((LAST, SECOND, FIRST), 0),
    "first_twice": ((FIRST, FIRST), 1),
    "last_twice": ((FIRST, SECOND, LAST, LAST), 3),
    "two_batches_crossed": ((FIRST, OTHER_BATCH[0]), 1),
    "batch_after_another_begun": ((FIRST, SECOND, OTHER_BATCH[0]), 2),
}
CUT: dict[str, Sequence[StepOperation]] = {
    "maker": (MAKER,),
    "maker_and_taker": (MAKER, TAKER),
    "first_of_a_batch": (FIRST,),
    "first_two_of_a_batch": (FIRST, SECOND),
    "swap_and_a_maker": (MAKER, TAKER, SETTLEMENT, OTHER_MAKER),
}


def payer(step: StepOperation) -> int | None:
    if isinstance(step, Transfer | Withdraw):
        return step.from_id
    return getattr(getattr(step, "order", step), "account_id", None)


def refused_at(pieces: Pieces, world: World, steps: Sequence[StepOperation]) -> int | None:
    """The first step that is refused, len(steps) for the block's end, None if all is right."""
    state, before, vector = world.state, IDLE, dict[str, object]()
    for index, step in enumerate(steps):
        is_signed = hasattr(getattr(step, "order", step), "signature")
        signer = SIGNERS[payer(step)] if is_signed else None  # type: ignore[index]
        raw = raw_step(state, step, signer, batch_rest=RESTS.get(id(step)), before=before)
        witness = pieces.step.witness(raw.inputs | vector)
        if pieces.step.check(witness) is not None:
            return index
        state, before, outputs = raw.state, raw.unfinished, witness.outputs()
        vector = following(outputs)
    close = pieces.close.witness(closing(state, vector))
    return None if pieces.close.check(close) is None else len(steps)


def closing(state: State, vector: Inputs) -> Inputs:
    """Inputs of a Close that takes whatever the state vector says, but for what is unfinished."""
    state = state.copy()
    account, account_path = state.account(0), lower_path(state, 0)
    paths = []
    for token, fee in zip(FEE_TOKENS, vector["fees_in"], strict=True):
        paths.append(state.balance_path(0, token))
        state.credit_fee(0, token, fee)
    own: Inputs = {"C": vector["commitment_in"], "X": X, "header_eval": 0, "fee_tokens": FEE_TOKENS, "fee_account": 0}
    own["Y"] = join_evaluations(0, vector["l2_eval_in"], vector["l1_eval_in"], X)
    own |= {"new_root": state.root, "l2_chunks": vector["l2_count_in"], "l1_words": vector["l1_count_in"]}
    own |= account_signals("account.", account) | {"account_path": account_path, "balance_paths": paths}
    return vector | own


@pytest.mark.parametrize("name", WHOLE)
def test_whole_sequence_is_accepted(pieces: Pieces, world: World, name: str) -> None:
    assert refused_at(pieces, world, WHOLE[name]) is None


@pytest.mark.parametrize("name", BROKEN)
def test_broken_sequence_is_refused_where_it_breaks(pieces: Pieces, world: World, name: str) -> None:
    steps, index = BROKEN[name]
    assert refused_at(pieces, world, steps) == index


@pytest.mark.parametrize("name", CUT)
def test_block_that_ends_within_is_refused_at_its_end(pieces: Pieces, world: World, name: str) -> None:
    assert refused_at(pieces, world, CUT[name]) == len(CUT[name])
