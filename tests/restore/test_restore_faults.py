"""Nodes that fail, over HTTP: refusals, silence, nonsense, limits, partial and contradicting answers. Whatever a node
gets over, a restore gets over; what a node keeps doing is named.
"""

import json
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from restore_rig import Direct, Rig
from rpc_server import Answer, Fault, Reply, RpcServer

from rollup.l1.errors import NodeFaulty, NodeUnreachable
from rollup.l1.node import ATTEMPTS
from rollup.l1.rpc import JsonRpc, RpcError

TIMEOUT_SECONDS = 0.2
BLOCKS = 8


def _reply(reply: Reply) -> Fault:
    def fault(answer: Answer, method: str, params: tuple[Any, ...]) -> Any:
        raise reply

    return fault


def _error(code: int, text: str) -> Fault:
    def fault(answer: Answer, method: str, params: tuple[Any, ...]) -> Any:
        raise RpcError(method, text, None, code)

    return fault


def _json(value: object, status: int = 200) -> Fault:
    return _reply(Reply(status, json.dumps(value).encode()))


def _result(value: object) -> Fault:
    return lambda answer, method, params: value


def _half(answer: Answer, method: str, params: tuple[Any, ...]) -> Any:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "result": answer(method, *params)}).encode()
    raise Reply(200, body[: len(body) // 2], len(body))


def _reversed_and_doubled_logs(answer: Answer, method: str, params: tuple[Any, ...]) -> Any:
    found = answer(method, *params)
    return [*reversed(found), *found] if method == "eth_getLogs" else found


RATE_LIMIT = {"jsonrpc": "2.0", "id": 1, "error": {"code": 429, "message": "rate limit exceeded"}}
FAULTS: dict[str, Fault] = {
    "http_429": _reply(Reply(429, b"Too Many Requests")),
    "http_429_json": _json(RATE_LIMIT, 429),
    "http_200_rate_limit": _json(RATE_LIMIT),
    "http_503": _reply(Reply(503, b"<html>busy</html>")),
    "cut_off": _half,
    "nothing": _reply(Reply(200, b"")),
    "connection_closed": _reply(Reply(200, b"", 10)),
    "not_json_rpc": _json({"hello": 1}),
    "list": _json([1, 2]),
    "deep_json": _reply(Reply(200, b"[" * 5_000)),
    "error_is_text": _json({"error": "no"}),
    "error_without_words": _json({"error": {"code": "x"}}),
    "null": _result(None),
    "number": _result(7),
    "text": _result("no data"),
    "object": _result({}),
    "lagging_sibling": _error(-32000, "header not found"),
    "internal_error": _error(-32603, "internal error"),
}


@contextmanager
def served(rig: Rig, fault: Fault | None = None) -> Iterator[tuple[RpcServer, JsonRpc]]:
    """The rig's L1 over HTTP."""
    lock = threading.Lock()

    def answer(method: str, *params: Any) -> Any:
        with lock:
            return rig.l1.answer(method, *params)

    with RpcServer(answer, fault) as server:
        yield server, JsonRpc(server.url, TIMEOUT_SECONDS)


def _sometimes(fault: Fault, seed: int = 3) -> Fault:
    """One of five questions: so often wrong that it shows, so seldom that no question is ten times."""
    rng = random.Random(seed)
    lock = threading.Lock()

    def mixed(answer: Answer, method: str, params: tuple[Any, ...]) -> Any:
        with lock:
            is_fault = rng.random() < 0.2
        return fault(answer, method, params) if is_fault else answer(method, *params)

    return mixed


@pytest.mark.parametrize("name", FAULTS)
def test_restore_node_that_fails_sometimes_gives_the_state(rig: Rig, name: str) -> None:
    rig.blocks(BLOCKS, operations=2)
    with served(rig, _sometimes(FAULTS[name])) as (_, rpc):
        rig.restore(rpc)
    assert rig.pauses  # it did fail
    rig.check(BLOCKS)


def test_restore_node_that_hangs_sometimes_gives_the_state(rig: Rig) -> None:
    rig.blocks(2, operations=2)
    end = threading.Event()
    hung = []

    def hang(answer: Answer, method: str, params: tuple[Any, ...]) -> Any:
        if len(hung) < 3 and method != "eth_chainId":
            hung.append(method)
            end.wait()
        return answer(method, *params)

    with served(rig, hang) as (_, rpc):
        rig.restore(rpc)
        end.set()
    assert len(hung) == 3
    rig.check(2)


def test_restore_logs_unsorted_and_twice_give_the_state(rig: Rig) -> None:
    rig.blocks(BLOCKS, operations=2)
    with served(rig, _reversed_and_doubled_logs) as (_, rpc):
        rig.restore(rpc)
    assert not rig.pauses
    rig.check(BLOCKS)


def test_restore_logs_partly_missing_for_a_while_gives_the_state(rig: Rig) -> None:
    rig.blocks(BLOCKS, operations=2)
    left = [1, 7, 4]  # how many logs are left out of the first three answers

    def partial(answer: Answer, method: str, params: tuple[Any, ...]) -> Any:
        found = answer(method, *params)
        return found[: -left.pop()] if method == "eth_getLogs" and left else found

    with served(rig, partial) as (server, rpc):
        rig.restore(rpc)
        assert server.asked["eth_getLogs"] == 4
    rig.check(BLOCKS)


@pytest.mark.parametrize("limit", [1, 3, 1000])
@pytest.mark.parametrize("code", [-32602, -32005, -32000, -32614])
def test_restore_node_with_a_limit_of_ranges_is_asked_within_it(rig: Rig, limit: int, code: int) -> None:
    rig.blocks(BLOCKS, operations=1)
    rig.l1.mine(30)
    spans: list[int] = []

    def limited(answer: Answer, method: str, params: tuple[Any, ...]) -> Any:
        if method == "eth_getLogs":
            spans.append(int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16) + 1)
            if spans[-1] > limit:
                raise RpcError(method, "range too large", None, code)
        return answer(method, *params)

    with served(rig, limited) as (_, rpc):
        rig.restore(rpc)
    rig.check(BLOCKS)
    refused = [span for span in spans if span > limit]
    assert len(refused) < 10
    assert len(spans) - len(refused) <= 2 * rig.l1.head.number // limit + 1


def test_restore_node_with_a_limit_of_results_is_asked_for_fewer(rig: Rig) -> None:
    rig.blocks(20, operations=1)

    def limited(answer: Answer, method: str, params: tuple[Any, ...]) -> Any:
        found = answer(method, *params)
        if method == "eth_getLogs" and len(found) > 2:
            raise RpcError(method, "query returned more than 2 results", None, -32005)
        return found

    with served(rig, limited) as (_, rpc):
        rig.restore(rpc)
    rig.check(20)


def test_restore_siblings_of_which_one_lags_gives_the_state(rig: Rig) -> None:
    """Behind one address, one node is ten L1 blocks behind: it knows neither the newest blocks nor their state."""
    rig.blocks(BLOCKS, operations=2)
    rng = random.Random(5)

    def answer(method: str, *params: Any) -> Any:
        if rng.random() < 0.5:
            return rig.l1.answer(method, *params)
        newest, rig.l1.blocks = rig.l1.blocks, rig.l1.blocks[:-10]
        try:
            return rig.l1.answer(method, *params)
        finally:
            rig.l1.blocks = newest

    rig.restore(Direct(answer))
    with_all = rig.l1.contract.proven
    rig.restore()
    rig.check(with_all)


def test_restore_siblings_on_two_forks_ends_on_the_one_that_stays(rig: Rig, tmp_path: Path) -> None:
    """For its first questions the node answers now from this fork, now from the other."""
    rig.blocks(BLOCKS, operations=2)
    other = Rig(tmp_path / "other.db")
    other.blocks(BLOCKS, operations=2)
    other.reorganise(9)
    other.blocks(6, operations=3)
    assert other.l1.contract.hashes[:4] == rig.l1.contract.hashes[:4]
    rng, asked = random.Random(6), 0

    def answer(method: str, *params: Any) -> Any:
        nonlocal asked
        asked += 1
        source = other if asked < 60 and rng.random() < 0.5 else rig
        return source.l1.answer(method, *params)

    rig.restore(Direct(answer))
    assert asked > 60
    rig.check(BLOCKS)


# Failing for good


@pytest.mark.parametrize("name", FAULTS)
def test_restore_node_that_always_fails_is_named_after_all_attempts(rig: Rig, name: str) -> None:
    with served(rig, FAULTS[name]) as (server, rpc):
        with pytest.raises((NodeUnreachable, NodeFaulty)) as error:
            rig.restore(rpc)
        assert server.asked.total() == ATTEMPTS
        assert error.value.url == server.url
    assert len(rig.pauses) == ATTEMPTS - 1
    assert rig.pauses == sorted(rig.pauses)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (FAULTS["http_429"], "HTTP 429 Too Many Requests"),
        (FAULTS["http_429_json"], "rate limit exceeded"),
        (FAULTS["http_503"], "HTTP 503 Service Unavailable"),
        (FAULTS["cut_off"], "not JSON"),
        (FAULTS["not_json_rpc"], "not JSON-RPC"),
        (FAULTS["lagging_sibling"], "header not found"),
        (FAULTS["text"], "'no data' is not a quantity"),
    ],
)
def test_restore_error_has_the_nodes_words(rig: Rig, fault: Fault, words: str) -> None:
    with served(rig, fault) as (_, rpc), pytest.raises((NodeUnreachable, NodeFaulty), match=words):
        rig.restore(rpc)


def test_restore_silent_node_is_named(rig: Rig) -> None:
    end = threading.Event()
    with served(rig, lambda answer, *_: end.wait()) as (server, _):
        with pytest.raises(NodeUnreachable) as error:
            rig.feed(JsonRpc(server.url, 0.05), attempts=2).check()
        end.set()
    assert (error.value.url, error.value.reason) == (server.url, "timed out")


def test_restore_fails_in_the_middle_and_goes_on_from_there(rig: Rig) -> None:
    rig.blocks(BLOCKS, operations=2)
    late = {"0x" + rig.operator.input(number, number).hex() for number in range(6, BLOCKS + 1)}

    def dies(answer: Answer, method: str, params: tuple[Any, ...]) -> Any:
        found = answer(method, *params)
        if method == "eth_getTransactionByHash" and found["input"] in late:
            raise Reply(503, b"")
        return found

    with served(rig, dies) as (_, rpc), pytest.raises(NodeUnreachable):
        rig.restore(rpc)
    rig.check(5)
    assert rig.restore().operations == 2 * (BLOCKS - 5)
    rig.check(BLOCKS)


def test_restore_error_shows_no_key_of_the_address() -> None:
    for url in ("https://user:secret@node.example/v3/secret", "https://node.example/secret?key=secret"):
        assert JsonRpc(url).name == "https://node.example"
