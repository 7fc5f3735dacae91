"""The demo's operator: takes what the queue and the users give, seals it into blocks, proves them, and sends them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rollup.core.block import BlockBuilder, SealedBlock
from rollup.core.operations import FullExit, Operation, QueueOperation, Transfer
from rollup.core.state import State
from rollup.demo.errors import DemoFailed
from rollup.demo.world import World
from rollup.l1.abi import L1Block, NewBlock
from rollup.l1.rpc import RpcError
from rollup.l1.sender import BASE_GAS, Sent
from rollup.progress import Bars
from rollup.prover import BlockProver, ProvenBlock


@dataclass(frozen=True, slots=True)
class BlockRun:
    """A block that went all the way, with what it cost. Gas as charged, split where it can be."""

    proven: ProvenBlock
    l1_block: L1Block
    l1_seconds: float
    gas: int
    gas_data: int
    gas_verification: int

    @property
    def transfers(self) -> int:
        """Number of transfers in the block."""
        return sum(isinstance(operation, Transfer) for operation in self.proven.block.operations)


class Operator:
    """Runs one rollup on one world.

    Args:
        world: L1.
        prover: Makes the proofs.
        bars: Where progress is shown.
    """

    def __init__(self, world: World, prover: BlockProver, bars: Bars) -> None:
        self.world = world
        self.state = State()
        self.runs: list[BlockRun] = []
        self._prover = prover
        self._bars = bars
        self._parent = L1Block.genesis()
        self._planned: dict[int, int] = {}

    def assign(self, operation: QueueOperation) -> QueueOperation:
        """Give a deposit its account: the owner's, or the next empty one. A full exit names its own."""
        if isinstance(operation, FullExit):
            return operation
        known = self.state.find(operation.owner)
        account_id = known[0] if known else self._planned.setdefault(operation.owner, len(self._planned))
        return replace(operation, account_id=account_id)

    def account_of(self, address: str) -> int:
        """Return the account that an address has, or will have once the deposits seen are in a block."""
        owner = int(address, 16)
        known = self.state.find(owner)
        return known[0] if known else self._planned[owner]

    def run(self, operations: Sequence[Operation]) -> None:
        """Put operations into as many blocks as it takes, in order, each proven, committed and executed on L1."""
        rest = list(operations)
        while rest:
            size = self._size_for(len(rest))
            taken, rest = rest[:size], rest[size:]
            self.runs.append(self._finish(self.seal(taken, size)))

    def _size_for(self, count: int) -> int:
        sizes = self.world.manifest.block_sizes
        return next((size for size in sizes if size >= count), sizes[-1])

    def seal(self, operations: Sequence[Operation], size: int, parent: L1Block | None = None) -> SealedBlock:
        """Make a block of `size` steps of these operations.

        Args:
            operations: In order; queue operations as `assign` gave them.
            size: Steps.
            parent: What it follows; by default the last block sent.

        Raises: OperationError, BlockError, DemoFailed; then the state is as before.
        """
        parent = parent or self._parent
        fee_account = self._fee_account()
        builder = BlockBuilder(
            self.state,
            domain=self.world.domain,
            block_number=parent.number + 1,
            timestamp=max(int(time.time()), parent.timestamp),
            fee_account=fee_account,
            fee_tokens=self.world.manifest.fee_tokens,
            block_size=size,
            queue_start=parent.queue_end,
        )
        try:
            for operation in operations:
                builder.add(operation)
            if self.state.account(fee_account).address != int(self.world.operator.address, 16):
                raise DemoFailed(f"account {fee_account} is to get the fees and is not the operator's")
            return builder.seal()
        except BaseException:
            builder.abandon()
            raise

    def _fee_account(self) -> int:
        """The operator's own account, wherever his deposit stood in the queue."""
        try:
            return self.account_of(self.world.operator.address)
        except KeyError:
            raise DemoFailed("the operator has no account for the fees: he must deposit first") from None

    def _finish(self, sealed: SealedBlock) -> BlockRun:
        number, size = sealed.header.block_number, sealed.header.block_size
        with self._bars.step(f"block {number}, {size} steps: proof") as advance:
            proven = self._prover.prove(sealed, lambda phase, done: advance(phase, done, 1))
        with self._bars.step(f"block {number}: commit, prove, execute on L1"):
            start = time.perf_counter()
            account = self.world.operator.account
            new = NewBlock.of(sealed)
            sent = self.world.client.commit_prove_execute(account, self._parent, new, proven.proof)
            seconds = time.perf_counter() - start
        (event,) = self.world.client.committed(sent)
        block = self.following(sealed, event.committer, event.validator_set)
        if block.hash() != event.hash:
            raise DemoFailed(f"L1 made another block {number} of the same data")
        self._parent = block
        verification = verification_gas(self.world, sent)
        return BlockRun(proven, self._parent, seconds, sent.gas_used, sent.gas_data, verification)

    def following(self, sealed: SealedBlock, committer: str, validator_set: bytes) -> L1Block:
        """Return what L1 makes of a block on top of the last one sent."""
        binding = sealed.commitment, sealed.challenge, sealed.evaluation
        return self._parent.following(sealed.header, sealed.l2, sealed.l1, binding, committer, validator_set)


def verification_gas(world: World, sent: Sent) -> int:
    """Return what a transaction spent inside the verifier, 0 if the node cannot trace."""
    verifier = world.manifest.contracts["BlockVerifier"].address.lower()
    try:
        trace = world.sender.rpc("debug_traceTransaction", sent.transaction, {"tracer": "callTracer"})
    except RpcError:
        return 0
    waiting, total = [trace], 0
    while waiting:
        call = waiting.pop()
        if str(call.get("to", "")).lower() == verifier:
            total += int(call["gasUsed"], 16)
        else:
            waiting.extend(call.get("calls", []))
    return min(total, sent.gas_used - BASE_GAS)
