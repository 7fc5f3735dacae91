"""Open and Close alone: every range, the fee tokens, the fee account, and each element of the state vector."""

from collections.abc import Sequence
from typing import Any

import pytest
from circuit_world import ACCOUNTS, ALICE, BOB, FEE_TOKENS, NOBODY, ORDER_SLOT, Inputs, World, array, lower_path

from rollup._native import poseidon
from rollup.circuits.blocks import Pieces
from rollup.core.binding import commit_header, evaluate
from rollup.core.constants import ARITY, FIELD_MODULUS, SHARED_NODES
from rollup.core.rules import Touch
from rollup.core.witness_inputs import account_signals

WIDTHS = {
    "header_version": 8,
    "header_block_size": 16,
    "header_block_number": 32,
    "header_timestamp": 40,
    "header_queue_start": 40,
    "header_queue_count": 16,
    "header_l2_chunks": 20,
    "header_l1_words": 20,
    "header_fee_account": 9,
}


@pytest.fixture
def block(world: World) -> tuple[Inputs, Inputs]:
    """Inputs of Open and of Close of a block with fees in two tokens."""
    nonce = world.nonce(ALICE)
    second = world.transfer(ALICE, BOB, 5, 7, 3, nonce=nonce + 1)
    sealed = world.block([world.transfer(ALICE, BOB, 0, 5, 2), second, world.withdraw(BOB, 9, 0, 1, 1)], 3)
    assert sealed.witness is not None
    assert sealed.witness.close.state_in.fees[:4] == (3, 0, 0, 3)
    return sealed.witness.open.signals(), sealed.witness.close.signals()


def test_open_gives_the_state_vector_of_the_header(pieces: Pieces, block: tuple[Inputs, Inputs], world: World) -> None:
    inputs, close = block
    witness = pieces.open.witness(inputs)
    outputs = witness.outputs()
    assert pieces.open.check(witness) is None
    assert outputs["header_eval"] == close["header_eval"]
    assert array(outputs, "nodes_out") == list(inputs["nodes"])
    assert [outputs[f"fees_out[{j}]"] for j in range(8)] == [0] * 8
    for name in ("l2_eval", "l2_parity", "l1_eval", "l2_count", "l1_count", "pending", "link", "rest"):
        assert outputs[f"{name}_out"] == 0
    for name in ("domain", "timestamp", "new_root", "l2_chunks", "l1_words", "fee_account"):
        assert outputs[name] == inputs[f"header_{name}"]


def root_over(nodes: Sequence[int]) -> int:
    while len(nodes) > 1:
        nodes = [poseidon(list(nodes[at : at + ARITY])) for at in range(0, len(nodes), ARITY)]
    return nodes[0]


def _opens(pieces: Pieces, inputs: Inputs) -> bool:
    return pieces.open.check(pieces.open.witness(inputs)) is None


@pytest.mark.parametrize("name", WIDTHS)
def test_open_header_field_beyond_its_width_is_refused(pieces: Pieces, block: tuple[Inputs, Inputs], name: str) -> None:
    limit = 1 << WIDTHS[name]
    assert _opens(pieces, block[0] | {name: limit - 1})
    assert not _opens(pieces, block[0] | {name: limit})
    assert not _opens(pieces, block[0] | {name: FIELD_MODULUS - 1})


@pytest.mark.parametrize(
    "tokens",
    [
        (0,) * 8,
        (0, 0, *FEE_TOKENS[2:]),
        (*FEE_TOKENS[:7], FEE_TOKENS[6]),
        (1, 0, *FEE_TOKENS[2:]),
        tuple(reversed(FEE_TOKENS)),
        (*FEE_TOKENS[:7], ORDER_SLOT),
        (*FEE_TOKENS[:7], FIELD_MODULUS - 1),
        (FIELD_MODULUS - 1, *FEE_TOKENS[1:]),
        (*FEE_TOKENS[:3], FIELD_MODULUS - 1, *FEE_TOKENS[4:]),
    ],
)
def test_open_fee_tokens_not_increasing_tokens_are_refused(
    pieces: Pieces, block: tuple[Inputs, Inputs], tokens: tuple[int, ...]
) -> None:
    """Repeated ones would credit one fee eight times."""
    assert not _opens(pieces, block[0] | {"header_fee_tokens": tokens})


def test_open_nodes_that_are_not_the_old_roots_are_refused(pieces: Pieces, block: tuple[Inputs, Inputs]) -> None:
    nodes = list(block[0]["nodes"])
    assert len(nodes) == SHARED_NODES
    others = [[*nodes[:k], (nodes[k] + 1) % FIELD_MODULUS, *nodes[k + 1 :]] for k in range(SHARED_NODES)]
    others += [[nodes[1], nodes[0], *nodes[2:]], nodes[8:] + nodes[:8], [0] * SHARED_NODES]
    witnesses = pieces.open.witness_many([block[0] | {"nodes": other} for other in others])
    assert all(pieces.open.check(witness) is not None for witness in witnesses)


def test_open_absorbs_and_evaluates_every_header_field(pieces: Pieces, block: tuple[Inputs, Inputs]) -> None:
    """A field that changes neither C nor Y would be bound to nothing."""
    inputs = block[0]
    honest = pieces.open.witness(inputs).outputs()
    fields = [*WIDTHS, "header_domain", "header_old_root", "header_new_root"]
    changed = [inputs | {name: inputs[name] ^ 1} for name in fields]
    nodes = [7, *inputs["nodes"][1:]]
    changed[fields.index("header_old_root")] |= {"nodes": nodes, "header_old_root": root_over(nodes)}
    spaced = [3 * j for j in range(8)]
    for j in range(8):
        changed.append(inputs | {"header_fee_tokens": [*spaced[:j], spaced[j] + 1, *spaced[j + 1 :]]})
    changed.append(inputs | {"header_fee_tokens": spaced})
    outputs = [honest]
    for other in changed:
        witness = pieces.open.witness(other)
        assert pieces.open.check(witness) is None
        outputs.append(witness.outputs())
    for name in ("commitment_out", "header_eval"):
        assert len({output[name] for output in outputs}) == len(outputs)


def test_open_matches_the_core(pieces: Pieces, world: World) -> None:
    sealed = world.block([world.transfer(ALICE, BOB, 0, 5, 2)])
    assert sealed.witness is not None
    outputs = pieces.open.witness(sealed.witness.open.signals()).outputs()
    assert outputs["commitment_out"] == commit_header(sealed.header) == poseidon(list(sealed.header.words()))
    assert outputs["header_eval"] == evaluate(sealed.header.words(), sealed.challenge)


def _closes(pieces: Pieces, inputs: Inputs) -> bool:
    return pieces.close.check(pieces.close.witness(inputs)) is None


def _change(value: Any, place: list[int]) -> Any:
    if not place:
        return (value + 1) % FIELD_MODULUS
    return [_change(item, place[1:]) if index == place[0] else item for index, item in enumerate(value)]


def test_close_unchanged_is_accepted(pieces: Pieces, block: tuple[Inputs, Inputs]) -> None:
    assert _closes(pieces, block[1])


def test_close_any_input_changed_is_refused(pieces: Pieces, block: tuple[Inputs, Inputs]) -> None:
    """But l2_parity_in, which is l2_count mod 2 and of no more use, and a fee token of which nothing is credited."""

    def places(value: Any) -> list[list[int]]:
        if isinstance(value, int):
            return [[]]
        return [[index, *rest] for index, item in enumerate(value) for rest in places(item)]

    inputs = block[1]
    leaves = [(name, place) for name, value in inputs.items() for place in places(value)]
    witnesses = pieces.close.witness_many([inputs | {name: _change(inputs[name], place)} for name, place in leaves])
    refusals = [pieces.close.check(witness) for witness in witnesses]
    accepted = [leaf for leaf, refusal in zip(leaves, refusals, strict=True) if refusal is None]
    free = [("fee_tokens", [j]) for j in range(8) if inputs["fees_in"][j] == 0]
    assert ("l2_parity_in", []) in accepted
    assert all(leaf in [*free, ("l2_parity_in", [])] for leaf in accepted)


def test_close_fee_account_that_does_not_exist_is_refused(pieces: Pieces, world: World) -> None:
    """All else fits: the fees stand in the balance tree of an account with address 0."""
    close = world.block([world.transfer(ALICE, BOB, 0, 5, 2)]).witness.close  # type: ignore[union-attr]
    state = world.state.copy()
    state.touch(Touch(0, 0, state.account(0), state.balance(0, 0) - 2))
    inputs = close.signals() | {"fee_account": NOBODY.account_id, "nodes_in": state.shared_nodes()}
    account = state.account(NOBODY.account_id)
    inputs |= account_signals("account.", account)
    inputs["account_path"] = lower_path(state, NOBODY.account_id)
    paths = []
    for token, fee in zip(FEE_TOKENS, close.state_in.fees, strict=True):
        paths.append(state.balance_path(NOBODY.account_id, token))
        state.touch(Touch(NOBODY.account_id, token, account, state.balance(NOBODY.account_id, token) + fee))
    inputs |= {"balance_paths": paths, "new_root": state.root}
    assert not _closes(pieces, inputs)


@pytest.mark.parametrize("account_id", [ACCOUNTS, FIELD_MODULUS - 1])
def test_close_fee_account_beyond_the_tree_is_refused(
    pieces: Pieces, block: tuple[Inputs, Inputs], account_id: int
) -> None:
    assert not _closes(pieces, block[1] | {"fee_account": account_id})
