"""A validator: takes what the queue and the users give, seals it into blocks, proves them, and sends them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from ape.api import AccountAPI

from rollup.core.block import BlockBuilder, SealedBlock
from rollup.core.errors.base import hex_address
from rollup.core.key_change import key_change_digest
from rollup.core.operations import ChangePubKey, Operation, Transfer, TransferToAddress
from rollup.l1.abi import Committed, L1Block, NewBlock
from rollup.l1.client import RollupClient
from rollup.l1.errors import L1Error
from rollup.l1.manifest import Manifest
from rollup.l1.reader import Reader, Rebuilt
from rollup.l1.rpc import RpcError
from rollup.l1.sending import Sent
from rollup.node.accounts import AccountIds
from rollup.node.errors import FeeAccountNotOwnError, ForeignBlockError, NoFeeAccountError
from rollup.node.packing import pack
from rollup.progress import Bars
from rollup.prover import BlockProver, ProvenBlock


@dataclass(frozen=True, slots=True)
class Landed:
    """A block that went all the way: its proof, what L1 made of it, the transaction, and how long that took."""

    proven: ProvenBlock
    l1_block: L1Block
    sent: Sent
    l1_seconds: float

    @property
    def transfers(self) -> int:
        """Number of transfers in the block."""
        return sum(isinstance(operation, Transfer | TransferToAddress) for operation in self.proven.block.operations)


class Validator:
    """Runs one rollup, from its genesis or from where it has come to.

    Args:
        client: The rollup on L1.
        manifest: Its deployment.
        account: Who sends the blocks; the L2 account of the same address gets the fees.
        prover: Makes the proofs.
        bars: Where progress is shown.
        start: What `Reader.rebuild` gave, all blocks executed; None for a rollup without blocks.
    """

    def __init__(
        self,
        client: RollupClient,
        manifest: Manifest,
        account: AccountAPI,
        prover: BlockProver,
        bars: Bars,
        start: Rebuilt | None = None,
    ) -> None:
        start = start or Rebuilt()
        self.client = client
        self.manifest = manifest
        self.account = account
        self.state = start.state
        self.accounts = AccountIds(self.state)
        self.landed: list[Landed] = []
        self._prover = prover
        self._bars = bars
        self._parent = start.last

    def run(self, operations: Sequence[Operation]) -> None:
        """Put operations into as many blocks as it takes, in order, each proven, committed and executed on L1.

        Args:
            operations: As `accounts.assign` gave them.

        Raises: OperationTooLargeError before anything is sent; what `seal`, the prover and L1 raise. Then the state is
            that of the last block on L1, as far as L1 could be asked.
        """
        for block, size in pack(operations, self.manifest.block_sizes):
            mark = self.state.mark()
            sealed = self.seal(block, size)
            try:
                self.landed.append(self._finish(sealed))
            except BaseException:
                if not self._is_on_l1(sealed):
                    self.state.rollback(mark)
                raise
            self.state.forget()

    def _is_on_l1(self, sealed: SealedBlock) -> bool:
        """Whether a block is committed though sending it failed; then the next one follows it."""
        number = sealed.header.block_number
        try:
            if self.client.committed_blocks() < number:
                return False
            reader = Reader(self.client.sender.rpc, self.client.address, self.client.deployed_at)
            *_, last = (published.block for published in reader.published(number))
        except (L1Error, RpcError):
            return False
        if last.commitment == sealed.commitment:
            self._parent = last
        return last.commitment == sealed.commitment

    def seal(self, operations: Sequence[Operation], size: int, parent: L1Block | None = None) -> SealedBlock:
        """Make a block of `size` steps of these operations.

        Args:
            operations: In order, as `accounts.assign` gave them.
            size: Steps.
            parent: What it follows; by default the last block sent.

        Raises: OperationError, BlockError, NodeError; then the state is as before.
        """
        parent = parent or self._parent
        fee_account = self._fee_account()
        builder = BlockBuilder(
            self.state,
            domain=self.manifest.domain,
            block_number=parent.number + 1,
            timestamp=max(int(time.time()), parent.timestamp),
            fee_account=fee_account,
            fee_tokens=self.manifest.fee_tokens,
            block_size=size,
            queue_start=parent.queue_end,
            key_approvals=self._key_approvals(operations),
        )
        try:
            for operation in operations:
                builder.add(operation)
            if self.state.account(fee_account).address != int(self.account.address, 16):
                raise FeeAccountNotOwnError(fee_account, str(self.account.address))
            return builder.seal()
        except BaseException:
            builder.abandon()
            raise

    def _fee_account(self) -> int:
        """The validator's own account, wherever his deposit stood in the queue."""
        account_id = self.accounts.find(int(self.account.address, 16))
        if account_id is None:
            raise NoFeeAccountError(str(self.account.address))
        return account_id

    def _key_approvals(self, operations: Sequence[Operation]) -> set[tuple[int, bytes]]:
        """Owners and digests of the key changes among these that come without a signature and are approved on L1."""
        approved: set[tuple[int, bytes]] = set()
        for change in operations:
            if isinstance(change, ChangePubKey) and change.authorisation is None:
                digest = key_change_digest(change, self.manifest.domain)
                if self.client.key_change_approved(hex_address(change.owner), digest):
                    approved.add((change.owner, digest))
        return approved

    def _finish(self, sealed: SealedBlock) -> Landed:
        number, size = sealed.header.block_number, sealed.header.block_size
        with self._bars.step(f"block {number}, {size} steps: proof") as advance:
            proven = self._prover.prove(sealed, lambda phase, done: advance(phase, done, 1))
        with self._bars.step(f"block {number}: commit, prove, execute on L1"):
            start = time.perf_counter()
            new = NewBlock.of(sealed)
            sent = self.client.commit_prove_execute(self.account, self._parent, new, proven.proof)
            seconds = time.perf_counter() - start
        (event,) = self.client.committed(sent)
        block = self.following(sealed, event)
        if block.hash() != event.hash:
            raise ForeignBlockError(number, block.hash(), event.hash)
        self._parent = block
        return Landed(proven, block, sent, seconds)

    def following(self, sealed: SealedBlock, event: Committed) -> L1Block:
        """Return what L1 makes of a block on top of the last one sent."""
        binding = sealed.commitment, sealed.challenge, sealed.evaluation
        noted = event.committer, event.validator_set, event.committed_at
        return self._parent.following(sealed.header, sealed.l2, sealed.l1, binding, *noted)
