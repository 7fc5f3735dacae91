"""One block of the rollup on L1, by its number, and how far it has come; without reading those before it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from eth_abi.abi import decode, encode

from rollup.core.operations import domain
from rollup.l1.abi import BLOCK_COMMITTED, BLOCKS_REVERTED, BLOCKS_REVERTED_DATA, decode_publication, selector
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
class Reverting:
    """Blocks `first` to `last` were taken back at `time`, in unix seconds, as `suspended` had not proven `first`;
    the zero address if nobody was to blame."""

    first: int
    last: int
    suspended: str
    time: int


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

    def committed(self) -> int:
        """Number of the last committed block.

        Raises: NodeUnreachable.
        """
        return int.from_bytes(self.rpc.call(self.rollup, selector("committedBlocks", [])), "big")

    def find(self, number: int) -> Published:
        """The block as published, held to the hash that the contract keeps, and so to its parent's.

        Raises:
            NodeUnreachable: The node does not answer.
            ReaderError: The node shows no transaction that published it.
        """
        kept = self._kept(number)
        for commit in self.commits(number):
            if commit.hash == kept:
                return self._published(commit, self._kept)
        raise ReaderError(number, f"no BlockCommitted event has the hash 0x{kept.hex()} that the contract keeps")

    def commits(self, number: int) -> Iterator[Commit]:
        """Every commit of a block of this number, in order: several if L1 took some back."""
        return (commit_of_log(log) for log in self._events(BLOCK_COMMITTED, f"0x{number:064x}"))

    def revertings(self) -> Iterator[Reverting]:
        """Every time that blocks were taken back, in order."""
        for log in self._events(BLOCKS_REVERTED):
            first, last, suspended = decode(BLOCKS_REVERTED_DATA, bytes.fromhex(log["data"][2:]))
            block = self.rpc("eth_getBlockByNumber", log["blockNumber"], False)
            yield Reverting(first, last, suspended, int(block["timestamp"], 16))

    def published(self, commit: Commit) -> Published:
        """What a commit published, whether L1 still has it or took it back; held to the hashes that L1 announced.

        Raises: NodeUnreachable. ReaderError.
        """
        announced = self._announced(commit)
        return self._published(commit, lambda number: announced.get(number, b""), is_kept=False)

    def _published(self, commit: Commit, hash_of: Callable[[int], bytes], is_kept: bool = True) -> Published:
        found = self.rpc("eth_getTransactionByHash", commit.transaction)
        if found is None:
            raise ReaderError(commit.number, f"the node does not have transaction {commit.transaction}")
        try:
            parent, blocks = decode_publication(bytes.fromhex(found["input"][2:]))
        except ValueError as error:
            raise ReaderError(commit.number, str(error)) from error
        if is_kept and parent.hash() != hash_of(parent.number):
            raise ReaderError(commit.number, f"transaction {commit.transaction} builds on a block that is not on L1")
        rollup_domain = domain(self.rpc.chain_id(), int(self.rollup, 16))
        for new in blocks[: commit.number - parent.number]:
            number = parent.number + 1
            # Of one transaction all else is the same.
            block_commit = replace(commit, number=number, hash=hash_of(number))
            published = published_block(rollup_domain, parent, new, block_commit)
            parent = published.block
        if parent.number != commit.number:
            raise ReaderError(commit.number, f"transaction {commit.transaction} does not publish it")
        return published

    def _announced(self, commit: Commit) -> dict[int, bytes]:
        """The hashes of the blocks that a commit's transaction published; the contract took none on another parent."""
        logs = self.rpc("eth_getTransactionReceipt", commit.transaction)["logs"]
        ours = [log for log in logs if int(log["address"], 16) == int(self.rollup, 16)]
        said = [commit_of_log(log) for log in ours if log["topics"][0] == "0x" + BLOCK_COMMITTED.hex()]
        return {each.number: each.hash for each in said}

    def _events(self, event: bytes, *indexed: str) -> Iterator[dict[str, Any]]:
        topics = ["0x" + event.hex(), *indexed]
        head = int(self.rpc("eth_blockNumber"), 16)
        for first in range(self.deployed_at, head + 1, LOG_RANGE_BLOCKS):
            last = min(first + LOG_RANGE_BLOCKS - 1, head)
            place = {"fromBlock": hex(first), "toBlock": hex(last)}
            yield from self.rpc("eth_getLogs", {"address": self.rollup, "topics": topics, **place})

    def _kept(self, number: int) -> bytes:
        return self.rpc.call(self.rollup, selector("blockHash", ["uint64"]) + encode(["uint64"], [number]))
