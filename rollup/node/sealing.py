"""From a closed block to what is proven and published: the same operations once more, with trees and witness."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rollup.core.block import BlockBuilder, SealedBlock
from rollup.core.constants import CHUNK_BYTES
from rollup.core.header import Header, header_from_words
from rollup.core.operations import Operation
from rollup.core.rules import Touch
from rollup.core.streams import WORD_BYTES
from rollup.node.entries import BlockRecord, Entry
from rollup.store.tracked import TrackedState


class Everything(Container[Any]):
    """What was checked when it was taken in, and is taken in again."""

    def __contains__(self, item: object) -> bool:
        return True


EVERYTHING: Final = Everything()


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed block, and the places it changed, as they stand after it."""

    block: SealedBlock
    touches: tuple[Touch, ...]


class Sealer:
    """Seals blocks in order. For one thread.

    Args:
        state: After the last block that was sealed.
        domain, fee_tokens: Of the rollup, and of every block.
    """

    def __init__(self, state: TrackedState, domain: int, fee_tokens: tuple[int, ...]) -> None:
        self._state = state
        self._domain = domain
        self._fee_tokens = fee_tokens

    def seal(self, record: BlockRecord, operations: Sequence[Operation], witness: bool = True) -> Sealed:
        """Seal the next block.

        Args:
            record: Closed.
            operations: In order, as they were placed.
            witness: Collect what a proof needs.

        Raises: OperationError, BlockError: it was promised what cannot be; the state is as before.
        """
        assert record.size is not None
        assert record.fee_account is not None
        builder = BlockBuilder(
            self._state,
            domain=self._domain,
            block_number=record.number,
            timestamp=record.timestamp,
            fee_account=record.fee_account,
            fee_tokens=self._fee_tokens,
            block_size=record.size,
            queue_start=record.queue_start,
            witness=witness,
            key_approvals=EVERYTHING,
        )
        try:
            for operation in operations:
                builder.add(operation)
            block = builder.seal()
        except BaseException:
            builder.abandon()
            self._state.take()
            raise
        self._state.forget()
        places = [(touch.account_id, touch.slot) for touch in self._state.take()]
        touches = tuple(Touch(*place, self._state.account(place[0]), self._state.leaf(*place)) for place in places)
        return Sealed(block, touches)


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


def header_to_blob(header: Header) -> bytes:
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
