"""The rollup's blocks as L1 has them: events -> transaction inputs -> blocks, each held to the hash the contract keeps.

A block's hash holds its parent's, its data's and its roots, so a node that changes, leaves out or makes up anything is
found out by the first hash it does not own. What one node can still do is to be behind, or to show a whole chain of its
own making: a second node's word on the last hash (`confirm`) is against that.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Final, Self, TypeVar

from eth_abi.abi import encode

from rollup.core.operations import domain
from rollup.core.streams import WORD_BYTES
from rollup.l1.abi import BLOCK_COMMITTED, Committed, L1Block, NewBlock, decode_commit, selector
from rollup.l1.errors import L1Error, NodeFaulty, NodesDisagree, ReaderError, WrongChain, WrongContract
from rollup.l1.manifest import Manifest
from rollup.l1.node import Head, Log, Node
from rollup.l1.published import Commit, Published, published_block

REORG_DEPTH: Final = 64
"""How many L1 blocks may be replaced: two epochs, after which L1 is final."""
FETCHERS: Final = 4
FETCHED_AHEAD: Final = 8
VIEW_SECONDS: Final = 300
"""A view is not used for longer: nodes keep the state of the last 128 L1 blocks, 25 minutes, at least."""

PROVEN_BLOCKS: Final = selector("provenBlocks", [])

S = TypeVar("S")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Origin:
    """Which rollup on which chain: `deployed_at` is the L1 block to read from, `l1_genesis` L1's block 0's hash."""

    chain_id: int
    rollup: str
    deployed_at: int
    l1_genesis: str

    @classmethod
    def of(cls, manifest: Manifest) -> Self:
        """The origin that a manifest names."""
        return cls(manifest.chain_id, manifest.rollup, manifest.deployed_at, manifest.l1_genesis)


class View:
    """The contract as of one L1 block."""

    def __init__(self, node: Node, origin: Origin, head: Head) -> None:
        self._node = node
        self._origin = origin
        self.head = head
        self.pinned_at = time.monotonic()

    @cached_property
    def proven(self) -> int:
        """Number of the last proven block, 0 if there is none."""
        return int.from_bytes(self._ask(PROVEN_BLOCKS), "big")

    @cached_property
    def final(self) -> int:
        """Number of the last block that was proven REORG_DEPTH L1 blocks before: no reorganisation takes it back."""
        number = self.head.number - REORG_DEPTH
        if number <= self._origin.deployed_at:
            return 0
        past = self._node.view(self._origin.rollup, PROVEN_BLOCKS, self._node.header(number))
        return min(int.from_bytes(past, "big"), self.proven)  # past is empty if the contract was not there yet

    def block_hash(self, number: int) -> bytes:
        """The hash that the contract keeps of a committed block, zeros if there is none."""
        return self._ask(_block_hash(number))

    def _ask(self, call: bytes) -> bytes:
        return self._node.view(self._origin.rollup, call, self.head, WORD_BYTES)


class Feed:
    """Reads one rollup from one node.

    Args:
        node: Whom to ask.
        origin: Which rollup.
        view_seconds: How long one view is used for.
    """

    def __init__(self, node: Node, origin: Origin, view_seconds: float = VIEW_SECONDS) -> None:
        self.node = node
        self.origin = origin
        self._view_seconds = view_seconds
        self._latest: View | None = None
        self._domain = domain(origin.chain_id, int(origin.rollup, 16))

    def check(self) -> None:
        """Hold the node to the manifest's chain and contract.

        Raises: WrongChain, WrongContract, NodeUnreachable, NodeFaulty.
        """
        chain_id = self.node.chain_id()
        if chain_id != self.origin.chain_id:
            raise WrongChain(self.node.name, "chain id", str(self.origin.chain_id), str(chain_id))
        l1_genesis = self.node.header(0).hash
        if l1_genesis != self.origin.l1_genesis.lower():
            raise WrongChain(self.node.name, "block 0", self.origin.l1_genesis, l1_genesis)
        if not self.node.code(self.origin.rollup):
            raise self._wrong_contract("there is no code")
        genesis = L1Block.genesis().hash()
        try:
            kept = self.node.view(self.origin.rollup, _block_hash(0))
        except NodeFaulty as error:
            raise self._wrong_contract(error.reason) from error
        if kept != genesis:
            raise self._wrong_contract(f"it answers 0x{kept.hex()} for the hash of block 0, not 0x{genesis.hex()}")

    def pin(self) -> View:
        """The contract as of the node's latest L1 block."""
        self._latest = View(self.node, self.origin, self.node.header())
        return self._latest

    def published(self, view: View, parent: L1Block, found_at: int) -> Iterator[Published]:
        """Yield the blocks after `parent` in order, to the last that is proven at `view`.

        Args:
            view: The contract as of some L1 block; more is proven than `parent`.
            parent: The last block known.
            found_at: L1 block of its commit, as it was when it was found.

        Raises: ReaderError: what the node gives is not what the contract keeps. NodeUnreachable, NodeFaulty.
        """
        groups = self._transactions(view, parent.number, max(self.origin.deployed_at, found_at - REORG_DEPTH))
        for blocks in _ahead(self._fetch, groups):
            for commit, new in blocks:
                if commit.number <= parent.number:
                    continue
                if commit.number > parent.number + 1:
                    raise self._missing(parent.number + 1)
                published = published_block(self._domain, parent, new, commit)
                parent = published.block
                yield published
                if parent.number == view.proven:
                    return
        raise self._missing(parent.number + 1)

    def _transactions(self, view: View, known: int, start: int) -> Iterator[list[Commit]]:
        """Yield the commits of each transaction that has any of a block after `known` and proven."""
        for found in self.node.logs(self.origin.rollup, BLOCK_COMMITTED, start, view.head, _commit):
            for _, group in groupby(found, key=lambda commit: commit.transaction):
                commits = list(group)
                if any(known < commit.number <= view.proven for commit in commits):
                    yield commits

    def _fetch(self, group: Sequence[Commit]) -> list[tuple[Commit, NewBlock]]:
        """The data of one transaction's blocks, of those that the contract still has."""
        view = self._recent()
        kept = [commit for commit in group if view.block_hash(commit.number) == commit.hash]
        if not kept:
            return []
        first = group[0]
        found = self.node.transaction(first.transaction, view.head)
        if int.from_bytes(found["to"], "big") != int(self.origin.rollup, 16):
            to = f"0x{found['to'].hex()}"
            raise ReaderError(first.number, f"transaction {first.transaction} goes to {to}, not to the rollup")
        try:
            blocks = decode_commit(found["input"])
        except ValueError as error:
            raise ReaderError(first.number, f"transaction {first.transaction}: {error}") from error
        by_number = dict(enumerate(blocks, first.number))
        if [commit.number for commit in group] != list(by_number):
            reason = f"transaction {first.transaction} publishes {len(blocks)} blocks and has {len(group)} events"
            raise ReaderError(first.number, reason)
        return [(commit, by_number[commit.number]) for commit in kept]

    def _recent(self) -> View:
        """A view that the node has the state of."""
        view = self._latest
        if view is None or time.monotonic() > view.pinned_at + self._view_seconds:
            return self.pin()
        return view

    def _missing(self, number: int) -> ReaderError:
        view = self._recent()
        kept = view.block_hash(number)
        if not any(kept):
            return ReaderError(number, f"the contract has none, though it says that {view.proven} are proven")
        return ReaderError(number, f"no BlockCommitted event has the hash 0x{kept.hex()} that the contract keeps")

    def _wrong_contract(self, reason: str) -> WrongContract:
        return WrongContract(self.node.name, self.origin.rollup, reason)


def confirm(number: int, block_hash: bytes, source: Feed, others: Iterable[Feed]) -> None:
    """Ask other nodes for their word on a block's hash.

    Raises: NodesDisagree, WrongChain, WrongContract, NodeUnreachable, NodeFaulty.
    """
    for other in others:
        other.check()
        theirs = other.pin().block_hash(number)
        if theirs != block_hash:
            raise NodesDisagree(number, source.node.name, f"0x{block_hash.hex()}", other.node.name, f"0x{theirs.hex()}")


def _block_hash(number: int) -> bytes:
    return selector("blockHash", ["uint64"]) + encode(["uint64"], [number])


def _commit(log: Log) -> Commit:
    return Commit.at(Committed.of(log.topics, log.data), log.transaction, log.l1_block)


def _ahead(work: Callable[[S], T], items: Iterable[S]) -> Iterator[T]:
    """Yield work(item) of each item in order, done by FETCHERS threads a few items ahead.

    If the items end with an error, those before it still come first.
    """
    source, waiting, failure, is_done = iter(items), deque[Future[T]](), None, False
    with ThreadPoolExecutor(FETCHERS) as pool:
        try:
            while True:
                while not is_done and len(waiting) <= FETCHED_AHEAD:
                    try:
                        waiting.append(pool.submit(work, next(source)))
                    except StopIteration:
                        is_done = True
                    except L1Error as error:
                        failure, is_done = error, True
                if not waiting:
                    break
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
    if failure is not None:
        raise failure
