"""Nodes that lie: whatever they change, leave out or make up, a hash or a root gives them away, the error says where,
and the store holds nothing but what is true.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from fake_l1 import ROLLUP
from restore_rig import Direct, Rig

from rollup.core.errors import SluiceError
from rollup.l1.abi import L1Block, decode_commit, selector
from rollup.l1.errors import (
    FalseBlock,
    NodeFaulty,
    NodesDisagree,
    ReaderError,
    ReorgTooDeep,
    WrongChain,
    WrongContract,
)
from rollup.l1.feed import REORG_DEPTH, confirm
from rollup.l1.rpc import RpcError

BLOCKS = 6
LIED_ABOUT = 4
Lie = Callable[[Rig, str, tuple[Any, ...], Any], Any]
"""Called with (rig, method, params, the true answer); returns the answer."""


def _hash_call(number: int) -> str:
    return "0x" + (selector("blockHash", ["uint64"]) + encode(["uint64"], [number])).hex()


def _with_input(change: Callable[[bytes], bytes]) -> Lie:
    """Change the calldata of one block."""

    def lie(rig: Rig, method: str, params: tuple[Any, ...], answer: Any) -> Any:
        if method != "eth_getTransactionByHash" or answer["input"] != "0x" + _input(rig).hex():
            return answer
        return answer | {"input": "0x" + change(_input(rig)).hex()}

    return lie


def _input(rig: Rig) -> bytes:
    return rig.operator.input(LIED_ABOUT, LIED_ABOUT)


def _with_transaction(change: Callable[[Rig, dict[str, Any]], Any]) -> Lie:
    def lie(rig: Rig, method: str, params: tuple[Any, ...], answer: Any) -> Any:
        if method != "eth_getTransactionByHash" or answer["input"] != "0x" + _input(rig).hex():
            return answer
        return change(rig, answer)

    return lie


def _with_event(change: Callable[[dict[str, Any]], list[dict[str, Any]]]) -> Lie:
    """Change the event of one block."""

    def lie(rig: Rig, method: str, params: tuple[Any, ...], answer: Any) -> Any:
        if method != "eth_getLogs":
            return answer
        return [said for log in answer for said in (change(log) if int(log["topics"][1], 16) == LIED_ABOUT else [log])]

    return lie


def _with_view(call: Callable[[], str], value: int) -> Lie:
    """Change what a view of the contract answers."""

    def lie(rig: Rig, method: str, params: tuple[Any, ...], answer: Any) -> Any:
        return f"0x{value:064x}" if method == "eth_call" and params[0]["data"] == call() else answer

    return lie


def _flip(position: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


def _huge_length(data: bytes) -> bytes:
    """The L2 stream of the one block is said to be of 2^63 bytes."""
    at = 4 + 30 * 32
    assert data[at : at + 32] == encode(["uint256"], [len(decode_commit(data)[0].l2)])
    return data[:at] + encode(["uint256"], [2**63]) + data[at + 32 :]


def _data(log: dict[str, Any], position: int) -> list[dict[str, Any]]:
    return [log | {"data": "0x" + _flip(position)(bytes.fromhex(log["data"][2:])).hex()}]


PROVEN = "0x" + selector("provenBlocks", []).hex()
LIES: dict[str, tuple[Lie, type[SluiceError], str]] = {
    "l1_stream_changed": (_with_input(_flip(-1)), ReaderError, f"block {LIED_ABOUT}: "),
    "timestamp_changed": (_with_input(_flip(4 + 18 * 32 + 4 * 32 + 31)), ReaderError, f"block {LIED_ABOUT}: "),
    "input_cut": (_with_input(lambda data: data[:-32]), ReaderError, f"block {LIED_ABOUT}: transaction 0x"),
    "input_longer": (_with_input(lambda data: data + bytes(32)), ReaderError, f"block {LIED_ABOUT}: transaction 0x"),
    "input_empty": (_with_input(lambda data: b""), ReaderError, f"block {LIED_ABOUT}: transaction 0x"),
    "input_length_that_is_no_index": (_with_input(_huge_length), ReaderError, f"block {LIED_ABOUT}: transaction 0x"),
    "input_of_another_call": (_with_input(_flip(0)), ReaderError, "which publishes no blocks"),
    "another_blocks_transaction": (
        _with_transaction(lambda rig, found: found | {"input": "0x" + rig.operator.input(3, 3).hex()}),
        ReaderError,
        f"block {LIED_ABOUT}: its data hashes to 0x",
    ),
    "two_blocks_for_one_event": (
        _with_transaction(lambda rig, found: found | {"input": "0x" + rig.operator.input(4, 5).hex()}),
        ReaderError,
        "publishes 2 blocks and has 1 events",
    ),
    "transaction_to_another": (
        _with_transaction(lambda rig, found: found | {"to": "0x" + 20 * "ee"}),
        ReaderError,
        f"goes to 0x{20 * 'ee'}, not to the rollup",
    ),
    "transaction_kept_back": (_with_transaction(lambda rig, found: None), NodeFaulty, "does not have transaction 0x"),
    "event_kept_back": (_with_event(lambda log: []), ReaderError, f"block {LIED_ABOUT}: no BlockCommitted event"),
    "event_hash_changed": (_with_event(lambda log: _data(log, 5)), ReaderError, f"block {LIED_ABOUT}: no BlockComm"),
    "committer_changed": (_with_event(lambda log: _data(log, 60)), ReaderError, f"block {LIED_ABOUT}: its data"),
    "validator_set_changed": (_with_event(lambda log: _data(log, 95)), ReaderError, f"block {LIED_ABOUT}: its data"),
    "committed_at_changed": (_with_event(lambda log: _data(log, 127)), ReaderError, f"block {LIED_ABOUT}: its data"),
    "committed_at_no_time": (
        _with_event(lambda log: _data(log, 96)),
        ReaderError,
        f"block {LIED_ABOUT}: it was commit",
    ),
    "event_of_another_contract": (
        _with_event(lambda log: [log | {"address": "0x" + 20 * "ee"}]),
        NodeFaulty,
        "asked for logs of",
    ),
    "event_data_cut": (_with_event(lambda log: [log | {"data": log["data"][:-2]}]), NodeFaulty, "no BlockCommitted"),
    "event_without_number": (
        _with_event(lambda log: [log | {"topics": log["topics"][:1]}]),
        NodeFaulty,
        "eth_getLogs",
    ),
    "contracts_hash_changed": (
        _with_view(lambda: _hash_call(LIED_ABOUT), 77),
        ReaderError,
        f"block {LIED_ABOUT}: no BlockCommitted event has the hash 0x{77:064x}",
    ),
    "more_proven_than_committed": (_with_view(lambda: PROVEN, BLOCKS + 1), ReaderError, f"block {BLOCKS + 1}: the con"),
}


@pytest.mark.parametrize("name", LIES)
def test_restore_lie_is_found_and_named(rig: Rig, name: str) -> None:
    lie, kind, words = LIES[name]
    rig.blocks(BLOCKS)
    with pytest.raises(kind) as error:
        rig.restore(_liar(rig, lie), checkpoint_operations=100)
    assert words in error.value.message
    rig.check(BLOCKS if name == "more_proven_than_committed" else LIED_ABOUT - 1)
    rig.restore()
    rig.check(BLOCKS)


def test_restore_chain_of_the_liars_own_is_found_by_its_root(rig: Rig, tmp_path: Path) -> None:
    """Data, events and hashes all agree: a root that the data do not give is found all the same."""
    rig.blocks(BLOCKS)
    liar = Rig(tmp_path / "liar.db")
    liar.blocks(LIED_ABOUT - 1)
    liar.operator.seal([], new_root=99)
    liar.blocks(2)
    with pytest.raises(FalseBlock) as error:
        rig.restore(Direct(liar.l1.answer), checkpoint_operations=1)
    assert error.value.block_number == LIED_ABOUT
    rig.check(LIED_ABOUT - 1)


@pytest.mark.parametrize("garbage", [{"l2": 15 * b"\xff"}, {"fee_tokens": 8 * (0,)}], ids=["l2", "fee_tokens"])
def test_restore_proven_block_that_is_none_is_false_and_all_before_it_kept(rig: Rig, garbage: dict[str, Any]) -> None:
    """L1 holds a commit to neither; a proof of it is forged."""
    rig.blocks(BLOCKS)
    rig.operator.publish_garbage(**garbage)
    rig.l1.publish(rig.operator)
    with pytest.raises(FalseBlock) as error:
        rig.restore()
    assert (error.value.block_number, len(rig.pauses)) == (BLOCKS + 1, 0)
    rig.check(BLOCKS)


def _liar(rig: Rig, lie: Lie) -> Direct:
    return Direct(lambda method, *params: lie(rig, method, params, rig.l1.answer(method, *params)))


def _on(method: str, value: object) -> Lie:
    return lambda rig, asked, params, answer: value if asked == method else answer


def _genesis(rig: Rig, method: str, params: tuple[Any, ...], answer: Any) -> Any:
    if (method, *params[:1]) == ("eth_getBlockByNumber", "0x0"):
        return answer | {"hash": "0x" + 32 * "11"}
    return answer


def _reverts(rig: Rig, method: str, params: tuple[Any, ...], answer: Any) -> Any:
    if method == "eth_call":
        raise RpcError(method, "execution reverted", "0x", 3)
    return answer


@pytest.mark.parametrize(
    ("lie", "kind", "words"),
    [
        (_on("eth_chainId", "0x1"), WrongChain, "its chain id is 1, the manifest says 31337"),
        (_genesis, WrongChain, f"its block 0 is 0x{32 * '11'}, the manifest says 0x"),
        (_on("eth_getCode", "0x"), WrongContract, f"{ROLLUP} is not this rollup"),
        (_with_view(lambda: _hash_call(0), 5), WrongContract, f"it answers 0x{5:064x} for the hash of block 0"),
        (_on("eth_call", "0x"), WrongContract, "it answers 0x for the hash of block 0"),
        (_reverts, WrongContract, "execution reverted"),
    ],
)
def test_restore_wrong_chain_or_contract_is_named_at_once(
    rig: Rig, lie: Lie, kind: type[SluiceError], words: str
) -> None:
    rig.blocks(1)
    with pytest.raises(kind) as error:
        rig.restore(_liar(rig, lie))
    assert words in error.value.message
    assert not rig.pauses


def test_restore_node_that_hides_final_blocks_is_refused(rig: Rig) -> None:
    rig.blocks(BLOCKS)
    rig.l1.mine(REORG_DEPTH)
    rig.restore()
    with pytest.raises(ReorgTooDeep) as error:
        rig.restore(_liar(rig, _with_view(lambda: PROVEN, 2)))
    assert (error.value.block_number, "it says that 2 blocks are proven" in error.value.reason) == (BLOCKS, True)
    rig.check(BLOCKS)


def test_confirm_two_nodes_of_one_mind_agree(rig: Rig) -> None:
    rig.blocks(2)
    tip = rig.restore().tip
    confirm(tip.number, tip.hash(), rig.feed(), [rig.feed(), rig.feed()])


def test_confirm_two_nodes_that_differ_are_named(rig: Rig) -> None:
    rig.blocks(2)
    tip = rig.restore().tip
    other = rig.feed(Direct(_liar(rig, _with_view(lambda: _hash_call(2), 9)).answer, "http://other"))
    with pytest.raises(NodesDisagree) as error:
        confirm(tip.number, tip.hash(), rig.feed(), [rig.feed(), other])
    assert (error.value.block_number, error.value.url, error.value.other_url) == (2, "http://fake", "http://other")
    assert (error.value.hash, error.value.other_hash) == (f"0x{tip.hash().hex()}", f"0x{9:064x}")


def test_confirm_node_of_another_chain_is_refused(rig: Rig) -> None:
    tip = L1Block.genesis()
    with pytest.raises(WrongChain):
        confirm(0, tip.hash(), rig.feed(), [rig.feed(_liar(rig, _on("eth_chainId", "0x1")))])
