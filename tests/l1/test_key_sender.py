"""Sending with a key alone, against a node of our own making that fails as nodes do, and against anvil."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_account import Account
from eth_account.signers.local import LocalAccount

from rollup.l1.abi import selector
from rollup.l1.anvil import Anvil
from rollup.l1.errors import (
    ContractRefused,
    GasLimitExceeded,
    NodeUnreachable,
    TransactionNotMined,
    TransactionNotTaken,
    TransactionReverted,
)
from rollup.l1.key_sender import BASE_FEES, TIP_WEI, KeySender
from rollup.l1.refusals import Refusals
from rollup.l1.rpc import JsonRpc, RpcError
from rollup.l1.sending import TRANSACTION_GAS_LIMIT

ALICE: LocalAccount = Account.from_key(b"a key of the tests' own making..")
TO = "0x" + 20 * "c0"
BASE_FEE = 7 * 10**9
NOTHING_PENDING = selector("NothingPending", ["address", "uint16"]) + encode(["address", "uint16"], [TO, 3])


@dataclass(frozen=True, slots=True)
class Node(JsonRpc):
    """Answers from `answers`, where an exception is raised and a list gives one answer a time, the last for ever."""

    url: str = "http://fake"
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)

    def __call__(self, method: str, *params: object) -> Any:
        self.asked.append((method, params))
        answer = self.answers[method]
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def count(self, method: str) -> int:
        return sum(asked == method for asked, _ in self.asked)


def node(**answers: Any) -> Node:
    receipt = {"status": "0x1", "gasUsed": "0xc350", "blockNumber": "0x9", "contractAddress": None}
    usual = {
        "eth_chainId": "0x7a69",
        "eth_estimateGas": hex(50_000),
        "eth_maxPriorityFeePerGas": "0x5",
        "eth_getBlockByNumber": {"baseFeePerGas": hex(BASE_FEE)},
        "eth_getTransactionCount": "0x4",
        "eth_sendRawTransaction": "0x",
        "eth_getTransactionReceipt": receipt,
    }
    return Node(answers=usual | answers)


def send(rpc: Node, mine_seconds: float = 60) -> tuple[Any, list[float]]:
    pauses: list[float] = []
    sender = KeySender(rpc, Refusals.of_contracts(), mine_seconds, pauses.append)
    return sender.send("the withdrawal", TO, b"\1\2\0", ALICE, 11), pauses


def sent_raw(rpc: Node) -> set[str]:
    return {params[0] for method, params in rpc.asked if method == "eth_sendRawTransaction"}


def test_send_signs_what_was_asked_and_offers_twice_the_base_fee() -> None:
    rpc = node(eth_getTransactionReceipt=[None, None, node().answers["eth_getTransactionReceipt"]])
    sent, pauses = send(rpc)
    (raw,) = sent_raw(rpc)
    expected = ALICE.sign_transaction(
        {
            "type": 2, "chainId": 31337, "nonce": 4, "to": bytes.fromhex(TO[2:]), "data": b"\1\2\0",
            "value": 11, "gas": 60_000, "maxPriorityFeePerGas": 5, "maxFeePerGas": BASE_FEES * BASE_FEE + 5,
        }
    )  # fmt: skip
    assert raw == "0x" + bytes(expected.raw_transaction).hex()
    assert sent.transaction == "0x" + bytes(expected.hash).hex()
    assert (sent.l1_block, sent.gas_used, sent.gas_data, sent.contract) == (9, 50_000, 4 * 9, None)
    assert pauses == [0.05, 0.1]


def test_send_node_without_a_word_on_tips_gets_ours() -> None:
    rpc = node(eth_maxPriorityFeePerGas=RpcError("eth_maxPriorityFeePerGas", "no such method", None, -32601))
    send(rpc)
    (raw,) = sent_raw(rpc)
    assert TIP_WEI.to_bytes(4, "big") in bytes.fromhex(raw[2:])


def test_send_what_the_contract_refuses_is_named_and_never_sent() -> None:
    rpc = node(eth_estimateGas=RpcError("eth_estimateGas", "reverted", "0x" + NOTHING_PENDING.hex(), 3))
    with pytest.raises(ContractRefused) as error:
        send(rpc)
    assert (error.value.error, error.value.data) == ("NothingPending", {"owner": TO, "token": 3})
    assert rpc.count("eth_sendRawTransaction") == 0


def test_send_more_gas_than_l1_takes_is_refused() -> None:
    with pytest.raises(GasLimitExceeded) as error:
        send(node(eth_estimateGas=hex(TRANSACTION_GAS_LIMIT + 1)))
    assert (error.value.gas, error.value.limit) == (TRANSACTION_GAS_LIMIT + 1, TRANSACTION_GAS_LIMIT)


def test_send_answer_lost_hands_the_same_bytes_in_again() -> None:
    known = RpcError("eth_sendRawTransaction", "already known")
    lost = NodeUnreachable("http://fake", "timed out")
    rpc = node(eth_sendRawTransaction=[lost, lost, known], eth_getTransactionByHash={"hash": "0x"})
    assert send(rpc)[0].l1_block == 9
    assert (rpc.count("eth_sendRawTransaction"), len(sent_raw(rpc))) == (3, 1)


def test_send_node_gone_for_good_is_named() -> None:
    with pytest.raises(NodeUnreachable):
        send(node(eth_sendRawTransaction=NodeUnreachable("http://fake", "timed out")))


def test_send_what_the_node_does_not_take_says_why() -> None:
    rpc = node(eth_sendRawTransaction=RpcError("", "nonce too low"), eth_getTransactionByHash=None)
    with pytest.raises(TransactionNotTaken) as error:
        send(rpc)
    assert (error.value.action, error.value.reason) == ("the withdrawal", "nonce too low")


def test_send_never_mined_names_the_transaction() -> None:
    rpc = node(eth_getTransactionReceipt=[NodeUnreachable("http://fake", "timed out"), None])
    with pytest.raises(TransactionNotMined) as error:
        send(rpc, mine_seconds=-1)
    assert error.value.transaction in str(error.value)
    assert len(error.value.transaction) == 66


FAILED = {"status": "0x0", "gasUsed": "0x1", "blockNumber": "0x9", "transactionHash": "0xabc"}


def test_send_refused_when_its_turn_comes_says_with_what() -> None:
    """Somebody was faster between the estimate and the block."""
    refusal = RpcError("eth_call", "reverted", {"data": "0x" + NOTHING_PENDING.hex()}, 3)
    rpc = node(eth_getTransactionReceipt=FAILED, eth_call=refusal)
    with pytest.raises(ContractRefused) as error:
        send(rpc)
    assert error.value.error == "NothingPending"
    assert rpc.asked[-1][1][1] == "0x9"


def test_send_failed_for_no_reason_that_repeats_says_so() -> None:
    with pytest.raises(TransactionReverted, match="0xabc failed, though repeated it does not"):
        send(node(eth_getTransactionReceipt=FAILED, eth_call="0x"))


def test_send_by_what_holds_no_key_is_an_error_of_the_program() -> None:
    sender = KeySender(node(), Refusals())
    with pytest.raises(TypeError, match="Node holds no key"):
        sender.send("it", TO, b"", type("Node", (), {"address": TO})())


@pytest.fixture(scope="module")
def anvil() -> Iterator[Anvil]:
    with Anvil() as running:
        yield running


def test_send_to_a_real_node_moves_the_money_and_creates_the_contract(anvil: Anvil) -> None:
    anvil.rpc("anvil_setBalance", ALICE.address, hex(10**18))
    sender = KeySender(JsonRpc(anvil.url), Refusals())
    before = int(anvil.rpc("eth_getBalance", TO, "latest"), 16)
    sent = [sender.send("a gift", TO, b"", ALICE, 11) for _ in range(3)]
    assert int(anvil.rpc("eth_getBalance", TO, "latest"), 16) - before == 33
    assert [each.gas_used for each in sent] == [21_000] * 3
    # Code that leaves 0x00 as the contract
    created = sender.send("a contract", None, bytes.fromhex("600160005360016000f3"), ALICE)
    assert created.contract is not None
    assert sender.rpc.code(created.contract) == b"\1"
