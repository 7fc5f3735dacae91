"""How far operations and blocks have come, as users are told: here, then on L1."""

from enum import StrEnum

from rollup.node.chain import Heads
from rollup.node.tables import Status


class Stage(StrEnum):
    """Of an operation. FINAL: L1 has executed its block."""

    CONFIRMED = "confirmed"
    COMMITTED = "committed"
    PROVEN = "proven"
    FINAL = "final"


class BlockStage(StrEnum):
    """Of a block. Up to READY it is here alone: READY has its proof and waits for L1."""

    OPEN = "open"
    CLOSED = "closed"
    SEALED = "sealed"
    READY = "ready"
    COMMITTED = "committed"
    PROVEN = "proven"
    FINAL = "final"


_HERE = {
    Status.OPEN: BlockStage.OPEN,
    Status.CLOSED: BlockStage.CLOSED,
    Status.SEALED: BlockStage.SEALED,
    Status.PROVEN: BlockStage.READY,
}


def stage_of(block: int, heads: Heads) -> Stage:
    """Of the operations of a block."""
    if block <= heads.executed:
        return Stage.FINAL
    if block <= heads.proven:
        return Stage.PROVEN
    return Stage.COMMITTED if block <= heads.committed else Stage.CONFIRMED


def block_stage(block: int, status: Status, heads: Heads) -> BlockStage:
    """Of a block that stands in the database with this status."""
    stage = stage_of(block, heads)
    return _HERE[Status(status)] if stage == Stage.CONFIRMED else BlockStage(stage)
