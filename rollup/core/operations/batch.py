"""Batches: signed operations that a block has all of, in their order, or none (protocol 4, "Batches")."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, get_args

from rollup._native import poseidon
from rollup.core.errors import FieldRuleError
from rollup.core.operations.orders import CancelOrder
from rollup.core.operations.payments import ForcedExit, Transfer, TransferToAddress, Withdraw

SignedOperation: TypeAlias = Transfer | TransferToAddress | Withdraw | ForcedExit | CancelOrder
"""Signed with EdDSA and counted by the nonce: all but orders."""

MIN_BATCH = 2
BATCH_RULE = "a batch takes no orders, swaps, key changes or batches"


@dataclass(frozen=True, slots=True)
class Batch:
    """Operations in their order, each linked to the batch (`link`) and signed by its own account."""

    operations: tuple[SignedOperation, ...]

    def __post_init__(self) -> None:
        if len(self.operations) < MIN_BATCH:
            raise FieldRuleError("operations", len(self.operations), f"a batch has {MIN_BATCH} operations or more")
        for operation in self.operations:
            if not isinstance(operation, get_args(SignedOperation)):
                kind = type(operation).__name__
                raise FieldRuleError("operations", kind, BATCH_RULE)

    def steps(self) -> tuple[SignedOperation, ...]:
        """Its operations."""
        return self.operations


def batch_chain(operations: Sequence[SignedOperation]) -> tuple[int, ...]:
    """R_1 .. R_k and R_(k+1) = 0: R_i = Poseidon(4)(M1_i, M2_i, M3_i, R_(i+1)). R_1 is the link of all of them."""
    chain = [0]
    for operation in reversed(operations):
        _, m1, m2, m3, _ = operation.message_words(0)
        chain.append(poseidon([m1, m2, m3, chain[-1]]))
    return tuple(reversed(chain))


def linked(operations: Sequence[SignedOperation]) -> tuple[SignedOperation, ...]:
    """The same operations as one batch, to be signed each by its own account and given to `Batch`."""
    link = batch_chain(operations)[0]
    return tuple(replace(operation, link=link, signature=None) for operation in operations)
