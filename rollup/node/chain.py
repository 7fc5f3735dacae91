"""What the node asks of L1, and what it sends there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from eth_abi.abi import encode

from rollup.l1.abi import L1Block, NewBlock, selector
from rollup.l1.client import Queued, RollupClient
from rollup.l1.lookup import Lookup
from rollup.l1.manifest import Manifest
from rollup.l1.published import Published
from rollup.l1.sending import Account
from rollup.node.provers import Proof

REORGANISATION_BLOCKS: Final = 64
"""As far back as L1 may be rewritten before it is final."""


@dataclass(frozen=True, slots=True)
class Heads:
    """Numbers of the last blocks that L1 has committed, proven and executed."""

    committed: int
    proven: int
    executed: int


class Chain(Protocol):
    """The rollup on L1. What is sent again after a crash does nothing twice: the contract takes blocks in order, once.

    All methods raise L1Error; what sends returns when the transaction is in an L1 block.
    """

    def heads(self) -> Heads: ...

    def find(self, number: int) -> Published:
        """A committed block, held to the hash the contract keeps."""
        ...

    def commit(self, parent: L1Block, blocks: Sequence[NewBlock]) -> None: ...

    def prove(self, blocks: Sequence[L1Block], proofs: Sequence[Proof]) -> None: ...

    def execute(self, blocks: Sequence[L1Block], l1_streams: Sequence[bytes]) -> None: ...

    def commit_prove_execute(self, parent: L1Block, block: NewBlock, proof: Proof) -> None: ...

    def queue(self, start: int) -> list[Queued]:
        """The queue's entries from an index on, as deep in L1 as they are to be trusted."""
        ...

    def validator_set(self) -> bytes: ...

    def key_change_approved(self, owner: str, digest: bytes) -> bool:
        """Whether L1 has the owner's approval, as deep as the queue's entries."""
        ...


class RollupChain:
    """The rollup behind a node of L1.

    Args:
        client: The rollup, and how transactions go out.
        manifest: Its deployment.
        account: Who pays: one of the contract's validators.
        confirmations: How many L1 blocks are to be on top of a queue entry, or of an owner's approval, before it is
            taken in: a block that holds what L1 took back could not be committed.
    """

    def __init__(self, client: RollupClient, manifest: Manifest, account: Account, confirmations: int = 0) -> None:
        self._client = client
        self._governor = manifest.contracts["Governor"].address
        self._account = account
        self._confirmations = confirmations
        self._seen: dict[int, int] = {}
        self._lookup = Lookup(client.sender.rpc, client.address, client.deployed_at)

    def heads(self) -> Heads:
        """How far L1 is. Executed first: what moves on in between is never behind."""
        executed, proven = self._client.executed_blocks(), self._client.proven_blocks()
        return Heads(self._client.committed_blocks(), proven, executed)

    def find(self, number: int) -> Published:
        """A committed block."""
        return self._lookup.find(number)

    def commit(self, parent: L1Block, blocks: Sequence[NewBlock]) -> None:
        """Publish blocks."""
        self._client.commit(self._account, parent, blocks)

    def prove(self, blocks: Sequence[L1Block], proofs: Sequence[Proof]) -> None:
        """Hand in proofs."""
        self._client.prove(self._account, blocks, proofs)

    def execute(self, blocks: Sequence[L1Block], l1_streams: Sequence[bytes]) -> None:
        """Execute proven blocks."""
        self._client.execute(self._account, blocks, l1_streams)

    def commit_prove_execute(self, parent: L1Block, block: NewBlock, proof: Proof) -> None:
        """All at once."""
        self._client.commit_prove_execute(self._account, parent, block, proof)

    def queue(self, start: int) -> list[Queued]:
        """The queue's entries from an index on."""
        total = int.from_bytes(self._deep(selector("queueTotal", [])), "big")
        if total <= start:
            return []
        entries = self._client.queue(start, self._since(start))
        self._seen |= {entry.index: entry.l1_block for entry in entries}
        return [entry for entry in entries if entry.index < total]

    def _since(self, start: int) -> int:
        """The L1 block to read the queue from: entries are in order, and a reorganisation moves them little."""
        before = max((index for index in self._seen if index <= start), default=None)
        if before is None:
            return 0
        self._seen = {index: block for index, block in self._seen.items() if index >= before}
        return self._seen[before] - REORGANISATION_BLOCKS

    def validator_set(self) -> bytes:
        """The registry's, as of now."""
        return self._client.sender.rpc.call(self._governor, selector("validatorSet", []))

    def key_change_approved(self, owner: str, digest: bytes) -> bool:
        """Whether L1 has the owner's approval, so deep that it stays: without it the block could not be committed."""
        view = selector("keyChangeApproved", ["address", "bytes32"])
        return any(self._deep(view + encode(["address", "bytes32"], [owner, digest])))

    def _deep(self, view: bytes) -> bytes:
        """What a view of the rollup answers as of `confirmations` blocks ago."""
        rpc = self._client.sender.rpc
        deep = hex(max(0, int(rpc("eth_blockNumber"), 16) - self._confirmations)) if self._confirmations else "latest"
        call = {"to": self._client.address, "data": "0x" + view.hex()}
        return bytes.fromhex(str(rpc("eth_call", call, deep))[2:])
