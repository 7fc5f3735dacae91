"""A small state with three users."""

import pytest
from core_users import ALICE, BOB, CAROL, DOMAIN, FEE_TOKENS, TIME

from rollup.core import Context, Deposit, State


@pytest.fixture
def context() -> Context:
    """The block that operations are judged in."""
    return Context(DOMAIN, TIME, FEE_TOKENS)


@pytest.fixture
def state(context: Context) -> State:
    """Alice has 1000 of token 1 and 500 of token 9, Bob 10 of token 1, Carol nothing; all have keys."""
    state = State(2, 2)
    for user, token, amount in ((ALICE, 1, 1000), (ALICE, 9, 500), (BOB, 1, 10), (CAROL, 1, 0)):
        state.apply(Deposit(user.account_id, token, amount, user.address, user.key.public_key, True), context)
    return state
