"""What goes wrong around a service while it serves: L1, disk, clock, database, provers. Faults of one part are with it:
tests/landing (nodes, fees, nonces, reorganisations), tests/node (pipeline, recovery, journal), tests/restore (lies).
"""

import json
import os
import resource
import signal
import socket
import threading
import time
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from rpc_server import Reply, RpcServer
from service_rig import L1, Place, Users, Zygote, accepted, check_kept, running, until

from rollup.cli.database import rebuild
from rollup.service.clock import Clock
from rollup.service.config import load_config
from rollup.service.errors import KeysNotSeparate, L1Needed, ListenUnusable
from rollup.service.folder import make_folder
from rollup.service.service import Service, open_database

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("service-faults")]
DISK_FULL_AT = 4096
STOP_SECONDS = 20


def down(*_: Any) -> Any:
    raise Reply(503)


def slow(answer: Any, method: str, params: Any) -> Any:
    threading.Event().wait(0.2)
    return answer(method, *params)


def test_l1_that_goes_away_and_comes_back_slow_keeps_nobody_waiting(l1: L1, tmp_path: Path) -> None:
    with RpcServer(l1.rpc) as node:
        place = Place(tmp_path, l1, [node.url])
        with running(place):
            users = Users(place)
            users.meet()
            node.fault = down
            for payer, payee in ((2, 3), (3, 4), (4, 2)):
                users.pay(payer, payee)
            until(lambda: "l1_unreachable" in users.notices())
            start = time.monotonic()
            users.pay()
            assert time.monotonic() - start < 5
            assert users.is_ready()
            node.fault = slow
            users.pay()
            users.finish()
            node.fault = None
            until(lambda: not users.notices())
    check_kept(l1, users.receipts)


def test_l1_that_is_away_at_the_start_is_waited_for_if_there_is_a_database(l1: L1, tmp_path: Path) -> None:
    with RpcServer(l1.rpc) as node:
        place = Place(tmp_path, l1, [node.url])
        node.fault = down
        with open_database(load_config(place.config).database_url) as database, pytest.raises(L1Needed):
            Service(load_config(place.config), database)
        node.fault = None
        users = Users(place)
        with running(place):
            users.meet()
            first = users.pay()
        node.fault = down
        with running(place):
            until(lambda: "l1_unreachable" in users.notices())
            assert not users.is_ready()
            assert users.post(users.payment(2, 3, 1)).json()["error"]["code"] == "not_connected"
            # What was promised can be read.
            assert users.stage(first) in ("confirmed", "committed", "proven", "final")
            node.fault = None
            until(users.is_ready)
            users.pay()
            users.finish()
    check_kept(l1, users.receipts)


def test_stop_while_a_transaction_waits_for_l1_does_not_wait_for_it(l1: L1, tmp_path: Path) -> None:
    def deaf(answer: Any, method: str, params: Any) -> Any:
        return down() if method == "eth_sendRawTransaction" else answer(method, *params)

    with RpcServer(l1.rpc, deaf) as node:
        place = Place(tmp_path, l1, [node.url])
        users = Users(place)
        with running(place) as service:
            users.meet()
            users.pay()
            until(lambda: service.node.lander.heads.committed == 0 and service.in_flight)
            start = time.monotonic()
        assert time.monotonic() - start < STOP_SECONDS
        node.fault = None
        with running(place):
            until(users.is_ready)
            users.finish()
    check_kept(l1, users.receipts)


def test_l1_first_node_down_the_second_is_asked(l1: L1, tmp_path: Path) -> None:
    with RpcServer(l1.rpc) as node:
        place = Place(tmp_path, l1, [node.url, l1.anvil.url])
        with running(place):
            users = Users(place)
            users.meet()
            node.fault = down
            users.pay()
            users.finish()
    check_kept(l1, users.receipts)


def test_l1_reorganised_lands_everything_again(l1: L1, tmp_path: Path) -> None:
    place = Place(tmp_path, l1)
    with running(place):
        users = Users(place)
        users.meet()
        until(lambda: l1.view("executedBlocks") == 1)
        before = int(l1.rpc("eth_blockNumber"), 16)
        for payer, payee in ((2, 3), (3, 4)):
            users.pay(payer, payee)
        users.finish()
        l1.rpc("anvil_reorg", int(l1.rpc("eth_blockNumber"), 16) - before, [])
        assert l1.view("executedBlocks") < users.receipts[-1].block_number
        users.finish()
        until(lambda: users.stage(users.receipts[-1]) == "final")
    check_kept(l1, users.receipts)


def test_disk_full_refuses_receipts_and_goes_on_when_there_is_room(l1: L1, zygote: Zygote, tmp_path: Path) -> None:
    """No file may grow: what a full disk is to a process, without one."""
    place = Place(tmp_path, l1)
    users = Users(place)
    pid = zygote.begin(place)
    users.meet()
    users.pay()
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (DISK_FULL_AT, hard))
    refused = until(lambda: _refused(users))
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "storage")
    until(lambda: "storage_failing" in users.notices())
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, hard))
    receipt = until(lambda: _taken(users))
    assert receipt in users.receipts
    users.finish()
    until(lambda: "storage_failing" not in users.notices())
    os.kill(pid, signal.SIGTERM)
    assert zygote.ended() == 0
    check_kept(l1, users.receipts)


def _refused(users: Users) -> httpx.Response | None:
    answer = users.post(users.payment(2, 3, users.nonce(2)))
    if answer.status_code == 200:
        users.keep(answer.json())
        return None
    return answer


def _taken(users: Users) -> Any:
    answer = users.post(users.payment(2, 3, users.nonce(2)))
    return users.keep(answer.json()) if answer.status_code == 200 else None


class Wall:
    """A wall clock that can be set."""

    def __init__(self) -> None:
        self.set_by = 0.0

    def __call__(self) -> float:
        return time.time() + self.set_by


@pytest.mark.parametrize("seconds", [3_600, -3_600])
def test_clock_that_jumps_promises_nothing_until_it_is_right_again(l1: L1, tmp_path: Path, seconds: int) -> None:
    place, wall = Place(tmp_path, l1), Wall()
    with running(place, clock=Clock(wall)):
        users = Users(place)
        users.meet()
        users.pay()
        wall.set_by = float(seconds)
        refused = users.post(users.payment(2, 3, 1))
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "clock")
        assert abs(refused.json()["error"]["values"]["seconds"] - seconds) < 60
        until(lambda: "clock_astray" in users.notices())
        wall.set_by = 0.0
        users.pay()
        users.finish()
        until(lambda: not users.notices())
    check_kept(l1, users.receipts)


def test_clock_that_is_wrong_at_the_start_is_waited_for(l1: L1, tmp_path: Path) -> None:
    place, wall = Place(tmp_path, l1), Wall()
    wall.set_by = 86_400.0
    with running(place, clock=Clock(wall)):
        users = Users(place)
        until(lambda: "clock_astray" in users.notices())
        assert not users.is_ready()
        wall.set_by = 0.0
        users.meet()
        users.pay()
        users.finish()
    check_kept(l1, users.receipts)


def test_database_gone_is_rebuilt_from_l1_and_the_journal(l1: L1, tmp_path: Path) -> None:
    place = Place(tmp_path, l1)
    users = Users(place)
    with running(place):
        users.meet()
        users.pay()
        users.finish()
    with RpcServer(l1.rpc, down) as nowhere:
        text = place.config.read_text()
        # The second half of what was promised is nowhere but in the journal.
        place.config.write_text(text.replace(l1.anvil.url, nowhere.url))
        nowhere.fault = None
        with running(place):
            until(users.is_ready)
            nowhere.fault = down
            users.pay(3, 4)
        place.config.write_text(text)
    config = load_config(place.config)
    for path in config.data.glob("node.db*"):
        path.unlink()
    arguments = ["--database", config.database_url, "--manifest", str(config.manifest), "--rpc", l1.anvil.url]
    done = CliRunner().invoke(rebuild, arguments)
    assert json.loads(done.output)["block"] >= 1, done.output
    with running(place):
        until(users.is_ready)
        again = users.http.get(f"/v1/transactions/0x{users.receipts[1].operation_hash.hex()}").json()
        assert users.keep(again) == users.receipts[1]
        users.pay(4, 2)
        users.finish()
    check_kept(l1, users.receipts)


def test_prover_that_crashes_is_tried_again_and_said(l1: L1, tmp_path: Path) -> None:
    attempts = count()

    def crash_twice(block: object) -> tuple[int, ...]:
        if next(attempts) < 2:
            raise MemoryError("the prover is out of memory")
        return accepted(block)

    place = Place(tmp_path, l1)
    with running(place, crash_twice):
        users = Users(place)
        users.meet()
        users.pay()
        until(lambda: "out of memory" in users.notices().get("proofs_failing", ""))
        users.finish()
        until(lambda: not users.notices())
        metrics = users.http.get("/metrics").text
        assert 'sluice_proofs_total{outcome="failed"} 2.0' in metrics
    check_kept(l1, users.receipts)


def test_node_on_postgresql_by_its_url_alone(l1: L1, tmp_path: Path, postgres: str) -> None:
    place = Place(tmp_path, l1, more=f'[database]\nurl = "{postgres}"')
    users = Users(place)
    for _ in range(2):
        with running(place):
            users.meet()
            users.pay()
            users.finish()
    assert not list(tmp_path.rglob("node.db"))
    check_kept(l1, users.receipts)


def test_address_of_the_api_that_is_taken_is_refused(l1: L1, tmp_path: Path) -> None:
    place = Place(tmp_path, l1)
    config = load_config(place.config)
    make_folder(config.data)
    with socket.create_server(("127.0.0.1", place.port)):
        with open_database(config.database_url) as database, pytest.raises(ListenUnusable) as caught:
            Service(config, database)
        assert caught.value.address == f"127.0.0.1:{place.port}"
    # Nothing is left locked.
    with running(place):
        until(Users(place).is_ready)


def test_sender_and_validator_of_one_key_are_refused(l1: L1, tmp_path: Path) -> None:
    place = Place(tmp_path, l1)
    place.config.write_text(place.config.read_text().replace("keys/validator.", "keys/sender."))
    config = load_config(place.config)
    with open_database(f"sqlite:///{tmp_path}/other.db") as database, pytest.raises(KeysNotSeparate) as caught:
        Service(config, database)
    assert caught.value.address.lower() == l1.contract.accounts[0].lower()
