"""A block as L1 has it: what a validator published, made into the header, the streams and the preimage of its hash.

L1 takes streams of any chunks, and any fee tokens: whether they are a block's only the proof shows. So nothing is
decoded that the hash does not need.
"""

from dataclasses import asdict, dataclass
from typing import Self

from rollup.core.binding import challenge, evaluation
from rollup.core.constants import FEE_TOKENS, SLOT_BITS, TIMESTAMP_BITS
from rollup.core.errors import SluiceError
from rollup.core.header import Header, HeaderFields, header_from_words
from rollup.core.operations import PublishedOperation
from rollup.core.streams import count_queued, decode_streams, l1_words, l2_chunks
from rollup.l1.abi import Committed, L1Block, NewBlock
from rollup.l1.errors import FalseBlock, ReaderError


@dataclass(frozen=True, slots=True)
class Published:
    """A block found on L1: its data hash to what L1 has. `transaction` and `l1_block` say where they are."""

    block: L1Block
    hash: bytes
    header: HeaderFields
    l2: bytes
    l1: bytes
    transaction: str
    l1_block: int

    def decode(self) -> tuple[Header, list[PublishedOperation]]:
        """What the data of a proven block say.

        Raises: FalseBlock: they are no block's.
        """
        try:
            return header_from_words(self.header.words()), decode_streams(self.l2, self.l1)
        except SluiceError as error:
            raise FalseBlock(self.block.number, str(error)) from error


@dataclass(frozen=True, slots=True)
class Commit:
    """What the event BlockCommitted says, and where it stands."""

    number: int
    hash: bytes
    committer: str
    validator_set: bytes
    committed_at: int
    transaction: str
    l1_block: int

    @classmethod
    def at(cls, said: Committed, transaction: str, l1_block: int) -> Self:
        """What an event says, and its place."""
        return cls(**asdict(said), transaction=transaction, l1_block=l1_block)


def published_block(domain: int, parent: L1Block, new: NewBlock, commit: Commit) -> Published:
    """The block that the contract must have made of published data on top of `parent`.

    Args:
        domain: `operations.domain(chain_id, rollup_address)`.
        parent: The block before.
        new: What the transaction published.
        commit: What the contract said of it.

    Raises: ReaderError: it is no block, or its hash is not the one the contract announced.
    """
    number = parent.number + 1
    try:
        header = _header(domain, parent, new)
        commitment = int.from_bytes(new.commitment, "big")
        x = challenge(header, new.l2, new.l1, commitment)
        binding = commitment, x, evaluation(header, new.l2, new.l1, x)
    except SluiceError as error:
        raise ReaderError(number, str(error)) from error
    if commit.committed_at >> TIMESTAMP_BITS:
        raise ReaderError(number, f"it was committed at {commit.committed_at}, which is no time")
    noted = commit.committer, commit.validator_set, commit.committed_at
    block = parent.following(header, new.l2, new.l1, binding, *noted)
    found = block.hash()
    if found != commit.hash:
        reason = f"its data hashes to 0x{found.hex()}, the contract has 0x{commit.hash.hex()}"
        raise ReaderError(number, reason)
    return Published(block, found, header, new.l2, new.l1, commit.transaction, commit.l1_block)


def _header(domain: int, parent: L1Block, new: NewBlock) -> HeaderFields:
    mask = (1 << SLOT_BITS) - 1
    return HeaderFields(
        domain=domain,
        block_size=new.block_size,
        block_number=parent.number + 1,
        timestamp=new.timestamp,
        queue_start=parent.queue_end,
        queue_count=count_queued(new.l1),
        l2_chunks=len(l2_chunks(new.l2)),
        l1_words=len(l1_words(new.l1)),
        old_root=parent.new_root,
        new_root=int.from_bytes(new.new_root, "big"),
        fee_account=new.fee_account,
        fee_tokens=tuple(new.fee_tokens >> SLOT_BITS * i & mask for i in range(FEE_TOKENS)),
    )
