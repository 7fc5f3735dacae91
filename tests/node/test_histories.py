"""What the database knows beyond the present: whose history an operation is, and what the state was."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from node_rig import ALICE, BOB, CAROL, DOMAIN, ETHER, NOW, OPERATOR, WEEK, Rig, stored
from sqlalchemy import create_engine, select, text

from rollup.core import Batch, CancelOrder, Deposit, ForcedExit, FullExit, Order, Swap, TransferToAddress, Withdraw
from rollup.core.operations import linked
from rollup.core.rebuild import apply_block_data
from rollup.core.state import State
from rollup.core.streams import encode_streams
from rollup.l1.client import Queued
from rollup.node.database import Database
from rollup.node.parties import parties_of
from rollup.node.tables import parties
from rollup.node.undo import holdings_at

pytestmark = pytest.mark.xdist_group("postgres")
PAYMENT = TransferToAddress(3, 9, 0xFACE, 0, 5, 0, 0)
ORDER = Order(4, 2048, 1, 0, 1, 100, 100, 0)


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (ALICE.pay(BOB, 0), {1, 2}),
        (replace(ALICE.pay(BOB, 0), from_id=(1 << 24) - 1, to_id=1 << 16, token=2047), {(1 << 24) - 1, 1 << 16}),
        (replace(ALICE.pay(BOB, 0), to_id=1), {1}),
        (PAYMENT, {3, 9}),
        (Withdraw(5, 0xDD, 0, 1, 0, 0), {5}),
        (ForcedExit(5, 6, 0xDD, 0, 0, 0, 0, amount=7), {5, 6}),
        (CancelOrder(7, 2048, 3, 0, 0, 0), {7}),
        (Swap(ORDER, replace(ORDER, account_id=8), 10, 10), {4, 8}),
        (Batch(linked([PAYMENT, Withdraw(5, 0xDD, 0, 1, 0, 0)])), {3, 5, 9}),
        (Deposit(11, 0, 5, 0xA0), {11}),
        (Deposit(0, 0, 5, 0xA0, refused=True), set()),
        (FullExit(12, 0, 0xA0, 4), {12}),
    ],
)
def test_parties_of_an_operation_are_the_accounts_it_names(operation: Any, expected: set[int]) -> None:
    assert parties_of(*encode_streams([operation])) == expected


def used(folder: Path, url: str) -> Rig:
    """Blocks of every kind of change, proven and executed."""
    rig = Rig(folder, url)
    rig.deposit(OPERATOR, ALICE, BOB)
    rig.chain.entries.append(Queued(3, Deposit(0, 1, ETHER, BOB.address, BOB.key.public_key, True), NOW + WEEK))
    rig.node.look()
    maker = ALICE.key.sign(Order(1, 2048, 1, 0, 1, 100, 100, 0), DOMAIN)
    taker = BOB.key.sign(Order(2, 2048, 1, 1, 0, 100, 100, 0), DOMAIN)
    rig.promised(ALICE.pay(BOB, 0), Swap(maker, taker, 40, 40))
    rig.finish()
    rig.promised(Swap(maker, taker, 60, 60), BOB.key.sign(TransferToAddress(2, 0, 0xFACE, 0, 5, 0, 0), DOMAIN))
    rig.finish()
    rig.promised(*(ALICE.pay(BOB, nonce, 7) for nonce in range(1, 9)))
    rig.chain.entries.append(Queued(4, FullExit(2, 1, BOB.address), NOW + WEEK))
    rig.node.look()
    rig.finish()
    return rig


def states(rig: Rig) -> list[State]:
    """After each block, from what was published."""
    made, state = [State()], State()
    for number, new in enumerate(rig.chain.data, 1):
        apply_block_data(state, rig.chain._header(number), new.l2, new.l1)
        made.append(state.copy())
    return made


def check_past(database: Database, expected: Sequence[State], first: int) -> None:
    """The database knows the state after each block from `first` on."""
    for number, state in enumerate(expected):
        for account_id in range(5):
            with database.transaction(writing=False) as connection:
                found = holdings_at(connection, account_id, number)
            if number < first:
                assert found is None
                continue
            orders = {slot: each.leaf for slot, each in state.order_slots(account_id).items()}
            assert found == (state.account(account_id), state.balances(account_id) | orders)


def test_holdings_after_each_block_are_what_was_published(tmp_path: Path, url: str) -> None:
    rig = used(tmp_path, url)
    expected = states(rig)
    assert len(expected) == 5
    check_past(rig.database, expected, 0)
    rig.restart()
    check_past(rig.database, expected, 0)
    rig.database.forget_undo(2)
    check_past(rig.database, expected, 2)
    rig.node.lander.step()
    with rig.database.transaction(writing=False) as connection:
        assert connection.execute(text("SELECT count(*) FROM undo WHERE block <= 2")).scalar() == 0
    rig.crash()


def test_holdings_of_a_replaced_state_are_known_from_there_on(tmp_path: Path, url: str) -> None:
    rig = used(tmp_path, url)
    touches = stored(rig.database)
    rig.database.replace_state(4, touches)
    check_past(rig.database, states(rig), 4)
    rig.crash()


def test_migration_of_the_first_format_gives_the_same_histories(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'node.db'}"
    rig = used(tmp_path, url)
    with rig.database.transaction(writing=False) as connection:
        before = connection.execute(select(parties)).all()
    rig.crash()
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in (
            "DROP TABLE parties",
            "DROP TABLE undo",
            "DROP TABLE stages",
            "DROP INDEX operations_by_queue",
            "CREATE INDEX operations_by_account ON operations (account_id)",
            "DELETE FROM meta WHERE key = 'undo_after'",
            "UPDATE meta SET value = '1' WHERE key = 'format'",
        ):
            connection.execute(text(statement))
    engine.dispose()
    rig.open()
    with rig.database.transaction(writing=False) as connection:
        assert connection.execute(select(parties)).all() == before
        assert rig.database.meta("undo_after") == "4"
        indices = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'index'")).scalars().all()
    assert "operations_by_account" not in indices
    check_past(rig.database, states(rig), 4)
    rig.deposit(CAROL)
    rig.finish()
    rig.check()
    rig.crash()


class Heard:
    """Notes what it is told."""

    def __init__(self, rig: Rig) -> None:
        self.rig, self.kept_entries, self.moves, self.nonces = rig, [], 0, []

    def kept(self, kept: Any, state: State) -> None:
        self.kept_entries += kept.entries
        self.nonces.append(state.account(ALICE.account_id).nonce)
        assert self.rig.database.entries(kept.entries[-1].block)[-1] == kept.entries[-1]

    def moved(self) -> None:
        self.moves += 1


def test_listener_hears_what_is_durable_and_nothing_that_is_not(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path, url)
    rig.deposit(OPERATOR, ALICE, BOB)
    heard = Heard(rig)
    end = rig.node.listen(heard)
    rig.promised(ALICE.pay(BOB, 0), ALICE.pay(BOB, 1))
    assert len(heard.kept_entries) == 2
    with monkeypatch.context() as patch:
        patch.setattr(rig.database, "accept", _fail)
        rig.submit(ALICE.pay(BOB, 2))
    assert heard.nonces == [2]
    end()
    rig.promised(ALICE.pay(BOB, 2))
    assert heard.nonces == [2]
    rig.crash()


def _fail(*_: Any) -> None:
    from rollup.node.errors import DatabaseUnusable

    raise DatabaseUnusable("x", "full")


def test_read_sees_the_state_between_two_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a batch is being kept its changes are in the ledger: a reader waits until they are durable or gone."""
    import threading

    rig = Rig(tmp_path, f"sqlite:///{tmp_path / 'node.db'}")
    rig.deposit(OPERATOR, ALICE, BOB)
    seen: list[int] = []
    reader = threading.Thread(
        target=lambda: seen.append(rig.node.sequencer.read(lambda state: state.account(ALICE.account_id).nonce))
    )

    def fail_slowly(*_: Any) -> None:
        assert rig.node.sequencer.ledger.state.account(ALICE.account_id).nonce == 1
        reader.start()
        reader.join(0.05)
        assert seen == []
        _fail()

    with monkeypatch.context() as patch:
        patch.setattr(rig.database, "accept", fail_slowly)
        rig.submit(ALICE.pay(BOB, 0))
    reader.join(30)
    assert seen == [0]
    rig.crash()
