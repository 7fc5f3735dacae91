"""After a crash: the same open block, the same receipts; database and journal complete each other."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from node_rig import ALICE, BOB, CAROL, DOMAIN, NOW, OPERATOR, Rig

from rollup.core import TransferToAddress, Withdraw
from rollup.node.database import Database, copy_tables
from rollup.node.errors import DatabaseDamaged, NodeError
from rollup.node.journal import Journal

pytestmark = pytest.mark.xdist_group("postgres")


def used(folder: Path, url: str) -> Rig:
    """A block on L1, one that is closed, and one that is open."""
    rig = Rig(folder, url)
    rig.deposit(OPERATOR, ALICE, BOB)
    rig.promised(*(ALICE.pay(BOB, nonce) for nonce in range(5)))
    rig.finish()
    rig.clock.now += 10
    more = [TransferToAddress(BOB.account_id, 0, 0xFACE, 0, 5, 1, 0), Withdraw(BOB.account_id, 0xDD, 0, 9, 1, 1)]
    rig.promised(*(BOB.key.sign(each, DOMAIN) for each in more))
    rig.node.sequencer.close()
    rig.clock.now += 10
    rig.promised(ALICE.pay(BOB, 5))
    rig.deposit(CAROL)
    return rig


def test_restart_open_block_and_receipts_are_the_same(tmp_path: Path, url: str) -> None:
    rig = used(tmp_path, url)
    before = {hash_: rig.node.sequencer.receipts(hash_) for hash_ in (r.operation_hash for r in rig.receipts)}
    for _ in range(2):
        rig.clock.now += 10
        rig.restart()
        assert {hash_: rig.node.sequencer.receipts(hash_) for hash_ in before} == before
        assert rig.node.sequencer.queue_end == 4
        block = rig.node.sequencer.ledger.block
        assert block is not None
        assert block.record.timestamp == block.context.timestamp == NOW + 20
    (receipt,) = rig.promised(ALICE.pay(BOB, 6))
    assert (receipt.block_number, receipt.chunk_position) == (3, 2)
    assert receipt.commit_by == NOW + 20 + 86_400
    rig.finish()
    rig.check()
    assert rig.chain.state().find(CAROL.address) == (4,)


def test_restart_signatures_are_checked_as_before(tmp_path: Path, url: str) -> None:
    """What was taken in is believed; what comes is not."""
    rig = used(tmp_path, url)
    rig.restart()
    forged = BOB.key.sign(ALICE.pay(BOB, 6), DOMAIN)
    assert [getattr(outcome, "code", None) for outcome in rig.submit(forged)] == ["signature_invalid"]


def test_restart_with_an_older_copy_of_the_database_honours_what_came_after(tmp_path: Path, url: str) -> None:
    rig = used(tmp_path, url)
    backup = f"sqlite:///{tmp_path / 'backup.db'}"
    with Database(backup) as copy:
        copy_tables(rig.database, copy)
    rig.promised(*(ALICE.pay(BOB, nonce) for nonce in range(6, 20)))
    rig.crash()
    rig.url = backup
    rig.open()
    assert rig.promised(ALICE.pay(BOB, 19)) == [rig.receipts[-1]]
    rig.finish()
    rig.check()
    assert len(rig.database.blocks()) == 4


def test_restart_without_the_journal_writes_it_again(tmp_path: Path, url: str) -> None:
    rig = used(tmp_path, url)
    rig.crash()
    before = [(block.record, block.entries) for block in Journal(tmp_path / "journal", DOMAIN).blocks(2)]
    shutil.rmtree(tmp_path / "journal")
    rig.open()
    after = [(block.record, block.entries) for block in rig.journal.blocks(2)]
    assert [(record.number, entries) for record, entries in after] == [(r.number, entries) for r, entries in before]
    assert [record.status for record, _ in after] == [record.status for record, _ in before] == ["closed", "open"]
    rig.finish()
    rig.check()


@pytest.mark.parametrize("lost", ["database", "journal"])
def test_restart_where_one_of_the_two_missed_the_last_batch(
    tmp_path: Path, url: str, lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = used(tmp_path, url)
    payment = ALICE.pay(BOB, 6)
    if lost == "journal":
        monkeypatch.setattr(rig.journal, "append", lambda *_: None)
    else:
        rig.promised(payment)
        with rig.database.transaction() as connection:
            for table in ("operations", "parties"):
                connection.exec_driver_sql(f"DELETE FROM {table} WHERE block = 3 AND position = 2")
    rig.submit(payment)
    rig.restart()
    (receipt,) = rig.promised(payment)
    assert (receipt.block_number, receipt.chunk_position) == (3, 2)
    assert rig.database.entries(3) == rig.journal.blocks(3)[0].entries
    rig.finish()
    rig.check()


@pytest.mark.parametrize(
    ("statement", "match"),
    [
        ("UPDATE operations SET chunk_position = 1 WHERE block = 3 AND position = 0", "promises something else"),
        ("UPDATE accounts SET nonce = 9 WHERE id = 1", "has root"),
        ("UPDATE blocks SET size = 8 WHERE number = 2", "closes with size 4"),
        ("DELETE FROM blocks WHERE number = 1", "missing"),
    ],
)
def test_restart_of_a_damaged_database_is_refused(tmp_path: Path, url: str, statement: str, match: str) -> None:
    rig = used(tmp_path, url)
    with rig.database.transaction() as connection:
        connection.exec_driver_sql(statement)
    rig.crash()
    with pytest.raises(DatabaseDamaged, match=match):
        rig.open()
    rig.database.close()


@pytest.mark.parametrize("point", ["accept", "append", "set_block", "set_proven"])
@pytest.mark.parametrize("after", [False, True])
def test_crash_around_every_write_keeps_every_promise(
    tmp_path: Path, point: str, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each write once more is the last thing the process does: before it, and after it."""
    rig = Rig(tmp_path, f"sqlite:///{tmp_path / 'node.db'}")
    rig.deposit(OPERATOR, ALICE, BOB)
    nonce = 0
    for skip in range(3):
        _crash_at(rig, point, after, skip, monkeypatch)
        with pytest.raises(Crash):
            _pay_and_finish(rig, nonce, 3 * skip + 3)
        monkeypatch.undo()
        rig.restart()
        nonce = rig.node.sequencer.ledger.state.account(ALICE.account_id).nonce
    rig.finish()
    rig.check()


def _pay_and_finish(rig: Rig, nonce: int, times: int) -> None:
    for count in range(times):
        rig.promised(ALICE.pay(BOB, nonce + count))
        rig.finish()


class Crash(BaseException):
    """The process ends here."""


def _crash_at(rig: Rig, point: str, after: bool, skip: int, patch: pytest.MonkeyPatch) -> None:
    owner: Any = rig.journal if point == "append" else rig.database
    original: Callable[..., Any] = getattr(owner, point)
    left = skip

    def crash(*args: Any, **values: Any) -> None:
        nonlocal left
        left -= 1
        if left >= 0 or after:
            original(*args, **values)
        if left < 0:
            raise Crash

    patch.setattr(owner, point, crash)


def test_start_without_l1_is_refused(tmp_path: Path) -> None:
    rig = Rig(tmp_path, f"sqlite:///{tmp_path / 'node.db'}")
    rig.chain.down = True
    with pytest.raises(Exception, match="down") as caught:
        rig.node.start()
    assert not isinstance(caught.value, NodeError)
