"""Blocks without users' signatures, for measuring and testing what reads them: a rebuild checks none, and the
commitment, which only a proof would know, is any word. L1 takes them with a verifier that accepts all.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from eth_abi.abi import encode

from rollup.core import Deposit, FullExit, Header, PublishedOperation, SealedBlock, State, domain, encode_streams
from rollup.core.binding import challenge, evaluation
from rollup.core.operations import steps_of
from rollup.core.rebuild import replay_operations
from rollup.core.streams import l1_words, l2_chunks
from rollup.l1.abi import COMMIT, COMMIT_TYPES, L1Block, NewBlock

FEE_TOKENS = tuple(range(8))
COMMITTER = "0x" + 20 * "0a"
TIMESTAMP = 1_800_000_000
SMALLEST_BLOCK = 8


class UnsignedChain:
    """Seals blocks, one on the other.

    Args:
        chain_id, rollup: The deployment.
        committer, validator_set: What L1 will note of who commits; of when, see `note_commit`.
    """

    def __init__(
        self, chain_id: int, rollup: str, committer: str = COMMITTER, validator_set: bytes = bytes(32)
    ) -> None:
        self._domain = domain(chain_id, int(rollup, 16))
        self._committer = committer
        self._validator_set = validator_set
        self.state = State()
        self.chain = [L1Block.genesis()]
        self.sealed: list[SealedBlock | None] = [None]

    def seal(
        self,
        operations: Sequence[PublishedOperation],
        fee_account: int = 0,
        timestamp: int = TIMESTAMP,
        replay: bool = True,
        **header: Any,
    ) -> L1Block:
        """Seal a block of these operations; `header` overrides its header. Without `replay` they do nothing."""
        parent = self.chain[-1]
        l2, l1 = encode_streams(operations)
        fields: dict[str, Any] = {
            "domain": self._domain,
            "block_size": max(sum(len(steps_of(operation)) for operation in operations), SMALLEST_BLOCK),
            "block_number": parent.number + 1,
            "timestamp": timestamp,
            "queue_start": parent.queue_end,
            "queue_count": sum(isinstance(operation, Deposit | FullExit) for operation in operations),
            "l2_chunks": len(l2_chunks(l2)),
            "l1_words": len(l1_words(l1)),
            "old_root": parent.new_root,
            "new_root": 0,
            "fee_account": fee_account,
            "fee_tokens": FEE_TOKENS,
        }
        if replay:
            replay_operations(self.state, Header(**fields | header), list(operations))
            self.state.forget()
        made = Header(**fields | {"new_root": self.state.root} | header)
        commitment = 2**200 + made.block_number
        x = challenge(made, l2, l1, commitment)
        binding = commitment, x, evaluation(made, l2, l1, x)
        self.sealed.append(SealedBlock(made, tuple(operations), l2, l1, *binding, None))  # type: ignore[arg-type]
        self.chain.append(parent.following(made, l2, l1, binding, self._committer, self._validator_set, TIMESTAMP))
        return self.chain[-1]

    def note_commit(self, first: int, last: int, committed_at: int) -> None:
        """Give blocks `first` to `last` the time of L1's at which they were committed; hashes from there on follow."""
        for number in range(first, len(self.chain)):
            block = replace(self.chain[number], parent_hash=self.chain[number - 1].hash())
            self.chain[number] = replace(block, committed_at=committed_at) if number <= last else block

    def input(self, first: int, last: int) -> bytes:
        """The calldata that commits blocks `first` to `last`."""
        new = [NewBlock.of(block).as_tuple() for block in self.sealed[first : last + 1] if block is not None]
        return COMMIT + encode(COMMIT_TYPES, [self.chain[first - 1].as_tuple(), new, b""])
