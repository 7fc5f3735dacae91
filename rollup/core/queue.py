"""The L1 queue's view of a deposit or full exit (protocol 8)."""

from dataclasses import replace

from eth_hash.auto import keccak

from rollup.core.checks import check_uint
from rollup.core.constants import QUEUE_EXPIRY_SECONDS, TIMESTAMP_BITS
from rollup.core.operations import Deposit, QueueOperation

QUEUE_HASH_BYTES = 27


def requested(operation: QueueOperation) -> QueueOperation:
    """The operation as it was requested: with the operator's part (account and refusal, or amount) blanked."""
    if isinstance(operation, Deposit):
        return replace(operation, account_id=0, refused=False)
    return replace(operation, amount=0)


def queue_hash(operation: QueueOperation) -> bytes:
    """The first 27 bytes of keccak256 of the record's words, the operator's part blanked."""
    words = requested(operation).record()
    return keccak(b"".join(word.to_bytes(32, "big") for word in words))[:QUEUE_HASH_BYTES]


def queue_expiry(requested_at: int) -> int:
    """From when on an entry that was not served opens exodus, unix seconds."""
    return check_uint("requested_at", requested_at, TIMESTAMP_BITS) + QUEUE_EXPIRY_SECONDS


def queue_entry(operation: QueueOperation, requested_at: int) -> int:
    """The slot's value: `hash 27 bytes | expiry 5 bytes`."""
    expiry = check_uint("expiry", queue_expiry(requested_at), TIMESTAMP_BITS)
    return int.from_bytes(queue_hash(operation), "big") << TIMESTAMP_BITS | expiry
