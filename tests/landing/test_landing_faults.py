"""Nodes that are slow, busy, wrong, behind or gone: what was submitted lands, once, and what is wrong is told."""

import os
import random
import time
from itertools import pairwise
from typing import Any

import pytest
from faulty_nodes import Lagging, Node, Random
from landing_rig import SENDER, SIGNER, Rig, call
from rpc_server import Reply, RpcServer

from bench.l1_simulator import CHAIN_ID, GWEI, Simulator
from rollup.l1.errors import NodeUnreachable
from rollup.l1.refusals import Refusals
from rollup.l1.rpc import JsonRpc, RpcError
from rollup.landing.answers import Verdict, verdict
from rollup.landing.config import SenderConfig
from rollup.landing.endpoints import Endpoints
from rollup.landing.errors import EndpointsDisagree, EndpointsDown, SendingRefused
from rollup.landing.journal import IN_MEMORY, Journal
from rollup.landing.model import Kind, State
from rollup.landing.sender import L1Sender

SLOW_SECONDS = 0.4


def slow(*_: Any) -> Any:
    time.sleep(SLOW_SECONDS)
    return Reply(200, b"{}")


def reply(*values: Any) -> Any:
    def fault(*_: Any) -> Any:
        raise Reply(*values)

    return fault


def rig_of(l1: Simulator, *nodes: Any, **config: Any) -> Rig:
    return Rig(l1, config=SenderConfig(**config), nodes=nodes)


@pytest.mark.parametrize(
    "fault",
    [
        reply(500, b"<html>oops</html>"),
        reply(429, b'{"jsonrpc": "2.0", "id": 1, "error": {"code": 429, "message": "slow down"}}'),
        reply(200, b'{"jsonrpc": "2.0", "id": 1, "error": {"code": -32005, "message": "daily limit"}}'),
        reply(200, b""),
        reply(200, b"{}"),
        reply(200, b'{"jsonrpc": "2.0", "id": 1, "result": "0xzz"}'),
        reply(200, b'{"jsonrpc": "2.0", "id": 1, "result": {"number": "0x1"}}'),
        reply(200, b'{"jsonrpc": "2.0", "id": 1, "result": []}'),
        reply(200, b'{"jsonrpc"', 1_000),
        slow,
    ],
)
def test_first_node_that_fails_is_left_for_the_second(fault: Any) -> None:
    l1 = Simulator()
    with RpcServer(l1.answer, fault) as bad, RpcServer(l1.answer) as good:
        rig = rig_of(l1, JsonRpc(bad.url, SLOW_SECONDS / 2), JsonRpc(good.url, 5))
        rig.sender.submit("a", call(1))
        rig.step(blocks=1)
        assert rig.state("a") == State.MINED
        assert "endpoints_down" not in rig.notices()
        rests = rig.endpoints.all[0]
        assert rests.failures == 1
        assert rests.reason


def test_all_nodes_down_is_told_once_and_goes_on_when_one_is_back() -> None:
    l1 = Simulator()
    one, two = Node(l1, "http://one"), Node(l1, "http://two")
    rig = rig_of(l1, one, two)
    rig.sender.submit("a", call(1))
    rig.step()
    one.fault = two.fault = one.down
    for _ in range(5):
        assert not rig.sender.step()
        rig.time.now += 100
    error = rig.notices()["endpoints_down"]
    assert isinstance(error, EndpointsDown)
    assert error.values == {"reasons": {"http://one": "connection refused", "http://two": "connection refused"}}
    assert [event.kind for event in rig.sender.events()].count(Kind.NOTICE) == 1
    two.fault = None
    rig.step(blocks=1)
    assert rig.state("a") == State.MINED
    assert [event.kind for event in rig.sender.events() if event.key is None] == [Kind.NOTICE, Kind.CLEARED]


def test_no_node_named_is_refused() -> None:
    with pytest.raises(EndpointsDown, match="no node is named"):
        Endpoints([], CHAIN_ID)


def test_node_that_fails_is_asked_ever_more_rarely() -> None:
    l1 = Simulator()
    node = Node(l1)
    node.fault = node.down
    rig = rig_of(l1, node)
    asked_at = []
    for _ in range(400):
        before = node.asked.total()
        rig.sender.step()
        if node.asked.total() > before:
            asked_at.append(rig.time.now)
        rig.time.now += 1
    pauses = [after - before for before, after in pairwise(asked_at)]
    assert pauses[:7] == [1, 2, 4, 8, 16, 32, 60]
    assert set(pauses[6:]) == {60}


def test_node_of_another_chain_is_not_used() -> None:
    l1 = Simulator()
    wrong = Node(l1, "http://wrong", lambda method, _: "0x1" if method == "eth_chainId" else None)
    rig = rig_of(l1, wrong)
    assert not rig.sender.step()
    assert "its chain id is 1" in str(rig.notices()["endpoints_down"])
    rig = rig_of(l1, wrong, l1)
    rig.sender.submit("a", call(1))
    rig.step(blocks=1)
    assert rig.state("a") == State.MINED
    assert wrong.asked["eth_sendRawTransaction"] == 0


def test_node_that_lags_is_not_asked_while_another_keeps_up() -> None:
    l1 = Simulator()
    l1.mine(10)
    lagging = Lagging(l1, "http://lagging", 5)
    rig = rig_of(l1, lagging, Node(l1))
    rig.sender.submit("a", call(1))
    rig.step(blocks=1)
    assert rig.state("a") == State.MINED
    assert lagging.asked["eth_feeHistory"] == 0


def test_node_that_lags_and_refuses_is_overruled_by_another() -> None:
    """It has not seen the block that the call builds on."""
    l1 = Simulator()

    def behind(method: str, _: Any) -> Any:
        if method == "eth_estimateGas":
            raise RpcError(method, "execution reverted", "0x", 3)
        return None

    rig = rig_of(l1, Node(l1, "http://behind", behind), Node(l1))
    rig.sender.submit("a", call(1))
    rig.step(blocks=1)
    assert rig.state("a") == State.MINED


def test_nodes_that_disagree_on_a_block_that_would_be_final_are_named() -> None:
    l1 = Simulator()
    other = "0x" + 64 * "d"

    def on_a_fork(method: str, params: Any) -> Any:
        is_it = method == "eth_getBlockByNumber" and params[0] == "0x1"
        return {"number": "0x1", "hash": other} if is_it else None

    forked = Node(l1, "http://forked", on_a_fork)
    rig = rig_of(l1, Node(l1), forked)
    rig.sender.submit("a", call(1))
    rig.step(blocks=66)
    assert rig.state("a") == State.MINED
    error = rig.notices()["endpoints_disagree"]
    assert isinstance(error, EndpointsDisagree)
    expected = {"l1_block": 1, "url": "http://node", "hash": l1.blocks[1].hash}
    assert error.values == expected | {"other_url": "http://forked", "other_hash": other}
    forked.fault = None
    rig.step(blocks=1)
    assert rig.state("a") == State.FINAL
    assert not rig.notices()


def test_receipt_of_a_block_that_is_not_on_the_chain_is_not_believed() -> None:
    l1 = Simulator()

    def lies(method: str, params: Any) -> Any:
        if method == "eth_getTransactionReceipt":
            found = l1(method, *params)
            return found and found | {"blockHash": "0x" + 64 * "e"}
        return None

    liar = Node(l1, "http://liar", lies)
    rig = rig_of(l1, liar)
    rig.sender.submit("a", call(1))
    rig.step()
    l1.mine()
    assert not rig.sender.step()
    assert rig.state("a") == State.PENDING
    assert "which it does not have" in rig.endpoints.all[0].reason
    liar.fault = None
    rig.time.now += 10
    rig.step()
    assert rig.state("a") == State.MINED


def test_transaction_that_no_node_takes_is_told_until_one_does() -> None:
    l1 = Simulator()

    def capped(method: str, _: Any) -> Any:
        if method == "eth_sendRawTransaction":
            raise RpcError(method, "tx fee (1.20 ether) exceeds the configured cap (1.00 ether)", None, -32000)
        return None

    node = Node(l1, "http://capped", capped)
    rig = rig_of(l1, node)
    rig.sender.submit("a", call(1))
    rig.step(blocks=2)
    error = rig.notices()["sending_refused"]
    assert isinstance(error, SendingRefused)
    assert (error.values["key"], error.values["nonce"]) == ("a", 0)
    assert "exceeds the configured cap" in error.values["reasons"]["http://capped"]
    node.fault = None
    rig.step(blocks=2)
    assert rig.state("a") == State.MINED
    assert not rig.notices()


def test_answer_to_sending_that_is_lost_does_not_send_twice() -> None:
    l1 = Simulator()

    def loses(method: str, params: Any) -> Any:
        if method == "eth_sendRawTransaction":
            l1(method, *params)
            raise NodeUnreachable("http://node", "timed out")
        return None

    node = Node(l1, fault=loses)
    rig = rig_of(l1, node)
    rig.sender.submit("a", call(1))
    rig.sender.step()
    node.fault = None
    rig.time.now += 10
    rig.step(blocks=2)
    assert rig.landed() == [call(1).data]
    assert len(rig.sender.status("a").attempts) == 1


def test_transaction_that_a_node_forgot_is_sent_again() -> None:
    rig = Rig()
    rig.sender.submit("a", call(1))
    rig.step()
    rig.l1.mempool.clear()
    rig.step(blocks=2)
    assert rig.landed() == [call(1).data]


@pytest.mark.parametrize("block", ["0xnonsense", {}, {"transactions": None}])
def test_receipt_that_a_node_lost_with_its_block_does_not_send_twice(block: Any) -> None:
    l1 = Simulator()
    lost = False

    class Lossy(Node):
        def __call__(self, method: str, *params: Any) -> Any:
            if lost and method == "eth_getTransactionReceipt":
                return None
            if lost and method == "eth_getBlockByNumber" and params[1]:
                return block
            return super().__call__(method, *params)

    rig = rig_of(l1, Lossy(l1, "http://lossy"))
    rig.sender.submit("a", call(1))
    rig.step()
    l1.mine(70)
    lost = True
    for _ in range(3):
        assert not rig.sender.step()
        rig.time.now += 60
    lost = False
    rig.step(blocks=1)
    assert rig.state("a") == State.FINAL
    assert rig.landed() == [call(1).data]


def test_l1_reorganised_between_two_questions_changes_nothing() -> None:
    l1 = Simulator()
    node = Node(l1)
    rig = rig_of(l1, node)
    rig.sender.submit("a", call(1))
    rig.step()
    l1.mine(3)

    def reorganises(method: str, params: Any) -> Any:
        found = l1(method, *params)
        if method == "eth_getTransactionReceipt":
            node.fault = None
            l1.reorganise(3)
            l1.mine(4, without=[each.hash for each in l1.mempool.values()])
        return found

    node.fault = reorganises
    assert not rig.sender.step()
    assert rig.state("a") == State.PENDING
    rig.time.now += 10
    rig.step(blocks=1)
    assert rig.state("a") == State.MINED
    assert Kind.TAKEN_BACK not in rig.told("a")


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_nodes_that_fail_at_random_land_everything_once(share: float) -> None:
    seed = int(os.environ.get("SLUICE_SEED") or random.SystemRandom().randrange(2**32))
    print(f"SLUICE_SEED={seed}")
    rng = random.Random(seed)
    l1 = Simulator()
    nodes = [Random(l1, f"http://{number}", rng, share) for number in range(3)]
    rig = rig_of(l1, *nodes)
    count = 0
    for _ in range(120):
        if rng.random() < 0.2 and count < 15:
            rig.sender.submit(f"{count}", call(count))
            count += 1
        rig.sender.step()
        rig.time.now += rng.choice([0.5, 3, 20])
        if rng.random() < 0.5:
            l1.mine(without=[each.hash for each in l1.mempool.values() if rng.random() < 0.3])
        if rng.random() < 0.05 and len(l1.blocks) > 6:
            l1.reorganise(rng.randrange(1, 5), keep=rng.random() < 0.5)
            l1.mine(5)
    for node in nodes:
        node.share = min(share, 0.05)
    for _ in range(100):
        rig.sender.step()
        rig.time.now += 60
        l1.mine()
    assert sorted(rig.landed()) == [call(number).data for number in range(count)]
    landed = [each for each in l1.landed() if each.sender == SENDER]
    assert [each.nonce for each in landed] == list(range(count))
    assert {rig.state(f"{number}") for number in range(count)} <= {State.MINED, State.FINAL}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("already known", Verdict.TAKEN),
        ("AlreadyKnown", Verdict.TAKEN),
        ("Known transaction", Verdict.TAKEN),
        ("transaction already imported", Verdict.TAKEN),
        ("nonce too low: next nonce 4, tx nonce 3", Verdict.USED),
        ("OldNonce, Current nonce: 4, nonce of rejected tx: 3", Verdict.USED),
        ("replacement transaction underpriced", Verdict.OUTBID),
        ("transaction underpriced: tip needed 1000000", Verdict.OUTBID),
        ("FeeTooLow, MaxFeePerGas too low", Verdict.OUTBID),
        ("Gas price too low", Verdict.OUTBID),
        ("insufficient funds for gas * price + value", Verdict.REFUSED),
        ("exceeds block gas limit", Verdict.REFUSED),
    ],
)
def test_verdict_of_the_words_of_nodes(text: str, expected: Verdict) -> None:
    assert verdict(text) is expected


def test_sender_over_http_with_reorganisations_lands_everything() -> None:
    l1 = Simulator()
    with RpcServer(l1.answer) as server:
        journal = Journal(IN_MEMORY, CHAIN_ID)
        sender = L1Sender(journal, Endpoints([JsonRpc(server.url)], CHAIN_ID), SIGNER, Refusals())
        for number in range(3):
            sender.submit(f"{number}", call(number))
        for depth in (1, 2, 3):
            sender.step()
            l1.mine(4)
            l1.reorganise(depth)
            l1.next_base_fee = 9 * GWEI
            l1.mine(depth + 1)
        sender.step()
        sender.step()
        l1.mine()
        sender.step()
        assert [sender.status(f"{number}").state for number in range(3)] == [State.MINED] * 3
