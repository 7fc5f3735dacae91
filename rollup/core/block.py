"""Building a block: operations in, header, streams, binding and the circuits' inputs out."""

from collections.abc import Container, Sequence
from dataclasses import dataclass

from rollup.core.account import Account
from rollup.core.binding import challenge, commit_header, commit_step, evaluate, join_evaluations
from rollup.core.checks import check_below, check_uint
from rollup.core.constants import (
    BLOCK_NUMBER_BITS,
    BLOCK_SIZE_BITS,
    CHUNK_BITS,
    CHUNK_BYTES,
    COUNT_BITS,
    FEE_TOKENS,
    FIELD_MODULUS,
    MAX_L1_OPERATIONS_PER_BLOCK,
    QUEUE_INDEX_BITS,
    SHARED_LEVELS,
)
from rollup.core.errors import BlockFullError, BlockSealedError, FeeAccountMissingError, TooManyL1OperationsError
from rollup.core.header import Header, check_fee_tokens
from rollup.core.operations import (
    Batch,
    ChangePubKey,
    Deposit,
    FullExit,
    Noop,
    Operation,
    SimpleOperation,
    StepOperation,
    Swap,
    steps_of,
)
from rollup.core.rules import Applied, Context, Step, plan
from rollup.core.state import State
from rollup.core.step_signals import linkage, touched_slots
from rollup.core.streams import WORD_BYTES, encode_streams
from rollup.core.witness_inputs import (
    BlockWitness,
    CloseInputs,
    OpenInputs,
    Path,
    StateVector,
    StepInputs,
    TouchInputs,
)


@dataclass(frozen=True, slots=True)
class SealedBlock:
    """A finished block.

    `operations` as included, a batch as its operations, without the Noops that pad the block; `l2` and `l1` the
    streams; `commitment` C, `challenge` X and `evaluation` Y the proof's public inputs; `witness` None if the builder
    was told so.
    """

    header: Header
    operations: tuple[SimpleOperation | Swap, ...]
    l2: bytes
    l1: bytes
    commitment: int
    challenge: int
    evaluation: int
    witness: BlockWitness | None

    def key_auth(self) -> bytes:
        """What L1 wants besides the streams: the authorisation of each ChangePubKey, in order."""
        return b"".join(operation.key_auth() for operation in self.operations if isinstance(operation, ChangePubKey))


@dataclass(frozen=True, slots=True)
class _Opened:
    """What a step opens of the trees, and the shared nodes it leaves."""

    sender: TouchInputs
    receiver: TouchInputs
    nodes_out: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Closing:
    """The fee account before the fees, with every path as it stands when its turn comes."""

    account: Account
    account_path: Path
    balance_paths: list[Path]


class BlockBuilder:
    """Takes operations into one block and into `state`, which it changes as it goes.

    While a block is open nothing else may change the state. `abandon` leaves it as it was before the block.

    Args:
        state: what the block starts from.
        domain: `operations.domain(chain_id, rollup_address)`.
        block_number: 1 and up.
        timestamp: the block's time, unix seconds, fixed from now on.
        fee_account: id of the account that gets the fees; it must exist when the block is sealed.
        fee_tokens: eight token ids, strictly increasing.
        block_size: number of steps of the circuit.
        queue_start: queue entries consumed by all blocks before.
        witness: collect the circuits' inputs; without, the trees are updated once a block, which is faster.
        max_l1_operations: most L1 records in the block.
        key_approvals: (owner's address, digest) of the key changes that their owners approved on L1; the caller has
            looked. It may grow while the block is open.
    """

    def __init__(
        self,
        state: State,
        *,
        domain: int,
        block_number: int,
        timestamp: int,
        fee_account: int,
        fee_tokens: Sequence[int],
        block_size: int,
        queue_start: int,
        witness: bool = True,
        max_l1_operations: int = MAX_L1_OPERATIONS_PER_BLOCK,
        key_approvals: Container[tuple[int, bytes]] = frozenset(),
    ) -> None:
        self._state = state
        tokens = check_fee_tokens(fee_tokens, state.shape.first_order_slot)
        self._context = Context(domain, timestamp, tokens, key_approvals)
        self._block_number = check_uint("block_number", block_number, BLOCK_NUMBER_BITS)
        self._fee_account = check_below("fee_account", fee_account, state.shape.accounts)
        self._block_size = check_uint("block_size", block_size, BLOCK_SIZE_BITS)
        self._queue_start = check_uint("queue_start", queue_start, QUEUE_INDEX_BITS)
        self._wants_witness = witness
        self._max_l1_operations = max_l1_operations
        self._old_root = state.root
        self._nodes = tuple(state.shared_nodes()) if witness else ()
        self._start = state.mark()
        self._operations: list[SimpleOperation | Swap] = []
        self._steps: list[Step] = []
        self._opened: list[_Opened] = []
        self._fees: list[tuple[int, ...]] = [(0,) * FEE_TOKENS]
        self._l1_operations = 0
        self._open = True

    def __len__(self) -> int:
        """Steps taken so far."""
        return len(self._steps)

    @property
    def free_steps(self) -> int:
        """Steps left: a Swap takes three, a Batch as many as it has operations, any other one."""
        return self._block_size - len(self._steps)

    @property
    def is_full(self) -> bool:
        """No step is left."""
        return not self.free_steps

    @property
    def fees(self) -> dict[int, int]:
        """Fees taken so far, by token."""
        return dict(zip(self._context.fee_tokens, self._fees[-1], strict=True))

    def add(self, operation: Operation) -> Applied:
        """Take an operation in with all its steps, or change nothing.

        Returns:
            What it changes; its `operation` is as the block publishes it.

        Raises:
            BlockFullError: too few steps are left for it.
            TooManyL1OperationsError: it has more L1 records than the block can still take.
            OperationError: it cannot be included.
        """
        self._check_open()
        needed = len(steps_of(operation))
        if needed > self.free_steps:
            raise BlockFullError(self._block_number, self._block_size, self.free_steps, needed)
        applied = plan(self._state, operation, self._context)
        records = sum(bool(step.operation.record()) for step in applied.steps)
        if self._l1_operations + records > self._max_l1_operations:
            raise TooManyL1OperationsError(self._block_number, self._max_l1_operations)
        self._l1_operations += records
        included: Operation = applied.operation  # type: ignore[assignment]  # plan returns what it was given
        self._operations.extend(included.operations if isinstance(included, Batch) else (included,))
        for step in applied.steps:
            self._take(step)
        return applied

    def seal(self) -> SealedBlock:
        """Pad with Noops, credit the fees and finish the block; on any error the block stays open and as it was.

        Raises:
            FeeAccountMissingError: the fee account does not exist.
        """
        self._check_open()
        if not self._state.account(self._fee_account).exists:
            raise FeeAccountMissingError(self._block_number, self._fee_account)
        mark = self._state.mark()
        try:
            sealed = self._sealed()
        except BaseException:  # Ctrl-C too
            self._state.rollback(mark)
            raise
        self._open = False
        return sealed

    def abandon(self) -> None:
        """Give the block up; the state is as it was before."""
        self._check_open()
        self._state.rollback(self._start)
        self._open = False

    def _check_open(self) -> None:
        if not self._open:
            raise BlockSealedError(self._block_number)

    def _sealed(self) -> SealedBlock:
        steps = self._steps + [Step(Noop())] * self.free_steps
        opened = self._padded_openings()
        closing = self._credit_fees()
        header, l2, l1 = self._published()

        commitments = [commit_header(header)]
        for step in steps:
            commitments.append(commit_step(commitments[-1], step.operation))
        x = challenge(header, l2, l1, commitments[-1])
        vectors = self._state_vectors(steps, opened, commitments, x)
        header_eval = evaluate(header.words(), x)
        y = join_evaluations(header_eval, vectors[-1].l2_eval, vectors[-1].l1_eval, x)
        witness = None
        if closing:
            step_inputs = tuple(
                StepInputs(
                    header, x, _taken(step), step.batch_rest, opened[i].sender, opened[i].receiver, *vectors[i : i + 2]
                )
                for i, step in enumerate(steps)
            )
            close = CloseInputs(
                header, x, y, header_eval, closing.account, closing.account_path, closing.balance_paths, vectors[-1]
            )
            witness = BlockWitness(OpenInputs(header, x, vectors[0]), step_inputs, close)
        return SealedBlock(header, tuple(self._operations), l2, l1, commitments[-1], x, y, witness)

    def _touch_inputs(self, account_id: int, slot: int) -> TouchInputs:
        return TouchInputs(
            self._state.account(account_id),
            self._state.leaf(account_id, slot),
            self._state.balance_path(account_id, slot),
            self._account_path(account_id),
        )

    def _account_path(self, account_id: int) -> Path:
        """Up to the account's shared node."""
        return self._state.account_path(account_id)[:-SHARED_LEVELS]

    def _take(self, step: Step) -> None:
        self._steps.append(step)
        fees = list(self._fees[-1])
        if step.fee:
            fees[self._context.fee_tokens.index(step.fee_token)] += step.fee
        self._fees.append(tuple(fees))
        if self._wants_witness:
            self._opened.append(self._touch_with_paths(step))
        else:
            for touch in step.touches:
                self._state.touch(touch)

    def _touch_with_paths(self, step: Step) -> _Opened:
        slots = touched_slots(_taken(step))
        sender = self._touch_inputs(slots.from_id, slots.token)
        if step.first:
            self._state.touch(step.first)
        receiver = self._touch_inputs(slots.to_id, slots.to_slot)
        if step.second:
            self._state.touch(step.second)
        return _Opened(sender, receiver, self._nodes_after(slots.from_id, slots.to_id))

    def _nodes_after(self, *touched: int) -> tuple[int, ...]:
        """The shared nodes, after these accounts were touched."""
        nodes = list(self._opened[-1].nodes_out if self._opened else self._nodes)
        for account_id in touched:
            number = self._state.shape.shared_node_of(account_id)
            nodes[number] = self._state.shared_node(number)
        return tuple(nodes)

    def _padded_openings(self) -> list[_Opened]:
        if not self._wants_witness or not self.free_steps:
            return list(self._opened)
        touch = self._touch_inputs(0, 0)
        return self._opened + [_Opened(touch, touch, self._nodes_after())] * self.free_steps

    def _credit_fees(self) -> _Closing | None:
        account = self._state.account(self._fee_account)
        account_path = self._account_path(self._fee_account) if self._wants_witness else []
        balance_paths = []
        for token, fee in self.fees.items():
            if self._wants_witness:
                balance_paths.append(self._state.balance_path(self._fee_account, token))
            self._state.credit_fee(self._fee_account, token, fee)
        return _Closing(account, account_path, balance_paths) if self._wants_witness else None

    def _published(self) -> tuple[Header, bytes, bytes]:
        l2, l1 = encode_streams(self._operations)
        header = Header(
            domain=self._context.domain,
            block_size=self._block_size,
            block_number=self._block_number,
            timestamp=self._context.timestamp,
            queue_start=self._queue_start,
            queue_count=sum(isinstance(operation, Deposit | FullExit) for operation in self._operations),
            l2_chunks=check_uint("l2_chunks", len(l2) // CHUNK_BYTES, COUNT_BITS),
            l1_words=check_uint("l1_words", len(l1) // WORD_BYTES, COUNT_BITS),
            old_root=self._old_root,
            new_root=self._state.root,
            fee_account=self._fee_account,
            fee_tokens=self._context.fee_tokens,
        )
        return header, l2, l1

    def _state_vectors(
        self, steps: Sequence[Step], opened: Sequence[_Opened], commitments: Sequence[int], x: int
    ) -> list[StateVector]:
        """The state vector before the first step, and after each."""
        vectors = [StateVector(self._nodes, commitments[0])]
        for i, step in enumerate(steps):
            before = vectors[-1]
            chunks, words = step.operation.chunks(), step.operation.record()
            pending, link, rest = linkage(_taken(step), step.batch_rest, before.link, before.rest)
            vectors.append(
                StateVector(
                    nodes=opened[i].nodes_out if opened else (),
                    commitment=commitments[i + 1],
                    l2_eval=_append_chunks(before, chunks, x),
                    l2_parity=(before.l2_parity + len(chunks)) % 2,
                    l1_eval=evaluate(words, x, before.l1_eval),
                    l2_count=before.l2_count + len(chunks),
                    l1_count=before.l1_count + len(words),
                    fees=self._fees[min(i + 1, len(self._steps))],
                    pending=pending,
                    link=link,
                    rest=rest,
                )
            )
        return vectors


def _taken(step: Step) -> StepOperation:
    """The operation of a step that `plan` gave: never a published form."""
    return step.operation  # type: ignore[return-value]


def _append_chunks(before: StateVector, chunks: Sequence[int], x: int) -> int:
    """E(L2) with these chunks appended: an even one starts a word, an odd one completes it."""
    value = before.l2_eval
    for position, chunk in enumerate(chunks, before.l2_count):
        value = (value + chunk) % FIELD_MODULUS if position % 2 else evaluate([chunk << CHUNK_BITS], x, value)
    return value
