"""What an outside reviewer tried on the node (docs/reviews), each with what keeps it out."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from node_rig import ALICE, BOB, CAROL, DOMAIN, NOW, OPERATOR, ORIGIN, Rig

from rollup.core import Batch, ChangePubKey, Transfer, linked
from rollup.core.errors import AccountMissingError, KeyChangeNotAuthorisedError, OutsideValidityError
from rollup.core.key_change import key_change_digest
from rollup.core.operations import Signature
from rollup.core.receipt import Receipt
from rollup.l1.errors import NodeUnreachable
from rollup.node import rebuilding
from rollup.node.errors import ForeignBlockError, L1AheadError
from rollup.node.sequencer import MOST_ASKED


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    made = Rig(tmp_path, f"sqlite:///{tmp_path / 'node.db'}")
    made.deposit(OPERATOR, ALICE, BOB)
    made.finish()
    return made


def open_block(rig: Rig) -> int:
    block = rig.node.sequencer.ledger.block
    assert block is not None
    return block.record.number


# Blocks that cost nothing to have closed


def test_submit_forged_batch_as_large_as_a_block_closes_none(rig: Rig) -> None:
    """It was enough to send JSON: every honest operation got a block of its own, at some 300,000 gas."""
    rig.promised(ALICE.pay(BOB, 0))
    forged = Transfer(900, 901, 5, 0, 0, 0, 7, link=1, signature=Signature(1, 1, 1))
    (refused,) = rig.submit(Batch((forged,) * 8))
    assert isinstance(refused, AccountMissingError)
    assert open_block(rig) == 2
    (receipt,) = rig.promised(ALICE.pay(BOB, 1))
    assert (receipt.block_number, receipt.chunk_position) == (2, 1)


def test_submit_batch_that_only_the_open_blocks_time_allows_closes_none(rig: Rig) -> None:
    rig.promised(BOB.pay(ALICE, 0))
    rig.clock.now += 30
    late = [Transfer(1, 2, BOB.address, 0, 0, 0, nonce, valid_until=NOW + 20) for nonce in range(8)]
    (refused,) = rig.submit(Batch(tuple(ALICE.key.sign(each, DOMAIN) for each in linked(late))))  # type: ignore[arg-type]
    assert isinstance(refused, OutsideValidityError)
    assert open_block(rig) == 2


def test_submit_batch_that_fits_no_more_closes_the_block(rig: Rig) -> None:
    rig.promised(BOB.pay(ALICE, 0))
    payments = [Transfer(1, 2, BOB.address, 0, 1, 0, nonce) for nonce in range(8)]
    (receipt,) = rig.promised(Batch(tuple(ALICE.key.sign(each, DOMAIN) for each in linked(payments))))  # type: ignore[arg-type]
    assert (receipt.block_number, receipt.chunk_position) == (3, 0)
    rig.finish()
    rig.check()


# L1 under the sequencer's lock


def asked_of(rig: Rig) -> list[Any]:
    asked: list[Any] = []
    ask = rig.chain.key_change_approved

    def noting(owner: str, digest: bytes) -> bool:
        asked.append((owner, digest))
        return ask(owner, digest)

    rig.chain.key_change_approved = noting  # type: ignore[method-assign]
    return asked


def key_change(**changes: Any) -> ChangePubKey:
    fields: dict[str, Any] = {"account_id": 1, "key": BOB.key.public_key, "owner": ALICE.address, "nonce": 0}
    return ChangePubKey(**fields | {"fee_token": 0, "fee": 0, "valid_until": NOW + 60} | changes)


@pytest.mark.parametrize("changes", [{"account_id": 99}, {"nonce": 5}, {"owner": 0xBAD}, {"valid_until": NOW - 1}])
def test_submit_key_change_that_cannot_be_included_asks_l1_nothing(rig: Rig, changes: dict[str, Any]) -> None:
    asked = asked_of(rig)
    (refused,) = rig.submit(key_change(**changes))
    assert not isinstance(refused, Receipt)
    assert asked == []


def test_submit_many_key_changes_ask_l1_few_times(rig: Rig) -> None:
    """Each was a question to L1 of up to 15 s, while everybody waited."""
    asked = asked_of(rig)
    outcomes = rig.submit(*(key_change(fee=fee) for fee in range(50)))
    assert {type(each) for each in outcomes} == {KeyChangeNotAuthorisedError}
    assert len(asked) == MOST_ASKED


def test_submit_approved_key_change_is_taken_in_and_closes_a_full_block(rig: Rig) -> None:
    rig.promised(*(BOB.pay(ALICE, nonce) for nonce in range(4)))
    rig.promised(*(ALICE.pay(BOB, nonce) for nonce in range(3)))
    change = key_change(nonce=3)
    rig.chain.approved.add((f"{ALICE.address:#042x}", key_change_digest(change, DOMAIN)))
    (receipt,) = rig.promised(change)
    assert receipt.block_number == 2


# Old copies


def copy_of(rig: Rig, folder: Path) -> None:
    """Database and journal as they are now, as a snapshot of the machine has them."""
    rig.crash()
    shutil.copy(rig.folder / "node.db", folder / "node.db")
    shutil.copytree(rig.folder / "journal", folder / "journal")
    rig.open()


def put_back(rig: Rig, folder: Path) -> None:
    rig.crash()
    for path in rig.folder.glob("node.db*"):
        path.unlink()
    shutil.rmtree(rig.folder / "journal")
    shutil.copy(folder / "node.db", rig.folder / "node.db")
    shutil.copytree(folder / "journal", rig.folder / "journal")


def test_start_of_a_copy_whose_open_block_is_on_l1_signs_nothing(
    rig: Rig, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It promised the places of block 2 again, which L1 had given to others: receipts that contradict each other."""
    folder = tmp_path_factory.mktemp("copy")
    rig.promised(ALICE.pay(BOB, 0))
    copy_of(rig, folder)
    rig.promised(ALICE.pay(BOB, 1))
    rig.finish()
    assert len(rig.chain.blocks) == 3
    put_back(rig, folder)
    with pytest.raises(L1AheadError) as caught:
        rig.open()
    assert (caught.value.known, caught.value.committed) == (1, 2)


def test_start_where_l1_has_another_block_than_was_promised_signs_nothing(rig: Rig) -> None:
    rig.promised(ALICE.pay(BOB, 0))
    rig.finish()
    rig.chain.blocks[-1] = replace(rig.chain.blocks[-1], commitment=1)
    with pytest.raises(ForeignBlockError):
        rig.restart()


class Rebuilt:
    """In the place of a store that was filled from L1: the state that the rig's L1 gives."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self.tip = type("Tip", (), {"block": rig.chain.blocks[-1]})

    def __enter__(self) -> "Rebuilt":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def load(self) -> Any:
        return self._rig.chain.state()


def test_rebuild_of_a_copy_whose_open_block_l1_has_follows_l1s_queue(
    rig: Rig, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue entries that the copy did not know were taken in twice, in a block that L1 refuses."""
    folder = tmp_path_factory.mktemp("copy")
    rig.promised(ALICE.pay(BOB, 0))
    copy_of(rig, folder)
    rig.deposit(CAROL)
    rig.finish()
    put_back(rig, folder)
    with pytest.raises(L1AheadError):
        rig.open()
    shutil.rmtree(rig.folder / "journal")
    monkeypatch.setattr(rebuilding, "Store", lambda *_: Rebuilt(rig))
    monkeypatch.setattr(rebuilding, "restore", lambda *_: None)
    monkeypatch.setattr(rebuilding, "Lookup", lambda *_: rig.chain)
    assert rebuilding.rebuild(rig.database, lambda *_: None, ORIGIN) == 2  # type: ignore[arg-type]
    rig.restart()
    assert rig.node.sequencer.queue_end == 4
    rig.promised(ALICE.pay(BOB, 1))
    rig.finish()
    assert rig.chain.state().find(CAROL.address) == (3,)


def test_start_without_l1_signs_nothing(rig: Rig) -> None:
    rig.chain.down = True
    rig.restart()
    assert [each.code for each in rig.submit(ALICE.pay(BOB, 0))] == ["not_connected"]  # type: ignore[union-attr]
    with pytest.raises(NodeUnreachable):
        rig.node.connect()
