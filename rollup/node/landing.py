"""Brings proven blocks to L1, in order, as many in one transaction as fit.

L1 itself says how far it is: each step asks, then sends one transaction, so that a crash anywhere, or a transaction
whose answer was lost, does no harm.
"""

from itertools import takewhile
from typing import Final

from eth_abi.abi import encode

from rollup.core.binding import challenge, evaluation
from rollup.core.operations import ChangePubKey
from rollup.l1.abi import BLOCK_TYPE, L1Block, NewBlock
from rollup.node.chain import Chain, Heads
from rollup.node.database import Database
from rollup.node.entries import BlockRecord
from rollup.node.errors import ForeignBlockError, L1AheadError
from rollup.node.sealing import header_of_blob, words_of_blob
from rollup.node.tables import Status

COMMIT_BYTES: Final = 100_000
"""Of one commit's streams: nodes pass transactions of up to 128 KiB on."""
PROOFS_AT_ONCE: Final = 32
RECORDS_AT_ONCE: Final = 256
"""Of one execution: as many as one block may hold, which fits the gas of a transaction."""


class Lander:
    """For one thread.

    Args:
        chain: L1.
        database: Where the blocks are.
    """

    def __init__(self, chain: Chain, database: Database) -> None:
        self._chain = chain
        self._database = database
        self.heads = Heads(0, 0, 0)

    def step(self) -> bool:
        """Send one transaction if there is something to send; whether there was.

        Raises:
            L1Error: try again later.
            ForeignBlockError, L1AheadError: L1 and this node do not agree; a person must look.
        """
        self.heads = heads = self._chain.heads()
        last = self._database.last_block()
        if heads.committed > (last.number if last else 0):
            raise L1AheadError(last.number if last else 0, heads.committed)
        if heads.executed < heads.proven:
            self._execute(heads)
        elif heads.proven < heads.committed:
            return self._prove(heads)
        else:
            return self._commit(heads)
        return True

    def _commit(self, heads: Heads) -> bool:
        ready = self._ready(heads.committed)
        if not ready:
            return False
        parent = self.block(heads.committed)
        if len(ready) == 1:
            record, new = ready[0]
            assert record.proof is not None
            self._chain.commit_prove_execute(parent, new, words_of_blob(record.proof))
        else:
            self._chain.commit(parent, [new for _, new in ready])
        return True

    def _prove(self, heads: Heads) -> bool:
        last = min(heads.committed, heads.proven + PROOFS_AT_ONCE)
        records = self._database.blocks(heads.proven + 1, last)
        proven = list(takewhile(lambda record: record.proof is not None, records))
        if not proven:
            return False
        blocks = [self.block(record.number) for record in proven]
        self._chain.prove(blocks, [words_of_blob(record.proof or b"") for record in proven])
        return True

    def _execute(self, heads: Heads) -> None:
        blocks: list[L1Block] = []
        streams: list[bytes] = []
        words = 0
        for number in range(heads.executed + 1, heads.proven + 1):
            l1 = self._streams(number)[1]
            # A record has two words at least.
            words += len(l1) // 32
            if blocks and words > 2 * RECORDS_AT_ONCE:
                break
            blocks.append(self.block(number))
            streams.append(l1)
        self._chain.execute(blocks, streams)

    def _ready(self, committed: int) -> list[tuple[BlockRecord, NewBlock]]:
        """The next blocks that are proven, as many as one commit takes."""
        ready: list[tuple[BlockRecord, NewBlock]] = []
        size = 0
        for record in self._database.blocks(committed + 1, committed + PROOFS_AT_ONCE):
            if record.status != Status.PROVEN:
                break
            new = self.published(record)
            size += len(new.l2) + len(new.l1) + len(new.key_auth)
            if ready and size > COMMIT_BYTES:
                break
            ready.append((record, new))
        return ready

    def published(self, record: BlockRecord) -> NewBlock:
        """What is published of a sealed block."""
        assert record.header is not None
        assert record.commitment is not None
        header = header_of_blob(record.header)
        entries = self._database.entries(record.number)
        operations = [entry.operation() for entry in entries if entry.payload is not None]
        return NewBlock(
            block_size=header.block_size,
            timestamp=header.timestamp,
            new_root=header.new_root.to_bytes(32, "big"),
            fee_account=header.fee_account,
            fee_tokens=header.fee_tokens_word(),
            commitment=record.commitment,
            l2=b"".join(entry.chunks for entry in entries),
            l1=b"".join(entry.record for entry in entries),
            key_auth=b"".join(each.key_auth() for each in operations if isinstance(each, ChangePubKey)),
        )

    def block(self, number: int) -> L1Block:
        """A block as L1 has it, and as we have it.

        Raises: ForeignBlockError: they differ. L1Error.
        """
        if number == 0:
            return L1Block.genesis()
        (record,) = self._database.blocks(number, number)
        found = self._chain.find(number).block
        if record.header is not None and record.commitment is not None:
            self._compare(record, found)
        preimage = encode([BLOCK_TYPE], [found.as_tuple()])
        if record.preimage != preimage:
            self._database.set_block(number, preimage=preimage)
        return found

    def _compare(self, record: BlockRecord, found: L1Block) -> None:
        assert record.header is not None
        assert record.commitment is not None
        header, l2, l1 = header_of_blob(record.header), *self._streams(record.number)
        commitment = int.from_bytes(record.commitment, "big")
        x = challenge(header, l2, l1, commitment)
        binding = commitment, x, evaluation(header, l2, l1, x)
        if (found.commitment, found.challenge, found.evaluation) != binding:
            ours = commitment.to_bytes(32, "big")
            raise ForeignBlockError(record.number, ours, found.commitment.to_bytes(32, "big"))

    def _streams(self, number: int) -> tuple[bytes, bytes]:
        entries = self._database.entries(number)
        return b"".join(entry.chunks for entry in entries), b"".join(entry.record for entry in entries)
