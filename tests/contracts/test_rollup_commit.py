"""Commit: what is stored, and everything that is refused."""

from dataclasses import astuple, replace
from typing import Any

import pytest
from block_model import (
    FEE_TOKENS,
    Block,
    R,
    change_pub_key_record,
    changed,
    deposit_record,
    forced_exit_record,
    full_exit_record,
    stream,
    withdraw_record,
)
from contract_rig import BASE_FEE_GWEI, BASE_POINT, ETHER, PROOF, Refusal, Rig, address

DAY = 24 * 3600
MAX_AHEAD = 15 * 60


def test_genesis_is_the_empty_tree_and_zeros(rig: Rig) -> None:
    assert bytes(rig.rollup.blockHash(0)) == Block().hash()
    assert rig.rollup.verifyBlock(astuple(Block()))
    assert bytes(rig.rollup.blockHash(1)) == bytes(32)


def test_commit_stores_the_hash_of_the_block(rig: Rig) -> None:
    receipt = rig.commit(rig.new_block(l2=bytes(range(150))))
    assert bytes(rig.rollup.blockHash(1)) == rig.last.hash()
    assert rig.events(receipt, "BlockCommitted") == [
        {
            "number": 1,
            "hash": rig.last.hash(),
            "committer": rig.validator.address,
            "validatorSet": bytes(rig.governor.validatorSet()),
            "committedAt": rig.now,
        }
    ]
    assert (rig.rollup.committedBlocks(), rig.rollup.provenBlocks(), rig.rollup.executedBlocks()) == (1, 0, 0)
    assert rig.rollup.verifyBlock(astuple(rig.last))


@pytest.mark.parametrize("field", Block.__dataclass_fields__)
def test_verify_block_any_changed_field_is_another_block(rig: Rig, field: str) -> None:
    rig.commit(rig.new_block(l2=bytes(15)))
    assert not rig.rollup.verifyBlock(astuple(changed(rig.last, field)))


def test_commit_several_blocks_in_one_call(rig: Rig) -> None:
    rig.deposit_eth(ETHER)
    rig.request_exit(1)
    deposit = deposit_record(address(rig.alice), ETHER, account=1, flags=1, fee=BASE_FEE_GWEI)
    leave = full_exit_record(address(rig.alice), 1, amount=ETHER, fee=BASE_FEE_GWEI)
    rig.commit(
        rig.new_block(l2=bytes(45), l1=stream(deposit), new_root=11),
        rig.new_block(l2=bytes(15), l1=stream(leave, withdraw_record(address(rig.bob), 5)), new_root=12),
        rig.new_block(new_root=13),
    )
    assert [bytes(rig.rollup.blockHash(n)) for n in (1, 2, 3)] == [block.hash() for block in rig.chain[1:]]
    assert (rig.last.queue_end, rig.last.chunk_end) == (2, 4)
    assert (rig.rollup.queueTotal(), rig.rollup.queueCommitted(), rig.rollup.queueExecuted()) == (2, 2, 0)


def test_commit_on_a_committed_block_of_an_earlier_call(rig: Rig) -> None:
    for _ in range(3):
        rig.commit(rig.new_block(l2=bytes(15)))
    assert bytes(rig.rollup.blockHash(3)) == rig.last.hash()


# ---- Who ----


def test_commit_by_a_stranger_is_refused(rig: Rig) -> None:
    stranger = rig.stranger.address.lower()
    assert rig.refused_commit(rig.new_block(), sender=rig.stranger) == Refusal("NotAValidator", (stranger,))
    arguments = [astuple(Block()), rig.new_block().arguments(), PROOF, b""]
    refused = rig.refused(rig.rollup, "commitProveExecute", *arguments, sender=rig.stranger)
    assert refused == Refusal("NotAValidator", (stranger,))


def test_commit_by_a_removed_validator_is_refused(rig: Rig) -> None:
    rig.send(rig.governor, "setValidator", rig.validator.address, False, sender=rig.owner)
    assert rig.refused_commit(rig.new_block()) == Refusal("NotAValidator", (rig.validator.address.lower(),))


def test_commit_with_an_auth_that_the_registry_does_not_know_is_refused(rig: Rig) -> None:
    arguments = [astuple(Block()), [rig.new_block().arguments()], b"\x01"]
    assert rig.refused(rig.rollup, "commitBlocks", *arguments, sender=rig.validator) == Refusal("InvalidAuth", ())


def test_commit_through_a_contract_is_refused(rig: Rig) -> None:
    forwarder = rig.owner.deploy(rig.project.Forwarder)
    rig.send(rig.governor, "setValidator", address(forwarder), True, sender=rig.owner)
    expected = Refusal("NotADirectCall", (address(forwarder).lower(), rig.validator.address.lower()))
    new = rig.new_block()
    for method, arguments in (
        ("commitBlocks", rig.commit_arguments(new)),
        ("commitProveExecute", [astuple(Block()), new.arguments(), PROOF, b""]),
    ):
        data = rig.data(rig.rollup, method, *arguments)
        refused = rig.refused(forwarder, "forward", address(rig.rollup), data, sender=rig.validator)
        assert refused == expected, method


def test_commit_by_an_account_with_delegated_code_is_refused(rig: Rig) -> None:
    """EIP-7702: sender and origin are the same, yet the call may come from within."""
    forwarder = rig.owner.deploy(rig.project.Forwarder)
    rig.rpc("anvil_setCode", rig.validator.address, "0xef0100" + address(forwarder)[2:])
    validator = rig.validator.address.lower()
    assert rig.refused_commit(rig.new_block()) == Refusal("NotADirectCall", (validator, validator))


# ---- Which parent ----


def test_commit_on_a_zero_parent_is_refused(rig: Rig) -> None:
    zero = replace(Block(), new_root=0)
    refused = rig.refused_commit(rig.new_block(), parent=zero)
    assert refused == Refusal("BlockHashMismatch", (0, Block().hash(), zero.hash()))


@pytest.mark.parametrize("field", [name for name in Block.__dataclass_fields__ if name != "number"])
def test_commit_on_a_changed_parent_is_refused(rig: Rig, field: str) -> None:
    rig.commit(rig.new_block(l2=bytes(15)))
    wrong = changed(rig.last, field)
    refused = rig.refused_commit(rig.new_block(), parent=wrong)
    assert refused == Refusal("BlockHashMismatch", (1, rig.last.hash(), wrong.hash()))


def test_commit_replayed_is_refused(rig: Rig) -> None:
    new = rig.new_block()
    rig.commit(new)
    assert rig.refused_commit(new, parent=Block()) == Refusal("BlockOutOfOrder", (1, 0))


def test_commit_with_a_gap_is_refused(rig: Rig) -> None:
    rig.commit(rig.new_block())
    ahead = rig.model(rig.new_block())
    assert rig.refused_commit(rig.new_block(), parent=ahead) == Refusal("BlockOutOfOrder", (1, 2))


def test_commit_of_no_block_is_refused(rig: Rig) -> None:
    assert rig.refused_commit() == Refusal("NoBlocks", ())


# ---- Fields ----


@pytest.mark.parametrize("value", [R, R + 1, 2**256 - 1])
@pytest.mark.parametrize("field", ["new_root", "commitment"])
def test_commit_header_word_not_below_r_is_refused(rig: Rig, field: str, value: int) -> None:
    assert rig.refused_commit(rig.new_block(**{field: value})) == Refusal("NotAWord", (value,))


def test_commit_root_plus_r_is_refused(rig: Rig) -> None:
    """The proof would hold for it, and the exits would be bricked."""
    assert rig.refused_commit(rig.new_block(new_root=1001 + R)) == Refusal("NotAWord", (1001 + R,))


def test_commit_largest_words_are_accepted(rig: Rig) -> None:
    rig.commit(rig.new_block(new_root=R - 1, commitment=R - 1, fee_account=2**24 - 1, fee_tokens=2**96 - 1))
    assert bytes(rig.rollup.blockHash(1)) == rig.last.hash()


def test_commit_unknown_block_size_is_refused(rig: Rig) -> None:
    assert rig.refused_commit(rig.new_block(block_size=9)) == Refusal("BlockSizeUnsupported", (9,))


def test_commit_fee_account_out_of_range_is_refused(rig: Rig) -> None:
    assert rig.refused_commit(rig.new_block(fee_account=2**24)) == Refusal("AccountOutOfRange", (2**24,))


@pytest.mark.parametrize("off", [-DAY - 1, MAX_AHEAD + 1])
def test_commit_timestamp_too_far_from_l1s_is_refused(rig: Rig, off: int) -> None:
    now = rig.now
    refused = rig.refused_commit(rig.new_block(timestamp=now + off))
    assert refused == Refusal("TimestampOutOfRange", (now + off, now - DAY, now + MAX_AHEAD))


@pytest.mark.parametrize("off", [-DAY, MAX_AHEAD])
def test_commit_timestamp_at_the_ends_of_its_window_is_accepted(rig: Rig, off: int) -> None:
    at = rig.now + 100
    rig.rpc("evm_setNextBlockTimestamp", at)
    rig.commit(rig.new_block(timestamp=at + off))


def test_commit_timestamp_before_the_parent_is_refused(rig: Rig) -> None:
    first = rig.new_block(timestamp=rig.now + 10 * 60)
    rig.commit(first)
    refused = rig.refused_commit(rig.new_block(timestamp=first.timestamp - 1))
    expected = (first.timestamp - 1, first.timestamp, rig.now + MAX_AHEAD)
    assert refused == Refusal("TimestampOutOfRange", expected)
    rig.commit(rig.new_block(timestamp=first.timestamp))


# ---- Streams ----


@pytest.mark.parametrize("length", [1, 14, 16, 29])
def test_commit_l2_stream_of_partial_chunks_is_refused(rig: Rig, length: int) -> None:
    assert rig.refused_commit(rig.new_block(l2=bytes(length))) == Refusal("L2StreamLength", (length,))


@pytest.mark.parametrize("length", [1, 31, 33, 65])
def test_commit_l1_stream_of_partial_words_is_refused(rig: Rig, length: int) -> None:
    assert rig.refused_commit(rig.new_block(l1=bytes(length))) == Refusal("L1StreamLength", (length,))


def test_commit_l1_stream_that_ends_within_a_record_is_refused(rig: Rig) -> None:
    rig.deposit_eth(ETHER)
    deposit = deposit_record(address(rig.alice), ETHER, account=1, flags=1, fee=BASE_FEE_GWEI)
    leave = full_exit_record(address(rig.alice), 1)
    pay = withdraw_record(address(rig.bob), 5)
    change = change_pub_key_record(address(rig.alice), *BASE_POINT)
    for record in (deposit, leave, pay, forced_exit_record(address(rig.bob), 5), change, change[:3], change[:2]):
        cut = stream(record)[:-32]
        assert rig.refused_commit(rig.new_block(l1=cut)) == Refusal("L1StreamLength", (len(cut),))
        longer = stream(pay, record)[:-32]
        assert rig.refused_commit(rig.new_block(l1=longer)) == Refusal("L1StreamLength", (len(longer),))


@pytest.mark.parametrize("op", [0, 3, 4, 8, 9, 10, 11, 15, 16, 1 << 4 | 1, 63, 64, 65, 2**56 - 1])
def test_commit_unknown_operation_in_the_l1_stream_is_refused(rig: Rig, op: int) -> None:
    w0 = op << 200 | int(rig.bob.address, 16)
    l1 = stream(withdraw_record(address(rig.bob), 5), (w0, 5))
    assert rig.refused_commit(rig.new_block(l1=l1)) == Refusal("UnknownOperation", (2, w0))


PAYING = pytest.mark.parametrize("record", [withdraw_record, forced_exit_record])


@PAYING
@pytest.mark.parametrize("extra", [1 << 196, 1 << 199])
def test_commit_withdrawal_or_forced_exit_with_a_flag_is_refused(rig: Rig, record: Any, extra: int) -> None:
    w0, w1 = record(address(rig.bob), 5)
    assert rig.refused_commit(rig.new_block(l1=stream((w0 | extra, w1)))) == Refusal("MalformedRecord", (0,))


@PAYING
@pytest.mark.parametrize("w1", [1 << 128, R, 2**256 - 1])
def test_commit_withdrawal_or_forced_exit_word_wider_than_an_amount_is_refused(rig: Rig, record: Any, w1: int) -> None:
    """Any word that is not below r is wider too."""
    w0, _ = record(address(rig.bob), 0)
    assert rig.refused_commit(rig.new_block(l1=stream((w0, w1)))) == Refusal("MalformedRecord", (0,))


@pytest.mark.parametrize("position", range(4))
def test_commit_deposit_word_plus_r_is_refused(rig: Rig, position: int) -> None:
    rig.deposit_eth(ETHER)
    record = list(deposit_record(address(rig.alice), ETHER, account=1, flags=1, fee=BASE_FEE_GWEI))
    record[position] += R
    refused = rig.refused_commit(rig.new_block(l1=stream(record)))
    assert refused.name == ("UnknownOperation" if position == 0 else "QueueEntryMismatch")


def test_commit_too_many_records_is_refused_and_the_limit_is_not(rig: Rig) -> None:
    records = [withdraw_record(address(rig.bob), n) for n in range(257)]
    assert rig.refused_commit(rig.new_block(l1=stream(*records))) == Refusal("TooManyL1Operations", (256,))
    rig.commit(rig.new_block(l1=stream(*records[:256])))
    assert bytes(rig.rollup.blockHash(1)) == rig.last.hash()


# ---- Queue ----


def _queued_pair(rig: Rig) -> tuple[tuple[int, ...], tuple[int, ...]]:
    rig.deposit_eth(ETHER)
    rig.request_exit(1)
    return (
        deposit_record(address(rig.alice), ETHER, flags=1, fee=BASE_FEE_GWEI),
        full_exit_record(address(rig.alice), 1, fee=BASE_FEE_GWEI),
    )


def test_commit_operator_chooses_account_refusal_and_exit_amount(rig: Rig) -> None:
    deposit, leave = _queued_pair(rig)
    deposit = (deposit[0] | 0xABCDEF << 172 | 2 << 196, *deposit[1:])
    leave = (leave[0], leave[1] | 2**128 - 1)
    rig.commit(rig.new_block(l1=stream(deposit, leave)))
    assert rig.rollup.queueCommitted() == 2


@pytest.mark.parametrize(
    ("position", "bit"), [(0, 0), (0, 159), (0, 160), (0, 171), (0, 196), (0, 198), (1, 0), (1, 128), (2, 0), (3, 253)]
)
def test_commit_deposit_that_is_not_the_queued_one_is_refused(rig: Rig, position: int, bit: int) -> None:
    record = list(_queued_pair(rig)[0])
    record[position] ^= 1 << bit
    assert rig.refused_commit(rig.new_block(l1=stream(record))).name == "QueueEntryMismatch"


@pytest.mark.parametrize(("position", "bit"), [(0, 0), (0, 160), (0, 172), (0, 195), (0, 196), (1, 128), (1, 192)])
def test_commit_full_exit_that_is_not_the_queued_one_is_refused(rig: Rig, position: int, bit: int) -> None:
    deposit, leave = _queued_pair(rig)
    wrong = list(leave)
    wrong[position] ^= 1 << bit
    refused = rig.refused_commit(rig.new_block(l1=stream(deposit, wrong)))
    assert (refused.name, refused.values[0]) == ("QueueEntryMismatch", 1)


def test_commit_queue_out_of_order_twice_or_beyond_its_end_is_refused(rig: Rig) -> None:
    deposit, leave = _queued_pair(rig)
    for records, index in (
        ([leave, deposit], 0),
        ([leave], 0),
        ([deposit, deposit], 1),
        ([deposit, leave, leave], 2),
    ):
        refused = rig.refused_commit(rig.new_block(l1=stream(*records)))
        assert (refused.name, refused.values[0]) == ("QueueEntryMismatch", index)
    rig.commit(rig.new_block(l1=stream(deposit)))
    refused = rig.refused_commit(rig.new_block(l1=stream(deposit)))
    assert (refused.name, refused.values[0]) == ("QueueEntryMismatch", 1)


def test_commit_queue_mismatch_says_what_was_expected(rig: Rig) -> None:
    _, leave = _queued_pair(rig)
    expected, got = (bytes(rig.rollup.queueEntry(index).hash) for index in (0, 1))
    refused = rig.refused_commit(rig.new_block(l1=stream(leave)))
    assert refused == Refusal("QueueEntryMismatch", (0, expected, got))


def test_fee_tokens_of_the_model_are_strictly_increasing() -> None:
    tokens = [FEE_TOKENS >> 12 * position & 0xFFF for position in range(8)]
    assert tokens == sorted(set(tokens))
