"""No Deposit and no FullExit is ever unprovable, whatever key, nonce or order slot stands in the tree or the record."""

import pytest
from circuit_world import ALICE, BOB, NOBODY, OPERATOR, ORDER_SLOT, World, array
from raw_step import raw_step
from reference_babyjub import torsion_points

from rollup._native import BASE8, Circuit
from rollup.core.account import Account
from rollup.core.constants import FIELD_MODULUS
from rollup.core.operations import Deposit, FullExit, QueueOperation
from rollup.core.rules import Touch

TOP = FIELD_MODULUS - 1
POISONED = {
    "none": (0, 0),
    "off_curve": (1, 2),
    "x_zero": (0, 5),
    "y_zero": (7, 0),
    "minus_one": (TOP, TOP),
    "identity": (0, 1),
    "order_two": (0, TOP),
    "order_eight": torsion_points()[1],
    "base": BASE8,
}


def _accepts(step: Circuit, world: World, operation: QueueOperation) -> None:
    expected = raw_step(world.state, operation)
    witness = step.witness(expected.inputs)
    assert step.check(witness) is None
    outputs = witness.outputs()
    assert expected.outputs.items() <= outputs.items()


def _operations(account_id: int, owner: int, key: tuple[int, int]) -> dict[str, QueueOperation]:
    return {
        "deposit": Deposit(account_id, 5, 1000, owner, key, True),
        "deposit_by_another": Deposit(account_id, 5, 1000, owner, key, False),
        "deposit_of_nothing": Deposit(account_id, 0, 0, owner, key, True),
        "deposit_of_the_most": Deposit(account_id, 30, (1 << 120) - 1, owner, key, True),
        "full_exit": FullExit(account_id, 0, owner, 10**18),
        "full_exit_of_nothing": FullExit(account_id, 17, owner, 0),
        "full_exit_by_another": FullExit(account_id, 0, 0xBAD, 0),
        "full_exit_of_an_order_slot": FullExit(account_id, ORDER_SLOT, owner, 0),
        "full_exit_of_the_last_slot": FullExit(account_id, 2 * ORDER_SLOT - 1, owner, 0),
    }


@pytest.mark.parametrize("poison", POISONED)
@pytest.mark.parametrize("name", _operations(0, 0, (0, 0)))
def test_queue_operation_on_a_poisoned_account_is_provable(step: Circuit, world: World, poison: str, name: str) -> None:
    """The key in the tree and the one in the record are both off the curve, or worse; so is the nonce at its end."""
    key = POISONED[poison]
    account = Account(key, ALICE.address, (1 << 32) - 1)
    world.state.touch(Touch(ALICE.account_id, 0, account, 10**18))
    world.state.touch(Touch(ALICE.account_id, ORDER_SLOT, account, TOP))
    _accepts(step, world, _operations(ALICE.account_id, ALICE.address, key)[name])


@pytest.mark.parametrize("poison", POISONED)
def test_deposit_with_a_poisoned_key_is_provable(step: Circuit, world: World, poison: str) -> None:
    _accepts(step, world, Deposit(NOBODY.account_id, 5, 1000, NOBODY.address, POISONED[poison], True))
    _accepts(step, world, Deposit(NOBODY.account_id, 5, 1000, NOBODY.address, POISONED[poison], False))


@pytest.mark.parametrize("token", [0, 5, ORDER_SLOT - 1, ORDER_SLOT, 2 * ORDER_SLOT - 1])
@pytest.mark.parametrize("owner", [0, 1, BOB.address, (1 << 160) - 1])
def test_refused_deposit_is_always_provable(step: Circuit, world: World, token: int, owner: int) -> None:
    """Also with what L1 never queues: owner 0, an order slot, 2^128 - 1 of it."""
    for key in ((0, 0), (1, 2), (TOP, TOP)):
        _accepts(step, world, Deposit(0, token, (1 << 128) - 1, owner, key, True, True, (1 << 64) - 1))


@pytest.mark.parametrize("account_id", [0, 1, 33, 64, 511])
@pytest.mark.parametrize("token", [0, 31, 32, 48, 63])
def test_full_exit_of_any_account_and_slot_is_provable(
    step: Circuit, world: World, account_id: int, token: int
) -> None:
    owner = world.state.account(account_id).address or 5
    amount = world.state.balance(account_id, token) if token < ORDER_SLOT else 0
    _accepts(step, world, FullExit(account_id, token, owner, amount, (1 << 64) - 1))


def test_full_exit_of_an_empty_account_for_owner_zero_pays_nothing(step: Circuit, world: World) -> None:
    _accepts(step, world, FullExit(33, 0, 0, 0))


def test_deposit_never_replaces_a_key(step: Circuit, world: World) -> None:
    """I-03"""
    inputs = raw_step(world.state, Deposit(BOB.account_id, 5, 1, BOB.address, OPERATOR.key, True)).inputs
    nodes = array(step.witness(inputs).outputs(), "nodes_out")
    state = world.state.copy()
    state.touch(Touch(BOB.account_id, 5, state.account(BOB.account_id), state.balance(BOB.account_id, 5) + 1))
    assert nodes == state.shared_nodes()
