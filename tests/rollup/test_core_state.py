"""Semantics of each operation (protocol 4): every condition with its error and data; a refusal changes nothing."""

import pickle
from typing import Any

import pytest
from core_users import ALICE, BOB, CAROL, ORDER_SLOT, refused, snapshot, transfer, withdraw

from rollup.core import Context, Deposit, FullExit, Noop, Signature, State, Transfer, empty_root
from rollup.core.account import Account
from rollup.core.constants import FIELD_MODULUS
from rollup.core.errors import (
    AccountMissingError,
    AccountTakenError,
    AddressZeroError,
    BalanceOverflowError,
    ExitAmountError,
    RecipientMismatchError,
    SignatureInvalidError,
    SluiceError,
    TokenNotMoneyError,
    ValueRangeError,
)
from rollup.core.rules import Touch

# Transfer and Withdraw


def test_transfer_valid_moves_amount_and_takes_fee(state: State, context: Context) -> None:
    applied = state.apply(transfer(), context)
    assert (state.balance(0, 1), state.balance(1, 1)) == (899, 110)
    assert (state.account(0).nonce, state.account(1).nonce) == (1, 0)
    assert applied.fees == ((1, 1),)


def test_transfer_whole_balance_leaves_zero(state: State, context: Context) -> None:
    state.apply(transfer(amount=999, fee=1), context)
    assert state.balance(0, 1) == 0


def test_transfer_to_self_pays_only_the_fee(state: State, context: Context) -> None:
    state.apply(transfer(ALICE, ALICE, amount=999, fee=1), context)
    assert state.balance(0, 1) == 999
    assert state.account(0).nonce == 1


def test_transfer_of_nothing_counts_the_nonce(state: State, context: Context) -> None:
    state.apply(transfer(CAROL, BOB, amount=0, fee=0), context)
    assert (state.balance(1, 1), state.account(2).nonce) == (10, 1)


def test_withdraw_valid_debits_amount_and_fee(state: State, context: Context) -> None:
    state.apply(withdraw(), context)
    assert (state.balance(0, 1), state.account(0).nonce) == (899, 1)


def test_transfer_recipient_conditions_refused(state: State, context: Context) -> None:
    refused(state, transfer(to_id=9), context, error=AccountMissingError, account_id=9)
    refused(state, transfer(to_id=9, to_address=0), context, error=AddressZeroError, field="to_address")
    refused(
        state, transfer(to_address=CAROL.address), context, error=RecipientMismatchError,
        to_id=1, signed=CAROL.address, address=BOB.address,
    )  # fmt: skip
    refused(state, transfer(to_id=64), context, error=ValueRangeError, value=64)


def test_withdraw_to_address_zero_refused(state: State, context: Context) -> None:
    refused(state, withdraw(address=0), context, error=AddressZeroError, field="address")


# Keys: (0, 0), small order, off the curve


@pytest.mark.parametrize("key", [(0, 1), (0, FIELD_MODULUS - 1), (0, 5), (1, 0), (5, 7)])
def test_poisoned_key_blocks_no_queue_operation_and_signs_nothing(state: State, context: Context, key: Any) -> None:
    """Off the curve, or of small order: set as any other, useless for signing, and the money still leaves."""
    state.apply(Deposit(5, 1, 50, 0x55, key, True), context)
    assert state.account(5).key == key
    state.apply(Deposit(5, 1, 5, 0x55, ALICE.key.public_key, True), context)
    assert state.account(5).key == key
    for signature in (Signature(0, 1, 0), transfer().signature):
        forged = Transfer(5, 1, BOB.address, 1, 1, 0, 0, signature=signature)
        refused(state, forged, context, error=SignatureInvalidError, account_id=5)
    exit_ = state.apply(FullExit(5, 1, 0x55), context)
    assert exit_.operation == FullExit(5, 1, 0x55, 55)


# Deposit


def test_deposit_new_account_takes_owner_and_key(context: Context) -> None:
    state = State(2, 2)
    state.apply(Deposit(3, 4, 5, ALICE.address, ALICE.key.public_key, True), context)
    assert state.account(3).key == ALICE.key.public_key
    assert state.find(ALICE.address) == (3,)
    assert state.balances(3) == {4: 5}


@pytest.mark.parametrize(("key", "sender_is_owner"), [((0, 0), True), (ALICE.key.public_key, False)])
def test_deposit_without_owners_key_sets_none(context: Context, key: Any, sender_is_owner: bool) -> None:
    """A stranger's deposit never sets a key (I-03)."""
    state = State(2, 2)
    state.apply(Deposit(3, 4, 5, ALICE.address, key, sender_is_owner), context)
    assert not state.account(3).has_key
    state.apply(Deposit(3, 4, 0, ALICE.address, ALICE.key.public_key, True), context)
    assert state.account(3).key == ALICE.key.public_key


def test_deposit_never_replaces_a_key(state: State, context: Context) -> None:
    state.apply(Deposit(0, 1, 5, ALICE.address, BOB.key.public_key, True), context)
    assert state.account(0).key == ALICE.key.public_key
    assert state.balance(0, 1) == 1005


def test_deposit_same_address_may_have_two_accounts(state: State, context: Context) -> None:
    state.apply(Deposit(9, 1, 5, ALICE.address), context)
    assert state.find(ALICE.address) == (0, 9)
    assert state.find(0xDEAD) == ()


def test_deposit_refused_changes_nothing(state: State, context: Context) -> None:
    before = snapshot(state)
    for token in (1, 4095):
        applied = state.apply(Deposit(0, token, 2**128 - 1, 0, refused=True), context)
        assert applied.touches == ()
    assert snapshot(state) == before


def test_deposit_conditions_refused_with_their_values(state: State, context: Context) -> None:
    refused(
        state, Deposit(0, 1, 5, BOB.address), context, error=AccountTakenError,
        account_id=0, owner=BOB.address, address=ALICE.address,
    )  # fmt: skip
    refused(state, Deposit(9, 1, 5, 0), context, error=AddressZeroError, field="owner")
    refused(state, Deposit(9, ORDER_SLOT, 5, 1), context, error=TokenNotMoneyError, token=32)
    refused(state, Deposit(64, 1, 5, 1), context, error=ValueRangeError, value=64)
    refused(
        state, Deposit(0, 1, 2**128 - 1000, ALICE.address), context, error=BalanceOverflowError,
        account_id=0, token=1, balance=1000, amount=2**128 - 1000,
    )  # fmt: skip
    state.apply(Deposit(0, 1, 2**128 - 1001, ALICE.address), context)
    assert state.balance(0, 1) == 2**128 - 1


def test_withdraw_largest_balance_leaves_exactly_zero(state: State, context: Context) -> None:
    state.apply(Deposit(0, 1, 2**128 - 1001, ALICE.address), context)
    state.apply(withdraw(amount=2**128 - 2), context)
    assert state.balance(0, 1) == 0


# FullExit


def test_full_exit_owner_gets_all_and_account_stays(state: State, context: Context) -> None:
    applied = state.apply(FullExit(0, 1, ALICE.address, queue_fee_gwei=3), context)
    assert applied.operation == FullExit(0, 1, ALICE.address, 1000, 3)
    assert state.balances(0) == {9: 500}
    assert state.account(0).exists


@pytest.mark.parametrize(
    ("account_id", "token", "owner"),
    [(0, 1, BOB.address), (0, 2, ALICE.address), (9, 1, ALICE.address), (9, 1, 0), (0, ORDER_SLOT, ALICE.address)],
)
def test_full_exit_of_nothing_exits_zero(
    state: State, context: Context, account_id: int, token: int, owner: int
) -> None:
    root = state.root
    assert state.apply(FullExit(account_id, token, owner), context).operation == FullExit(account_id, token, owner, 0)
    assert state.root == root


def test_full_exit_order_slot_with_content_exits_zero(state: State, context: Context) -> None:
    state.touch(Touch(0, ORDER_SLOT, state.account(0), 77))
    assert state.apply(FullExit(0, ORDER_SLOT, ALICE.address), context).operation.amount == 0  # type: ignore[union-attr]
    assert (state.leaf(0, ORDER_SLOT), state.balance(0, ORDER_SLOT)) == (77, 0)


def test_full_exit_with_another_amount_refused(state: State, context: Context) -> None:
    refused(
        state, FullExit(0, 1, ALICE.address, 999), context, error=ExitAmountError,
        account_id=0, token=1, expected=1000, got=999,
    )  # fmt: skip
    state.apply(FullExit(0, 1, ALICE.address, 1000), context)


# The state itself


def test_root_of_new_state_is_the_empty_root() -> None:
    assert State(2, 2).root == empty_root(2, 2)
    assert State().root == empty_root()


def test_noop_changes_nothing(state: State, context: Context) -> None:
    before = snapshot(state)
    assert state.apply(Noop(), context).touches == ()
    assert snapshot(state) == before


def test_rollback_restores_everything(state: State, context: Context) -> None:
    before, mark = snapshot(state), state.mark()
    state.apply(transfer(), context)
    state.apply(Deposit(9, 3, 5, 0x99), context)
    middle, inner = snapshot(state), state.mark()
    state.apply(FullExit(0, 1, ALICE.address), context)
    state.rollback(inner)
    assert snapshot(state) == middle
    state.rollback(mark)
    assert snapshot(state) == before
    assert state.find(0x99) == ()


def test_rollback_to_forgotten_or_future_mark_refused(state: State, context: Context) -> None:
    mark = state.mark()
    state.apply(transfer(), context)
    state.forget()
    for wrong in (mark, state.mark() + 1):
        with pytest.raises(ValueRangeError):
            state.rollback(wrong)
    state.apply(Deposit(9, 3, 5, 0x99), context)
    state.rollback(state.mark() - 1)
    assert not state.account(9).exists


def test_copy_is_independent(state: State, context: Context) -> None:
    copied, before = state.copy(), state.root
    copied.apply(transfer(), context)
    copied.apply(Deposit(9, 3, 5, ALICE.address), context)
    assert (state.root, state.balance(0, 1), state.find(ALICE.address)) == (before, 1000, (0,))
    assert copied.root != before
    state.apply(transfer(), context)
    state.apply(Deposit(9, 3, 5, ALICE.address), context)
    assert state.root == copied.root


@pytest.mark.parametrize("has_trees", [True, False])
def test_fill_gives_the_state_that_was_read(state: State, has_trees: bool) -> None:
    contents = [
        (account_id, account, {slot: state.leaf(account_id, slot) for slot in state.balances(account_id)})
        for account_id, account in state.accounts()
    ]
    filled = State(2, 2, has_trees)
    filled.fill([*contents, (9, Account(), {})])
    for account_id, account, leaves in contents:
        assert filled.account(account_id) == account
        assert filled.balances(account_id) == leaves
        assert filled.find(account.address) == state.find(account.address) == (account_id,)
    assert filled.find(0) == ()
    copies = [filled.copy(), filled.copy(False), filled.copy(True)]
    assert all(dict(copy.accounts()) == dict(filled.accounts()) for copy in copies)
    if has_trees:
        assert [copies[0].root, copies[2].root, filled.root] == 3 * [state.root]


def test_errors_carry_code_values_and_survive_pickling(state: State, context: Context) -> None:
    with pytest.raises(SluiceError) as caught:
        state.apply(transfer(nonce=4), context)
    error = pickle.loads(pickle.dumps(caught.value))
    assert error.code == "nonce_mismatch"
    assert error.values == {"account_id": 0, "expected": 0, "got": 4}
    assert str(error) == str(caught.value)
