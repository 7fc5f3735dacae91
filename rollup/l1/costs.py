"""What blocks and operations cost on L1, in gas: for sealing, for landing, for fee quotes.

Measured: tests/contracts/gas.json has the numbers by name, and tests/l1/test_costs.py holds these to them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rollup.core.constants import CHUNK_BYTES, Op
from rollup.core.streams import WORD_BYTES
from rollup.l1.sending import FLOOR_GAS_PER_TOKEN, GAS_PER_TOKEN, TOKENS_PER_NONZERO_BYTE

BYTE_GAS: Final = GAS_PER_TOKEN * TOKENS_PER_NONZERO_BYTE
"""Of a byte of calldata that is not zero."""
FLOOR_BYTE_GAS: Final = FLOOR_GAS_PER_TOKEN * TOKENS_PER_NONZERO_BYTE
"""The same where EIP-7623's floor decides: in commits of much data."""

CHUNK_GAS: Final = 46
"""Executing the commit of a chunk of the L2 stream, calldata apart."""
COMMIT_GAS: Final = 105_948
"""Committing a block without data, calldata of its header and its parent included."""
COMMIT_BLOCK_GAS: Final = 45_531
"""One more in the same transaction."""
COMMIT_FLOOR_GAS: Final = 39_330
"""What the floor's price of a commit without data is."""
PROOF_BYTES: Final = 256
PROVE_GAS: Final = 274_241
"""Proving a block."""
PROVE_TOGETHER_GAS: Final = 12_429
"""Proving several in one transaction, once: their coefficients in what they share."""
PROVE_BLOCK_GAS: Final = 71_897
"""One more in the same transaction."""
EXECUTE_GAS: Final = 43_388
"""Executing a block without records."""
EXECUTE_BLOCK_GAS: Final = 14_185
"""One more in the same transaction."""
ONE_CALL_GAS: Final = 336_610
"""Committing, proving and executing one block without data in one transaction."""
TOGETHER_FROM: Final = 2
"""So many blocks cost less in three transactions (commit, prove, execute) than in one call each."""


@dataclass(frozen=True, slots=True)
class OperationGas:
    """What one more operation adds to its block.

    Args:
        chunks: Of the L2 stream.
        words: Of the L1 stream, which is published at the commit, and at the execution unless that is the same call.
        key_auth: Bytes of the authorisation.
        commit, execute: Gas of the two calls' execution, calldata apart; of the dearest kind: for a new owner.
    """

    chunks: int
    words: int = 0
    key_auth: int = 0
    commit: int = CHUNK_GAS
    execute: int = 0

    @property
    def data_bytes(self) -> int:
        """Calldata of the commit."""
        return self.chunks * CHUNK_BYTES + self.words * WORD_BYTES + self.key_auth

    @property
    def data(self) -> int:
        """Gas of its calldata at most: of the commit by the floor's price, of a record once more at the execution."""
        return FLOOR_BYTE_GAS * self.data_bytes + BYTE_GAS * self.words * WORD_BYTES

    @property
    def execution(self) -> int:
        """Gas of what is done with it."""
        return self.commit + self.execute


OPERATIONS: Final[Mapping[Op, OperationGas]] = {
    Op.DEPOSIT: OperationGas(1, 4, 0, 3_197, 25_333),
    Op.FULL_EXIT: OperationGas(1, 2, 0, 3_224, 25_259),
    Op.TRANSFER: OperationGas(1),
    Op.TRANSFER_TO_ADDRESS: OperationGas(3, commit=3 * CHUNK_GAS),
    Op.WITHDRAW: OperationGas(1, 2, 0, 769, 25_155),
    Op.CHANGE_PUB_KEY: OperationGas(1, 4, 70, 8_394, 612),
    Op.FORCED_EXIT: OperationGas(1, 2, 0, 769, 25_155),
    Op.SWAP: OperationGas(3, commit=3 * CHUNK_GAS),
    Op.CANCEL_ORDER: OperationGas(1),
}
"""By code; of a Swap all three steps, of a Deposit one that is refused."""


_OF_RECORDS: Final = [(gas.key_auth, gas.commit, gas.execute) for gas in OPERATIONS.values() if gas.words]


@dataclass(frozen=True, slots=True)
class BlockLoad:
    """What of a block costs gas.

    Args:
        data_bytes: Of both streams and the authorisations.
        record_bytes: Of the L1 stream alone.
        commit, execute: Gas that its operations add to the execution of the two calls.
    """

    data_bytes: int = 0
    record_bytes: int = 0
    commit: int = 0
    execute: int = 0

    def __add__(self, other: "BlockLoad") -> "BlockLoad":
        return BlockLoad(
            self.data_bytes + other.data_bytes,
            self.record_bytes + other.record_bytes,
            self.commit + other.commit,
            self.execute + other.execute,
        )


EMPTY: Final = BlockLoad()


def load_of(operation: Op) -> BlockLoad:
    """What an operation adds to its block."""
    gas = OPERATIONS[operation]
    return BlockLoad(gas.data_bytes, gas.words * WORD_BYTES, gas.commit, gas.execute)


def load_of_streams(chunks: int, words: int, records: int) -> BlockLoad:
    """At most what so much of both streams is, whichever kinds the records are of."""
    auth, commit, execute = (max(gas) for gas in zip(*_OF_RECORDS, strict=True))
    data_bytes = chunks * CHUNK_BYTES + words * WORD_BYTES + records * auth
    return BlockLoad(data_bytes, words * WORD_BYTES, chunks * CHUNK_GAS + records * commit, records * execute)


def one_call_gas(load: BlockLoad) -> int:
    """At most what a block costs in one call."""
    floor = COMMIT_FLOOR_GAS + FLOOR_BYTE_GAS * PROOF_BYTES
    return _charged(ONE_CALL_GAS, floor, load.data_bytes, load.commit + load.execute)


def commit_gas(loads: Sequence[BlockLoad]) -> int:
    """At most what committing blocks costs in one transaction; so the next two for their calls."""
    more = COMMIT_BLOCK_GAS * (len(loads) - 1)
    data_bytes, execution = sum(load.data_bytes for load in loads), sum(load.commit for load in loads)
    return _charged(COMMIT_GAS + more, COMMIT_FLOOR_GAS + more, data_bytes, execution)


def prove_gas(blocks: int) -> int:
    """At most what proving blocks costs."""
    more = blocks - 1
    return PROVE_GAS + PROVE_BLOCK_GAS * more + (PROVE_TOGETHER_GAS if more else 0)


def execute_gas(loads: Sequence[BlockLoad]) -> int:
    """At most what executing blocks costs."""
    base = EXECUTE_GAS + EXECUTE_BLOCK_GAS * (len(loads) - 1)
    return _charged(base, base, sum(load.record_bytes for load in loads), sum(load.execute for load in loads))


def _charged(gas: int, floor: int, data_bytes: int, execution: int) -> int:
    """By EIP-7623: the calldata's standard price and the execution, or the calldata's floor if that is more."""
    return max(gas + BYTE_GAS * data_bytes + execution, floor + FLOOR_BYTE_GAS * data_bytes)
