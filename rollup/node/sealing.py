"""From a closed block to what is proven and published: the same operations once more, with trees and witness."""

from collections.abc import Container, Sequence
from dataclasses import replace
from typing import Any, Final

from rollup._native import commit_chains
from rollup.core.account import Account
from rollup.core.binding import NOOP_WORDS, challenge, commit_header, evaluation
from rollup.core.block import BlockBuilder, SealedBlock
from rollup.core.constants import CHUNK_BYTES
from rollup.core.header import Header, HeaderFields, header_from_words
from rollup.core.state import State
from rollup.core.streams import WORD_BYTES
from rollup.node.entries import Entry
from rollup.node.errors import PromiseBrokenError
from rollup.node.ledger import Closed


class Everything(Container[Any]):
    """What was checked when it was taken in, and is taken in again."""

    def __contains__(self, item: object) -> bool:
        return True


EVERYTHING: Final = Everything()


class Sealer:
    """Seals blocks in order, and makes witnesses of them in order, which may be much later. Each for one thread.

    Sealing needs what changed and what is published, and brings one set of trees up to date, many places at once. A
    witness has every path as it stood when its step came: for it the operations are judged again by all rules, on a
    state that follows as far behind as the proofs are. What comes out is held to what was sealed.

    Args:
        state: After the last block that was sealed and proven.
        domain, fee_tokens: Of the rollup, and of every block.
    """

    def __init__(self, state: State, domain: int, fee_tokens: tuple[int, ...]) -> None:
        self._behind = state
        self._tree = state.tree()
        self._domain = domain
        self._fee_tokens = fee_tokens

    def seal(self, blocks: Sequence[Closed]) -> list[SealedBlock]:
        """Seal the next blocks, without witness; several at once cost little more than one."""
        headers = [self._header(block) for block in blocks]
        chains = [_chain(block) for block in blocks]
        commitments = commit_chains([commit_header(header) for header in headers], chains)
        return [_sealed(*each) for each in zip(headers, commitments, blocks, strict=True)]

    def witness(self, block: Closed, sealed: SealedBlock) -> SealedBlock:
        """The same block with what a proof needs; the next after those that were witnessed or passed over.

        Raises: OperationError, BlockError: it was promised what cannot be; PromiseBrokenError: it comes out otherwise.
        """
        record = block.record
        assert record.size is not None
        assert record.fee_account is not None
        builder = BlockBuilder(
            self._behind,
            domain=self._domain,
            block_number=record.number,
            timestamp=record.timestamp,
            fee_account=record.fee_account,
            fee_tokens=self._fee_tokens,
            block_size=record.size,
            queue_start=record.queue_start,
            key_approvals=EVERYTHING,
        )
        try:
            for operation in block.operations:
                builder.add(operation)
            built = builder.seal()
        except BaseException:
            builder.abandon()
            raise
        self._behind.forget()
        if replace(built, operations=(), witness=None) != sealed:
            raise PromiseBrokenError(record.number, "by the rules another block comes out than was sealed")
        return built

    def pass_over(self, block: Closed) -> None:
        """Go on behind a block that needs no witness: it is proven."""
        for touch in block.touches:
            self._behind.touch(touch)
        self._behind.forget()

    def _header(self, block: Closed) -> Header:
        """The block's, once the trees are as it leaves them."""
        record = block.record
        assert record.size is not None
        assert record.fee_account is not None
        l2, l1 = streams(block)
        old_root = self._tree.root
        slots: dict[int, list[tuple[int, int]]] = {}
        accounts: dict[int, Account] = {}
        for touch in block.touches:
            accounts[touch.account_id] = touch.account
            slots.setdefault(touch.account_id, []).append((touch.slot, touch.leaf))
        self._tree.update((account_id, accounts[account_id], changed) for account_id, changed in slots.items())
        return Header(
            domain=self._domain,
            block_size=record.size,
            block_number=record.number,
            timestamp=record.timestamp,
            queue_start=record.queue_start,
            queue_count=block.queue_count,
            l2_chunks=len(l2) // CHUNK_BYTES,
            l1_words=len(l1) // WORD_BYTES,
            old_root=old_root,
            new_root=self._tree.root,
            fee_account=record.fee_account,
            fee_tokens=self._fee_tokens,
        )


def streams(block: Closed) -> tuple[bytes, bytes]:
    """The L2 and the L1 stream of a block."""
    return b"".join(each.chunks for each in block.published), b"".join(each.record for each in block.published)


def _chain(block: Closed) -> bytes:
    """The words of all steps in the commitment's chain, with the Noops that pad the block."""
    words = b"".join(each.chain for each in block.published)
    missing = (block.record.size or 0) - len(words) // len(NOOP_WORDS)
    return words + NOOP_WORDS * missing


def _sealed(header: Header, commitment: int, block: Closed) -> SealedBlock:
    l2, l1 = streams(block)
    x = challenge(header, l2, l1, commitment)
    return SealedBlock(header, (), l2, l1, commitment, x, evaluation(header, l2, l1, x), None)


def broken_promise(sealed: SealedBlock, entries: Sequence[Entry]) -> str | None:
    """What a sealed block does not hold of what was promised of it; None if it holds all."""
    for entry in entries:
        for stream, position, size, promised in (
            (sealed.l2, entry.chunk_position, CHUNK_BYTES, entry.chunks),
            (sealed.l1, entry.word_position, WORD_BYTES, entry.record),
        ):
            if stream[position * size : position * size + len(promised)] != promised:
                return f"operation {entry.position} is not where its receipt says"
    return None


def header_to_blob(header: HeaderFields) -> bytes:
    """H0 to H4."""
    return b"".join(word.to_bytes(WORD_BYTES, "big") for word in header.words())


def header_of_blob(blob: bytes) -> Header:
    """The header of H0 to H4."""
    return header_from_words([int.from_bytes(blob[i : i + WORD_BYTES], "big") for i in range(0, len(blob), WORD_BYTES)])


def words_to_blob(words: Sequence[int]) -> bytes:
    """Words one after the other."""
    return b"".join(word.to_bytes(WORD_BYTES, "big") for word in words)


def words_of_blob(blob: bytes) -> tuple[int, ...]:
    """The words again."""
    return tuple(int.from_bytes(blob[i : i + WORD_BYTES], "big") for i in range(0, len(blob), WORD_BYTES))
