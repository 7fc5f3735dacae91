"""The open block: what is promised so far, and the state after it, where received money can be spent at once.

Only balances are kept up to date here. Trees, header and witness are made when the block is sealed (`sealing.py`), from
the same operations; that both agree to the byte is checked there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from rollup._native import PlainTransfer
from rollup.core.binding import chain_word, chain_words
from rollup.core.constants import CHUNK_BYTES, MAX_L1_OPERATIONS_PER_BLOCK
from rollup.core.errors import BlockFullError, TooManyL1OperationsError
from rollup.core.operations import Deposit, FullExit, Key, Operation, steps_of
from rollup.core.rules import Applied, Context, Touch, plan, plan_fee
from rollup.core.state import State
from rollup.core.streams import WORD_BYTES, encode_streams
from rollup.node.accounts import AccountIds
from rollup.node.entries import BlockRecord, Entry
from rollup.node.errors import NoFeeAccountError, OperationTooLargeError, PromiseBrokenError
from rollup.node.packing import records_of
from rollup.node.plain import PreparedTransfer, Taken, effect_of, whole
from rollup.node.tables import Status


@dataclass(frozen=True, slots=True)
class Place:
    """Where an operation is to stand, and what it publishes there."""

    operation: Operation
    chunk_position: int
    chunks: bytes
    word_position: int
    record: bytes


@dataclass(frozen=True, slots=True)
class Published:
    """What an operation publishes: its bytes in both streams, and its steps' words in the commitment's chain."""

    chunks: bytes
    record: bytes
    chain: bytes


@dataclass(slots=True)
class OpenBlock:
    """A block that takes operations.

    Args:
        record: As it was opened.
        context: What operations are judged by.
        operations: So far, as included.
        published: What they publish.
        places: Accounts and slots that they change.
        steps, chunks, words, records: How much they take.
        fees: What they pay, by token.
        queue_count: How many are the queue's.
        queue_expiry: When the first of the queue's is overdue, unix seconds.
    """

    record: BlockRecord
    context: Context
    operations: list[Taken] = field(default_factory=list)
    published: list[Published] = field(default_factory=list)
    places: dict[tuple[int, int], None] = field(default_factory=dict)
    steps: int = 0
    chunks: int = 0
    words: int = 0
    records: int = 0
    fees: dict[int, int] = field(default_factory=dict)
    queue_count: int = 0
    queue_expiry: int | None = None

    @property
    def queue_end(self) -> int:
        """Queue entries consumed by all blocks up to this one."""
        return self.record.queue_start + self.queue_count


@dataclass(frozen=True, slots=True)
class Closed:
    """A block that takes nothing more, and what is in it.

    Args:
        record: It.
        taken: Its operations.
        published: What they publish.
        queue_count: How many are the queue's.
        touches: The places that it changed, as they stand after it.
    """

    record: BlockRecord
    taken: tuple[Taken, ...]
    published: tuple[Published, ...]
    queue_count: int
    touches: tuple[Touch, ...]

    @property
    def operations(self) -> tuple[Operation, ...]:
        """The operations, as the rules read them."""
        return tuple(whole(each) for each in self.taken)


class Ledger:
    """For one thread.

    Args:
        state: After the last closed block; followed from now on.
        validator: The address whose L2 account gets the fees.
        sizes: Steps of the blocks that can be proven, smallest first.
        max_l1_operations: Most records of the L1 stream a block.
    """

    def __init__(
        self,
        state: State,
        validator: int,
        sizes: Sequence[int],
        max_l1_operations: int = MAX_L1_OPERATIONS_PER_BLOCK,
    ) -> None:
        self.state = state
        self.block: OpenBlock | None = None
        self._validator = validator
        self._sizes = sorted(sizes)
        self._max_l1_operations = max_l1_operations
        self._ids = AccountIds(state)
        self._saved: tuple[int, OpenBlock | None] = (0, None)

    @property
    def fee_account(self) -> int | None:
        """The validator's account; None if there is none yet."""
        found = self.state.find(self._validator)
        return found[0] if found else None

    @property
    def is_full(self) -> bool:
        """The open block has no step left."""
        return self.block is not None and self.block.steps >= self._sizes[-1]

    def save(self) -> None:
        """Remember this place, and forget the one before."""
        self.state.forget()
        block = self.block
        copied = block and replace(
            block,
            operations=list(block.operations),
            published=list(block.published),
            places=dict(block.places),
            fees=dict(block.fees),
        )
        self._saved = self.state.mark(), copied

    def undo(self) -> None:
        """Go back to the place saved last; it stays saved."""
        mark, block = self._saved
        self.state.rollback(mark)
        self.block = block
        self._ids = AccountIds(self.state)
        self.save()

    def place(self, operation: Operation) -> Place:
        """Take an operation into the open block, its accounts filled in, or change nothing.

        Raises:
            BlockFullError, TooManyL1OperationsError: the next block may have room.
            OperationTooLargeError: none has.
            OperationError, EncodingError: it cannot be included.
        """
        block = self.block
        assert block is not None, "a block is open"
        self._check_room(block, operation)
        ids = self._ids.fork()
        applied = plan(self.state, ids.assign(operation), block.context)
        included: Operation = applied.operation  # type: ignore[assignment]  # plan returns what it was given
        self._ids = ids
        for touch in applied.touches:
            self.state.touch(touch)
            block.places[touch.account_id, touch.slot] = None
        return self._take(block, included, applied)

    def place_plain(self, transfer: PlainTransfer, prepared: PreparedTransfer, key: Key) -> tuple[int, int] | None:
        """Take a plain Transfer in, or change nothing and leave it to `place`.

        Args:
            transfer: It.
            prepared: What `prepare_transfers` made of it.
            key: The payer's, under which its signature is valid.

        Returns: Its places in the two streams; None if `place` must judge it.
        """
        block = self.block
        if block is None or block.steps >= self._sizes[-1]:
            return None
        effect = effect_of(self.state, prepared, key, block.context)
        if effect is None:
            return None
        for touch in effect:
            self.state.touch(touch)
            block.places[touch.account_id, touch.slot] = None
        position = block.chunks, block.words
        token, fee, chunk = prepared[2], prepared[4], prepared[10]
        block.operations.append(transfer)
        block.published.append(Published(chunk, b"", chain_word(chunk)))
        block.steps += 1
        block.chunks += 1
        if fee:
            block.fees[token] = block.fees.get(token, 0) + fee
        return position

    def check(self, operation: Operation, context: Context) -> None:
        """See that an operation can be included by `context`, if only there is room for it.

        Raises: OperationError, EncodingError.
        """
        plan(self.state, self._ids.fork().assign(operation), context)

    def _check_room(self, block: OpenBlock, operation: Operation) -> None:
        steps, records, most = len(steps_of(operation)), records_of(operation), self._sizes[-1]
        if steps > most or records > self._max_l1_operations:
            raise OperationTooLargeError(steps, most, records, self._max_l1_operations)
        if block.steps + steps > most:
            raise BlockFullError(block.record.number, most, most - block.steps, steps)
        if block.records + records > self._max_l1_operations:
            raise TooManyL1OperationsError(block.record.number, self._max_l1_operations)

    def _take(self, block: OpenBlock, operation: Operation, applied: Applied) -> Place:
        chunks, record = encode_streams([operation])
        place = Place(operation, block.chunks, chunks, block.words, record)
        block.operations.append(operation)
        block.published.append(
            Published(chunks, record, b"".join(chain_words(step.operation) for step in applied.steps))
        )
        block.steps += len(applied.steps)
        block.records += records_of(operation)
        block.chunks += len(chunks) // CHUNK_BYTES
        block.words += len(record) // WORD_BYTES
        block.queue_count += isinstance(operation, Deposit | FullExit)
        for token, fee in applied.fees:
            block.fees[token] = block.fees.get(token, 0) + fee
        return place

    def close(self, fee_account: int | None = None) -> Closed:
        """Credit the fees and end the block: its size is the smallest that holds it.

        Args:
            fee_account: As it was closed before; by default the validator's own. While he has none users' operations
                are refused, so there are no fees, and it closes on the first account there is: no deposits of others
                ahead of his own keep a block open.

        Raises: NoFeeAccountError: there is no account at all; then it stays open.
        """
        block = self.block
        assert block is not None, "a block is open"
        if fee_account is None:
            fee_account = self.fee_account
        if fee_account is None and not block.fees:
            fee_account = min((account_id for account_id, _ in self.state.accounts()), default=None)
        if fee_account is None:
            raise NoFeeAccountError(f"{self._validator:#042x}")
        for token in sorted(block.fees):
            self.state.touch(plan_fee(self.state, fee_account, token, block.fees[token]))
            block.places[fee_account, token] = None
        state = self.state
        touches = tuple(Touch(*place, state.account(place[0]), state.leaf(*place)) for place in block.places)
        size = next(size for size in self._sizes if size >= block.steps)
        record = replace(block.record, status=Status.CLOSED, size=size, fee_account=fee_account)
        self.block = None
        return Closed(record, tuple(block.operations), tuple(block.published), block.queue_count, touches)

    def replay(self, record: BlockRecord, context: Context, entries: Sequence[Entry]) -> Closed | None:
        """Take a block in again that was promised before.

        Args:
            record: The block; it is left open if it was.
            context: As when it was opened.
            entries: Its operations.

        Returns: It, if it was closed.
        Raises: PromiseBrokenError: what was promised does not come out. SluiceError.
        """
        self.block = OpenBlock(record, context)
        for entry in entries:
            place = self.place(entry.operation())
            found = place.chunk_position, place.chunks, place.word_position, place.record
            if found != (entry.chunk_position, entry.chunks, entry.word_position, entry.record):
                reason = f"operation {entry.position} comes out at another place or with other bytes than promised"
                raise PromiseBrokenError(record.number, reason)
        if record.status == Status.OPEN:
            return None
        closed = self.close(record.fee_account)
        if closed.record.size != record.size:
            raise PromiseBrokenError(record.number, f"it closes with size {closed.record.size}")
        return replace(closed, record=record)
