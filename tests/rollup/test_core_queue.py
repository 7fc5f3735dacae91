"""The queue's entries (protocol 8)."""

import dataclasses

import pytest
from eth_hash.auto import keccak

from rollup.core import Deposit, FullExit, queue_entry, queue_hash
from rollup.core.constants import QUEUE_EXPIRY_SECONDS
from rollup.core.errors import ValueRangeError
from rollup.core.queue import queue_expiry

DEPOSIT = Deposit(0, 1, 2, 3, (4, 5), True, False, 6)
EXIT = FullExit(7, 1, 3, 0, 6)


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(32, "big") for value in values)


def test_queue_hash_is_of_the_record_without_the_operators_part() -> None:
    record = words(1 << 200 | 1 << 196 | 1 << 160 | 3, 6 << 128 | 2, 4, 5)
    for deposit in (DEPOSIT, dataclasses.replace(DEPOSIT, account_id=9), dataclasses.replace(DEPOSIT, refused=True)):
        assert queue_hash(deposit) == keccak(record)[:27]
    record = words(2 << 200 | 7 << 172 | 1 << 160 | 3, 6 << 128)
    for amount in (None, 0, 99):
        assert queue_hash(dataclasses.replace(EXIT, amount=amount)) == keccak(record)[:27]


def test_queue_hash_every_requested_field_counts() -> None:
    hashes = {queue_hash(DEPOSIT), queue_hash(EXIT)}
    changes = {"token": 9, "amount": 9, "owner": 9, "key": (9, 9), "sender_is_owner": False, "queue_fee_gwei": 9}
    hashes |= {queue_hash(dataclasses.replace(DEPOSIT, **{name: value})) for name, value in changes.items()}
    names = ("account_id", "token", "owner", "queue_fee_gwei")
    hashes |= {queue_hash(dataclasses.replace(EXIT, **{name: 9})) for name in names}
    assert len(hashes) == 2 + len(changes) + len(names)


def test_queue_entry_is_hash_then_expiry() -> None:
    expiry = 1_000 + QUEUE_EXPIRY_SECONDS
    assert queue_expiry(1_000) == expiry
    assert queue_entry(EXIT, 1_000).to_bytes(32, "big") == queue_hash(EXIT) + expiry.to_bytes(5, "big")
    for requested_at in (2**40, 2**40 - QUEUE_EXPIRY_SECONDS):
        with pytest.raises(ValueRangeError):
            queue_entry(EXIT, requested_at)
