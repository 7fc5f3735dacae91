"""TransferToAddress and ForcedExit: who gets an account, and whose account is emptied."""

from dataclasses import replace
from typing import Any

import pytest
from core_users import (
    ALICE,
    BOB,
    CAROL,
    DORA,
    FEE_TOKENS,
    ORDER_SLOT,
    cancel_order,
    forced_exit,
    key_change,
    refused,
    snapshot,
    transfer,
    transfer_to_address,
)

from rollup.core import Context, Deposit, ForcedExitData, FullExit, State, TransferToAddressData
from rollup.core.account import Account
from rollup.core.errors import (
    AccountMissingError,
    AccountTakenError,
    AddressZeroError,
    BalanceOverflowError,
    ExitAmountError,
    KeyMissingError,
    KeyPresentError,
    NothingToExitError,
    OperationError,
    OwnerMismatchError,
    TokenNotMoneyError,
    ValueRangeError,
)
from rollup.core.rules import Touch

# TransferToAddress


def test_transfer_to_address_makes_an_account_without_key(state: State, context: Context) -> None:
    state.apply(transfer_to_address(), context)
    assert state.account(9) == Account(address=0x99)
    assert (state.find(0x99), state.balances(9), state.balance(0, 1)) == ((9,), {1: 100}, 899)


def test_transfer_to_address_of_nothing_makes_an_account_too(state: State, context: Context) -> None:
    state.apply(transfer_to_address(amount=0, fee=0), context)
    assert state.account(9).exists


def test_transfer_to_address_of_an_account_keeps_key_and_nonce(state: State, context: Context) -> None:
    state.apply(transfer(BOB, ALICE, amount=1, fee=0), context)
    before = state.account(1)
    state.apply(transfer_to_address(to_id=1, to_address=BOB.address), context)
    assert (state.account(1), state.balance(1, 1)) == (before, 109)


def test_transfer_to_address_second_account_of_an_address_is_the_operators_choice(
    state: State, context: Context
) -> None:
    state.apply(transfer_to_address(to_id=9, to_address=BOB.address), context)
    assert state.find(BOB.address) == (1, 9)


def test_transfer_to_address_own_pays_only_the_fee(state: State, context: Context) -> None:
    state.apply(transfer_to_address(to_id=0, to_address=ALICE.address, amount=999), context)
    assert (state.balance(0, 1), state.account(0).nonce) == (999, 1)


@pytest.mark.parametrize("to_id", [0, 1, 2, 4])
def test_transfer_to_address_into_another_account_refused(state: State, context: Context, to_id: int) -> None:
    address = state.account(to_id).address
    refused(
        state, transfer_to_address(to_id=to_id), context, error=AccountTakenError,
        account_id=to_id, owner=0x99, address=address,
    )  # fmt: skip


def test_transfer_to_address_zero_refused(state: State, context: Context) -> None:
    """It would make an account that owns money and looks empty (I-01)."""
    refused(state, transfer_to_address(to_address=0), context, error=AddressZeroError, field="to_address")


@pytest.mark.parametrize(("to_id", "limit"), [(64, 64), (2**24 - 1, 64)])
def test_transfer_to_address_beyond_the_tree_refused(state: State, context: Context, to_id: int, limit: int) -> None:
    refused(state, transfer_to_address(to_id=to_id), context, error=ValueRangeError, value=to_id, limit=limit)
    state.apply(transfer_to_address(to_id=63), context)
    assert state.balance(63, 1) == 100


def test_transfer_to_address_that_overflows_refused(state: State, context: Context) -> None:
    state.touch(Touch(1, 1, state.account(1), 2**128 - 100))
    full = transfer_to_address(to_id=1, to_address=BOB.address)
    refused(state, full, context, error=BalanceOverflowError, account_id=1, amount=100)


def test_new_account_gets_its_key_by_deposit_or_key_change(state: State, context: Context) -> None:
    mark = state.mark()
    state.apply(transfer_to_address(to_address=DORA.address), context)
    state.apply(Deposit(9, 1, 0, DORA.address, CAROL.key.public_key, True), context)
    assert state.account(9).key == CAROL.key.public_key
    state.rollback(mark)
    state.apply(transfer_to_address(to_address=DORA.address), context)
    state.apply(key_change(account_id=9), context)
    assert state.account(9).key == DORA.key.public_key


# ForcedExit


def test_forced_exit_takes_all_to_the_owner(state: State, context: Context) -> None:
    applied = state.apply(forced_exit(), context)
    assert applied.operation == replace(forced_exit(), amount=77)
    assert applied.operation.record()[1] == 77
    assert (state.balances(4), state.account(4)) == ({}, Account(address=DORA.address))
    assert (state.balance(0, 1), state.account(0).nonce) == (999, 1)


def test_forced_exit_leaves_other_tokens(state: State, context: Context) -> None:
    state.apply(Deposit(4, 5, 9, DORA.address), context)
    state.apply(forced_exit(), context)
    assert state.balances(4) == {5: 9}


def test_forced_exit_with_its_amount_named(state: State, context: Context) -> None:
    wrong = replace(forced_exit(), amount=76)
    refused(state, wrong, context, error=ExitAmountError, account_id=4, token=3, expected=77, got=76)
    state.apply(replace(forced_exit(), amount=77), context)


@pytest.mark.parametrize("user", [ALICE, BOB, CAROL])
def test_forced_exit_of_an_account_with_key_refused(state: State, context: Context, user: Any) -> None:
    """Nobody but its owner moves its money: of the payer's own account too."""
    state.apply(Deposit(user.account_id, 3, 5, user.address), context)
    operation = forced_exit(account_id=user.account_id, address=user.address)
    refused(state, operation, context, error=KeyPresentError, account_id=user.account_id)


def test_forced_exit_once_the_owner_set_a_key_refused(state: State, context: Context) -> None:
    state.apply(key_change(), context)
    refused(state, forced_exit(), context, error=KeyPresentError, account_id=4)


def test_forced_exit_of_nothing_refused(state: State, context: Context) -> None:
    refused(state, forced_exit(token=5), context, error=NothingToExitError, account_id=4, token=5)
    state.apply(forced_exit(), context)
    refused(state, forced_exit(nonce=1), context, error=NothingToExitError, account_id=4, token=3)


def test_forced_exit_of_a_full_exit_before_it_refused(state: State, context: Context) -> None:
    """The money leaves once."""
    state.apply(FullExit(4, 3, DORA.address), context)
    refused(state, forced_exit(), context, error=NothingToExitError)


def test_forced_exit_to_another_address_refused(state: State, context: Context) -> None:
    wrong = forced_exit(address=ALICE.address)
    refused(state, wrong, context, error=OwnerMismatchError, account_id=4, stated=ALICE.address, address=DORA.address)
    refused(state, forced_exit(address=0), context, error=AddressZeroError, field="address")


def test_forced_exit_of_no_account_refused(state: State, context: Context) -> None:
    refused(state, forced_exit(account_id=9, address=0x99), context, error=AccountMissingError, account_id=9)
    refused(state, forced_exit(account_id=64), context, error=ValueRangeError, value=64, limit=64)


@pytest.mark.parametrize("slot", [ORDER_SLOT, 63])
def test_forced_exit_of_an_order_slot_refused(state: State, context: Context, slot: int) -> None:
    state.touch(Touch(4, slot, state.account(4), 77))
    refused(state, forced_exit(token=slot), context, error=TokenNotMoneyError, token=slot)


def test_forced_exit_by_an_account_without_key_refused(state: State, context: Context) -> None:
    refused(state, forced_exit(DORA, fee_token=3, fee=0), context, error=KeyMissingError, account_id=4)


def test_forced_exit_of_the_largest_balance(state: State, context: Context) -> None:
    state.touch(Touch(4, 3, state.account(4), 2**128 - 1))
    state.apply(forced_exit(), context)
    assert state.balance(4, 3) == 0


def test_forced_exit_of_the_fee_token_takes_the_fee_from_the_payer(state: State, context: Context) -> None:
    state.apply(Deposit(0, 3, 10, ALICE.address), context)
    state.apply(forced_exit(fee_token=3, fee=10), context)
    assert (state.balance(0, 3), state.balance(4, 3)) == (0, 0)


# As published: what the proof did not check in words is checked all the same


@pytest.mark.parametrize(
    "data",
    [
        TransferToAddressData(0, 1, 0x99, 1, 100, 1),
        TransferToAddressData(0, 9, 0, 1, 100, 1),
        TransferToAddressData(0, 9, 0x99, 1, 1000, 1),
        TransferToAddressData(4, 9, 0x99, 3, 7, 0),
        TransferToAddressData(0, 9, 0x99, 32, 0, 0),
        ForcedExitData(0, 4, DORA.address, 3, 1, 1, 76),
        ForcedExitData(0, 4, DORA.address, 5, 1, 1, 0),
        ForcedExitData(0, 1, BOB.address, 1, 1, 1, 10),
        ForcedExitData(0, 4, ALICE.address, 3, 1, 1, 77),
        ForcedExitData(4, 4, DORA.address, 3, 3, 0, 77),
        ForcedExitData(0, 4, DORA.address, 3, 9, 1, 77),
    ],
)
def test_published_payment_that_no_circuit_allows_refused(state: State, data: Any) -> None:
    before = snapshot(state)
    with pytest.raises(OperationError):
        state.apply_published(data, FEE_TOKENS)
    assert snapshot(state) == before


@pytest.mark.parametrize("make", [transfer_to_address, forced_exit, cancel_order])
def test_published_operation_has_the_same_effect(state: State, context: Context, make: Any) -> None:
    other = state.copy()
    applied = state.apply(make(), context)
    other.apply_published(applied.operation.published(), FEE_TOKENS)  # type: ignore[union-attr]
    assert other.root == state.root
