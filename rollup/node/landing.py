"""Brings proven blocks to L1, in order: a few in one call each, more of them together, as many at once as fit.

L1 itself says how far it is: each step asks, then sends one transaction, so that a crash anywhere, or a transaction
whose answer was lost, does no harm.
"""

from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Any, Final

from eth_abi.abi import encode

from rollup.core.constants import CHUNK_BYTES
from rollup.core.operations import ChangePubKey, PublishedOperation, steps_of
from rollup.core.streams import decode_streams
from rollup.l1.abi import BLOCK_TYPE, L1Block, NewBlock
from rollup.l1.costs import (
    CHUNK_GAS,
    OPERATIONS,
    PROVE_BLOCK_GAS,
    TOGETHER_FROM,
    BlockLoad,
    commit_gas,
    execute_gas,
    load_of,
    prove_gas,
)
from rollup.l1.published import Published
from rollup.l1.sending import TRANSACTION_GAS_LIMIT
from rollup.node.chain import Chain, Heads
from rollup.node.database import Database
from rollup.node.entries import BlockRecord
from rollup.node.errors import ForeignBlockError, L1AheadError
from rollup.node.sealing import header_of_blob, words_of_blob, words_to_blob
from rollup.node.tables import Status

DATA_BYTES: Final = 120_000
"""Of one transaction's calldata: nodes pass transactions of up to 128 KiB on."""
MOST_GAS: Final = TRANSACTION_GAS_LIMIT * 5 // 6
"""Of one transaction, by `rollup.l1.costs`: senders allow a fifth more than they expect."""
HEADER_BYTES: Final = 1_024
"""Calldata of a block beside its data: its fields, or its preimage and its proof."""


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
        if len(ready) < TOGETHER_FROM:
            record, new = ready[0]
            assert record.proof is not None
            self._chain.commit_prove_execute(parent, new, words_of_blob(record.proof))
        else:
            self._chain.commit(parent, [new for _, new in ready])
        return True

    def _prove(self, heads: Heads) -> bool:
        last = min(heads.committed, heads.proven + _most_proofs())
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
        loads: list[BlockLoad] = []
        for number in range(heads.executed + 1, heads.proven + 1):
            found = self._found(number)
            loads.append(_load(found.l2, found.l1, b"", found.decode()[1]))
            size = sum(load.record_bytes + HEADER_BYTES for load in loads)
            if blocks and (execute_gas(loads) > MOST_GAS or size > DATA_BYTES):
                break
            blocks.append(found.block)
            streams.append(found.l1)
        self._chain.execute(blocks, streams)

    def _ready(self, committed: int) -> list[tuple[BlockRecord, NewBlock]]:
        """The next blocks that are proven, as many as one commit takes."""
        ready: list[tuple[BlockRecord, NewBlock]] = []
        loads: list[BlockLoad] = []
        for record in self._database.blocks(committed + 1, committed + _most_proofs()):
            if record.status != Status.PROVEN:
                break
            new = self.published(record)
            loads.append(_load(new.l2, new.l1, new.key_auth, decode_streams(new.l2, new.l1)))
            size = sum(load.data_bytes + HEADER_BYTES for load in loads)
            if ready and (commit_gas(loads) > MOST_GAS or size > DATA_BYTES):
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
        return self._found(number).block if number else L1Block.genesis()

    def _found(self, number: int) -> Published:
        (record,) = self._database.blocks(number, number)
        found = self._chain.find(number)
        commitment = words_to_blob([found.block.commitment])
        # It commits to the header and to all that is published.
        if record.commitment not in (None, commitment):
            raise ForeignBlockError(number, record.commitment or b"", commitment)
        preimage = encode([BLOCK_TYPE], [found.block.as_tuple()])
        if record.preimage != preimage:
            self._database.set_block(number, preimage=preimage)
        return found


def _most_proofs() -> int:
    """How many blocks' proofs one transaction takes."""
    by_gas = (MOST_GAS - prove_gas(2)) // PROVE_BLOCK_GAS + 2
    return min(by_gas, DATA_BYTES // HEADER_BYTES)


def _load(l2: bytes, l1: bytes, key_auth: bytes, operations: Iterable[PublishedOperation]) -> BlockLoad:
    """What a block costs gas for: its streams' sizes, and its records by their kinds."""
    steps: Iterator[Any] = (step for each in operations for step in steps_of(each))
    records = [load_of(step.OP) for step in steps if OPERATIONS[step.OP].words]
    chunks = len(l2) // CHUNK_BYTES
    return BlockLoad(
        data_bytes=len(l2) + len(l1) + len(key_auth),
        record_bytes=len(l1),
        commit=chunks * CHUNK_GAS + sum(load.commit for load in records),
        execute=sum(load.execute for load in records),
    )
