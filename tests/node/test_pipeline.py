"""From closed blocks to L1: several proven at once, in any order; landed in order, together where they queue up."""

from pathlib import Path

import pytest
from node_rig import ALICE, BOB, OPERATOR, HeldPool, Rig, fake_prove

from rollup.core.errors import ReceiptBrokenError
from rollup.l1 import costs
from rollup.l1.sending import TRANSACTION_GAS_LIMIT
from rollup.node.errors import DatabaseDamaged, ForeignBlockError, L1AheadError
from rollup.node.landing import _most_proofs
from rollup.node.provers import LocalPool
from rollup.node.tables import Status


def rig_with(tmp_path: Path, blocks: int, capacity: int = 1) -> tuple[Rig, HeldPool]:
    """So many closed blocks: the first with three deposits and five payments, the others of eight payments."""
    pool = HeldPool(capacity)
    rig = Rig(tmp_path, f"sqlite:///{tmp_path / 'node.db'}", pool=pool)
    rig.deposit(OPERATOR, ALICE, BOB)
    rig.promised(*(ALICE.pay(BOB, nonce) for nonce in range(8 * blocks - 3)))
    rig.node.sequencer.close()
    return rig, pool


def statuses(rig: Rig) -> list[str]:
    return [record.status for record in rig.database.blocks()]


def test_prove_all_is_sealed_at_once_and_workers_get_as_much_as_they_take(tmp_path: Path) -> None:
    rig, pool = rig_with(tmp_path, 5, capacity=3)
    rig.node.pipeline.step()
    assert pool.seen == [1, 2, 3]
    assert statuses(rig) == [Status.SEALED] * 5
    pool.finish(2)
    rig.node.pipeline.step()
    assert pool.seen == [1, 2, 3, 4]


def test_prove_out_of_order_lands_in_order(tmp_path: Path) -> None:
    rig, pool = rig_with(tmp_path, 4, capacity=4)
    rig.node.pipeline.step()
    for number, base, landed in ((3, 0, 0), (2, 0, 0), (1, 3, 3), (4, 4, 4)):
        pool.finish(number)
        rig.node.pipeline.step()
        assert rig.database.base == base
        rig.land()
        assert rig.chain.executed == landed
    assert rig.chain.sent == ["commit", "prove", "execute", "all"]
    rig.check()


@pytest.mark.parametrize("done", [[], [2], [3, 2], [1], [1, 3], [4, 3, 2, 1]])
def test_prove_interrupted_anywhere_goes_on_after_a_restart(tmp_path: Path, done: list[int]) -> None:
    rig, pool = rig_with(tmp_path, 4, capacity=4)
    rig.promised(BOB.pay(ALICE, 0))
    rig.node.pipeline.step()
    for number in done:
        pool.finish(number)
        rig.node.pipeline.step()
    pool.jobs.clear()
    pool.seen.clear()
    rig.restart()
    rig.node.pipeline.step()
    assert sorted(pool.seen) == sorted({1, 2, 3, 4} - set(done))
    for number in pool.seen:
        pool.finish(number)
    rig.node.pipeline.step()
    rig.node.sequencer.close()
    rig.node.pipeline.step()
    pool.finish(5)
    rig.node.pipeline.step()
    rig.land()
    rig.check()


def test_prove_that_fails_is_tried_again_and_the_others_go_on(tmp_path: Path) -> None:
    rig, pool = rig_with(tmp_path, 3, capacity=2)
    pipeline = rig.node.pipeline
    now = 0.0
    pipeline._clock = lambda: now
    pipeline.step()
    for failures in (1, 2):
        pool.fail(1)
        pipeline.step()
        assert f"block 1 was not proven, {failures} times: the prover died" in str(pipeline.fault)
        now += 10
        pipeline.step()
        assert 1 in pool.jobs
    pool.finish(2)
    pipeline.step()
    assert pool.seen == [1, 2, 1, 1, 3]
    pool.finish(1)
    pool.finish(3)
    pipeline.step()
    assert pipeline.fault is None
    rig.land()
    rig.check()


def test_prove_provers_that_come_and_go_get_as_many_as_they_take(tmp_path: Path) -> None:
    rig, pool = rig_with(tmp_path, 4, capacity=0)
    pipeline = rig.node.pipeline
    pipeline.step()
    assert pool.seen == []
    assert statuses(rig) == [Status.SEALED] * 4
    pool.capacity = 3
    pipeline.step()
    assert pool.seen == [1, 2, 3]
    pool.capacity = 0
    for number in (1, 2, 3):
        pool.finish(number)
    pipeline.step()
    assert pool.seen == [1, 2, 3]
    assert rig.database.base == 3
    pool.capacity = 1
    pipeline.step()
    pool.finish(4)
    pipeline.step()
    rig.land()
    rig.check()


def test_prove_by_a_pool_of_threads(tmp_path: Path) -> None:
    rig = Rig(tmp_path, f"sqlite:///{tmp_path / 'node.db'}", pool=LocalPool(fake_prove, workers=3))
    rig.deposit(OPERATOR, ALICE, BOB)
    rig.promised(*(ALICE.pay(BOB, nonce) for nonce in range(40)))
    rig.finish()
    rig.check()
    assert rig.chain.executed == 6


def test_seal_other_than_promised_is_never_proven(tmp_path: Path) -> None:
    rig, pool = rig_with(tmp_path, 1)
    with rig.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE operations SET chunk_position = 0 WHERE position = 5")
    with pytest.raises(DatabaseDamaged, match="not where its receipt says"):
        rig.node.pipeline.step()
    assert pool.seen == []


def test_land_l1_down_is_tried_again(tmp_path: Path) -> None:
    rig, pool = rig_with(tmp_path, 2, capacity=2)
    rig.node.pipeline.step()
    for number in (1, 2):
        pool.finish(number)
    rig.node.pipeline.step()
    rig.node.start()
    rig.chain.down = True
    rig.chain.down = False
    for _ in range(500):
        if rig.chain.executed == 2:
            break
        rig.node._stop.wait(0.01)
    rig.node.stop()
    rig.check()


def test_land_transaction_whose_answer_was_lost_is_not_sent_twice(tmp_path: Path) -> None:
    rig, pool = rig_with(tmp_path, 3, capacity=3)
    rig.node.pipeline.step()
    for number in (1, 2, 3):
        pool.finish(number)
    rig.node.pipeline.step()
    for name in ("commit", "prove", "execute"):
        original = getattr(rig.chain, name)

        def lost(*args: object, original: object = original) -> None:
            original(*args)  # type: ignore[operator]
            raise ConnectionError

        setattr(rig.chain, name, lost)
        with pytest.raises(ConnectionError):
            rig.node.lander.step()
        setattr(rig.chain, name, original)
    assert not rig.node.lander.step()
    assert rig.chain.sent == ["commit", "prove", "execute"]
    rig.check()


@pytest.mark.parametrize(
    ("limit", "value", "sent"),
    [
        # The first block has 504 bytes of data, the others 120; each has a header beside it.
        ("DATA_BYTES", 5_000, 2 * ["commit", "prove", "execute"]),
        ("DATA_BYTES", 3_500, 3 * ["commit", "prove", "execute"]),
        # Three proofs, not four.
        ("MOST_GAS", costs.prove_gas(4) - 1, 2 * ["commit", "prove", "execute"] + ["all"]),
        ("MOST_GAS", costs.prove_gas(4), ["commit", "prove", "execute"] * 2),
    ],
)
def test_land_as_many_at_once_as_calldata_and_gas_allow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, sent: list[str]
) -> None:
    monkeypatch.setattr(f"rollup.node.landing.{limit}", value)
    rig, pool = rig_with(tmp_path, 7, capacity=7)
    rig.node.pipeline.step()
    for number in range(1, 8):
        pool.finish(number)
    rig.node.pipeline.step()
    rig.land()
    assert rig.chain.sent == sent
    rig.check()


@pytest.mark.parametrize(("blocks", "sent"), [(1, ["all"]), (2, ["commit", "prove", "execute"])])
def test_land_together_only_what_costs_less_so(tmp_path: Path, blocks: int, sent: list[str]) -> None:
    rig, pool = rig_with(tmp_path, blocks, capacity=blocks)
    rig.node.pipeline.step()
    for number in range(1, blocks + 1):
        pool.finish(number)
    rig.node.pipeline.step()
    rig.land()
    assert rig.chain.sent == sent


def test_land_a_transactions_gas_is_within_what_one_may_use() -> None:
    """With the fifth that senders allow more, as many proofs as fit still fit."""
    assert _most_proofs() == 117
    assert costs.prove_gas(_most_proofs()) * 6 // 5 <= TRANSACTION_GAS_LIMIT


def test_land_block_of_another_validator_stops(tmp_path: Path) -> None:
    rig, pool = rig_with(tmp_path, 1)
    rig.node.pipeline.step()
    pool.finish(1)
    rig.node.pipeline.step()
    record = rig.database.blocks(1, 1)[0]
    new = rig.node.lander.published(record)
    rig.database.set_block(1, commitment=bytes(32))
    rig.chain.commit(rig.node.lander.block(0), [new])
    with pytest.raises(ForeignBlockError):
        rig.node.lander.step()
    rig.database.set_block(1, commitment=record.commitment)
    rig.node.lander.step()
    with pytest.raises(ReceiptBrokenError):
        rig.receipts[0].check_kept(bytes(len(new.l2)), new.l1)


def test_land_l1_has_more_than_the_database_stops(tmp_path: Path) -> None:
    rig, pool = rig_with(tmp_path, 1)
    rig.node.pipeline.step()
    pool.finish(1)
    rig.node.pipeline.step()
    rig.land()
    rig.chain.blocks.append(rig.chain.blocks[-1])
    with pytest.raises(L1AheadError) as caught:
        rig.node.lander.step()
    assert (caught.value.known, caught.value.committed) == (1, 2)
