"""Random operations, good and bad, on one state: the core and the circuit say the same, and reach the same root."""

import random

import pytest
from circuit_world import ALICE, BOB, CAROL, DOMAIN, FEE_TOKENS, NOBODY, NOW, OPERATOR, World, sign
from raw_step import raw_step

from rollup._native import Circuit
from rollup.core.amounts import floor_amount, floor_fee
from rollup.core.errors import SluiceError
from rollup.core.operations import Deposit, FullExit, Operation, Transfer, Withdraw
from rollup.core.rules import Context

USERS = (OPERATOR, ALICE, BOB, CAROL, NOBODY)
TOKENS = (0, 0, 5, 5, 9, 3, 31, 32, 63)


def random_operation(rng: random.Random, world: World) -> Operation:
    """Mostly acceptable: each field goes wrong now and then."""
    who, to = rng.choice(USERS), rng.choice(USERS)
    token = rng.choice(TOKENS)
    balance = world.state.balance(who.account_id, token)
    amount = rng.choice([0, 1, balance // 3, balance // 2, balance, balance + 1])
    kind = rng.randrange(6)
    if kind == 0:
        account_id = rng.choice([who.account_id, rng.randrange(64)])
        return Deposit(account_id, token, rng.randrange(10**18), who.address, to.key, rng.random() < 0.6)
    if kind == 1:
        return FullExit(rng.choice([who.account_id, rng.randrange(64)]), token, rng.choice([who, to]).address)
    nonce = world.nonce(who) + (rng.random() < 0.1)
    window = {"valid_from": NOW + rng.choice([-9, 0, 0, 1]), "valid_until": NOW + rng.choice([-1, 0, 0, 9])}
    fee = floor_fee(rng.choice([0, 0, 1, amount // 1000]))
    signer = rng.choice([who] * 9 + [to])
    if kind in (2, 3, 4):
        address = rng.choice([to.address] * 9 + [0, 5])
        amount = floor_amount(amount)
        return sign(signer, Transfer(who.account_id, to.account_id, address, token, amount, fee, nonce, **window))
    return sign(signer, Withdraw(who.account_id, rng.choice([0xBEEF, 0xBEEF, 0]), token, amount, fee, nonce, **window))


@pytest.mark.parametrize("seed", range(4))
def test_random_operations_are_judged_alike(step: Circuit, world: World, seed: int) -> None:
    rng = random.Random(seed)
    context = Context(DOMAIN, NOW, FEE_TOKENS)
    accepted = refused = 0
    for _ in range(40):
        operation = random_operation(rng, world)
        before = world.state.copy()
        reason = None
        try:
            included = world.state.apply(operation, context).operation
        except SluiceError as error:
            reason, included = error, operation
        inputs = raw_step(before, included)  # type: ignore[arg-type]
        del inputs["expected_root"]
        witness = step.witness(inputs)
        refusal = step.check(witness)
        assert (refusal is None) == (reason is None), (operation, reason, refusal)
        if reason is None:
            assert witness.outputs()["root_out"] == world.state.root
        accepted, refused = accepted + (reason is None), refused + (reason is not None)
    assert min(accepted, refused) >= 8
