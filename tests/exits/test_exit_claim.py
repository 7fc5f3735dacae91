"""What can be claimed, as protocol 12 says it."""

import pytest
from exit_world import ALICE, ALICE_ID, AMOUNT, LAST_ID, ORDER_SLOT, TOKEN

from rollup._native import poseidon, verify_path
from rollup.core.account import account_leaf
from rollup.core.constants import ACCOUNT_LEVELS, BALANCE_LEVELS, FIELD_MODULUS, FIRST_ORDER_SLOT
from rollup.core.errors import AccountMissingError, NothingToExitError, TokenNotMoneyError, ValueRangeError
from rollup.core.operations import FullExit
from rollup.core.state import State
from rollup.exits.claim import ExitClaim, exit_inputs

LIMITS = {"root": FIELD_MODULUS, "account_id": 1 << 24, "token": 1 << 12, "owner": 1 << 160, "amount": 1 << 128}


def test_claim_words_are_those_of_the_page() -> None:
    claim = ExitClaim(root=7, account_id=0xABCDEF, token=0x123, owner=0x45 << 152, amount=9)
    assert claim.public_inputs() == (7, 0xABCDEF << 172 | 0x123 << 160 | 0x45 << 152, 9)


def test_claim_word_is_a_full_exits_first_word_without_its_code() -> None:
    w0, w1 = FullExit(ALICE_ID, TOKEN, ALICE, AMOUNT).record()
    claim = ExitClaim(0, ALICE_ID, TOKEN, ALICE, AMOUNT)
    assert (w0 % (1 << 196), w1) == claim.public_inputs()[1:]


@pytest.mark.parametrize("field", LIMITS)
def test_claim_field_at_its_limit_is_refused(field: str) -> None:
    fields = dict.fromkeys(LIMITS, 1)
    assert all(word < FIELD_MODULUS for word in ExitClaim(**fields | {field: LIMITS[field] - 1}).public_inputs())
    for value in (LIMITS[field], -1):
        with pytest.raises(ValueRangeError) as caught:
            ExitClaim(**fields | {field: value})
        assert caught.value.values == {"field": field, "value": value, "limit": LIMITS[field]}


def test_exit_inputs_lead_from_the_balance_to_the_root(state: State) -> None:
    inputs = exit_inputs(state, ALICE_ID, TOKEN)
    assert inputs.claim == ExitClaim(state.root, ALICE_ID, TOKEN, ALICE, AMOUNT)
    root = poseidon(inputs.balance_path[-1])
    assert verify_path(root, BALANCE_LEVELS, TOKEN, AMOUNT, inputs.balance_path)
    assert verify_path(state.root, ACCOUNT_LEVELS, ALICE_ID, account_leaf(inputs.account, root), inputs.account_path)


def test_exit_inputs_of_an_order_slot_are_refused(state: State) -> None:
    with pytest.raises(TokenNotMoneyError) as caught:
        exit_inputs(state, ALICE_ID, ORDER_SLOT)
    assert caught.value.values == {"token": ORDER_SLOT, "first_order_slot": FIRST_ORDER_SLOT}


def test_exit_inputs_of_an_empty_account_are_refused(state: State) -> None:
    with pytest.raises(AccountMissingError) as caught:
        exit_inputs(state, 77, TOKEN)
    assert caught.value.values == {"account_id": 77}


def test_exit_inputs_of_nothing_are_refused(state: State) -> None:
    with pytest.raises(NothingToExitError) as caught:
        exit_inputs(state, ALICE_ID, 1)
    assert caught.value.values == {"account_id": ALICE_ID, "token": 1}


@pytest.mark.parametrize(("account_id", "token"), [(LAST_ID + 1, 0), (-1, 0), (0, 4096), (0, -1)])
def test_exit_inputs_of_no_such_place_are_refused(state: State, account_id: int, token: int) -> None:
    with pytest.raises(ValueRangeError):
        exit_inputs(state, account_id, token)
