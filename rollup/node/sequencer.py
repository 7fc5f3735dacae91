"""Takes operations in: checks them against the open block, gives them their places, makes that durable, and promises.

A batch is taken as a whole: signatures are checked many at once outside the interpreter's lock, and one durable write
is shared by all. The order is: database, journal, signature. What is signed follows from what is durable alone, so a
crash in between changes no promise, and asking again gives the same receipt.
"""

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final, Protocol, TypeVar

from rollup._native import EddsaKey, PlainTransfer, eddsa_verify_many, prepare_transfers
from rollup.core.errors import (
    BlockFullError,
    FieldRuleError,
    KeyChangeNotAuthorisedError,
    NonceMismatchError,
    OperationError,
    SluiceError,
    TooManyL1OperationsError,
)
from rollup.core.errors.base import hex_address
from rollup.core.key_change import key_change_digest
from rollup.core.operations import (
    NO_KEY,
    Batch,
    ChangePubKey,
    Deposit,
    Key,
    Operation,
    Order,
    QueueOperation,
    SignedOperation,
    Swap,
)
from rollup.core.receipt import HASH_BYTES, Receipt, digests, operation_hash, receipts_of, recipient_of
from rollup.core.rules import Claim, Context
from rollup.core.state import State
from rollup.core.wire import WireOperation, to_wire
from rollup.l1.client import Queued
from rollup.node.database import Database
from rollup.node.entries import BlockRecord, Entry, payer_of
from rollup.node.errors import (
    AdmissionError,
    DatabaseDamaged,
    DatabaseError,
    JournalUnusable,
    NodeError,
    NoFeeAccountError,
    StorageError,
)
from rollup.node.journal import Journal
from rollup.node.ledger import Closed, Ledger, OpenBlock
from rollup.node.listening import Kept
from rollup.node.plain import PreparedTransfer, Submission, transfer_of
from rollup.node.policy import Policy
from rollup.node.signing import ReceiptSigner
from rollup.node.tables import Status

T = TypeVar("T")
MOST_KEYS: Final = 1 << 16
"""Public keys that are remembered as checked."""
MOST_ASKED: Final = 4
"""Key changes of a batch for which L1 is asked: it may be slow, and all others wait meanwhile."""
Outcome = Receipt | SluiceError
"""What becomes of one submission."""


class Surroundings(Protocol):
    """What the sequencer asks of the rest of the node."""

    def validator_set(self) -> bytes:
        """The contract's, as last seen."""
        ...

    def key_change_approved(self, owner: str, digest: bytes) -> bool:
        """Whether L1 has the owner's approval."""
        ...

    def refusal(self) -> AdmissionError | None:
        """Why no new promise may be made."""
        ...

    def closed(self, block: Closed) -> None:
        """A block is to be sealed."""
        ...

    def kept(self, kept: Kept, state: State) -> None:
        """A batch is durable, and this is the state after it."""
        ...


@dataclass
class _Changes:
    """What a batch adds."""

    opened: list[BlockRecord] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    closed: list[Closed] = field(default_factory=list)

    @property
    def closed_records(self) -> list[BlockRecord]:
        return [block.record for block in self.closed]


class Sequencer:
    """May be used from several threads; one batch is taken at a time.

    Args:
        database, journal: Where promises are kept.
        ledger: The open block and the state, as recovered.
        last: The latest block of the database, open or closed; None if there is none.
        queue_end: Index of the queue's next entry to be taken.
        domain, fee_tokens: Of the rollup, and of every block.
        signer: Signs receipts.
        policy: When blocks are closed.
        surroundings: The rest of the node.
        clock: Unix seconds.
    """

    def __init__(
        self,
        database: Database,
        journal: Journal,
        ledger: Ledger,
        last: BlockRecord | None,
        queue_end: int,
        *,
        domain: int,
        fee_tokens: tuple[int, ...],
        signer: ReceiptSigner,
        policy: Policy,
        surroundings: Surroundings,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.ledger = ledger
        self._database, self._journal = database, journal
        self._last = last
        self._queue_end = queue_end
        self._domain, self._fee_tokens = domain, fee_tokens
        self._signer, self._policy, self._surroundings, self._clock = signer, policy, surroundings, clock
        self._lock = threading.Lock()
        self._approved: set[tuple[int, bytes]] = set()
        self._verified: set[Claim] = set()
        # Of the batch's own operations, which live as long as it: an id stands for one of them.
        self._messages: dict[int, int] = {}
        self._changes = _Changes()
        self._has_fee_account = False
        self._is_unsure = False
        self._asked = 0
        self._position = len(ledger.block.operations) if ledger.block else 0
        if ledger.block is not None:
            ledger.block.context = self.context(ledger.block.record)

    @property
    def queue_end(self) -> int:
        """Index of the queue's next entry to be taken."""
        return self._queue_end

    def submit(self, operations: Sequence[Submission]) -> list[Outcome]:
        """Take users' operations in, in order; each gets a receipt or an error, which says why.

        What was taken in before gets its receipt again (a Swap is a new one each time: its orders' limits count it).
        """
        with self._lock:
            refusal = self._surroundings.refusal()
            if refusal is not None:
                return [refusal] * len(operations)
            self._begin([each for each in operations if not isinstance(each, PlainTransfer)])
            placed = [self._try(*each) for each in self._prepared(operations)]
            return self._finish(placed)

    def take_queue(self, entries: Sequence[Queued]) -> int:
        """Take entries of L1's queue in, in order, from `queue_end` on.

        Returns: How many.
        Raises: OperationError, NodeError: the first that failed is not taken, nor those after it.
        """
        with self._lock:
            self._begin([])
            try:
                for entry in entries:
                    self._place_queued(entry)
            finally:
                failed = next((each for each in self._finish([]) if isinstance(each, NodeError)), None)
            if failed is not None:
                raise failed
            return len(entries)

    def close_if_due(self) -> bool:
        """Close the open block if the policy says so; whether it did."""
        with self._lock:
            self._begin([])
            self._finish([])
            return self.ledger.block is None

    def close(self) -> bool:
        """Close the open block, if there is one that can be; whether there was."""
        with self._lock:
            self._begin([])
            is_closed = self._close()
            self._finish([])
            return is_closed

    # A batch

    def _begin(self, operations: Sequence[WireOperation]) -> None:
        self._check_sure()
        self.ledger.save()
        self._changes = _Changes()
        self._saved = self._last, self._queue_end, self._position
        self._verified.clear()
        self._messages.clear()
        self._has_fee_account = self.ledger.fee_account is not None
        self._asked = 0
        claims = [claim for operation in operations for claim in self._claims(operation)]
        if claims:
            valid = eddsa_verify_many(claims)
            self._verified.update(claim for claim, is_valid in zip(claims, valid, strict=True) if is_valid)

    def _claims(self, operation: WireOperation) -> list[Claim]:
        """What is to be verified of an operation, by the keys of now: after a change of key it is verified anew."""
        match operation:
            case Batch():
                return [claim for each in operation.operations for claim in self._claims(each)]
            case Swap():
                return [*self._claims(operation.maker), *self._claims(operation.taker)]
            case ChangePubKey():
                return []
            case _ if operation.signature is not None:
                account = self.ledger.state.account(payer_of(operation))
                message = operation.message_hash(self._domain)
                self._messages[id(operation)] = message
                return [(account.key, message, operation.signature.as_tuple())]
        return []

    def _prepared(self, operations: Sequence[Submission]) -> list[tuple[Submission, PreparedTransfer | None, Key]]:
        """Each with what the short way needs, if it may go there: all their signatures are checked at once."""
        plain = [each for each in operations if isinstance(each, PlainTransfer)]
        keys = [self.ledger.state.account(each.from_id).key for each in plain]
        checked = [_checked(key) for key in keys]
        prepared = zip(prepare_transfers(plain, checked, self._domain) if plain else [], keys, strict=True)
        return [
            (each, *next(prepared)) if isinstance(each, PlainTransfer) else (each, None, NO_KEY) for each in operations
        ]

    def _try(self, operation: Submission, prepared: PreparedTransfer | None, key: Key) -> Entry | SluiceError:
        try:
            if prepared is not None and isinstance(operation, PlainTransfer) and self._has_fee_account:
                entry = self._place_plain(operation, prepared, key)
                if entry is not None:
                    return entry
            return self._place_submitted(transfer_of(operation) if isinstance(operation, PlainTransfer) else operation)
        except SluiceError as error:
            return error

    def _place_plain(self, transfer: PlainTransfer, prepared: PreparedTransfer, key: Key) -> Entry | None:
        """The short way; None: the long way must judge it."""
        least = self._policy.least_fees
        if least and prepared[4] < least.get(prepared[2], prepared[4] + 1):
            return None
        position = self.ledger.place_plain(transfer, prepared, key)
        if position is None:
            return None
        block = self.ledger.block
        assert block is not None
        now = self._clock()
        from_id, _, _, _, _, _, _, _, recipient, name, chunk, payload = prepared
        entry = Entry(
            block.record.number, self._position, payload, name, None, from_id, int.from_bytes(recipient, "big"),
            int(now), position[0], chunk, position[1], b"",
        )  # fmt: skip
        self._position += 1
        self._changes.entries.append(entry)
        if self.ledger.is_full or self._policy.why_close(block, now):
            self._close()
        return entry

    def _place_submitted(self, operation: WireOperation) -> Entry:
        if isinstance(operation, Order):
            raise FieldRuleError("operation", "order", "an order alone does nothing: submit a swap of two")
        if self.ledger.fee_account is None:
            raise NoFeeAccountError(hex_address(self._signer.address))
        name = self._hash(operation)
        if (too_low := self._policy.fee_refusal(operation)) is not None:
            # A Swap that is submitted again is another fill, which was not taken.
            if not isinstance(operation, Swap) and (known := self._known(name)) is not None:
                return known
            raise too_low
        try:
            return self._place_approved(operation, name)
        except NonceMismatchError:
            # Taken in before: who did not hear of it asks again.
            if (known := self._known(name)) is not None:
                return known
            raise

    def _place_approved(self, operation: SignedOperation | ChangePubKey | Swap | Batch, name: bytes) -> Entry:
        """Ask L1 for an owner's approval only where nothing else is amiss, and for few of a batch: all wait for it."""
        try:
            return self._place(operation, operation, name)
        except KeyChangeNotAuthorisedError:
            assert isinstance(operation, ChangePubKey)
            if operation.authorisation is not None or self._asked >= MOST_ASKED or not self._ask_approval(operation):
                raise
        return self._place(operation, operation, name)

    def _hash(self, operation: Operation) -> bytes:
        """`operation_hash`, for most from the message that was just verified."""
        message = self._messages.get(id(operation))
        return operation_hash(operation, self._domain) if message is None else message.to_bytes(HASH_BYTES, "big")

    def _place_queued(self, queued: Queued) -> None:
        if queued.index < self._queue_end:
            return
        try:
            self._place(queued.operation, None, None, queued)
        except OperationError:
            if not isinstance(queued.operation, Deposit):
                raise
            # It cannot be credited; refused, it goes back to its owner on L1 and holds nobody up.
            self._place(replace(queued.operation, refused=True), None, None, queued)

    def _place(
        self, operation: Operation, payload: WireOperation | None, name: bytes | None, queued: Queued | None = None
    ) -> Entry:
        try:
            entry = self._place_now(operation, payload, name, queued)
        except (BlockFullError, TooManyL1OperationsError):
            # What the next block would not take closes none: it would cost nothing to have every block closed.
            self.ledger.check(operation, self._opened().context)
            if not self._close():
                raise
            entry = self._place_now(operation, payload, name, queued)
        block = self.ledger.block
        assert block is not None
        if self.ledger.is_full or self._policy.is_fast(operation) or self._policy.why_close(block, self._clock()):
            self._close()
        return entry

    def _place_now(
        self, operation: Operation, payload: WireOperation | None, name: bytes | None, queued: Queued | None
    ) -> Entry:
        is_new = self.ledger.block is None
        if is_new:
            self.ledger.block = self._opened()
        block = self.ledger.block
        assert block is not None
        try:
            place = self.ledger.place(operation)
        except BaseException:
            if is_new:
                self.ledger.block = None
            raise
        if is_new:
            self._changes.opened.append(block.record)
            self._last, self._position = block.record, 0
        if queued is not None:
            self._queue_end = queued.index + 1
            block.queue_expiry = min(block.queue_expiry or queued.expiry, queued.expiry)
        entry = Entry(
            block=block.record.number,
            position=self._position,
            payload=None if payload is None else json.dumps(to_wire(payload), separators=(",", ":")),
            hash=name,
            queue_index=None if queued is None else queued.index,
            account_id=_account_of(place.operation) if payload is None else payer_of(payload),
            recipient=_owner_of(place.operation) if payload is None else recipient_of(payload),
            issued_at=int(self._clock()),
            chunk_position=place.chunk_position,
            chunks=place.chunks,
            word_position=place.word_position,
            record=place.record,
        )
        self._position += 1
        self._changes.entries.append(entry)
        return entry

    def _opened(self) -> OpenBlock:
        """The next block, as it would be opened now."""
        now, last = int(self._clock()), self._last
        record = BlockRecord(
            number=last.number + 1 if last else 1,
            status=Status.OPEN,
            timestamp=max(now, last.timestamp if last else 0),
            opened_at=now,
            validator_set=self._surroundings.validator_set(),
            queue_start=self._queue_end,
        )
        return OpenBlock(record, self.context(record))

    def context(self, block: BlockRecord) -> Context:
        """What operations of a block are judged by."""
        return Context(self._domain, block.timestamp, self._fee_tokens, self._approved, self._verified)

    def _close(self) -> bool:
        if self.ledger.block is None:
            return False
        try:
            closed = self.ledger.close()
        except NoFeeAccountError:
            # Nobody has an account yet: only deposits that are refused are in it.
            return False
        self._changes.closed.append(closed)
        self._last = closed.record
        return True

    def _finish(self, placed: Sequence[Entry | SluiceError]) -> list[Outcome]:
        """Make the batch durable, then sign."""
        block = self.ledger.block
        if block is not None and self._policy.why_close(block, self._clock()):
            self._close()
        failure = self._keep()
        if failure is not None:
            return [*(failure if isinstance(each, Entry) else each for each in placed), *([] if placed else [failure])]
        receipts = iter(self._signed([each for each in placed if isinstance(each, Entry)]))
        return [next(receipts) if isinstance(each, Entry) else each for each in placed]

    def _keep(self) -> StorageError | None:
        changes = self._changes
        if not (changes.entries or changes.closed or self._journal.is_behind):
            return None
        try:
            self._database.accept(changes.opened, changes.entries, changes.closed_records)
        except DatabaseError as error:
            self._is_unsure = True
            self.ledger.undo()
            self._last, self._queue_end, self._position = self._saved
            return StorageError(str(error))
        try:
            self._journal.append(changes.opened, changes.entries, changes.closed_records)
            failure = None
        except JournalUnusable as error:
            # It is in the database and will be done; the journal has it before the next receipt is given.
            failure = StorageError(str(error))
        for closed in changes.closed:
            self._surroundings.closed(closed)
        self._surroundings.kept(Kept(changes.opened, changes.entries, changes.closed_records), self.ledger.state)
        return failure

    def _check_sure(self) -> None:
        """After the database said no: see that it does not hold what it refused (it may have died as it said yes)."""
        if not self._is_unsure:
            return
        found, block = self._database.last_place(), self._database.last_block()
        last = self._last
        expected = (last.number, self._position - 1) if last and self._position else None
        is_further = found is not None and (expected is None or found > expected)
        is_open = block is not None and block.status == Status.OPEN
        if is_further or is_open != (self.ledger.block is not None):
            number = block.number if block else 0
            raise DatabaseDamaged(self._database.name, number, "it holds what it refused: start the node again")
        self._is_unsure = False

    def _known(self, name: bytes) -> Entry | None:
        fresh = next((entry for entry in self._changes.entries if entry.hash == name), None)
        if fresh is not None:
            return fresh
        found = self._database.find(name)
        return found[0] if found else None

    def _signed(self, entries: Sequence[Entry]) -> list[Receipt]:
        blocks: dict[int, BlockRecord] = {block.number: block for block in self._changes.opened}
        if self.ledger.block is not None:
            blocks[self.ledger.block.record.number] = self.ledger.block.record
        for entry in entries:
            if entry.block not in blocks:
                (blocks[entry.block],) = self._database.blocks(entry.block, entry.block)
        promises = [entry.promise(blocks[entry.block]) for entry in entries]
        return receipts_of(self._domain, promises, self._signer.sign(digests(self._domain, promises)))

    def receipts(self, operation_hash: bytes) -> list[Receipt]:
        """The receipts that were given for an operation, by its hash; more than one only of a Swap.

        Raises: StorageError: the journal does not have them yet.
        """
        with self._lock:
            if self._journal.is_behind:
                raise StorageError("the journal is behind the database")
            return self._signed(self._database.find(operation_hash))

    def receipt(self, entry: Entry) -> Receipt:
        """The receipt that was given for one operation, as the database has it.

        Raises: StorageError: the journal does not have it yet.
        """
        with self._lock:
            if self._journal.is_behind:
                raise StorageError("the journal is behind the database")
            return self._signed([entry])[0]

    def read(self, look: Callable[[State], T]) -> T:
        """What `look` finds in the state between two batches: all of it durable. It keeps nothing of the state."""
        with self._lock:
            return look(self.ledger.state)

    def _ask_approval(self, change: ChangePubKey) -> bool:
        self._asked += 1
        digest = key_change_digest(change, self._domain)
        is_approved = self._surroundings.key_change_approved(hex_address(change.owner), digest)
        if is_approved:
            self._approved.add((change.owner, digest))
        return is_approved


@lru_cache(MOST_KEYS)
def _checked(key: Key) -> EddsaKey:
    return EddsaKey(key)


def _account_of(operation: Operation) -> int:
    assert isinstance(operation, QueueOperation)
    return operation.account_id


def _owner_of(operation: Operation) -> int:
    assert isinstance(operation, QueueOperation)
    return operation.owner
