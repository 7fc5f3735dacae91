"""A small state with four users."""

import pytest
from core_users import ALICE, BOB, CAROL, DOMAIN, DORA, FEE_TOKENS, TIME

from rollup.core import Context, Deposit, State


@pytest.fixture
def context() -> Context:
    """The block that operations are judged in."""
    return Context(DOMAIN, TIME, FEE_TOKENS)


@pytest.fixture
def state(context: Context) -> State:
    """Alice has 1000 of token 1 and 500 of token 9, Bob 10 of token 1 and 1000 of token 2, Carol nothing.

    They have keys; Dora has none, and 77 of token 3.
    """
    state = State(2, 2)
    for user, token, amount in ((ALICE, 1, 1000), (ALICE, 9, 500), (BOB, 1, 10), (BOB, 2, 1000), (CAROL, 1, 0)):
        state.apply(Deposit(user.account_id, token, amount, user.address, user.key.public_key, True), context)
    state.apply(Deposit(DORA.account_id, 3, 77, DORA.address), context)
    return state
