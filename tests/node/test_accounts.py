"""Which account an address gets."""

from rollup.core.operations import Batch, Deposit, FullExit, TransferToAddress
from rollup.core.rules import Context
from rollup.core.state import State
from rollup.node.accounts import AccountIds

ALICE, BOB, CAROL = 0xA, 0xB, 0xC
CONTEXT = Context(0, 0, tuple(range(8)))


def deposit(owner: int) -> Deposit:
    return Deposit(0, 0, 1, owner)


def pay(address: int) -> TransferToAddress:
    return TransferToAddress(0, 0, address, 0, 1, 0, 0)


def test_assign_new_addresses_get_the_next_accounts_and_keep_them() -> None:
    ids = AccountIds(State())
    assert ids.find(ALICE) is None
    assert ids.assign(deposit(ALICE)) == Deposit(0, 0, 1, ALICE)
    assert ids.assign(pay(BOB)) == TransferToAddress(0, 1, BOB, 0, 1, 0, 0)
    assert ids.assign(deposit(BOB)) == Deposit(1, 0, 1, BOB)
    assert (ids.find(ALICE), ids.find(BOB), ids.find(CAROL)) == (0, 1, None)


def test_assign_batch_gives_each_of_its_operations_an_account() -> None:
    ids = AccountIds(State())
    assert ids.assign(Batch((pay(ALICE), pay(BOB), pay(ALICE)))) == Batch(
        (pay(ALICE), TransferToAddress(0, 1, BOB, 0, 1, 0, 0), pay(ALICE))
    )


def test_assign_on_a_state_with_accounts_goes_around_them() -> None:
    state = State()
    for account_id, owner in ((0, ALICE), (2, BOB), (5, ALICE)):
        state.apply(Deposit(account_id, 0, 1, owner), CONTEXT)
    ids = AccountIds(state)
    assert ids.find(ALICE) == 0
    assert [ids.assign(deposit(owner)).account_id for owner in (BOB, CAROL, 0xD, 0xE)] == [2, 1, 3, 4]


def test_assign_refused_deposit_and_full_exit_stay_as_they_are() -> None:
    ids = AccountIds(State())
    for operation in (Deposit(0, 0, 1, ALICE, refused=True), FullExit(7, 0, ALICE)):
        assert ids.assign(operation) == operation
    assert ids.find(ALICE) is None
