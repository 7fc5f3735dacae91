"""Batches: operations of one account or several that a block has all of, in their order, or none (protocol 4).

Whoever makes one collects the operations, links them, and passes the batch around; each signer adds the signatures of
his own operations. He signs the whole list: no operation can be added, left out or moved afterwards.
"""

from collections.abc import Sequence
from dataclasses import replace

from rollup.core.errors import LinkMismatchError
from rollup.core.operations import Batch, CancelOrder, SignedOperation, batch_chain, linked
from rollup.wallet.keys import L2Key


def make_batch(operations: Sequence[SignedOperation]) -> Batch:
    """The operations as a batch, linked and not signed.

    Raises:
        FieldRuleError: fewer than two, or one that no batch takes.
    """
    return Batch(linked(Batch(tuple(operations)).operations))


def sign_batch(batch: Batch, account_id: int, key: L2Key, domain: int) -> Batch:
    """The batch with this account's signatures on its own operations; the others stay as they are.

    Raises:
        LinkMismatchError: an operation names another list than this one, so that the signature would be for that.
    """
    link = batch_chain(batch.operations)[0]
    signed = []
    for operation in batch.operations:
        if operation.link != link:
            raise LinkMismatchError(signer_of(operation), link, operation.link)
        signed.append(key.sign(operation, domain) if signer_of(operation) == account_id else operation)
    return replace(batch, operations=tuple(signed))


def missing_signers(batch: Batch) -> set[int]:
    """The accounts that have not signed all of their operations."""
    return {signer_of(operation) for operation in batch.operations if operation.signature is None}


def signer_of(operation: SignedOperation) -> int:
    """The account whose key signs the operation."""
    return operation.account_id if isinstance(operation, CancelOrder) else operation.from_id
