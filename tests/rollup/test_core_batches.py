"""Batches: all operations in the order that was signed, or none (I-19)."""

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from core_users import (
    ALICE,
    BOB,
    CAROL,
    DOMAIN,
    DORA,
    FEE_TOKENS,
    ORDER_SLOT,
    TIME,
    batch,
    cancel_order,
    forced_exit,
    key_change,
    order,
    payments,
    refused,
    snapshot,
    swap,
    transfer,
    transfer_to_address,
    withdraw,
)

from rollup._native import poseidon
from rollup.core import Batch, Context, Deposit, State, linked
from rollup.core.errors import (
    BalanceTooLowError,
    FieldRuleError,
    LinkMismatchError,
    NonceMismatchError,
    OperationError,
    SignatureInvalidError,
)
from rollup.core.operations import batch_chain


def three() -> Batch:
    """Alice, Bob and Carol, each paying the next what the one before paid; only Alice pays a fee."""
    return batch(
        (ALICE, transfer(ALICE, CAROL)),
        (CAROL, transfer(CAROL, BOB, fee=0)),
        (BOB, transfer(BOB, ALICE, amount=110, fee=0)),
    )


def test_link_as_the_page_says() -> None:
    """R_i = Poseidon(4)(M1_i, M2_i, M3_i, R_(i+1)), from the last; M4 of all is R_1."""
    first, second = linked([transfer(), withdraw(BOB)])
    last = poseidon([*second.message_words(DOMAIN)[1:4], 0])
    link = poseidon([*first.message_words(DOMAIN)[1:4], last])
    assert (first.link, second.link) == (link, link)
    assert first.message_words(DOMAIN)[4] == link
    assert batch_chain([first, second]) == (link, last, 0)
    assert batch_chain([transfer(), withdraw(BOB)]) == (link, last, 0)


def test_link_is_the_same_whatever_the_operator_chooses() -> None:
    """The new account's id, and what a forced exit takes, are not signed."""
    members = [transfer_to_address(), forced_exit(nonce=1)]
    chosen = [replace(members[0], to_id=11), replace(members[1], amount=77)]  # type: ignore[call-arg]
    assert batch_chain(members) == batch_chain(chosen)


def test_batch_every_kind_in_order(state: State, context: Context) -> None:
    """One account pays for all; each operation sees what those before it did."""
    whole = batch(
        (ALICE, transfer_to_address()),
        (BOB, forced_exit(BOB, fee=0, token=3)),
        (ALICE, cancel_order(nonce=1)),
        (ALICE, withdraw(nonce=2)),
        (ALICE, transfer(nonce=3, to_id=9, to_address=0x99, fee=0)),
    )
    applied = state.apply(whole, context)
    assert (state.balance(0, 1), state.balance(9, 1), state.balances(4)) == (1000 - 303, 200, {})
    assert (state.account(0).nonce, state.account(1).nonce) == (4, 1)
    assert applied.operation.operations[1].amount == 77  # type: ignore[union-attr]
    assert [step.batch_rest for step in applied.steps] == list(batch_chain(whole.operations)[1:])


def test_batch_later_operation_spends_what_an_earlier_gave(state: State, context: Context) -> None:
    """Carol and Bob have too little of their own."""
    state.apply(three(), context)
    assert [state.balance(i, 1) for i in range(3)] == [1000 - 101 + 110, 0, 0]
    assert [state.account(i).nonce for i in range(3)] == [1, 1, 1]


@pytest.mark.parametrize("order_of", [p for p in permutations(range(3)) if p != (0, 1, 2)])
def test_batch_reordered_refused(state: State, context: Context, order_of: tuple[int, ...]) -> None:
    members = three().operations
    reordered = Batch(tuple(members[i] for i in order_of))
    expected = batch_chain(reordered.operations)[0]
    refused(state, reordered, context, error=LinkMismatchError, expected=expected, got=members[0].link)


@pytest.mark.parametrize("some", [(0, 1), (1, 2), (0, 2), (0, 0, 1, 2), (0, 1, 2, 2), (0, 1, 2, 0, 1, 2), (1, 1)])
def test_batch_with_some_left_out_or_repeated_refused(state: State, context: Context, some: tuple[int, ...]) -> None:
    members = three().operations
    refused(state, Batch(tuple(members[i] for i in some)), context, error=LinkMismatchError, got=members[0].link)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_batch_member_alone_refused(state: State, context: Context, place: int) -> None:
    member = three().operations[place]
    refused(state, member, context, error=LinkMismatchError, expected=0, got=member.link)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_batch_with_a_foreign_operation_refused(state: State, context: Context, place: int) -> None:
    """Even if its owner signed it for the whole of that list: the others did not."""
    members = list(three().operations)
    foreign = withdraw(user_of(members[place]), amount=1, fee=0)
    members[place] = foreign
    refused(state, Batch(tuple(members)), context, error=LinkMismatchError)
    link = batch_chain(members)[0]
    willing = user_of(members[place]).key.sign(replace(foreign, link=link), DOMAIN)
    members[place] = willing
    refused(state, Batch(tuple(members)), context, error=LinkMismatchError, expected=link)


def user_of(operation: Any) -> Any:
    return (ALICE, BOB, CAROL)[operation.from_id]


@pytest.mark.parametrize("field", [{"amount": 99}, {"fee": 0}, {"to_id": 2, "to_address": CAROL.address}])
def test_batch_operation_changed_after_signing_refused(state: State, context: Context, field: dict[str, int]) -> None:
    """With the old link, and with one that fits the change."""
    first, second = payments().operations
    changed = replace(first, **field)  # type: ignore[arg-type]
    refused(state, Batch((changed, second)), context, error=LinkMismatchError)
    link = batch_chain([changed, second])[0]
    forged = Batch((replace(changed, link=link), replace(second, link=link)))
    refused(state, forged, context, error=SignatureInvalidError, account_id=0)


def test_batch_replayed_refused(state: State, context: Context) -> None:
    whole = payments()
    state.apply(whole, context)
    refused(state, whole, context, error=NonceMismatchError, account_id=0, expected=1, got=0)


@pytest.mark.parametrize("other", [DOMAIN + 1, DOMAIN + (1 << 160)])
def test_batch_on_another_deployment_refused(state: State, other: int) -> None:
    refused(state, payments(), Context(other, TIME, FEE_TOKENS), error=SignatureInvalidError, account_id=0)


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize(
    "broken",
    [{"nonce": 1}, {"valid_until": TIME - 1}, {"valid_from": TIME + 1}, {"amount": 2000}, {"to_id": 9}, {"token": 32}],
)
def test_batch_of_which_one_fails_changes_nothing(
    state: State, context: Context, place: int, broken: dict[str, int]
) -> None:
    members = [(ALICE, transfer(ALICE, CAROL)), (CAROL, transfer(CAROL, BOB, fee=0)), (BOB, transfer(BOB, fee=0))]
    user, operation = members[place]
    members[place] = (user, replace(operation, **broken))  # type: ignore[arg-type]
    before = snapshot(state)
    with pytest.raises(OperationError) as caught:
        state.apply(batch(*members), context)
    assert caught.value.__notes__ == [f"operation {place} of a batch of 3"]
    assert snapshot(state) == before


def test_batch_operations_of_one_account_count_its_nonces_on(state: State, context: Context) -> None:
    state.apply(batch((ALICE, transfer()), (ALICE, transfer(nonce=1))), context)
    assert state.account(0).nonce == 2
    gap = batch((ALICE, transfer(nonce=2)), (ALICE, transfer(nonce=4)))
    refused(state, gap, context, error=NonceMismatchError, expected=3, got=4)


def test_batch_spending_twice_what_is_there_refused(state: State, context: Context) -> None:
    twice = batch((ALICE, transfer(amount=600)), (ALICE, transfer(nonce=1, amount=600)))
    refused(state, twice, context, error=BalanceTooLowError, balance=399, amount=600)


def test_batch_of_less_than_two_refused() -> None:
    for members in ((), (transfer(),)):
        with pytest.raises(FieldRuleError) as caught:
            Batch(members)
        assert caught.value.value == len(members)


@pytest.mark.parametrize(
    "other",
    [swap(), order(), key_change(), Deposit(0, 1, 5, ALICE.address), payments()],
    ids=lambda o: type(o).__name__,
)
def test_batch_with_what_no_nonce_counts_refused(other: Any) -> None:
    with pytest.raises(FieldRuleError) as caught:
        Batch((transfer(), other))
    assert caught.value.value == type(other).__name__


def test_batch_order_between_its_operations_is_not_needed(state: State, context: Context) -> None:
    """What others do between two tries of a batch does not matter, as long as it still holds."""
    whole = payments()
    state.apply(transfer(BOB, CAROL, token=2, amount=1, fee=0), context)
    refused(state, whole, context, error=NonceMismatchError, account_id=1)
    state.apply(batch((ALICE, transfer()), (BOB, transfer(BOB, nonce=1, token=2, fee=0))), context)


def test_batch_may_cancel_an_order_and_exit_for_another(state: State, context: Context) -> None:
    """Bob pays for Dora's exit with what Alice gives him for it."""
    whole = batch((ALICE, transfer(amount=50)), (BOB, forced_exit(BOB, fee=60)), (ALICE, cancel_order(nonce=1)))
    state.apply(whole, context)
    assert (state.balance(1, 1), state.balances(DORA.account_id)) == (0, {})
    assert state.order_slots(0)[ORDER_SLOT].order_id == 5
