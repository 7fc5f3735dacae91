"""A state to exit from, and the exit circuit's inputs for any claim, true or not: none of Python's rules applies."""

import random
from dataclasses import dataclass

from circuit_world import Inputs

from rollup.core.account import Account
from rollup.core.constants import (
    ACCOUNT_ID_BITS,
    ADDRESS_BITS,
    BALANCE_BITS,
    FIELD_MODULUS,
    FIRST_ORDER_SLOT,
    NONCE_BITS,
    SLOT_BITS,
)
from rollup.core.rules import Touch
from rollup.core.state import State

ALICE, BOB = 0xA1CE, 0xB0B
ALICE_ID, BOB_ID, LAST_ID = 0o1234, 0o1235, (1 << ACCOUNT_ID_BITS) - 1
TOKEN, OTHER_TOKEN, ORDER_SLOT = 0o5, 0o1275, FIRST_ORDER_SLOT + 5
AMOUNT = 12 * 10**18 + 1


@dataclass(frozen=True)
class Place:
    """An account and one of its slots."""

    account_id: int
    slot: int


def claim_word(account_id: int, token: int, owner: int) -> int:
    """As protocol 12 says, with fields of any size."""
    return (account_id << SLOT_BITS + ADDRESS_BITS) + (token << ADDRESS_BITS) + owner


def exit_state() -> State:
    """Alice with two tokens and an order, Bob beside her with the same, and an account in the last place."""
    state = State()
    for account_id, address in ((ALICE_ID, ALICE), (BOB_ID, BOB), (LAST_ID, ALICE)):
        for slot, balance in ((TOKEN, AMOUNT), (OTHER_TOKEN, AMOUNT), (0, 1), (ORDER_SLOT, 7 << BALANCE_BITS | 9)):
            state.touch(Touch(account_id, slot, Account((3, 4), address, 9), balance))
    return state


def random_state(rng: random.Random) -> tuple[State, list[Place]]:
    """Accounts with every kind of key, nonce and balance, some of one address; and the places that hold something."""
    state, places = State(), []
    ids = {0, LAST_ID, *(rng.randrange(LAST_ID) for _ in range(6)), *(rng.randrange(64) for _ in range(4))}
    for account_id in sorted(ids):
        key = rng.choice([(0, 0), (0, 1), (rng.randrange(FIELD_MODULUS), FIELD_MODULUS - 1)])
        address = rng.choice([ALICE, 1, (1 << ADDRESS_BITS) - 1, rng.randrange(1, 1 << ADDRESS_BITS)])
        account = Account(key, address, rng.choice([0, rng.randrange(1 << NONCE_BITS), (1 << NONCE_BITS) - 1]))
        for slot in {0, FIRST_ORDER_SLOT - 1, FIRST_ORDER_SLOT, *(rng.randrange(1 << SLOT_BITS) for _ in range(3))}:
            balance = rng.choice([1, (1 << BALANCE_BITS) - 1, rng.randrange(1 << rng.randrange(1, BALANCE_BITS))])
            state.touch(Touch(account_id, slot, account, balance))
            places.append(Place(account_id, slot))
    return state, places


def honest_inputs(state: State, account_id: int = ALICE_ID, token: int = TOKEN) -> Inputs:
    """The circuit's inputs for what the state says of a place, be it money or not."""
    account = state.account(account_id)
    return {
        "root": state.root,
        "claim": claim_word(account_id, token, account.address),
        "amount": state.balance(account_id, token),
        "token": token,
        "owner": account.address,
        "key": account.key,
        "nonce": account.nonce,
        "balance_path": state.balance_path(account_id, token),
        "account_path": state.account_path(account_id),
    }
