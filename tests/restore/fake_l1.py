"""An L1 of our own: blocks with commits and proofs of one rollup, that can be taken back, behind the JSON-RPC methods
that a restore asks. `test_restore_anvil.py` holds it to a real node and the real contract.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from eth_abi.abi import encode
from eth_hash.auto import keccak
from operator_model import Operator

from bench.unsigned_chain import COMMITTER
from rollup.l1.abi import BLOCK_COMMITTED, BLOCK_COMMITTED_DATA, L1Block, selector
from rollup.l1.feed import Origin
from rollup.l1.rpc import RpcError

CHAIN_ID = 31337
ROLLUP = "0x" + 20 * "c0"
DEPLOYED_AT = 3
CODE = "0x6001"


@dataclass(frozen=True)
class Contract:
    """What the rollup has stored."""

    hashes: tuple[bytes, ...] = (L1Block.genesis().hash(),)
    proven: int = 0


@dataclass(frozen=True)
class FakeBlock:
    number: int
    hash: str
    contract: Contract | None
    logs: tuple[dict[str, Any], ...] = ()


@dataclass
class FakeL1:
    """A chain whose contract is there from block DEPLOYED_AT on."""

    blocks: list[FakeBlock] = field(default_factory=list)
    transactions: dict[str, dict[str, Any]] = field(default_factory=dict)
    salt: int = 0
    chain_id: int = CHAIN_ID

    def __post_init__(self) -> None:
        if not self.blocks:
            self.mine(DEPLOYED_AT, Contract(), with_contract=False)
            self.mine(1, Contract())

    @property
    def head(self) -> FakeBlock:
        return self.blocks[-1]

    @property
    def contract(self) -> Contract:
        assert self.head.contract is not None
        return self.head.contract

    @property
    def origin(self) -> Origin:
        return Origin(CHAIN_ID, ROLLUP, DEPLOYED_AT, self.blocks[0].hash)

    def mine(
        self,
        count: int = 1,
        contract: Contract | None = None,
        logs: tuple[dict[str, Any], ...] = (),
        with_contract: bool = True,
    ) -> None:
        """Add blocks; the first has the logs, all have the contract as it is then."""
        contract = contract or self.contract
        for _ in range(count):
            number = len(self.blocks)
            block_hash = "0x" + keccak(f"{number} {self.salt}".encode() + keccak(repr(logs).encode())).hex()
            self.blocks.append(FakeBlock(number, block_hash, contract if with_contract else None, logs))
            logs = ()

    def commit(self, operator: Operator, first: int, last: int) -> None:
        """Mine a transaction of the operator's blocks `first` to `last`."""
        assert len(self.contract.hashes) == first
        data = operator.input(first, last)
        name = "0x" + keccak(data + bytes([self.salt % 256])).hex()
        self.transactions[name] = {"hash": name, "to": ROLLUP, "input": "0x" + data.hex()}
        blocks = operator.chain[first : last + 1]
        logs = tuple(_log(block, name, len(self.blocks), index) for index, block in enumerate(blocks))
        hashes = self.contract.hashes + tuple(block.hash() for block in blocks)
        self.mine(1, Contract(hashes, self.contract.proven), logs)

    def prove(self, number: int) -> None:
        """Mine a proof of every block up to this one."""
        assert number < len(self.contract.hashes)
        self.mine(1, Contract(self.contract.hashes, number))

    def revert(self, number: int) -> None:
        """Mine a transaction that takes back every unproven block after this one."""
        assert number >= self.contract.proven
        self.mine(1, Contract(self.contract.hashes[: number + 1], self.contract.proven))

    def publish(self, operator: Operator) -> None:
        """Commit and prove, in a block each, what the operator has and the contract does not."""
        for number in range(len(self.contract.hashes), len(operator.chain)):
            self.commit(operator, number, number)
            self.prove(number)

    def reorganise(self, depth: int) -> None:
        """Take the last `depth` blocks back; those mined next have other hashes."""
        del self.blocks[len(self.blocks) - depth :]
        self.salt += 1

    # JSON-RPC

    def answer(self, method: str, *params: Any) -> Any:
        """What a node that is right would answer.

        Raises: RpcError.
        """
        handler: Callable[..., Any] | None = getattr(self, method, None)
        if handler is None:
            raise RpcError(method, "the method does not exist", None, -32601)
        return handler(*params)

    def eth_chainId(self) -> str:  # noqa: N802
        return hex(self.chain_id)

    def eth_getBlockByNumber(self, tag: str, full: bool) -> Any:  # noqa: N802
        assert not full
        number = self.head.number if tag == "latest" else int(tag, 16)
        if number >= len(self.blocks):
            return None
        return {"number": hex(number), "hash": self.blocks[number].hash}

    def eth_getLogs(self, query: dict[str, Any]) -> list[dict[str, Any]]:  # noqa: N802
        assert query["topics"] == ["0x" + BLOCK_COMMITTED.hex()]
        blocks = self.blocks[int(query["fromBlock"], 16) : int(query["toBlock"], 16) + 1]
        return [log for block in blocks for log in block.logs if query["address"] == ROLLUP]

    def eth_getTransactionByHash(self, name: str) -> Any:  # noqa: N802
        return self.transactions.get(name)

    def eth_getCode(self, address: str, at: Any) -> str:  # noqa: N802
        return CODE if self._contract(address, at) else "0x"

    def eth_call(self, call: dict[str, str], at: Any) -> str:
        contract = self._contract(call["to"], at)
        data = bytes.fromhex(call["data"][2:])
        if contract is None:
            return "0x"
        if data == selector("provenBlocks", []):
            return f"0x{contract.proven:064x}"
        if data[:4] == selector("blockHash", ["uint64"]):
            number = int.from_bytes(data[4:], "big")
            return "0x" + (contract.hashes[number] if number < len(contract.hashes) else bytes(32)).hex()
        raise RpcError("eth_call", "execution reverted", "0x", 3)

    def _contract(self, address: str, at: Any) -> Contract | None:
        found = [block for block in self.blocks if at == "latest" or block.hash == at["blockHash"]][-1:]
        if not found:
            raise RpcError("eth_call", "header not found", None, -32000)
        return found[0].contract if address == ROLLUP else None


def _log(block: L1Block, transaction: str, l1_block: int, index: int) -> dict[str, Any]:
    return {
        "address": ROLLUP,
        "topics": ["0x" + BLOCK_COMMITTED.hex(), f"0x{block.number:064x}"],
        "data": "0x" + encode(BLOCK_COMMITTED_DATA, [block.hash(), COMMITTER, bytes(32), block.committed_at]).hex(),
        "transactionHash": transaction,
        "blockNumber": hex(l1_block),
        "logIndex": hex(index),
        "removed": False,
    }
