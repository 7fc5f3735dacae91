"""Building a block: operations in, header, streams, binding and the circuits' inputs out."""

from collections.abc import Sequence
from dataclasses import dataclass

from rollup.core.account import Account
from rollup.core.binding import challenge, commit_header, commit_step, evaluate, join_evaluations
from rollup.core.checks import check_below, check_uint
from rollup.core.constants import (
    BLOCK_NUMBER_BITS,
    BLOCK_SIZE_BITS,
    CHUNK_BITS,
    COUNT_BITS,
    FEE_TOKENS,
    FIELD_MODULUS,
    MAX_L1_OPERATIONS_PER_BLOCK,
    QUEUE_INDEX_BITS,
)
from rollup.core.errors import BlockFullError, BlockSealedError, FeeAccountMissingError, TooManyL1OperationsError
from rollup.core.header import Header, check_fee_tokens
from rollup.core.operations import Deposit, FullExit, Noop, Operation
from rollup.core.rules import Applied, Context, plan
from rollup.core.state import State
from rollup.core.streams import encode_streams
from rollup.core.witness_inputs import (
    BlockWitness,
    CloseInputs,
    OpenInputs,
    Path,
    StateVector,
    StepInputs,
    TouchInputs,
    touched_ids,
)


@dataclass(frozen=True, slots=True)
class SealedBlock:
    """A finished block.

    `operations` as included, without the Noops that pad the block; `l2` and `l1` the streams; `commitment` C,
    `challenge` X and `evaluation` Y the proof's public inputs; `witness` None if the builder was told so.
    """

    header: Header
    operations: tuple[Operation, ...]
    l2: bytes
    l1: bytes
    commitment: int
    challenge: int
    evaluation: int
    witness: BlockWitness | None


@dataclass(frozen=True, slots=True)
class _Step:
    """A step before the challenge is known."""

    operation: Operation
    sender: TouchInputs
    receiver: TouchInputs
    root_out: int


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
    ) -> None:
        self._state = state
        self._context = Context(domain, timestamp, check_fee_tokens(fee_tokens, state.shape.first_order_slot))
        self._block_number = check_uint("block_number", block_number, BLOCK_NUMBER_BITS)
        self._fee_account = check_below("fee_account", fee_account, state.shape.accounts)
        self._block_size = check_uint("block_size", block_size, BLOCK_SIZE_BITS)
        self._queue_start = check_uint("queue_start", queue_start, QUEUE_INDEX_BITS)
        self._wants_witness = witness
        self._max_l1_operations = max_l1_operations
        self._old_root = state.root
        self._start = state.mark()
        self._operations: list[Operation] = []
        self._steps: list[_Step] = []
        self._fees: list[tuple[int, ...]] = [(0,) * FEE_TOKENS]
        self._l1_operations = 0
        self._open = True

    def __len__(self) -> int:
        """Operations taken so far."""
        return len(self._operations)

    @property
    def context(self) -> Context:
        """What operations of this block are judged by."""
        return self._context

    @property
    def is_full(self) -> bool:
        """No step is left."""
        return len(self._operations) >= self._block_size

    @property
    def fees(self) -> dict[int, int]:
        """Fees taken so far, by token."""
        return dict(zip(self._context.fee_tokens, self._fees[-1], strict=True))

    def add(self, operation: Operation) -> Applied:
        """Take an operation in as the next step, or change nothing.

        Returns:
            What it changes; its `operation` is as the block publishes it.

        Raises:
            BlockFullError: every step is taken.
            TooManyL1OperationsError: the operation has an L1 record and the block has as many as L1 executes.
            OperationError: it cannot be included.
        """
        self._check_open()
        if self.is_full:
            raise BlockFullError(self._block_number, self._block_size)
        applied = plan(self._state, operation, self._context)
        included: Operation = applied.operation  # type: ignore[assignment]  # plan returns what it was given
        if included.record():
            if self._l1_operations >= self._max_l1_operations:
                raise TooManyL1OperationsError(self._block_number, self._max_l1_operations)
            self._l1_operations += 1
        self._operations.append(included)
        fees = list(self._fees[-1])
        if applied.fee:
            fees[self._context.fee_tokens.index(applied.fee_token)] += applied.fee
        self._fees.append(tuple(fees))
        if self._wants_witness:
            self._steps.append(self._touch_with_paths(included, applied))
        else:
            for touch in applied.touches:
                self._state.touch(touch)
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
        steps = self._padded_steps()
        closing = self._credit_fees()
        header, l2, l1 = self._published()

        commitments = [commit_header(header)]
        padding = [Noop()] * (self._block_size - len(self._operations))
        for operation in [*self._operations, *padding]:
            commitments.append(commit_step(commitments[-1], operation))
        x = challenge(header, l2, l1, commitments[-1])
        vectors = self._state_vectors(steps, commitments, x)
        header_eval = evaluate(header.words(), x)
        y = join_evaluations(header_eval, vectors[-1].l2_eval, vectors[-1].l1_eval, x)
        witness = None
        if closing:
            step_inputs = tuple(
                StepInputs(header, x, step.operation, step.sender, step.receiver, vectors[i], vectors[i + 1])
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
            self._state.balance_path(account_id, slot),
            self._state.account_path(account_id),
        )

    def _touch_with_paths(self, operation: Operation, applied: Applied) -> _Step:
        from_id, to_id, slot = touched_ids(operation)
        # The circuit debits in its first touch and credits in its second: a Deposit's one change is the second.
        debits = 0 if isinstance(operation, Deposit) else 1
        sender = self._touch_inputs(from_id, slot)
        for touch in applied.touches[:debits]:
            self._state.touch(touch)
        receiver = self._touch_inputs(to_id, slot)
        for touch in applied.touches[debits:]:
            self._state.touch(touch)
        return _Step(operation, sender, receiver, self._state.root)

    def _padded_steps(self) -> list[_Step]:
        missing = self._block_size - len(self._steps)
        if not self._wants_witness or not missing:
            return list(self._steps)
        touch = self._touch_inputs(0, 0)
        return self._steps + [_Step(Noop(), touch, touch, self._state.root)] * missing

    def _credit_fees(self) -> _Closing | None:
        account = self._state.account(self._fee_account)
        account_path = self._state.account_path(self._fee_account) if self._wants_witness else []
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
            l2_chunks=check_uint("l2_chunks", sum(o.chunk() is not None for o in self._operations), COUNT_BITS),
            l1_words=check_uint("l1_words", sum(len(o.record()) for o in self._operations), COUNT_BITS),
            old_root=self._old_root,
            new_root=self._state.root,
            fee_account=self._fee_account,
            fee_tokens=self._context.fee_tokens,
        )
        return header, l2, l1

    def _state_vectors(self, steps: Sequence[_Step], commitments: Sequence[int], x: int) -> list[StateVector]:
        """The state vector before the first step, and after each."""
        vectors = [StateVector(self._old_root, commitments[0])]
        for i in range(self._block_size):
            operation = self._operations[i] if i < len(self._operations) else Noop()
            before = vectors[-1]
            chunk, words = operation.chunk(), operation.record()
            l2_eval = before.l2_eval
            if chunk is not None and before.l2_parity:
                l2_eval = (l2_eval + chunk) % FIELD_MODULUS
            elif chunk is not None:
                l2_eval = evaluate([chunk << CHUNK_BITS], x, l2_eval)
            count = before.l2_count + (chunk is not None)
            vectors.append(
                StateVector(
                    root=steps[i].root_out if steps else 0,
                    commitment=commitments[i + 1],
                    l2_eval=l2_eval,
                    l2_parity=count % 2,
                    l1_eval=evaluate(words, x, before.l1_eval),
                    l2_count=count,
                    l1_count=before.l1_count + len(words),
                    fees=self._fees[min(i + 1, len(self._operations))],
                )
            )
        return vectors
