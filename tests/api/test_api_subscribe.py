"""What subscribers are told, over real sockets: in order, nothing that is not durable; nobody waits for a slow one."""

import resource
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_rig import NO_RATE, ApiRig, until
from node_rig import ALICE, BOB, CAROL, DOMAIN, ETHER, HeldPool, deposits, user
from socket_client import SocketClient

from rollup.api import Limits
from rollup.core.operations import TransferToAddress
from rollup.core.receipt import Receipt, operation_hash
from rollup.node.errors import DatabaseUnusable

MANY = 1_000


def limits(**changes: Any) -> Limits:
    from dataclasses import replace

    return replace(NO_RATE, **changes)


@pytest.fixture
def client(api: ApiRig) -> Iterator[SocketClient]:
    with SocketClient(api.server.port) as made:
        assert made.status == 101
        yield made


def test_account_is_told_at_once_and_whenever_it_changes(api: ApiRig, client: SocketClient) -> None:
    assert client.ask({"id": 7, "subscribe": "account", "account_id": 2}) == {"id": 7, "subscribed": 1}
    first = client.hear()
    assert (first["subscription"], first["type"], first["account"]) == (1, "account", api.get("/v1/accounts/2"))
    api.post(ALICE.pay(BOB, 0, 100))
    changed = client.hear()
    assert changed["account"]["confirmed"]["balances"] == {"ETH": str(ETHER + 100)}
    api.post(CAROL.pay(ALICE, 0))
    api.rig.node.sequencer.close()
    final = client.hear()
    assert final["account"]["final"] == changed["account"]["confirmed"]
    assert final["account"] == api.get("/v1/accounts/2")


def test_account_that_is_not_there_yet_is_told_when_it_is(api: ApiRig, client: SocketClient) -> None:
    client.ask({"id": 1, "subscribe": "account", "account_id": 4})
    client.ask({"id": 2, "ping": True})
    api.post(ALICE.key.sign(TransferToAddress(1, 0, 0xFACE, 0, 5, 0, 0), DOMAIN))
    assert client.hear()["account"]["confirmed"]["balances"] == {"ETH": "5"}


def test_account_is_never_told_what_is_not_durable(
    api: ApiRig, client: SocketClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.ask({"id": 1, "subscribe": "account", "account_id": 2})
    client.hear()

    def fail(*_: Any) -> None:
        raise DatabaseUnusable("x", "full")

    with monkeypatch.context() as patch:
        patch.setattr(api.rig.database, "accept", fail)
        assert api.post(ALICE.pay(BOB, 0, 7), 503)["error"]["code"] == "storage"
    api.post(ALICE.pay(BOB, 0, 100))
    assert client.hear()["account"]["confirmed"]["balances"] == {"ETH": str(ETHER + 100)}


def test_operation_is_told_from_before_it_is_submitted_until_final(api: ApiRig, client: SocketClient) -> None:
    payment = ALICE.pay(BOB, 0)
    name = "0x" + operation_hash(payment, DOMAIN).hex()
    client.ask({"id": 1, "subscribe": "transaction", "hash": name.upper().replace("0X", "0x")})
    api.post(payment)
    told = client.hear()["transaction"]
    assert (told["hash"], told["status"], told["block"]) == (name, "confirmed", 1)
    api.rig.node.sequencer.close()
    assert client.hear()["transaction"]["status"] == "final"
    with SocketClient(api.server.port) as other:
        other.ask({"id": 2, "subscribe": "transaction", "hash": name})
        assert other.hear()["transaction"]["status"] == "final"


def test_queue_entry_is_told_when_it_is_taken(api: ApiRig, client: SocketClient) -> None:
    client.ask({"id": 1, "subscribe": "transaction", "hash": "queue:4"})
    api.rig.chain.entries += deposits(user(4), first=4)
    told = client.hear()["transaction"]
    assert (told["hash"], told["type"], told["accounts"]) == ("queue:4", "deposit", [4])


def test_blocks_are_told_as_they_come_further(tmp_path: Path) -> None:
    with ApiRig(tmp_path, pool=HeldPool(2)) as api, SocketClient(api.server.port) as client:
        client.ask({"id": 1, "subscribe": "blocks"})
        first = client.hear()["block"]
        assert (first["number"], first["status"], first["operations"]) == (1, "open", 4)
        api.rig.node.sequencer.close()
        until(lambda: api.rig.pool.jobs != {})
        api.rig.pool.finish(1)
        told = [client.hear()["block"]["status"]]
        while told[-1] != "final":
            told.append(client.hear()["block"]["status"])
        order = ["open", "closed", "sealed", "ready", "committed", "proven", "final"]
        assert told == sorted(told, key=order.index)


def test_all_operations_or_those_of_an_account_are_told_in_order(api: ApiRig, client: SocketClient) -> None:
    client.ask({"id": 1, "subscribe": "transactions"})
    client.ask({"id": 2, "subscribe": "transactions", "account_id": 3})
    sent = [api.post(ALICE.pay(BOB, 0)), api.post(BOB.pay(CAROL, 0)), api.post(ALICE.pay(BOB, 1))]
    told = [client.hear() for _ in range(4)]
    assert [each["transaction"]["hash"] for each in told if each["subscription"] == 1] == [
        each["hash"] for each in sent
    ]
    assert [each["transaction"]["hash"] for each in told if each["subscription"] == 2] == [sent[1]["hash"]]
    assert told[0]["transaction"] == api.get("/v1/accounts/1/transactions")["transactions"][1]


def test_unsubscribed_is_told_nothing_more(api: ApiRig, client: SocketClient) -> None:
    client.ask({"id": 1, "subscribe": "transactions"})
    client.ask({"id": 2, "subscribe": "account", "account_id": 1})
    client.hear()
    assert client.ask({"id": 3, "unsubscribe": 2}) == {"id": 3, "unsubscribed": 2}
    assert client.ask({"id": 4, "unsubscribe": 2})["error"]["code"] == "subscription_invalid"
    api.post(ALICE.pay(BOB, 0))
    assert client.hear()["subscription"] == 1
    client.ask({"id": 5, "unsubscribe": 1})
    api.post(ALICE.pay(BOB, 1))
    assert client.ask({"id": 6, "ping": True}) == {"id": 6, "pong": True}


@pytest.mark.parametrize(
    ("said", "name"),
    [
        (b"{", None),
        (b"[]", "(all)"),
        (b'{"id": 1, "id": 2}', None),
        ({"subscribe": "blocks"}, "id"),
        ({"id": -1, "subscribe": "blocks"}, "id"),
        ({"id": 1}, "(all)"),
        ({"id": 1, "ping": True, "more": 1}, "(all)"),
        ({"id": 1, "subscribe": "nothing"}, "subscribe"),
        ({"id": 1, "subscribe": ["blocks"]}, "subscribe"),
        ({"id": 1, "subscribe": "blocks", "account_id": 1}, "subscribe"),
        ({"id": 1, "subscribe": "account"}, "subscribe"),
        ({"id": 1, "subscribe": "account", "account_id": "1"}, "account_id"),
        ({"id": 1, "subscribe": "account", "account_id": 1 << 24}, "account_id"),
        ({"id": 1, "subscribe": "transaction", "hash": "0x1"}, "hash"),
        ({"id": 1, "subscribe": "transaction", "hash": "queue:01"}, "hash"),
        ({"id": 1, "unsubscribe": []}, "unsubscribe"),
    ],
)
def test_what_cannot_be_done_is_answered_and_the_connection_stays(still_api: ApiRig, said: Any, name: Any) -> None:
    with SocketClient(still_api.server.port) as client:
        error = client.ask(said)["error"]
        assert error["code"] == ("wire" if name is None else "subscription_invalid")
        assert error["values"].get("name") == name
        assert client.ask({"id": 2, "ping": True}) == {"id": 2, "pong": True}


def test_binary_message_is_answered(still_api: ApiRig) -> None:
    with SocketClient(still_api.server.port) as client:
        client.send(2, b"\x00")
        assert client.hear()["error"]["code"] == "subscription_invalid"


def test_more_subscriptions_than_the_limit_are_refused(tmp_path: Path) -> None:
    with ApiRig(tmp_path, limits(subscriptions=2)) as api, SocketClient(api.server.port) as client:
        ask = {"id": 1, "subscribe": "transactions"}
        for number in (1, 2):
            assert client.ask(ask | {"account_id": number})["subscribed"] == number
        assert client.ask(ask | {"account_id": 3})["error"]["code"] == "too_many_subscriptions"
        client.ask({"id": 1, "unsubscribe": 1})
        assert client.ask(ask | {"account_id": 3})["subscribed"] == 3


def test_subscribe_again_to_the_same_gives_the_same_and_events_once(api: ApiRig, client: SocketClient) -> None:
    name = "0x" + operation_hash(ALICE.pay(BOB, 0), DOMAIN).hex()
    asked = [
        {"subscribe": "transactions"},
        {"subscribe": "transactions", "account_id": 1},
        {"subscribe": "account", "account_id": 1},
        {"subscribe": "transaction", "hash": name},
        {"subscribe": "blocks"},
    ]
    again = [{"subscribe": "transaction", "hash": name.upper().replace("0X", "0x")}]
    numbers = [client.ask({"id": 1, **each})["subscribed"] for each in [*asked, *asked, *again]]
    assert numbers == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 4]
    for number in (2, 3, 4, 5):
        client.ask({"id": 1, "unsubscribe": number})
    for nonce in range(2):
        api.post(ALICE.pay(BOB, nonce))
    assert [client.hear()["transaction"]["operation"]["nonce"] for _ in range(2)] == [0, 1]
    client.ask({"id": 1, "unsubscribe": 1})
    assert client.ask({"id": 1, "subscribe": "transactions"})["subscribed"] == 6


def test_subscribers_of_one_client_above_the_limit_are_refused_until_one_goes(tmp_path: Path) -> None:
    with ApiRig(tmp_path, limits(subscribers_of_one=1)) as api:
        with SocketClient(api.server.port) as first, SocketClient(api.server.port) as second:
            assert (first.status, second.status) == (101, 429)
            assert b'"too_many_of_client"' in second.rest()
        until(lambda: is_let_in(api))


def is_let_in(api: ApiRig) -> bool:
    with SocketClient(api.server.port) as another:
        return another.status == 101


def test_more_subscribers_than_the_limit_are_refused_until_one_goes(tmp_path: Path) -> None:
    with ApiRig(tmp_path, limits(subscribers=1)) as api:
        with SocketClient(api.server.port) as first, SocketClient(api.server.port) as second:
            assert (first.status, second.status) == (101, 503)
            assert b"too_many_subscribers" in second.rest()

        until(lambda: is_let_in(api))


def test_another_path_is_refused(still_api: ApiRig) -> None:
    with SocketClient(still_api.server.port, "/v1/other") as client:
        assert (client.status, b"route_unknown" in client.rest()) == (404, True)


def test_message_above_the_limit_ends_the_connection(tmp_path: Path) -> None:
    with ApiRig(tmp_path, limits(message_bytes=100)) as api, SocketClient(api.server.port) as client:
        client.say(b" " * 101)
        assert client.hear() == 1009


def test_client_that_says_too_much_is_told_so(tmp_path: Path) -> None:
    with ApiRig(tmp_path, limits(requests_per_second=0.001, request_burst=3)) as api:
        with SocketClient(api.server.port) as client:
            answers = [client.ask({"id": n, "ping": True}) for n in range(3)]
        assert [each.get("pong") for each in answers] == [True, True, None]
        assert answers[2]["error"]["code"] == "rate_exceeded"


def test_slow_reader_is_cut_off_with_a_code_and_the_others_are_served(tmp_path: Path) -> None:
    with ApiRig(tmp_path, limits(unread_messages=5, write_seconds=60)) as api:
        with SocketClient(api.server.port) as slow, SocketClient(api.server.port) as quick:
            for client in (slow, quick):
                client.ask({"id": 1, "subscribe": "transactions"})
            # One turn of the event loop hands out more than may stay unread.
            api.rig.node.sequencer.submit([ALICE.pay(BOB, nonce) for nonce in range(6)])
            assert slow.hear() == quick.hear() == 4008
        with SocketClient(api.server.port) as client:
            client.ask({"id": 1, "subscribe": "transactions"})
            api.rig.node.sequencer.submit([ALICE.pay(BOB, nonce) for nonce in range(6, 11)])
            assert [client.hear()["transaction"]["operation"]["nonce"] for _ in range(5)] == [6, 7, 8, 9, 10]


def hard_of_hearing(api: ApiRig) -> SocketClient:
    """A client between which and the node little fits: what it is told soon waits in the node."""
    api.server._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    client = SocketClient(api.server.port)
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    return client


def test_client_that_never_reads_is_ended_and_forgotten(tmp_path: Path) -> None:
    with ApiRig(tmp_path, limits(write_seconds=0.2)) as api, hard_of_hearing(api) as client:
        client.say({"id": 0, "subscribe": "transactions"})
        for number in (1, 2):
            client.say({"id": number, "subscribe": "transactions", "account_id": number})
        nonce = 0

        def is_ended() -> bool:
            nonlocal nonce
            outcomes = api.rig.node.sequencer.submit([ALICE.pay(BOB, nonce + n, 1) for n in range(16)])
            # More than the backlog takes is refused for a while.
            nonce += sum(isinstance(each, Receipt) for each in outcomes)
            return not api.app.hub.has_subscribers

        until(is_ended)


def test_client_that_only_sends_is_ended_and_forgotten(tmp_path: Path) -> None:
    """It is answered each time, and reads nothing of it."""
    with ApiRig(tmp_path, limits(write_seconds=0.2)) as api, SocketClient(api.server.port) as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.say({"id": 1, "subscribe": "blocks"})
        until(lambda: api.app.hub.has_subscribers)
        client.socket.setblocking(False)
        frames = b"\x81\x82\x00\x00\x00\x00{}" * 1_000
        left = frames

        def is_ended() -> bool:
            nonlocal left
            try:
                left = left[client.socket.send(left) :] or frames
            except BlockingIOError:
                pass
            except OSError:
                return True
            return not api.app.hub.has_subscribers

        until(is_ended)
        until(lambda: not api.app.hub.has_subscribers)


def test_thousand_subscribers_all_get_the_block(tmp_path: Path) -> None:
    """One process holds node, server and clients; what its memory grows by is the server's, the clients are sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4_096)), hard))
    with ApiRig(tmp_path) as api:
        before = resident_bytes()
        clients = [SocketClient(api.server.port) for _ in range(MANY)]
        try:
            for client in clients:
                client.say({"id": 1, "subscribe": "blocks"})
            for client in clients:
                assert client.hear()["subscribed"] == 1
            api.rig.node.sequencer.close()
            last = [final(client) for client in clients]
            used = (resident_bytes() - before) / MANY
            print(f"{used / 1024:.0f} KiB a subscriber")
        finally:
            for client in clients:
                client.socket.close()
        assert {block["number"] for block in last} == {1}
        assert used < 100 * 1024
        until(lambda: not api.app.hub.has_subscribers)


def final(client: SocketClient) -> Any:
    while (block := client.hear()["block"])["status"] != "final":
        pass
    return block


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()
