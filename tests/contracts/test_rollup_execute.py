"""Prove and execute: order, skipping, what is credited, and that what is accounted is what is owed."""

from dataclasses import astuple, replace
from typing import Any

import pytest
from block_model import (
    Block,
    NewBlock,
    change_pub_key_record,
    changed,
    deposit_record,
    forced_exit_record,
    full_exit_record,
    stream,
    withdraw_record,
)
from contract_rig import BASE_FEE_GWEI, BASE_POINT, ETHER, FEE, GWEI, PROOF, Refusal, Rig, address
from eth_hash.auto import keccak

ZERO_PROOF = [0] * 8


def counters(rig: Rig) -> tuple[int, int, int]:
    return (rig.rollup.committedBlocks(), rig.rollup.provenBlocks(), rig.rollup.executedBlocks())


def commit_two(rig: Rig) -> tuple[Block, Block]:
    rig.commit(rig.new_block(l2=bytes(15)), rig.new_block(new_root=77))
    return rig.chain[1], rig.chain[2]


# ---- Prove ----


def test_prove_is_open_to_all_and_emits_the_hash(rig: Rig) -> None:
    first, second = commit_two(rig)
    receipt = rig.prove(first, second, sender=rig.stranger)
    assert rig.events(receipt, "BlockProven") == [
        {"number": 1, "hash": first.hash()},
        {"number": 2, "hash": second.hash()},
    ]
    assert counters(rig) == (2, 2, 0)


def test_prove_again_is_skipped_and_the_rest_proven(rig: Rig) -> None:
    """Another, re-randomised proof of a proven block has no effect either."""
    first, second = commit_two(rig)
    rig.prove(first)
    receipt = rig.prove(first, second)
    assert [event["number"] for event in rig.events(receipt, "BlockProven")] == [2]
    assert not rig.prove(first, second)["logs"]
    assert counters(rig) == (2, 2, 0)


def test_prove_with_a_gap_is_refused(rig: Rig) -> None:
    _, second = commit_two(rig)
    assert rig.refused_proof(second) == Refusal("BlockOutOfOrder", (1, 2))


def test_prove_uncommitted_is_refused(rig: Rig) -> None:
    block = rig.model(rig.new_block())
    assert rig.refused_proof(block) == Refusal("BlockHashMismatch", (1, bytes(32), block.hash()))


@pytest.mark.parametrize("field", [name for name in Block.__dataclass_fields__ if name != "number"])
def test_prove_changed_block_is_refused(rig: Rig, field: str) -> None:
    first, _ = commit_two(rig)
    wrong = changed(first, field)
    assert rig.refused_proof(wrong) == Refusal("BlockHashMismatch", (1, first.hash(), wrong.hash()))


def test_prove_wrong_proof_is_refused(rig: Rig) -> None:
    first, second = commit_two(rig)
    assert rig.refused_proof(first, proof=ZERO_PROOF) == Refusal("InvalidProof", (1, 1))
    arguments = [[astuple(first), astuple(second)], [PROOF, ZERO_PROOF]]
    assert rig.refused(rig.rollup, "proveBlocks", *arguments, sender=rig.bob) == Refusal("InvalidProof", (1, 2))


def test_prove_lists_of_different_length_are_refused(rig: Rig) -> None:
    first, _ = commit_two(rig)
    arguments = [[astuple(first)], [PROOF, PROOF]]
    assert rig.refused(rig.rollup, "proveBlocks", *arguments, sender=rig.bob) == Refusal("LengthMismatch", (1, 2))


def test_prove_passes_commitment_challenge_evaluation_and_size_to_the_verifier(rig: Rig) -> None:
    """With the real verifier of a toy key, a proof of other inputs is refused: the inputs arrive."""
    verifier = rig.owner.deploy(rig.project.BlockVerifier)
    rollup = rig.owner.deploy(
        rig.project.Rollup, rig.governor, rig.governor, verifier, rig.exit_verifier, BASE_FEE_GWEI
    )
    other = replace(rig, rollup=rollup, chain=[Block()])
    other.commit(other.new_block(block_size=2))
    assert other.refused_proof(other.last, proof=[1] * 8) == Refusal("InvalidProof", (1, 1))


# ---- Execute ----


def queue_and_run(rig: Rig, *, refused: bool) -> tuple[Block, bytes]:
    rig.deposit_eth(ETHER)
    rig.request_exit(1)
    flags = 3 if refused else 1
    l1 = stream(
        deposit_record(address(rig.alice), ETHER, account=0 if refused else 1, flags=flags, fee=BASE_FEE_GWEI),
        withdraw_record(address(rig.bob), 300),
        full_exit_record(address(rig.alice), 1, amount=500, fee=BASE_FEE_GWEI),
    )
    rig.commit(rig.new_block(l1=l1))
    rig.prove(rig.last)
    return rig.last, l1


def test_execute_by_another_credits_withdrawals_exits_and_the_committers_fees(rig: Rig) -> None:
    block, l1 = queue_and_run(rig, refused=False)
    accounted = rig.rollup.accounted(0)
    receipt = rig.execute(block, l1, sender=rig.stranger)
    fees = 2 * FEE
    assert rig.events(receipt, "PendingCredited") == [
        {"owner": rig.bob.address, "token": 0, "amount": 300},
        {"owner": rig.alice.address, "token": 0, "amount": 500},
        {"owner": rig.validator.address, "token": 0, "amount": fees},
    ]
    assert rig.events(receipt, "BlockExecuted") == [
        {"number": 1, "hash": block.hash(), "executor": rig.stranger.address}
    ]
    assert rig.rollup.pending(rig.bob, 0) == 300
    assert rig.rollup.pending(rig.alice, 0) == 500
    assert rig.rollup.pending(rig.validator, 0) == fees
    assert rig.rollup.pending(rig.stranger, 0) == 0
    assert counters(rig) == (1, 1, 1)
    # On L2 ETHER - 800 remain: what is accounted is what is owed, and it has not moved.
    assert rig.rollup.accounted(0) == accounted == (ETHER - 800) + 300 + 500 + fees == rig.eth_held()


def test_execute_refused_deposit_goes_back_to_its_owner(rig: Rig) -> None:
    block, l1 = queue_and_run(rig, refused=True)
    rig.execute(block, l1)
    assert rig.rollup.pending(rig.alice, 0) == ETHER + 500


def test_execute_forced_exit_credits_the_address_and_no_fee(rig: Rig) -> None:
    _, token_id = rig.token("PlainToken")
    rig.fund(rig.alice, 10**18, token_id)
    receipt = rig.run_block(forced_exit_record(address(rig.bob), 70, token=token_id, account=2**24 - 1))
    assert rig.events(receipt, "PendingCredited") == [{"owner": rig.bob.address, "token": token_id, "amount": 70}]


def test_execute_every_kind_of_record_finds_the_next(rig: Rig) -> None:
    """A wrong length of any record would read the next one from its middle."""
    change = (1, 2**32 - 1, *BASE_POINT, 0, 2**128 - 1, 2**40 - 1)
    rig.send(rig.rollup, "approveKeyChange", change, sender=rig.alice)
    rig.deposit_eth(ETHER)
    rig.deposit_eth(7, sender=rig.bob)
    rig.request_exit(1)
    records = [
        change_pub_key_record(address(rig.alice), *BASE_POINT, nonce=2**32 - 1, fee=2**128 - 1),
        withdraw_record(address(rig.bob), 1),
        deposit_record(address(rig.alice), ETHER, account=1, flags=1, fee=BASE_FEE_GWEI),
        forced_exit_record(address(rig.bob), 2),
        deposit_record(address(rig.bob), 7, flags=3, fee=BASE_FEE_GWEI),
        full_exit_record(address(rig.alice), 1, amount=4, fee=BASE_FEE_GWEI),
        withdraw_record(address(rig.bob), 5),
    ]
    for order in (records, [*records[1:], records[0]], [*records[2:], *records[:2]]):
        snapshot, chain = rig.rpc("evm_snapshot"), list(rig.chain)
        l1 = stream(*order)
        rig.commit(rig.new_block(l1=l1, key_auth=bytes(65) + b"\xff" * 5))
        rig.prove(rig.last)
        credited = [event["amount"] for event in rig.events(rig.execute(rig.last, l1), "PendingCredited")]
        paying = {1: 1, 3: 2, 4: 7, 5: 4, 6: 5}
        assert credited == [paying[i] for i in map(records.index, order) if i in paying] + [3 * FEE]
        rig.rpc("evm_revert", snapshot)
        rig.chain[:] = chain


def test_execute_takes_the_entries_off_the_queue(rig: Rig) -> None:
    block, l1 = queue_and_run(rig, refused=False)
    assert (rig.rollup.queueCommitted(), rig.rollup.queueExecuted()) == (2, 0)
    rig.execute(block, l1)
    assert (rig.rollup.queueTotal(), rig.rollup.queueCommitted(), rig.rollup.queueExecuted()) == (2, 2, 2)
    for index in (0, 1):
        entry = rig.rollup.queueEntry(index)
        assert (bytes(entry.hash), entry.expiry) == (bytes(27), 0)


def test_execute_again_is_skipped(rig: Rig) -> None:
    block, l1 = queue_and_run(rig, refused=False)
    rig.execute(block, l1)
    assert not rig.execute(block, l1)["logs"]
    assert rig.rollup.pending(rig.bob, 0) == 300


def test_execute_unproven_or_uncommitted_is_refused(rig: Rig) -> None:
    first, second = commit_two(rig)
    assert rig.refused_execution(first, b"") == Refusal("BlockNotProven", (1, 0))
    rig.prove(first)
    assert rig.refused_execution(second, b"") == Refusal("BlockOutOfOrder", (1, 2))
    rig.execute(first, b"")
    assert rig.refused_execution(second, b"") == Refusal("BlockNotProven", (2, 1))


@pytest.mark.parametrize("field", [name for name in Block.__dataclass_fields__ if name != "number"])
def test_execute_changed_block_is_refused(rig: Rig, field: str) -> None:
    first, _ = commit_two(rig)
    rig.prove(first)
    wrong = changed(first, field)
    assert rig.refused_execution(wrong, b"") == Refusal("BlockHashMismatch", (1, first.hash(), wrong.hash()))


def test_execute_another_stream_is_refused(rig: Rig) -> None:
    block, l1 = queue_and_run(rig, refused=False)
    for wrong in (b"", l1 + bytes(32), l1[:-1] + b"\1", l1[:-64]):
        assert rig.refused_execution(block, wrong) == Refusal("L1StreamMismatch", (1, block.l1_hash, keccak(wrong)))


def test_execute_lists_of_different_length_are_refused(rig: Rig) -> None:
    first, _ = commit_two(rig)
    arguments = [[astuple(first)], []]
    assert rig.refused(rig.rollup, "executeBlocks", *arguments, sender=rig.bob) == Refusal("LengthMismatch", (1, 0))


# ---- All three in one ----


def one_call(rig: Rig, new: NewBlock, proof: list[int] = PROOF, parent: Block | None = None) -> list[Any]:
    return [astuple(parent or rig.last), new.arguments(), proof, b""]


def test_commit_prove_execute_does_all_three(rig: Rig) -> None:
    rig.deposit_eth(ETHER)
    deposit = deposit_record(address(rig.alice), ETHER, account=1, flags=1, fee=BASE_FEE_GWEI)
    new = rig.new_block(l2=bytes(30), l1=stream(deposit, withdraw_record(address(rig.bob), 9)))
    receipt = rig.send(rig.rollup, "commitProveExecute", *one_call(rig, new), sender=rig.validator)
    expected = rig.model(new)
    assert bytes(rig.rollup.blockHash(1)) == expected.hash()
    assert counters(rig) == (1, 1, 1)
    for name in ("BlockCommitted", "BlockProven", "BlockExecuted"):
        assert [event["hash"] for event in rig.events(receipt, name)] == [expected.hash()]
    assert rig.rollup.pending(rig.bob, 0) == 9
    assert rig.rollup.pending(rig.validator, 0) == FEE


def test_commit_prove_execute_after_each_other(rig: Rig) -> None:
    for _ in range(3):
        new = rig.new_block(l2=bytes(15))
        rig.send(rig.rollup, "commitProveExecute", *one_call(rig, new), sender=rig.validator)
        rig.chain.append(rig.model(new))
    assert counters(rig) == (3, 3, 3)


def test_commit_prove_execute_wrong_proof_leaves_nothing(rig: Rig) -> None:
    arguments = one_call(rig, rig.new_block(), proof=ZERO_PROOF)
    assert rig.refused(rig.rollup, "commitProveExecute", *arguments, sender=rig.validator) == Refusal(
        "InvalidProof", (1, 1)
    )
    assert counters(rig) == (0, 0, 0)


def test_commit_prove_execute_with_earlier_blocks_open_is_refused(rig: Rig) -> None:
    first, _ = commit_two(rig)
    arguments = one_call(rig, rig.new_block())
    assert rig.refused(rig.rollup, "commitProveExecute", *arguments, sender=rig.validator) == Refusal(
        "BlockOutOfOrder", (1, 3)
    )
    rig.prove(*rig.chain[1:])
    assert rig.refused(rig.rollup, "commitProveExecute", *arguments, sender=rig.validator) == Refusal(
        "BlockOutOfOrder", (1, 3)
    )
    rig.execute(first, b"")
    rig.execute(rig.chain[2], b"")
    rig.send(rig.rollup, "commitProveExecute", *arguments, sender=rig.validator)


def test_accounted_is_what_is_owed_through_a_whole_life(rig: Rig) -> None:
    """I-02 on L1: per token, L2 + queue + pending = accounted <= held, after every step."""
    token, token_id = rig.token("PlainToken")
    on_l2 = {0: 0, token_id: 0}
    queued = {0: 0, token_id: 0}
    owners = (rig.alice, rig.bob, rig.stranger, rig.validator)

    def check() -> None:
        held = {0: rig.eth_held(), token_id: token.balanceOf(rig.rollup)}
        for each in (0, token_id):
            pending = sum(rig.rollup.pending(owner, each) for owner in owners)
            assert rig.rollup.accounted(each) == on_l2[each] + queued[each] + pending == held[each]

    rig.deposit_eth(ETHER)
    queued[0] += ETHER + FEE
    rig.deposit_erc20(token_id, 1000, value=FEE + 5)
    queued[0] += FEE
    queued[token_id] += 1000
    rig.deposit_eth(50, sender=rig.bob)
    queued[0] += 50 + FEE
    check()
    l1 = stream(
        deposit_record(address(rig.alice), ETHER, account=1, flags=1, fee=BASE_FEE_GWEI),
        deposit_record(address(rig.alice), 1000, token=token_id, account=1, flags=1, fee=BASE_FEE_GWEI),
        deposit_record(address(rig.bob), 50, flags=3, fee=BASE_FEE_GWEI),
        withdraw_record(address(rig.bob), 400, token=token_id),
    )
    rig.commit(rig.new_block(l1=l1))
    rig.prove(rig.last)
    check()
    rig.execute(rig.last, l1)
    queued = {0: 0, token_id: 0}
    on_l2 = {0: ETHER, token_id: 600}
    check()
    rig.request_exit(1, token_id)
    queued[0] += FEE
    check()
    rig.run_block(full_exit_record(address(rig.alice), 1, token=token_id, amount=600, fee=BASE_FEE_GWEI))
    queued[0], on_l2[token_id] = 0, 0
    check()
    for owner, each in ((rig.bob, 0), (rig.bob, token_id), (rig.alice, token_id), (rig.validator, 0)):
        rig.send(rig.rollup, "withdrawPending", address(owner), each, sender=rig.stranger)
        check()
    assert token.balanceOf(rig.rollup) == 0
    assert rig.eth_held() == ETHER + 5
    assert FEE % GWEI == 0
