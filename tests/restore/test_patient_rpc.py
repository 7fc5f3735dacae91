"""What users' commands ask a node: again after a fault, in smaller ranges, and never twice what it refused."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from restore_rig import Rig
from rpc_server import Answer, Reply, RpcServer

from rollup.l1.abi import BLOCK_COMMITTED
from rollup.l1.errors import NodeFaulty, NodeUnreachable
from rollup.l1.patient import ATTEMPTS, PatientRpc
from rollup.l1.rpc import RpcError

BUSY = RpcError("", "too many requests", None, -32005)
GARBAGE = Reply(502, b"<html>bad gateway</html>")


def failing(times: int, error: Exception) -> Callable[[Answer, str, tuple[Any, ...]], Any]:
    """The first answers to each method fail."""
    asked: Counter[str] = Counter()

    def fault(answer: Answer, method: str, params: tuple[Any, ...]) -> Any:
        asked[method] += 1
        if asked[method] <= times:
            raise error
        return answer(method, *params)

    return fault


def patient(server: RpcServer, pauses: list[float] | None = None) -> PatientRpc:
    return PatientRpc(server.url, 5, [].append if pauses is None else pauses.append)


@pytest.mark.parametrize("error", [BUSY, GARBAGE])
def test_ask_node_that_fails_for_a_moment_gives_the_answer(rig: Rig, error: Exception) -> None:
    pauses: list[float] = []
    with RpcServer(rig.l1.answer, failing(ATTEMPTS - 1, error)) as server:
        assert patient(server, pauses).chain_id() == 31337
    assert pauses == [0.1 * 2**attempt for attempt in range(ATTEMPTS - 1)]


@pytest.mark.parametrize(("error", "expected"), [(BUSY, NodeFaulty), (GARBAGE, NodeUnreachable)])
def test_ask_node_that_always_fails_is_named(rig: Rig, error: Exception, expected: type[Exception]) -> None:
    with RpcServer(rig.l1.answer, failing(ATTEMPTS, error)) as server:
        with pytest.raises(expected, match=server.url):
            patient(server).chain_id()
        assert server.asked["eth_chainId"] == ATTEMPTS


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("eth_sendRawTransaction", BUSY),
        ("eth_estimateGas", RpcError("", "no", None, -32000)),
        ("eth_call", RpcError("", "execution reverted", "0x", 3)),
        ("eth_call", RpcError("", "execution reverted", "0x01020304", -32000)),
        ("eth_anything", RpcError("", "no such method", None, -32601)),
    ],
)
def test_ask_what_the_node_refuses_is_not_asked_again(rig: Rig, method: str, error: RpcError) -> None:
    with RpcServer(rig.l1.answer, failing(ATTEMPTS, error)) as server:
        with pytest.raises(RpcError):
            patient(server)(method, {})
        assert server.asked[method] == 1


@pytest.mark.parametrize("limit", [1, 3, 1_000])
def test_logs_from_a_node_that_limits_ranges_are_all_there_in_order(rig: Rig, limit: int) -> None:
    rig.blocks(7)

    def fault(answer: Answer, method: str, params: tuple[Any, ...]) -> Any:
        if method == "eth_getLogs":
            if int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16) >= limit:
                raise RpcError(method, "range too large", None, -32602)
            params = (params[0] | {"topics": params[0]["topics"][0]},)  # as the fake L1 wants them
        if method == "eth_blockNumber":
            return hex(rig.l1.head.number)
        return answer(method, *params)

    with RpcServer(rig.l1.answer, fault) as server:
        logs = list(patient(server).logs(rig.l1.origin.rollup, [BLOCK_COMMITTED], 0))
    assert [int(log["topics"][1], 16) for log in logs] == list(range(1, 8))


def test_logs_from_a_node_that_never_gives_them_names_it(rig: Rig) -> None:
    def fault(answer: Answer, method: str, params: tuple[Any, ...]) -> Any:
        if method == "eth_getLogs":
            raise BUSY
        return hex(rig.l1.head.number)

    with RpcServer(rig.l1.answer, fault) as server, pytest.raises(NodeFaulty) as error:
        list(patient(server).logs(rig.l1.origin.rollup, [BLOCK_COMMITTED], 0))
    assert (error.value.method, error.value.reason) == ("eth_getLogs", "it says 'too many requests'")
