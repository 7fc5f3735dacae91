"""X and Y of the contract against a Python written from protocol 7, over every shape of streams."""

import random

import pytest
from block_model import NewBlock, R, deposit_record, stream, withdraw_record
from contract_rig import BASE_FEE_GWEI, ETHER, Rig, address

# Every remainder of the loops: chunks modulo 2 (odd tail) and words modulo 4 (unrolling).
CHUNKS = [*range(19), 31, 32, 33, 200]
RECORDS = [0, 1, 2, 3, 5, 8]


def random_block(rig: Rig, source: random.Random, chunks: int, records: int) -> NewBlock:
    withdrawals = (
        withdraw_record(f"0x{source.getrandbits(160):040x}", source.getrandbits(128), token=source.randrange(2048))
        for _ in range(records)
    )
    return rig.new_block(
        l2=source.randbytes(15 * chunks),
        l1=stream(*withdrawals),
        new_root=source.randrange(R),
        commitment=source.randrange(R),
        fee_account=source.randrange(2**24),
        fee_tokens=source.randrange(2**96),
        block_size=512,
    )


@pytest.mark.parametrize("records", RECORDS)
def test_commit_challenge_and_evaluation_are_the_protocols(rig: Rig, records: int) -> None:
    """A block's hash covers X, Y and its parent's hash, so the last one covers all; the model computes it alone."""
    source = random.Random(records)
    rig.commit(*(random_block(rig, source, chunks, records) for chunks in CHUNKS))
    assert bytes(rig.rollup.blockHash(len(CHUNKS))) == rig.last.hash()


def test_commit_all_ones_are_reduced(rig: Rig) -> None:
    """The largest words in every place: the unreduced sums stay below 2^256."""
    rig.deposit_eth(ETHER)
    deposit = deposit_record(address(rig.alice), ETHER, account=2**24 - 1, flags=3, fee=BASE_FEE_GWEI)
    big = withdraw_record("0x" + "ff" * 20, 2**128 - 1, token=4095, account=2**24 - 1)
    new = rig.new_block(
        l2=b"\xff" * 15 * 1001, l1=stream(deposit, *[big] * 200), new_root=R - 1, commitment=R - 1, block_size=512
    )
    rig.commit(new)
    assert bytes(rig.rollup.blockHash(1)) == rig.last.hash()


def test_commit_odd_chunk_is_followed_by_zeros_not_by_the_calldata(rig: Rig) -> None:
    """Canonical calldata has zeros there by itself; the contract's mask does not lean on it, and no call can tell."""
    first = rig.new_block(l2=b"\xee" * 15)
    second = rig.new_block(l2=b"\xee" * 15, l1=stream(withdraw_record("0x" + "ff" * 20, 2**128 - 1)))
    rig.commit(first, second)
    assert bytes(rig.rollup.blockHash(2)) == rig.last.hash()
