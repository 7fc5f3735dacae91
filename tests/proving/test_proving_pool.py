"""A pool over Dask with processes and TLS of its own: who gets which block, and what becomes of it when one dies."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from proving_rig import FACTS, SECONDS, Cluster, block, names, refused, until

from rollup.proving.certificates import make_certificates
from rollup.proving.errors import PoolClosed, WorkerFailed

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("proving")]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with Cluster(tmp_path / "tls") as cluster:
        yield cluster


def test_prove_many_blocks_keeps_all_workers_busy_and_takes_results_in_any_order(cluster: Cluster) -> None:
    workers = [cluster.worker(f"w{n}", held=True) for n in range(3)]
    pool = cluster.pool()
    until(lambda: pool.capacity == 4, "three workers and one that waits")
    futures = [pool.submit(block(number)) for number in range(1, 6)]
    until(lambda: sum(len(worker.begun()) for worker in workers) == 3, "each has begun one")
    assert sorted(number for worker in workers for number in worker.begun()) == [1, 2, 3]
    until(lambda: [worker.busy for worker in pool.state.workers] == [1, 1, 1], "all are busy")
    cluster.release(3)
    assert futures[2].result(SECONDS) == (3,) * 8
    until(lambda: any(4 in worker.begun() for worker in workers), "the next one begins")
    assert not futures[0].done()
    cluster.release(1, 2, 4, 5)
    assert [future.result(SECONDS)[0] for future in futures] == [1, 2, 3, 4, 5]
    assert workers[0].stop() == 0
    until(lambda: pool.capacity == 3, "one is gone")


def test_prove_worker_with_other_keys_gets_no_job_and_is_named(cluster: Cluster) -> None:
    others = [
        cluster.worker("other", facts=FACTS | {"key 7": "eight"}),
        cluster.worker("older", facts=FACTS | {"version": "9"}),
        cluster.worker("none", facts={name: value for name, value in FACTS.items() if name != "key 7"}),
    ]
    pool = cluster.pool()
    until(lambda: names(pool) == {"other", "older", "none"}, "all three are seen")
    assert pool.capacity == 0
    assert refused(pool) == {
        "other": "its key 7 is 'eight', the node's 'seven'",
        "older": "its version is '9', the node's '0'",
        "none": "its key 7 is none, the node's 'seven'",
    }
    problems = pool.state.problems()
    assert "prover other gets no jobs: its key 7 is 'eight', the node's 'seven'" in problems
    assert "no prover can be used: blocks are not proven" in problems
    future = pool.submit(block(1))
    more = FACTS | {"key 35": "has more"}
    good = cluster.worker("good", facts=more)
    assert future.result(SECONDS) == (1,) * 8
    assert good.begun() == [1]
    assert [worker.begun() for worker in others] == [[], [], []]


def test_prove_killed_workers_job_is_taken_over(cluster: Cluster) -> None:
    first = cluster.worker("first", held=True)
    pool = cluster.pool()
    future = pool.submit(block(1))
    until(lambda: first.begun() == [1], "it has begun")
    second = cluster.worker("second", held=True)
    until(lambda: names(pool) == {"first", "second"}, "both are there")
    first.kill()
    until(lambda: second.begun() == [1], "the other takes it over")
    cluster.release(1)
    assert future.result(SECONDS) == (1,) * 8
    assert names(pool) == {"second"}


def test_prove_job_that_kills_its_workers_is_given_back(cluster: Cluster) -> None:
    pool = cluster.pool()
    future = pool.submit(block(1))
    for n in range(3):
        victim = cluster.worker(f"victim{n}", held=True)
        until(lambda victim=victim: victim.begun() == [1], "it has begun")
        victim.kill()
    with pytest.raises(WorkerFailed, match="3 workers were lost over it"):
        future.result(SECONDS)


def test_prove_wrong_proof_is_refused_and_another_worker_gets_the_block(cluster: Cluster) -> None:
    evil = cluster.worker("evil", evil=True)
    pool = cluster.pool()
    future = pool.submit(block(1))
    until(lambda: "evil" in refused(pool), "it is found out")
    assert "block 1: the proof of worker evil is refused: it is -1; it gets no more jobs" in refused(pool)["evil"]
    assert not future.done()
    cluster.worker("good")
    assert future.result(SECONDS) == (1,) * 8
    assert pool.submit(block(2)).result(SECONDS) == (2,) * 8
    assert evil.begun() == [1]
    assert pool.capacity == 2


def test_prove_worker_that_fails_or_hangs_is_told_and_others_are_preferred(cluster: Cluster) -> None:
    failing = cluster.worker("failing", fails=True)
    pool = cluster.pool(job_seconds=5)
    with pytest.raises(WorkerFailed, match="block 1: worker failing did not prove it: RuntimeError: out of memory"):
        pool.submit(block(1)).result(SECONDS)
    cluster.worker("good")
    until(lambda: pool.state.slots == 2, "both are there")
    for number in (1, 2, 3):
        assert pool.submit(block(number)).result(SECONDS) == (number,) * 8
    assert failing.begun() == [1]
    hanging = cluster.worker("hanging", hangs=True)
    until(lambda: pool.state.slots == 3, "all are there")
    futures = [pool.submit(block(number)) for number in (4, 5)]
    assert [future.result(SECONDS)[0] for future in futures] == [4, 5]
    assert len(hanging.begun()) == 1
    until(lambda: refused(pool) == {"hanging": "it has not proven a block within 5 s"}, "it gets no more")


def test_prove_scheduler_lost_and_back_goes_on(cluster: Cluster) -> None:
    worker = cluster.worker("worker", held=True)
    pool = cluster.pool()
    futures = [pool.submit(block(number)) for number in (1, 2)]
    until(lambda: worker.begun() == [1], "it has begun")
    cluster.scheduler.kill()
    until(lambda: not pool.state.connected, "the loss is seen")
    assert pool.capacity == 0
    assert "the scheduler of the provers cannot be used" in pool.state.problems()[0]
    cluster.release(1, 2)
    cluster.start_scheduler()
    assert [future.result(SECONDS)[0] for future in futures] == [1, 2]
    assert worker.process.poll() is None


def test_prove_dispatcher_killed_goes_on(cluster: Cluster) -> None:
    worker = cluster.worker("worker", held=True)
    evil = cluster.worker("evil", evil=True)
    pool = cluster.pool()
    until(lambda: pool.state.slots == 2, "both are there")
    futures = [pool.submit(block(number)) for number in (1, 2, 3)]
    until(lambda: "evil" in refused(pool) and worker.begun(), "one has begun, one is found out")
    assert pool._child is not None
    os.kill(pool._child.pid, signal.SIGKILL)
    cluster.release(1, 2, 3)
    assert [future.result(SECONDS)[0] for future in futures] == [1, 2, 3]
    assert len(evil.begun()) == 1


def test_prove_worker_of_another_authority_is_not_let_in(cluster: Cluster, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    make_certificates(foreign)
    stranger = cluster.worker("stranger", certificates=str(foreign))
    pool = cluster.pool()
    until(lambda: stranger.says("cannot be reached"), "it is turned away")
    assert pool.state.connected
    assert names(pool) == set()


def test_close_gives_open_blocks_back(cluster: Cluster) -> None:
    worker = cluster.worker("worker", held=True)
    pool = cluster.pool()
    future = pool.submit(block(7))
    until(lambda: worker.begun() == [7], "it has begun")
    pool.close()
    with pytest.raises(PoolClosed, match="block 7 is not proven yet"):
        future.result(0)
    assert pool._child is not None
    assert pool._child.returncode == 0
