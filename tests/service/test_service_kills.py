"""kill -9 of a whole serving process at random, with the HTTP API in front and a real anvil behind: no receipt is lost
or contradicted, nothing is done twice, and the service comes back by itself. Kills at each boundary of the node: see
tests/node/test_node_kills.py; of the L1 sender: tests/landing/test_landing_kills.py.
"""

import os
import random
import signal
import threading
from pathlib import Path

import httpx
import pytest
from service_rig import L1, USERS, Place, Users, Zygote, check_kept, until

from rollup.core.receipt import receipt_from_wire
from rollup.core.wire import to_wire

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("service-kills")]
GROUP = 6


@pytest.mark.parametrize("kills", [12, pytest.param(200, marks=pytest.mark.long)])
def test_kill_of_the_process_at_random_keeps_every_receipt(l1: L1, zygote: Zygote, tmp_path: Path, kills: int) -> None:
    place, rng = Place(tmp_path, l1), random.Random(kills)
    users = Users(place)
    for life in range(kills):
        pid = zygote.begin(place)
        if life % 4 == 3:
            # While it starts.
            threading.Event().wait(rng.uniform(0.0, 0.8))
            os.kill(pid, signal.SIGKILL)
        else:
            users.meet()
            timer = threading.Timer(rng.uniform(0.05, 1.2), os.kill, (pid, signal.SIGKILL))
            timer.start()
            _pay_until_it_dies(users, rng)
            timer.join()
        assert zygote.ended() == -signal.SIGKILL
    pid = zygote.begin(place)
    users.meet()
    until(lambda: l1.view("executedBlocks") >= max(receipt.block_number for receipt in users.receipts) - 8)
    for payer in USERS:
        users.pay(payer, USERS[0] if payer != USERS[0] else USERS[1])
    users.finish()
    # What was promised before is promised again, to the byte.
    for receipt in users.receipts:
        answer = users.http.get(f"/v1/transactions/0x{receipt.operation_hash.hex()}").json()
        assert receipt_from_wire(answer["receipt"]) == receipt
    os.kill(pid, signal.SIGTERM)
    assert zygote.ended() == 0
    assert len(users.receipts) > kills
    check_kept(l1, users.receipts)


def _pay_until_it_dies(users: Users, rng: random.Random) -> None:
    try:
        while True:
            payer, payee = rng.sample(USERS, 2)
            first = users.nonce(payer)
            operations = [users.payment(payer, payee, first + n) for n in range(rng.randint(1, GROUP))]
            body = {"operations": [to_wire(each) for each in operations]}
            for result in users.http.post("/v1/transactions/batch", json=body).json()["results"]:
                # It is faster than L1 is: then it says so, and nothing else.
                assert "receipt" in result or result["error"]["code"] in ("backlog", "nonce_mismatch"), result
                if "receipt" in result:
                    users.keep(result)
    except httpx.HTTPError:
        return


def test_stop_by_a_signal_ends_in_order_and_goes_on_where_it_was(l1: L1, zygote: Zygote, tmp_path: Path) -> None:
    place = Place(tmp_path, l1)
    users = Users(place)
    for number in (signal.SIGINT, signal.SIGTERM):
        pid = zygote.begin(place)
        users.meet()
        users.pay()
        os.kill(pid, number)
        assert zygote.ended() == 0
    pid = zygote.begin(place)
    users.meet()
    until(lambda: users.stage(users.receipts[0]) == "final")
    users.finish()
    os.kill(pid, signal.SIGTERM)
    assert zygote.ended() == 0
    check_kept(l1, users.receipts)


def test_second_node_on_the_same_database_is_refused(l1: L1, zygote: Zygote, tmp_path: Path) -> None:
    from rollup.node.errors import DatabaseInUse
    from rollup.service.config import load_config
    from rollup.service.service import open_database

    place = Place(tmp_path, l1)
    pid = zygote.begin(place)
    until(Users(place).is_ready)
    with pytest.raises(DatabaseInUse):
        open_database(load_config(place.config).database_url)
    os.kill(pid, signal.SIGTERM)
    assert zygote.ended() == 0
