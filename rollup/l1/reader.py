"""Rebuilds the state from L1 alone: events -> transaction inputs -> streams -> state, every hash and root compared.

Needs a JSON-RPC endpoint, the rollup's address and the L1 block it was deployed in; nothing of the operator's.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from eth_abi.abi import encode

from rollup.core.errors import SluiceError
from rollup.core.operations import PublishedOperation, domain
from rollup.core.rebuild import apply_block_data
from rollup.core.state import State
from rollup.l1.abi import BLOCK_COMMITTED, Committed, L1Block, NewBlock, decode_commit, selector
from rollup.l1.errors import ReaderError
from rollup.l1.published import Commit, Published, published_block
from rollup.l1.rpc import JsonRpc


@dataclass
class Rebuilt:
    """The state that L1 gives, and how it came about."""

    state: State = field(default_factory=State)
    blocks: list[Published] = field(default_factory=list)
    operations: list[list[PublishedOperation]] = field(default_factory=list)

    @property
    def last(self) -> L1Block:
        """Return the last block, genesis if there is none."""
        return self.blocks[-1].block if self.blocks else L1Block.genesis()


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one rollup.

    Args:
        rpc: The node to ask.
        rollup: Address of the contract.
        deployed_at: L1 block number of its deployment.
    """

    rpc: JsonRpc
    rollup: str
    deployed_at: int

    def rebuild(self, progress: Callable[[int, int], None] | None = None) -> Rebuilt:
        """Rebuild the state after the last proven block.

        Args:
            progress: Called with (blocks done, blocks in all).

        Raises:
            NodeUnreachable: The node does not answer.
            ReaderError: What it gave does not hash to what the contract stored.
            FalseBlock: What L1 has is no block's.
        """
        rebuilt = Rebuilt()
        self._check_hash(L1Block.genesis())
        proven = self._count("provenBlocks")
        for published in self.published(proven):
            header, _ = published.decode()
            try:
                operations = apply_block_data(rebuilt.state, header, published.l2, published.l1)
            except SluiceError as error:
                raise ReaderError(published.block.number, str(error)) from error
            rebuilt.blocks.append(published)
            rebuilt.operations.append(operations)
            if progress is not None:
                progress(published.block.number, proven)
        if rebuilt.last.number != proven:
            raise ReaderError(rebuilt.last.number + 1, f"no BlockCommitted event, though {proven} blocks are proven")
        return rebuilt

    def published(self, last: int) -> Iterator[Published]:
        """Yield blocks 1 to `last` as published, in order, each compared with the hash the contract keeps.

        A block that was reverted has an event too; of a number, the one whose hash is kept counts.
        """
        parent = L1Block.genesis()
        cached: tuple[str, list[NewBlock]] = ("", [])
        rollup_domain = domain(self.rpc.chain_id(), int(self.rollup, 16))
        for log in self.rpc.logs(self.rollup, [BLOCK_COMMITTED], self.deployed_at):
            commit = commit_of_log(log)
            if cached[0] != commit.transaction:
                cached = (commit.transaction, self._input(commit.transaction, commit.number))
            if not cached[1]:
                raise ReaderError(commit.number, "the transaction published fewer blocks than it has events")
            new = cached[1].pop(0)
            if commit.number > last or commit.hash != self._kept(commit.number):
                continue
            if commit.number != parent.number + 1:
                raise ReaderError(commit.number, f"its event follows that of block {parent.number}")
            published = published_block(rollup_domain, parent, new, commit)
            parent = published.block
            yield published
            if parent.number == last:
                return

    def _input(self, transaction: str, number: int) -> list[NewBlock]:
        found = self.rpc("eth_getTransactionByHash", transaction)
        if found is None:
            raise ReaderError(number, f"the node does not have transaction {transaction}")
        if int(found["to"] or "0x0", 16) != int(self.rollup, 16):
            raise ReaderError(number, f"transaction {transaction} goes to {found['to']}, not to the rollup")
        try:
            return decode_commit(bytes.fromhex(found["input"][2:]))
        except ValueError as error:
            raise ReaderError(number, str(error)) from error

    def _check_hash(self, block: L1Block) -> None:
        stored = self._kept(block.number)
        if stored != block.hash():
            reason = f"its data hashes to 0x{block.hash().hex()}, the contract at {self.rollup} has 0x{stored.hex()}"
            raise ReaderError(block.number, reason)

    def _kept(self, number: int) -> bytes:
        return self.rpc.call(self.rollup, selector("blockHash", ["uint64"]) + encode(["uint64"], [number]))

    def _count(self, view: str) -> int:
        return int.from_bytes(self.rpc.call(self.rollup, selector(view, [])), "big")


def commit_of_log(log: dict[str, Any]) -> Commit:
    """What a BlockCommitted event says."""
    return Commit.at(Committed.of_json(log), log["transactionHash"], int(log["blockNumber"], 16))
