"""What is read: accounts confirmed and final, histories, blocks, the queue, and what the node says of itself."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx
import pytest
from api_rig import MANIFEST, ApiRig, until
from node_rig import ALICE, BOB, CAROL, DOMAIN, ETHER, NOW, OPERATOR, SIGNER, WEEK, HeldPool, deposits, user
from sqlalchemy import insert

from rollup.api import L1Status
from rollup.api.pricing import Pricing
from rollup.api.reads import THREADS
from rollup.core import Batch, Deposit, Order, Swap, TransferToAddress, Withdraw, linked
from rollup.core.addresses import show_address
from rollup.core.amounts import pack_fee
from rollup.core.receipt import receipt_from_wire
from rollup.l1.client import Queued
from rollup.l1.costs import ONE_CALL_GAS
from rollup.l1.errors import NodeUnreachable
from rollup.node.errors import BacklogError
from rollup.node.signing import LocalSigner
from rollup.node.tables import stages


def finish(api: ApiRig) -> None:
    """Close the open block, and wait until L1 has executed all."""
    api.rig.node.sequencer.close()
    last = api.rig.database.last_block()
    assert last is not None
    until(lambda: api.rig.node.lander.heads.executed == last.number)


def orders() -> tuple[Order, Order]:
    return (
        ALICE.key.sign(Order(1, 2048, 1, 0, 1, 100, 100, 0), DOMAIN),
        BOB.key.sign(Order(2, 2050, 7, 1, 0, 100, 100, 0), DOMAIN),
    )


def deposit_dai(api: ApiRig) -> None:
    index = len(api.rig.chain.entries)
    api.rig.chain.entries.append(Queued(index, Deposit(0, 1, ETHER, BOB.address, BOB.key.public_key, True), NOW + WEEK))
    api.rig.node.look()


# Accounts


def test_account_final_follows_when_l1_has_executed(api: ApiRig) -> None:
    api.post(ALICE.pay(BOB, 0, 100, fee=1))
    before = api.get("/v1/accounts/1")
    assert before["confirmed"] == {"nonce": 1, "balances": {"ETH": str(ETHER - 101)}, "orders": []}
    assert before["final"] == {"nonce": 0, "balances": {}, "orders": []}
    finish(api)
    api.post(ALICE.pay(BOB, 1, 100, fee=1))
    after = api.get("/v1/accounts/1")
    assert after["final"] == before["confirmed"]
    assert after["confirmed"]["balances"] == {"ETH": str(ETHER - 202)}
    api.restart()
    assert api.get("/v1/accounts/1") == after
    assert api.get("/v1/accounts", address=after["address"].lower()) == {"accounts": [after]}


def test_account_shows_key_and_order_slots(api: ApiRig) -> None:
    deposit_dai(api)
    api.post(Swap(*orders(), 40, 40))
    bob = api.get("/v1/accounts/2")
    assert bob["key"] == [f"0x{word:064x}" for word in BOB.key.public_key]
    assert bob["confirmed"]["orders"] == [{"slot": 2050, "order_id": 7, "filled": "40"}]
    assert bob["confirmed"]["balances"] == {"ETH": str(ETHER + 40), "DAI": str(ETHER - 40)}
    api.post(ALICE.key.sign(TransferToAddress(1, 0, 0xFACE, 0, 5, 0, 0), DOMAIN))
    (new,) = api.get("/v1/accounts", address=show_address(0xFACE))["accounts"]
    assert (new["has_key"], new["key"], new["id"]) == (False, None, 4)
    assert api.get("/v1/accounts", address=show_address(0xBAD)) == {"accounts": []}


def test_account_that_is_not_there_is_unknown(still_api: ApiRig) -> None:
    api = still_api
    for path in ("/v1/accounts/9", "/v1/accounts/9/transactions"):
        error = api.get(path, 404)["error"]
        assert (error["code"], error["values"]) == ("account_unknown", {"account_id": 9})
    mixed = "0x" + show_address(0xABCDEF * ((1 << 120) + 1))[2:].swapcase()
    assert api.get("/v1/accounts", 400, address=mixed)["error"]["code"] == "address_text"
    assert api.get("/v1/accounts", 400)["error"]["code"] == "parameter_invalid"
    assert api.get("/v1/accounts/x", 400)["error"]["values"]["name"] == "account_id"


# Histories


def test_history_has_everything_that_names_the_account_in_and_out(api: ApiRig) -> None:
    deposit_dai(api)
    to_new, out = TransferToAddress(3, 0, BOB.address, 0, 5, 0, 0), Withdraw(1, 0xDD, 0, 10, 1, 1)
    first, second = linked([to_new, out])
    batch = Batch((CAROL.key.sign(first, DOMAIN), ALICE.key.sign(second, DOMAIN)))  # type: ignore[arg-type]
    api.post(ALICE.pay(BOB, 0))
    api.post(Swap(*orders(), 40, 40))
    api.post(batch)
    api.post(CAROL.pay(OPERATOR, 1))
    shown = api.get("/v1/accounts/2/transactions")
    assert [each["type"] for each in shown["transactions"]] == ["batch", "swap", "transfer", "deposit", "deposit"]
    assert shown["next_cursor"] is None
    assert [each["accounts"] for each in shown["transactions"]] == [[1, 2, 3], [1, 2], [1, 2], [2], [2]]
    assert shown["transactions"][3]["hash"] == "queue:4"
    assert shown["transactions"][3]["operation"] == {
        "type": "deposit", "token": 1, "owner": show_address(BOB.address), "amount": str(ETHER), "account_id": 2,
        "refused": False,
    }  # fmt: skip
    assert api.get("/v1/accounts/3/transactions")["transactions"][0]["type"] == "transfer"


def test_history_pages_neither_shift_nor_repeat_while_operations_come(api: ApiRig) -> None:
    sent = [api.post(ALICE.pay(BOB, nonce))["hash"] for nonce in range(10)]
    seen: list[str] = []
    cursor: dict[str, Any] = {}
    while True:
        page = api.get("/v1/accounts/1/transactions", limit=3, **cursor)
        seen += [each["hash"] for each in page["transactions"]]
        api.post(ALICE.pay(BOB, api.get("/v1/accounts/1")["confirmed"]["nonce"]))
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == [*reversed(sent), "queue:1"]
    newest = api.get("/v1/accounts/1/transactions", limit=1)["transactions"][0]["hash"]
    assert newest not in seen


@pytest.mark.parametrize("cursor", ["x", "1", "1-", "-1", "1-1-1", "99999999999-1", ""])
def test_history_of_another_cursor_than_given_is_refused(still_api: ApiRig, cursor: str) -> None:
    assert still_api.get("/v1/accounts/1/transactions", 400, cursor=cursor)["error"]["values"]["name"] == "cursor"


def test_history_of_a_cursor_beyond_all_places_begins_there(still_api: ApiRig) -> None:
    all_of_it = still_api.get("/v1/accounts/1/transactions")
    assert still_api.get("/v1/accounts/1/transactions", cursor="9999999999-9999999999") == all_of_it
    assert still_api.get("/v1/accounts/1/transactions", cursor="0-9999999999")["transactions"] == []


def test_history_page_of_more_than_the_limit_is_refused(still_api: ApiRig) -> None:
    for limit in (0, 101, "x"):
        assert still_api.get("/v1/accounts/1/transactions", 400, limit=limit)["error"]["code"] == "parameter_invalid"


# Operations


def test_transaction_comes_from_confirmed_to_final(tmp_path: Path) -> None:
    with ApiRig(tmp_path, pool=HeldPool(1)) as api:
        told = api.post(ALICE.pay(BOB, 0))
        path = f"/v1/transactions/{told['hash']}"
        shown = api.get(path)
        assert (shown["status"], shown["is_final"], shown["accounts"]) == ("confirmed", False, [1, 2])
        assert shown["receipt"] == told["receipt"]
        assert shown["operation"]["amount"] == "100"
        assert api.get("/v1/transactions/queue:1")["receipt"] is None
        assert api.get(path + "/receipt") == told["receipt"]
        api.rig.node.sequencer.close()
        until(lambda: api.rig.pool.jobs != {})
        assert api.get("/v1/blocks/1")["status"] == "sealed"
        api.rig.pool.finish(1)
        until(lambda: api.get(path)["status"] == "final")
        final = api.get(path)
        assert (final["is_final"], final["receipt"]) == (True, told["receipt"])
        assert api.post(ALICE.pay(BOB, 0))["status"] == "final"


def test_transaction_of_unknown_name_is_unknown(still_api: ApiRig) -> None:
    api = still_api
    name = "0x" + 64 * "a"
    for path in (name, name + "/receipt", name + "/trace", "queue:99", "queue:99/trace"):
        error = api.get(f"/v1/transactions/{path}", 404)["error"]
        assert (error["code"], error["values"]["hash"]) == ("transaction_unknown", path.split("/")[0])
    for path in ("0x12", "queue:01", "queue:-1", "queue:1/receipt"):
        error = api.get(f"/v1/transactions/{path}", 400)["error"]
        assert error["code"] == "parameter_invalid"
        assert "write 0x and 64 hexadecimal digits" in error["message"]


def test_swap_taken_twice_has_two_occurrences_and_each_its_receipt(api: ApiRig) -> None:
    deposit_dai(api)
    first, second = api.post(Swap(*orders(), 40, 40)), api.post(Swap(*orders(), 60, 60))
    assert first["hash"] == second["hash"]
    path = f"/v1/transactions/{first['hash']}"
    shown = api.get(path)
    assert shown["occurrences"] == [{name: each[name] for name in ("block", "position")} for each in (first, second)]
    assert shown["receipt"] == second["receipt"]
    place = {"block": first["block"], "position": first["position"]}
    assert api.get(path, **place)["receipt"] == api.get(path + "/receipt", **place) == first["receipt"]
    assert api.get(path, 404, block=77)["error"]["code"] == "transaction_unknown"


def test_swap_taken_many_times_is_read_at_the_cost_of_one(api: ApiRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """All its receipts were signed again for the one that was asked for, and nothing could be submitted meanwhile."""
    deposit_dai(api)
    told = [api.post(Swap(*orders(), 1, 1)) for _ in range(4)]
    signed: list[int] = []
    sign = LocalSigner.sign
    monkeypatch.setattr(LocalSigner, "sign", lambda self, digests: signed.append(len(digests)) or sign(self, digests))
    monkeypatch.setattr("rollup.api.reads.OCCURRENCES", 2)
    shown = api.get(f"/v1/transactions/{told[0]['hash']}")
    assert [each["position"] for each in shown["occurrences"]] == [each["position"] for each in told[2:]]
    assert shown["receipt"] == told[-1]["receipt"]
    place = {"block": told[0]["block"], "position": told[0]["position"]}
    assert api.get(f"/v1/transactions/{told[0]['hash']}/receipt", **place) == told[0]["receipt"]
    assert [each for each in signed if each] == [1, 1]


def test_trace_shows_the_stages_that_were_noted(api: ApiRig) -> None:
    told = api.post(ALICE.pay(BOB, 0))
    row = {"block": 1, "stage": "closed", "at": NOW + 5.5, "l1_transaction": None, "l1_block": None}
    landed = {"block": 1, "stage": "committed", "at": NOW + 9, "l1_transaction": "0x" + 64 * "1", "l1_block": 12}
    with api.rig.database.transaction() as connection:
        connection.execute(insert(stages), [row, landed])
    stages_shown = api.get(f"/v1/transactions/{told['hash']}/trace")["stages"]
    assert [(each["stage"], each["at"]) for each in stages_shown] == [
        ("durable", NOW), ("closed", NOW + 5.5), ("committed", NOW + 9),
    ]  # fmt: skip
    expected = {"transaction": "0x" + 64 * "1", "l1_block": 12, "at": NOW + 9}
    assert api.get(f"/v1/transactions/{told['hash']}")["l1"] == {
        "committed": expected,
        "proven": None,
        "executed": None,
    }
    assert api.get("/v1/blocks/1")["l1"]["committed"] == expected


# Blocks


def test_blocks_are_paged_and_show_how_far_they_are(api: ApiRig) -> None:
    for nonce in range(4):
        api.post(ALICE.pay(BOB, nonce))
    finish(api)
    for nonce in range(4, 14):
        api.post(ALICE.pay(BOB, nonce))
    until(lambda: api.rig.node.lander.heads.executed == 2)
    first = api.get("/v1/blocks", limit=2)
    assert [(each["number"], each["status"], each["operations"]) for each in first["blocks"]] == [
        (3, "open", 2), (2, "final", 8),
    ]  # fmt: skip
    rest = api.get("/v1/blocks", limit=2, cursor=first["next_cursor"])
    assert ([each["number"] for each in rest["blocks"]], rest["next_cursor"]) == ([1], None)
    (block,) = rest["blocks"]
    assert api.get("/v1/blocks/1") == block
    assert (block["size"], block["fee_account"], block["queue_start"], block["is_final"]) == (8, 0, 0, True)
    assert block["root"] == f"0x{api.rig.chain.blocks[1].new_root:064x}"
    assert api.get("/v1/blocks/9", 404)["error"]["values"] == {"number": 9, "last": 3}
    pages = [api.get("/v1/blocks/1/transactions", limit=5)]
    pages.append(api.get("/v1/blocks/1/transactions", limit=5, cursor=pages[0]["next_cursor"]))
    found = [each["position"] for page in pages for each in page["transactions"]]
    assert (found, pages[1]["next_cursor"]) == (list(range(8)), None)
    assert api.get("/v1/blocks/9/transactions", 404)["error"]["code"] == "block_unknown"


# The queue


def test_queue_shows_what_is_taken_and_what_waits(tmp_path: Path) -> None:
    api = ApiRig(tmp_path, pool=HeldPool(1))
    waiting = deposits(user(4), first=4)
    api.others = {"l1_queue": lambda start: [*api.rig.chain.entries, *waiting][start:], "confirmations": 7}
    with api:
        queue = api.get("/v1/queue")
        assert (queue["first_index"], queue["next_index"], queue["waiting"], queue["confirmations"]) == (0, 4, 1, 7)
        assert queue["oldest_expiry"] == NOW + WEEK
        assert [(each["index"], each["status"], each["block"]) for each in queue["entries"]] == [
            (0, "confirmed", 1), (1, "confirmed", 1), (2, "confirmed", 1), (3, "confirmed", 1), (4, "waiting", None),
        ]  # fmt: skip
        page = api.get("/v1/queue", limit=2, cursor="1")
        assert ([each["index"] for each in page["entries"]], page["next_cursor"]) == ([2, 3], "3")
        last = api.get("/v1/queue", limit=2, cursor="3")
        assert ([each["index"] for each in last["entries"]], last["next_cursor"]) == ([4], None)
        shown = api.get("/v1/transactions/queue:4")
        assert (shown["status"], shown["block"], shown["receipt"]) == ("waiting", None, None)


def test_queue_whose_l1_is_down_says_that_it_does_not_know(tmp_path: Path) -> None:
    api = ApiRig(tmp_path)

    def down(_: int) -> Any:
        raise NodeUnreachable("http://fake", "down")

    api.others = {"l1_queue": down}
    with api:
        queue = api.get("/v1/queue")
        assert (queue["waiting"], queue["oldest_expiry"], len(queue["entries"])) == (None, None, 4)
        finish(api)
        empty = api.get("/v1/queue")
        assert (empty["first_index"], empty["entries"]) == (4, [])
        assert api.get("/v1/transactions/queue:4", 404)["error"]["code"] == "transaction_unknown"


def test_queue_whose_l1_is_slow_keeps_one_thread_and_nobody_else(tmp_path: Path) -> None:
    api = ApiRig(tmp_path)
    asked, answers = threading.Semaphore(0), threading.Semaphore(0)

    def slow(_: int) -> Any:
        asked.release()
        assert answers.acquire(timeout=30)
        return api.rig.chain.entries

    api.others = {"l1_queue": slow}
    with api, ThreadPoolExecutor(1) as pool:
        first = pool.submit(httpx.get, f"{api.url}/v1/queue", timeout=30)
        assert asked.acquire(timeout=30)
        # More than there are threads that read: each is told what is known by now, which is nothing.
        for _ in range(THREADS + 1):
            assert [api.get("/v1/queue")[name] for name in ("waiting", "seen_at")] == [None, None]
        assert api.get("/v1/accounts/1")["confirmed"]["nonce"] == 0
        answers.release()
        told = first.result().json()
        assert told["waiting"] == 0
        assert abs(told["seen_at"] - time.time()) < 60
        assert api.get("/v1/queue")["seen_at"] == told["seen_at"]


def test_ready_is_answered_while_the_sequencer_is_busy(api: ApiRig) -> None:
    """As it is while it asks a slow L1 whether an owner has approved a key."""
    busy, end = threading.Event(), threading.Event()

    def hold(_: object) -> None:
        busy.set()
        assert end.wait(30)

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(api.rig.node.sequencer.read, hold)
        try:
            assert busy.wait(30)
            for _ in range(THREADS + 1):
                assert api.get("/ready") == {"ready": True, "reasons": []}
        finally:
            end.set()
        held.result()


# The rollup and the node


def test_config_says_what_a_client_must_know(still_api: ApiRig) -> None:
    api = still_api
    config = api.get("/v1/config")
    assert (config["chain_id"], config["rollup"]) == (MANIFEST.chain_id, MANIFEST.rollup)
    assert config["fee_tokens"] == ["ETH", "DAI"]
    assert config["validator"] == show_address(SIGNER.address)
    assert config["block_sizes"] == [4, 8]
    assert config["limits"]["batch_operations"] == 500
    assert config["protocol"]["fee_mantissa_bits"] == 11
    assert api.get("/v1/tokens")["tokens"] == config["tokens"]


def test_tokens_of_one_symbol_are_told_apart_by_their_id(still_api: ApiRig) -> None:
    api = still_api
    api.backend.manifest.tokens.append(replace(MANIFEST.tokens[1], token_id=2))
    try:
        assert [each["symbol"] for each in api.get("/v1/tokens")["tokens"]] == ["ETH", "token_1", "token_2"]
    finally:
        api.backend.manifest.tokens.pop()


def test_fee_covers_what_was_measured_and_can_be_encoded(tmp_path: Path) -> None:
    api = ApiRig(tmp_path)
    base_fee = 7 * 10**9
    pricing = Pricing(step_wei=10**12, filled_steps=100, margin_percent=20, prices={1: Fraction(1, 3000)})
    api.others = {"l1_status": lambda: L1Status(5, base_fee), "pricing": pricing}
    with api:
        quotes = {kind: api.get("/v1/fees", type=kind) for kind in ("transfer", "swap", "withdraw", "change_pub_key")}
        transfer = quotes["transfer"]
        # 15 bytes at 40 gas, 46 of execution, a hundredth of what a block costs whatever is in it.
        share = -(-ONE_CALL_GAS // 100)
        assert transfer["gas"] == 600 + 46 + share
        assert transfer["components"] == {
            "l1_data": str(600 * base_fee * 6 // 5), "l1_execution": str((46 + share) * base_fee * 6 // 5),
            "proving": str(10**12),
        }  # fmt: skip
        total = sum(int(each) for each in transfer["components"].values())
        assert total <= int(transfer["fee"]) < total * 1005 // 1000
        for each in quotes.values():
            pack_fee(int(each["fee"]))
        assert quotes["swap"]["gas"] == 3 * 646 + -(-3 * ONE_CALL_GAS // 100)
        assert int(quotes["withdraw"]["fee"]) > int(quotes["transfer"]["fee"])
        in_dai = api.get("/v1/fees", type="transfer", token="DAI")
        assert 3000 * total <= int(in_dai["fee"]) < 3000 * total * 1005 // 1000
        assert api.get("/v1/fees", 404, type="transfer", token="XYZ")["error"]["code"] == "token_unknown"
        for kind in ("order", "batch", "deposit"):
            assert api.get("/v1/fees", 400, type=kind)["error"]["code"] == "parameter_invalid"


def test_fee_without_l1_or_price_is_refused_with_the_reason(still_api: ApiRig) -> None:
    api = still_api
    assert api.get("/v1/fees", 503, type="transfer")["error"]["code"] == "base_fee_unknown"
    error = api.get("/v1/fees", 422, type="transfer", token="DAI")["error"]
    assert (error["code"], error["values"]) == ("token_unpriced", {"symbol": "DAI", "accepted": ["ETH"]})


def test_status_shows_blocks_faults_and_l1(tmp_path: Path) -> None:
    api = ApiRig(tmp_path)
    api.others = {
        "l1_status": lambda: L1Status(9, 10**9, show_address(5), 10**18, NOW),
        "notices": lambda: [BacklogError(3, "slow")],
    }
    with api:
        api.post(ALICE.pay(BOB, 0))
        status = api.get("/v1/status")
        assert (status["accepting"], status["reasons"]) == (True, [])
        assert status["blocks"] == {
            "open": 1, "closed": 0, "sealed": 0, "ready": 0, "committed": 0, "proven": 0, "final": 0,
        }  # fmt: skip
        assert status["l1"]["sender_balance_wei"] == str(10**18)
        assert status["notices"][0]["code"] == "backlog"
        assert status["faults"] == {"node": None, "l1": None, "storage": None, "proving": None}
        finish(api)
        assert api.get("/v1/status")["blocks"]["final"] == 1
        api.rig.chain.down = True
        until(lambda: api.get("/v1/status")["faults"]["l1"] is not None)
        assert api.get("/v1/status")["accepting"] is True


def test_ready_says_why_it_is_not(api: ApiRig) -> None:
    assert api.get("/ready") == {"ready": True, "reasons": []}
    assert api.get("/health") == {"status": "alive"}
    api.rig.node.fault = BacklogError(3, "stuck")
    ready = api.get("/ready", 503)
    assert [each["code"] for each in ready["reasons"]] == ["fault"]
    refused = api.http.post("/v1/transactions", json={})
    assert refused.status_code == 400
    assert api.post(ALICE.pay(BOB, 0), 503)["error"]["code"] == "fault"
    api.rig.node.fault = None


def test_not_ready_before_the_operator_has_an_account(tmp_path: Path) -> None:
    with ApiRig(tmp_path, users=(ALICE, BOB)) as api:
        assert [each["code"] for each in api.get("/ready", 503)["reasons"]] == ["no_fee_account"]
        response = api.post(ALICE.pay(BOB, 0), 503)
        assert response["error"]["code"] == "no_fee_account"


def test_metrics_are_the_services(tmp_path: Path) -> None:
    api = ApiRig(tmp_path)
    api.others = {"metrics": lambda: b"sluice_up 1\n"}
    with api:
        response = api.http.get("/metrics")
        assert (response.text, response.headers["content-type"][:10]) == ("sluice_up 1\n", "text/plain")


def test_observer_is_told_of_every_request_by_its_route(api: ApiRig) -> None:
    api.post(ALICE.pay(BOB, 0))
    api.get("/v1/accounts/1")
    api.get("/v1/nothing", 404)
    api.get("/v1/transactions", 405)
    told = [seen[:3] for seen in api.seen]
    assert told == [
        ("POST", "/v1/transactions", 200), ("GET", "/v1/accounts/{account_id}", 200), ("GET", "", 404),
        ("GET", "/v1/transactions", 405),
    ]  # fmt: skip
    assert all(seconds > 0 for *_, seconds in api.seen)


def test_receipt_of_the_answer_is_the_one_of_the_database_after_a_restart(api: ApiRig) -> None:
    told = [api.post(ALICE.pay(BOB, nonce)) for nonce in range(3)]
    api.restart()
    for each in told:
        receipt = api.get(f"/v1/transactions/{each['hash']}/receipt")
        assert receipt == each["receipt"]
        assert receipt_from_wire(receipt).signer() == SIGNER.address
