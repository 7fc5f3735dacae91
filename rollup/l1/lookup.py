"""One block of the rollup on L1, by its number, and how far it has come; without reading those before it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from eth_abi.abi import encode

from rollup.core.operations import domain
from rollup.l1.abi import BLOCK_COMMITTED, decode_publication, selector
from rollup.l1.errors import ReaderError
from rollup.l1.published import Commit, Published, published_block
from rollup.l1.reader import commit_of_log
from rollup.l1.rpc import LOG_RANGE_BLOCKS, JsonRpc


class Stage(StrEnum):
    """How far a block has come on L1; `EXECUTED` is as far as it gets."""

    ABSENT = "absent"
    COMMITTED = "committed"
    PROVEN = "proven"
    EXECUTED = "executed"


@dataclass(frozen=True, slots=True)
class Lookup:
    """Finds blocks of one rollup.

    Args:
        rpc: The node to ask.
        rollup: Address of the contract.
        deployed_at: L1 block number of its deployment.
    """

    rpc: JsonRpc
    rollup: str
    deployed_at: int

    def stage(self, number: int) -> Stage:
        """How far a block has come.

        Raises: NodeUnreachable.
        """
        for stage, view in (
            (Stage.EXECUTED, "executedBlocks"),
            (Stage.PROVEN, "provenBlocks"),
            (Stage.COMMITTED, "committedBlocks"),
        ):
            if number <= int.from_bytes(self.rpc.call(self.rollup, selector(view, [])), "big"):
                return stage
        return Stage.ABSENT

    def find(self, number: int) -> Published:
        """The block as published, held to the hash that the contract keeps, and so to its parent's.

        Raises:
            NodeUnreachable: The node does not answer.
            ReaderError: The node shows no transaction that published it.
        """
        kept = self._kept(number)
        for log in self._events(number):
            commit = commit_of_log(log)
            if commit.hash == kept:
                return self._published(commit)
        raise ReaderError(number, f"no BlockCommitted event has the hash 0x{kept.hex()} that the contract keeps")

    def _published(self, commit: Commit) -> Published:
        found = self.rpc("eth_getTransactionByHash", commit.transaction)
        if found is None:
            raise ReaderError(commit.number, f"the node does not have transaction {commit.transaction}")
        try:
            parent, blocks = decode_publication(bytes.fromhex(found["input"][2:]))
        except ValueError as error:
            raise ReaderError(commit.number, str(error)) from error
        if parent.hash() != self._kept(parent.number):
            raise ReaderError(commit.number, f"transaction {commit.transaction} builds on a block that is not on L1")
        rollup_domain = domain(self.rpc.chain_id(), int(self.rollup, 16))
        for new in blocks[: commit.number - parent.number]:
            number = parent.number + 1
            # Of one transaction all else is the same.
            block_commit = replace(commit, number=number, hash=self._kept(number))
            published = published_block(rollup_domain, parent, new, block_commit)
            parent = published.block
        if parent.number != commit.number:
            raise ReaderError(commit.number, f"transaction {commit.transaction} does not publish it")
        return published

    def _events(self, number: int) -> Iterator[dict[str, Any]]:
        topics = ["0x" + BLOCK_COMMITTED.hex(), f"0x{number:064x}"]
        head = int(self.rpc("eth_blockNumber"), 16)
        for first in range(self.deployed_at, head + 1, LOG_RANGE_BLOCKS):
            last = min(first + LOG_RANGE_BLOCKS - 1, head)
            place = {"fromBlock": hex(first), "toBlock": hex(last)}
            yield from self.rpc("eth_getLogs", {"address": self.rollup, "topics": topics, **place})

    def _kept(self, number: int) -> bytes:
        return self.rpc.call(self.rollup, selector("blockHash", ["uint64"]) + encode(["uint64"], [number]))
