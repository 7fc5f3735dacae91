"""What a Transfer costs on L1, by how many share a block or a transaction. `python -m bench.page` puts it into
docs/performance.md.

From rollup/l1/costs.py, which a test holds to measurements: at most that, with no zero among a Transfer's bytes.
Two prices of calldata: today's, with EIP-7623's floor, and those of 2021 to 2024, under which earlier rollups published
their figures: 16 gas a byte, 4 a zero, and no floor.
"""

from typing import Final

from bench.sizes import SIZES
from rollup.core.constants import CHUNK_BYTES, Op
from rollup.l1.costs import (
    BYTE_GAS,
    CHUNK_GAS,
    COMMIT_BLOCK_GAS,
    COMMIT_GAS,
    EMPTY,
    EXECUTE_BLOCK_GAS,
    EXECUTE_GAS,
    FLOOR_BYTE_GAS,
    ONE_CALL_GAS,
    BlockLoad,
    commit_gas,
    execute_gas,
    load_of,
    one_call_gas,
    prove_gas,
)

COUNTS: Final = (8, 16, 32, 64, 128, 256, 512, 1_024, 2_048)
STEPS: Final = SIZES[-1]
"""Of a block of 2^22 rows, the largest that is measured."""
TRANSFER_GAS: Final = CHUNK_BYTES * BYTE_GAS + CHUNK_GAS
"""By the prices of 2021."""


def in_one_block(transfers: int) -> tuple[int, int]:
    """commitProveExecute of one block of so many steps: gas of today, and by the prices of 2021."""
    return one_call_gas(_transfers(transfers)), ONE_CALL_GAS + transfers * TRANSFER_GAS


def in_blocks(transfers: int, steps: int = STEPS) -> tuple[int, int]:
    """commitBlocks, proveBlocks and executeBlocks, a transaction each, of as many blocks as it takes: the same two."""
    loads = [_transfers(min(steps, transfers - done)) for done in range(0, transfers, steps)]
    more, proving = len(loads) - 1, prove_gas(len(loads))
    once = COMMIT_GAS + more * COMMIT_BLOCK_GAS + proving + EXECUTE_GAS + more * EXECUTE_BLOCK_GAS
    return commit_gas(loads) + proving + execute_gas(loads), once + transfers * TRANSFER_GAS


def table() -> str:
    """Markdown: gas a Transfer, all in."""
    titles = ("one block, one transaction", "2021", f"blocks of {STEPS}, three transactions", "2021")
    rows = [("Transfers", *titles), ("---",) * 5]
    for count in COUNTS:
        gas = (*in_one_block(count), *in_blocks(count))
        rows.append((f"{count:,}", *(f"{each / count:,.0f}" for each in gas)))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + f"\n\n{formula()}\n"


def formula() -> str:
    """The first columns in words: what is paid once, and what each Transfer adds."""
    floor, each = one_call_floor(), FLOOR_BYTE_GAS * CHUNK_BYTES
    return (
        f"In one block of n Transfers: {ONE_CALL_GAS:,} + {TRANSFER_GAS} n gas at the prices of 2021, "
        f"{CHUNK_GAS} n of it execution; today that, or the floor of {floor:,} + {each} n if it is more."
    )


def one_call_floor() -> int:
    """What the floor's price of commitProveExecute is without Transfers."""
    many = 1 << 20
    return one_call_gas(_transfers(many)) - many * FLOOR_BYTE_GAS * CHUNK_BYTES


def _transfers(count: int) -> BlockLoad:
    return sum([load_of(Op.TRANSFER)] * count, EMPTY)


if __name__ == "__main__":
    print(table())
