"""Requests as sockets give them: malformed, oversized, slow, too many; and connections that are of no use are ended."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from api_rig import NO_RATE, ApiRig, until
from node_rig import ALICE, BOB
from socket_client import SocketClient

from rollup.core.wire import dumps, to_wire

SECONDS = 30.0
UNUSUAL = [b"x-forwarded-for: 10.0.0.1", b"expect: 200-ok", b"upgrade: h2c"]
QUICK = replace(NO_RATE, header_seconds=0.2, body_seconds=0.2, write_seconds=0.2, idle_seconds=1.0, body_bytes=2_000)


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiRig]:
    """A server that does not wait long."""
    with ApiRig(tmp_path_factory.mktemp("node"), QUICK) as rig:
        yield rig


@contextmanager
def connected(api: ApiRig) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", api.server.port), SECONDS) as made:
        yield made


def rest(connection: socket.socket) -> bytes:
    """All that comes until the server closes."""
    data = b""
    while part := connection.recv(1 << 16):
        data += part
    return data


def told(response: bytes) -> tuple[int, Any]:
    head, _, body = response.partition(b"\r\n\r\n")
    assert b"content-type: application/json" in head
    return int(head.split(b" ")[1]), json.loads(body)["error"]


def post(body: bytes, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return b"POST /v1/transactions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s" % (size, body)


def answer_of(connection: socket.socket) -> tuple[int, bytes]:
    """The next answer of a connection that stays."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1)
    length = int(head.partition(b"content-length: ")[2].split(b"\r")[0])
    body = b""
    while len(body) < length:
        body += connection.recv(length - len(body))
    return int(head.split(b" ")[1]), body


def chunked(path: bytes, *chunks: bytes) -> bytes:
    head = b"POST " + path + b" HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in chunks)


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\r\n\x00\r\n\r\n",
    ],
)
def test_what_is_not_http_is_refused_in_json(quick: ApiRig, data: bytes) -> None:
    with connected(quick) as connection:
        connection.sendall(data)
        status, error = told(rest(connection))
    assert (status, error["code"]) == (400, "request_malformed")


@pytest.mark.parametrize("sent", [b"", b"P", b"POST /v1/transactions HTTP/1.1\r\nhost: x\r\n"])
def test_headers_that_never_end_are_cut_off(quick: ApiRig, sent: bytes) -> None:
    with connected(quick) as connection:
        connection.sendall(sent)
        status, error = told(rest(connection))
    assert (status, error["code"], error["values"]) == (408, "request_too_slow", {"seconds": 0.2})


def test_headers_byte_by_byte_are_cut_off_while_others_are_served(quick: ApiRig) -> None:
    """A slow loris: each byte is in time, the whole is not. A second request of a connection is no way around."""
    loris = [socket.create_connection(("127.0.0.1", quick.server.port), SECONDS) for _ in range(50)]
    try:
        for connection in loris[:10]:
            connection.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
            assert connection.recv(1 << 16).startswith(b"HTTP/1.1 200")
        alive = set(loris)

        def drip() -> bool:
            for connection in list(alive):
                try:
                    connection.sendall(b"G")
                    connection.setblocking(False)
                    if connection.recv(1 << 16) is not None:
                        alive.discard(connection)
                except BlockingIOError:
                    pass
                except OSError:
                    alive.discard(connection)
            assert quick.get("/health") == {"status": "alive"}
            return not alive

        until(drip)
    finally:
        for connection in loris:
            connection.close()


def test_headers_without_end_are_cut_off_by_their_size(quick: ApiRig) -> None:
    with connected(quick) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nx: " + b"a" * (NO_RATE.header_bytes + 1))
        status, error = told(rest(connection))
    assert (status, error["code"], error["values"]) == (431, "headers_too_large", {"limit": NO_RATE.header_bytes})


@pytest.mark.parametrize(
    "data", [post(b"{", 100), chunked(b"/v1/transactions", b"{"), chunked(b"/v1/transactions/batch")]
)
def test_body_that_never_ends_is_cut_off(quick: ApiRig, data: bytes) -> None:
    with connected(quick) as connection:
        connection.sendall(data)
        status, error = told(rest(connection))
    assert (status, error["code"]) == (408, "request_too_slow")


@pytest.mark.parametrize(
    "data",
    [
        post(b"", 2_001),
        chunked(b"/v1/transactions", b"x" * 2_001),
        chunked(b"/v1/transactions/batch", *[b"x" * 100] * 21),
    ],
)
def test_body_above_the_limit_is_refused_before_it_is_read(quick: ApiRig, data: bytes) -> None:
    with connected(quick) as connection:
        connection.sendall(data)
        status, error = told(rest(connection))
    assert (status, error["code"], error["values"]) == (413, "body_too_large", {"limit": 2_000})


def test_body_of_a_client_that_goes_is_forgotten(quick: ApiRig) -> None:
    before = len(quick.seen)
    with connected(quick) as connection:
        connection.sendall(post(b"{", 100))
    until(lambda: len(quick.seen) > before)
    assert quick.seen[-1][:3] == ("POST", "/v1/transactions", 499)


def test_submission_in_pieces_and_whole_is_answered_alike(api: ApiRig) -> None:
    """What comes as a whole goes a way of its own (`HttpProtocol`)."""
    body = dumps(ALICE.pay(BOB, 0)).encode()
    forms = [[post(body)], [post(body)[:-1], post(body)[-1:]], [chunked(b"/v1/transactions", body, b"")]]
    forms += [[post(body).replace(b"host: x", b"host: x\r\n" + header)] for header in UNUSUAL]
    answers = []
    for pieces in forms:
        with connected(api) as connection:
            for piece in pieces:
                connection.sendall(piece)
            answers.append(answer_of(connection))
    # Each is the same receipt, as it was taken before.
    assert {status for status, _ in answers} == {200}
    assert len({body for _, body in answers}) == 1
    assert [seen[:3] for seen in api.seen[-len(forms) :]] == [("POST", "/v1/transactions", 200)] * len(forms)


def test_submissions_behind_one_another_are_answered_in_order(api: ApiRig) -> None:
    bodies = [dumps(ALICE.pay(BOB, nonce)).encode() for nonce in range(3)]
    with connected(api) as connection:
        connection.sendall(post(bodies[0]) + post(b"{") + post(bodies[1]) + post(bodies[2]))
        statuses, placed = [], []
        for _ in range(4):
            status, body = answer_of(connection)
            statuses.append(status)
            if status == 200:
                placed.append(json.loads(body)["position"])
    assert statuses == [200, 400, 200, 200]
    assert placed == sorted(placed)


def test_submission_that_closes_its_connection_is_answered_before(api: ApiRig) -> None:
    with connected(api) as connection:
        connection.sendall(post(b"{").replace(b"host: x", b"host: x\r\nconnection: close"))
        status, _ = told(rest(connection))
    assert status == 400


def test_submission_of_a_node_that_is_stopping_is_answered_and_the_connection_closed(tmp_path: Path) -> None:
    with ApiRig(tmp_path) as api, connected(api) as connection:
        hold, release = threading.Event(), threading.Event()
        submit = api.rig.node.sequencer.submit

        def slow(operations: Any) -> Any:
            hold.set()
            release.wait(SECONDS)
            return submit(operations)

        api.rig.node.sequencer.submit = slow  # type: ignore[method-assign]
        connection.sendall(post(dumps(ALICE.pay(BOB, 0)).encode()))
        assert hold.wait(SECONDS)
        api.server._server.should_exit = True
        until(lambda: not api.server._server.servers or not api.server._server.servers[0].is_serving())
        release.set()
        response = rest(connection)
        assert response.startswith(b"HTTP/1.1 200")
        assert b"connection: close" in response


def test_idle_connection_is_closed(quick: ApiRig) -> None:
    with connected(quick) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
        assert rest(connection).endswith(b'{"status":"alive"}')


def test_answer_that_is_never_read_ends_the_connection(quick: ApiRig) -> None:
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.settimeout(SECONDS)
        connection.connect(("127.0.0.1", quick.server.port))
        connection.setblocking(False)
        request = b"GET /v1/openapi.json HTTP/1.1\r\nhost: x\r\n\r\n"

        def is_ended() -> bool:
            try:
                connection.sendall(request)
            except BlockingIOError:
                return False
            except OSError:
                return True
            return False

        until(is_ended)


def test_answers_that_are_never_read_and_fill_no_buffer_end_the_connection(tmp_path: Path) -> None:
    """Closed for being idle, it would wait for its client to read the rest, and keep its place."""
    limits = replace(NO_RATE, write_seconds=0.2, idle_seconds=1.0, connections_of_one=1)
    with ApiRig(tmp_path, limits) as api, socket.socket() as connection:
        api.server._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
        connection.connect(("127.0.0.1", api.server.port))
        connection.sendall(b"GET /v1/config HTTP/1.1\r\nhost: x\r\n\r\n" * 20)
        until(lambda: not is_let_in(api))
        until(lambda: is_let_in(api))


def test_connections_above_the_limit_are_refused_until_one_goes(tmp_path: Path) -> None:
    with ApiRig(tmp_path, replace(NO_RATE, connections=3)) as api:
        api.get("/health")  # the rig's own is one
        with connected(api) as first, connected(api) as second, connected(api) as third:
            status, error = told(rest(third))
            assert (status, error["code"]) == (503, "too_many_connections")
            for connection in (first, second):
                connection.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
                assert rest(connection).startswith(b"HTTP/1.1 200")

        until(lambda: is_let_in(api))


def test_connections_of_one_client_above_the_limit_are_refused_until_one_goes(tmp_path: Path) -> None:
    """A WebSocket counts as the connection that it was, and a refused one not at all."""
    with ApiRig(tmp_path, replace(NO_RATE, connections_of_one=3)) as api:
        api.get("/health")  # the rig's own is one
        with connected(api) as first, SocketClient(api.server.port) as second:
            for _ in range(3):
                with connected(api) as refused:
                    response = rest(refused)
                    status, error = told(response)
                    assert (status, error["code"]) == (429, "too_many_of_client")
                    assert error["values"] == {"limit": 3, "what": "connections", "retry_after": 10.0}
                    assert b"retry-after: " in response
            assert second.ask({"id": 1, "ping": True}) == {"id": 1, "pong": True}
            first.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            assert rest(first).startswith(b"HTTP/1.1 200")
            until(lambda: is_let_in(api))
        # Both are gone: two more are taken at once, not three.
        until(lambda: is_let_in(api))
        with SocketClient(api.server.port) as one, SocketClient(api.server.port) as two:
            assert (one.status, two.status) == (101, 101)
            assert not is_let_in(api)


def is_let_in(api: ApiRig) -> bool:
    with connected(api) as another, suppress(ConnectionResetError):
        another.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        return rest(another).startswith(b"HTTP/1.1 200")
    return False


def test_requests_above_the_rate_are_refused_with_a_time_and_the_batch_counts_its_operations(tmp_path: Path) -> None:
    limits = replace(NO_RATE, requests_per_second=0.001, request_burst=5)
    with ApiRig(tmp_path, limits) as api:
        many = [ALICE.pay(BOB, nonce) for nonce in range(3)]
        assert len(api.post_many(many)["results"]) == 3
        api.get("/v1/config")
        assert api.post_many([ALICE.pay(BOB, 3), ALICE.pay(BOB, 4)], 429)["error"]["code"] == "rate_exceeded"
        response = api.http.post("/v1/transactions", json=to_wire(ALICE.pay(BOB, 3)))
        assert response.status_code == 429
        assert int(response.headers["retry-after"]) >= 999
        assert response.json()["error"]["values"]["per_second"] == 0.001
        # Who watches over the node is not held up.
        for path in ("/health", "/ready", "/metrics"):
            assert api.http.get(path).status_code == 200
        assert api.get("/v1/config", 429)["error"]["code"] == "rate_exceeded"
        assert api.rig.node.sequencer.read(lambda state: state.account(1).nonce) == 3
