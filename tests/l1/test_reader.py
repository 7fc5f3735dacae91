"""The reader against a node of our own making: what it asks, how often, and in what ranges."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from eth_abi.abi import encode

from rollup.core import BlockBuilder, Deposit, State, domain
from rollup.l1.abi import BLOCK_COMMITTED, BLOCK_COMMITTED_DATA, COMMIT, COMMIT_TYPES, L1Block, NewBlock, selector
from rollup.l1.client import RollupClient
from rollup.l1.reader import Reader
from rollup.l1.rpc import LOG_RANGE_BLOCKS, JsonRpc
from rollup.l1.sender import Sender

CHAIN_ID = 31337
ROLLUP = "0x" + 20 * "c0"
COMMITTER = "0x" + 20 * "0a"
COMMITTED_AT = 1_800_000_007
DEPLOYED_AT = 5
BLOCKS = 3
HEAD = DEPLOYED_AT + 2 * LOG_RANGE_BLOCKS


@dataclass(frozen=True, slots=True)
class Node(JsonRpc):
    """A chain with a few proven blocks, far apart; counts what it is asked."""

    url: str = "http://fake"
    asked: Counter[str] = field(default_factory=Counter)
    ranges: list[tuple[int, int]] = field(default_factory=list)
    blocks: list[L1Block] = field(default_factory=lambda: [L1Block.genesis()])
    inputs: dict[str, bytes] = field(default_factory=dict)
    logs_at: dict[int, dict[str, Any]] = field(default_factory=dict)

    def add(self, state: State, amount: int = 7) -> None:
        """Publish a block of one deposit."""
        parent = self.blocks[-1]
        builder = BlockBuilder(
            state,
            domain=domain(CHAIN_ID, int(ROLLUP, 16)),
            block_number=parent.number + 1,
            timestamp=1_800_000_000,
            fee_account=0,
            fee_tokens=range(8),
            block_size=2,
            queue_start=parent.queue_end,
        )
        builder.add(Deposit(parent.number, 0, amount, 0xA000 + parent.number))
        sealed = builder.seal()
        binding = sealed.commitment, sealed.challenge, sealed.evaluation
        block = parent.following(sealed.header, sealed.l2, sealed.l1, binding, COMMITTER, bytes(32), COMMITTED_AT)
        transaction = f"0x{block.number:064x}"
        new = NewBlock.of(sealed).as_tuple()
        self.inputs[transaction] = COMMIT + encode(COMMIT_TYPES, [parent.as_tuple(), [new], b""])
        at = DEPLOYED_AT + (block.number - 1) * LOG_RANGE_BLOCKS
        self.logs_at[at] = {
            "topics": ["0x" + BLOCK_COMMITTED.hex(), f"0x{block.number:064x}"],
            "data": "0x" + encode(BLOCK_COMMITTED_DATA, [block.hash(), COMMITTER, bytes(32), COMMITTED_AT]).hex(),
            "transactionHash": transaction,
            "blockNumber": hex(at),
        }
        self.blocks.append(block)

    def __call__(self, method: str, *params: Any) -> Any:
        self.asked[method] += 1
        match method:
            case "eth_chainId":
                return hex(CHAIN_ID)
            case "eth_blockNumber":
                return hex(HEAD)
            case "eth_getLogs":
                first, last = int(params[0]["fromBlock"], 16), int(params[0]["toBlock"], 16)
                self.ranges.append((first, last))
                wanted = params[0]["topics"][0]
                found = [log for at, log in sorted(self.logs_at.items()) if first <= at <= last]
                return [log for log in found if log["topics"][0] in wanted]
            case "eth_getTransactionByHash":
                return {"to": ROLLUP, "input": "0x" + self.inputs[params[0]].hex()}
            case "eth_call":
                data = bytes.fromhex(params[0]["data"][2:])
                if data == selector("provenBlocks", []):
                    return f"0x{len(self.blocks) - 1:064x}"
                return "0x" + self.blocks[int.from_bytes(data[4:], "big")].hash().hex()
        raise AssertionError(method)

    def revert(self, last: int) -> None:
        """Take back every block after `last`; its events stay, earlier than those of what comes instead."""
        for number in range(last + 1, len(self.blocks)):
            at = DEPLOYED_AT + (number - 1) * LOG_RANGE_BLOCKS
            log = self.logs_at.pop(at)
            self.logs_at[at - 1] = log | {"transactionHash": f"0x{number:063x}f"}
            self.inputs[f"0x{number:063x}f"] = self.inputs.pop(log["transactionHash"])
        del self.blocks[last + 1 :]


RANGES = [
    (DEPLOYED_AT, DEPLOYED_AT + LOG_RANGE_BLOCKS - 1),
    (DEPLOYED_AT + LOG_RANGE_BLOCKS, HEAD - 1),
    (HEAD, HEAD),
]


def test_rebuild_asks_the_chain_id_once_and_logs_in_ranges() -> None:
    node, state = Node(), State()
    for _ in range(BLOCKS):
        node.add(state)
    rebuilt = Reader(node, ROLLUP, DEPLOYED_AT).rebuild()
    assert rebuilt.state.root == state.root
    assert [published.block for published in rebuilt.blocks] == node.blocks[1:]
    assert node.asked["eth_chainId"] == 1
    assert node.ranges == RANGES


def test_rebuild_after_a_revert_takes_the_blocks_that_are_kept() -> None:
    node, state = Node(), State()
    node.add(state)
    for _ in range(BLOCKS - 1):
        node.add(state)
    reverted = node.blocks[2:]
    node.revert(1)
    again = Reader(node, ROLLUP, DEPLOYED_AT).rebuild().state
    node.add(again, amount=8)
    rebuilt = Reader(node, ROLLUP, DEPLOYED_AT).rebuild()
    assert [published.block for published in rebuilt.blocks] == node.blocks[1:]
    assert rebuilt.last.number == reverted[0].number
    assert rebuilt.last != reverted[0]
    assert rebuilt.state.root == again.root


def test_queue_asks_logs_in_ranges() -> None:
    node = Node()
    sender = object.__new__(Sender)
    sender.rpc = node
    assert RollupClient(sender, ROLLUP, DEPLOYED_AT).queue() == []
    assert node.ranges == RANGES


def test_logs_before_the_contract_are_none() -> None:
    node = Node()
    assert list(node.logs(ROLLUP, [BLOCK_COMMITTED], HEAD + 1)) == []
    assert node.ranges == []
