"""Claims that are not true, or are said another way: one rule broken at a time."""

from collections.abc import Callable
from functools import partial
from typing import Any

from circuit_world import Inputs
from exit_world import (
    ALICE,
    ALICE_ID,
    AMOUNT,
    BOB,
    BOB_ID,
    LAST_ID,
    ORDER_SLOT,
    OTHER_TOKEN,
    TOKEN,
    claim_word,
    exit_state,
    honest_inputs,
)

from rollup._native import poseidon
from rollup.core.account import Account
from rollup.core.constants import ADDRESS_BITS, BALANCE_BITS, FIELD_MODULUS, SLOT_BITS
from rollup.core.rules import Touch

LAST_SLOT_PLUS_1 = 1 << SLOT_BITS
ADDRESS_PLUS_1 = 1 << ADDRESS_BITS


def _changed(**changes: Any) -> Inputs:
    return honest_inputs(exit_state()) | changes


def _touched(account: Account, balance: int, account_id: int = 77, token: int = TOKEN, **changes: Any) -> Inputs:
    """Of a state that no operations lead to."""
    state = exit_state()
    state.touch(Touch(account_id, token, account, balance))
    return honest_inputs(state, account_id, token) | changes


def _other_root() -> Inputs:
    older, newer = exit_state(), exit_state()
    newer.touch(Touch(ALICE_ID, TOKEN, newer.account(ALICE_ID), 0))
    return honest_inputs(older) | {"root": newer.root}


def _spent_in_the_new_state() -> Inputs:
    """The amount of the older state, everything else of the newer."""
    newer = exit_state()
    newer.touch(Touch(ALICE_ID, TOKEN, newer.account(ALICE_ID), 0))
    return honest_inputs(newer) | {"amount": AMOUNT}


def _written_into_the_path(name: str, level: int) -> Inputs:
    """Another amount, or another account, written into a path that is rebuilt upwards only from above that level."""
    inputs = _changed()
    path = [list(children) for children in inputs[name]]
    path[level][(ALICE_ID >> 3 * level) % 8 if name == "account_path" else (TOKEN >> 3 * level) % 8] += 1
    return inputs | {name: path} | ({"amount": AMOUNT + 1} if (name, level) == ("balance_path", 0) else {})


def _inner_node_as_balance() -> Inputs:
    """The same tree seen from one level up, under a root made for it: the balance is a hash."""
    inputs = _changed()
    path = inputs["balance_path"]
    top = [0] * 8
    top[0] = poseidon(path[-1])
    return inputs | {"balance_path": [*path[1:], top], "amount": poseidon(path[0]), "token": TOKEN >> 3}


ATTACKS: dict[str, Callable[[], Inputs]] = {
    # Whose
    "other_owner": lambda: _changed(owner=BOB, claim=claim_word(ALICE_ID, TOKEN, BOB)),
    "other_owner_in_the_claim_alone": lambda: _changed(claim=claim_word(ALICE_ID, TOKEN, BOB)),
    "other_owner_in_the_leaf_alone": lambda: _changed(owner=BOB),
    "neighbours_account": lambda: _changed(claim=claim_word(BOB_ID, TOKEN, ALICE)),
    "neighbours_account_with_its_path": lambda: _changed(
        claim=claim_word(BOB_ID, TOKEN, ALICE), account_path=exit_state().account_path(BOB_ID)
    ),
    "another_account_of_the_same_owner": lambda: _changed(claim=claim_word(LAST_ID, TOKEN, ALICE)),
    "owner_beyond_160_bits": lambda: _touched(Account((3, 4), ADDRESS_PLUS_1 + ALICE, 0), AMOUNT),
    "owner_minus_2_to_160": lambda: _changed(owner=ALICE - ADDRESS_PLUS_1),
    "empty_account": lambda: honest_inputs(exit_state(), 77),
    "account_without_address_and_with_money": lambda: _touched(Account(), AMOUNT),
    "account_without_address_and_with_a_key": lambda: _touched(Account((3, 4), 0, 9), AMOUNT),
    # How much
    "amount_plus_1": lambda: _changed(amount=AMOUNT + 1),
    "amount_minus_1": lambda: _changed(amount=AMOUNT - 1),
    "amount_0": lambda: _changed(amount=0),
    "amount_beyond_128_bits": lambda: _touched(Account((3, 4), ALICE, 0), 1 << BALANCE_BITS),
    "amount_negative": lambda: _touched(Account((3, 4), ALICE, 0), FIELD_MODULUS - 1),
    # Of what
    "other_token": lambda: _changed(token=OTHER_TOKEN + 1, claim=claim_word(ALICE_ID, OTHER_TOKEN + 1, ALICE)),
    "other_token_of_the_same_amount": lambda: _changed(
        token=OTHER_TOKEN, claim=claim_word(ALICE_ID, OTHER_TOKEN, ALICE)
    ),
    "other_token_in_the_claim_alone": lambda: _changed(claim=claim_word(ALICE_ID, OTHER_TOKEN, ALICE)),
    "order_slot": lambda: honest_inputs(exit_state(), ALICE_ID, ORDER_SLOT),
    "order_slot_that_holds_little": lambda: _touched(Account((3, 4), ALICE, 0), AMOUNT, token=ORDER_SLOT),
    # Indexes said another way
    "token_plus_4096_of_the_account_before": lambda: _changed(token=TOKEN + LAST_SLOT_PLUS_1),
    "token_plus_4096_claims_the_account_behind": lambda: _changed(
        token=TOKEN + LAST_SLOT_PLUS_1, claim=claim_word(ALICE_ID + 1, TOKEN, ALICE)
    ),
    "token_minus_4096": lambda: _changed(token=TOKEN - LAST_SLOT_PLUS_1),
    "owner_plus_2_to_160": lambda: _changed(owner=ALICE + ADDRESS_PLUS_1),
    "owner_plus_2_to_160_claims_the_token_behind": lambda: _touched(
        Account((3, 4), ALICE + ADDRESS_PLUS_1, 0), AMOUNT, claim=claim_word(77, TOKEN + 1, ALICE), token=TOKEN
    ),
    "account_plus_8_to_8": lambda: _changed(claim=claim_word(ALICE_ID + LAST_ID + 1, TOKEN, ALICE)),
    "account_plus_2_times_8_to_8": lambda: _changed(claim=claim_word(ALICE_ID + 2 * (LAST_ID + 1), TOKEN, ALICE)),
    "account_minus_8_to_8": lambda: _changed(claim=claim_word(ALICE_ID - LAST_ID - 1, TOKEN, ALICE)),
    "account_not_an_integer": lambda: _changed(claim=claim_word(ALICE_ID, TOKEN, ALICE) + 1),
    # In what state
    "root_of_another_state": _other_root,
    "amount_of_an_older_state": _spent_in_the_new_state,
    "root_0": lambda: _changed(root=0),
    "balance_path_of_another_token": lambda: _changed(balance_path=exit_state().balance_path(ALICE_ID, OTHER_TOKEN)),
    "account_path_of_another_account": lambda: _changed(account_path=exit_state().account_path(LAST_ID)),
    "inner_node_as_balance": _inner_node_as_balance,
    **{
        f"child_written_into_level_{level}_of_{name}": partial(_written_into_the_path, name, level)
        for name, levels in (("balance_path", 4), ("account_path", 8))
        for level in range(levels)
    },
}
"""By a telling name: inputs that the circuit must refuse."""


def reduced(inputs: Inputs) -> Inputs:
    """The same with negative numbers as the field has them."""

    def reduce(value: Any) -> Any:
        return value % FIELD_MODULUS if isinstance(value, int) else [reduce(item) for item in value]

    return {name: reduce(value) for name, value in inputs.items()}
