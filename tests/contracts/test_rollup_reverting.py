"""Blocks that nobody proves: from their deadline on anyone takes them back, and the chain goes on without them."""

from dataclasses import astuple, replace
from typing import Any

import pytest
from block_model import Block, changed, deposit_record, full_exit_record, stream, withdraw_record
from contract_rig import BASE_FEE_GWEI, ETHER, FEE, PROOF, Refusal, Rig, address

from rollup.core.constants import PROOF_DEADLINE_SECONDS, PROOF_GRACE_SECONDS, PROOF_LIMIT_SECONDS


def refused_reverting(rig: Rig, last_proven: Block, first_unproven: Block) -> Refusal:
    arguments = [astuple(last_proven), astuple(first_unproven)]
    return rig.refused(rig.rollup, "revertBlocks", *arguments, sender=rig.stranger)


def counters(rig: Rig) -> tuple[int, int, int, int, int, int]:
    """Blocks committed, proven, executed; queue total, committed, executed."""
    rollup = rig.rollup
    return (
        rollup.committedBlocks(),
        rollup.provenBlocks(),
        rollup.executedBlocks(),
        rollup.queueTotal(),
        rollup.queueCommitted(),
        rollup.queueExecuted(),
    )


def second_validator(rig: Rig) -> Any:
    rig.send(rig.governor, "setValidator", rig.bob.address, True, sender=rig.owner)
    return rig.bob


def records(rig: Rig) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Of the two entries that `queue_two` makes."""
    alice = address(rig.alice)
    return (
        deposit_record(alice, ETHER, account=1, flags=1, fee=BASE_FEE_GWEI),
        full_exit_record(alice, 1, amount=5, fee=BASE_FEE_GWEI),
    )


def queue_two(rig: Rig) -> None:
    rig.deposit_eth(ETHER)
    rig.request_exit(1)


def commit_as(rig: Rig, sender: Any, *new: Any) -> None:
    rig.send(rig.rollup, "commitBlocks", *rig.commit_arguments(*new), sender=sender)
    validator_set = bytes(rig.governor.validatorSet())
    for block in new:
        model = replace(rig.model(block), committer=address(sender), validator_set=validator_set)
        rig.chain.append(model)


def test_revert_takes_back_every_unproven_block_and_returns_the_queue(rig: Rig) -> None:
    queue_two(rig)
    entries = [rig.rollup.queueEntry(index) for index in (0, 1)]
    deposit, leave = records(rig)
    rig.run_block(deposit)
    rig.commit(rig.new_block(l1=stream(leave), new_root=5))
    rig.commit(rig.new_block(new_root=6), rig.new_block(new_root=7))
    proven, first = rig.chain[1:3]
    assert counters(rig) == (4, 1, 1, 2, 2, 1)

    rig.overdue(first)
    receipt = rig.revert_blocks(proven, first)
    assert rig.events(receipt, "BlocksReverted") == [
        {"firstNumber": 2, "lastNumber": 4, "suspended": rig.validator.address}
    ]
    assert counters(rig) == (1, 1, 1, 2, 1, 1)
    assert [bytes(rig.rollup.blockHash(n)) for n in range(5)] == [Block().hash(), proven.hash(), *[bytes(32)] * 3]
    assert not rig.rollup.verifyBlock(astuple(first))
    assert rig.rollup.queueEntry(1) == entries[1]
    assert (rig.rollup.pending(rig.alice, 0), rig.rollup.pending(rig.validator, 0)) == (0, FEE)
    assert rig.rollup.accounted(0) == rig.eth_held()


def test_revert_then_the_chain_goes_on_with_the_same_queue(rig: Rig) -> None:
    """Other blocks take the numbers, in other packing; nothing of the reverted ones can be proven or executed."""
    validator = second_validator(rig)
    queue_two(rig)
    deposit, leave = records(rig)
    l1 = stream(deposit, leave, withdraw_record(address(rig.stranger), 77))
    rig.commit(rig.new_block(l1=l1), rig.new_block(new_root=9))
    reverted = rig.chain[1:]
    rig.overdue(reverted[0])
    rig.revert_blocks(Block(), reverted[0])
    assert counters(rig) == (0, 0, 0, 2, 0, 0)
    assert rig.refused_proof(reverted[0]) == Refusal("BlockHashMismatch", (1, bytes(32), reverted[0].hash()))

    commit_as(rig, validator, rig.new_block(l1=stream(deposit), new_root=20), rig.new_block(l1=stream(leave)))
    assert counters(rig) == (2, 0, 0, 2, 2, 0)
    expected = Refusal("BlockHashMismatch", (1, rig.chain[1].hash(), reverted[0].hash()))
    assert rig.refused_proof(reverted[0]) == expected
    rig.prove(*rig.chain[1:])
    assert rig.refused_execution(reverted[0], l1) == expected
    for block, record in zip(rig.chain[1:], (deposit, leave), strict=True):
        rig.execute(block, stream(record))
    assert counters(rig) == (2, 2, 2, 2, 2, 2)
    assert (rig.rollup.pending(rig.alice, 0), rig.rollup.pending(rig.stranger, 0)) == (5, 0)
    assert (rig.rollup.pending(validator, 0), rig.rollup.pending(rig.validator, 0)) == (2 * FEE, 0)
    assert all(rig.rollup.verifyBlock(astuple(block)) for block in rig.chain)


def test_revert_one_second_early_is_refused(rig: Rig) -> None:
    rig.commit(rig.new_block())
    deadline = rig.last.committed_at + PROOF_DEADLINE_SECONDS
    rig.pass_time(deadline - 1)
    expected = Refusal("ProofNotOverdue", (1, deadline, deadline - 1))
    assert refused_reverting(rig, Block(), rig.last) == expected
    rig.pass_time(deadline)
    rig.revert_blocks(Block(), rig.last)


def test_revert_deadline_is_the_first_unproven_blocks(rig: Rig) -> None:
    """Blocks committed on top of it later gain it no time, and proving it does."""
    rig.commit(rig.new_block())
    rig.pass_time(rig.last.committed_at + PROOF_DEADLINE_SECONDS // 2)
    rig.commit(rig.new_block(new_root=5))
    first, second = rig.chain[1:]
    rig.overdue(first)
    with rig.undone():
        rig.revert_blocks(Block(), first)
    rig.prove(first)
    deadline = second.committed_at + PROOF_DEADLINE_SECONDS
    assert refused_reverting(rig, first, second) == Refusal("ProofNotOverdue", (2, deadline, rig.now))
    rig.overdue(second)
    rig.revert_blocks(first, second)


def test_revert_leaves_who_built_on_anothers_block_an_hour_after_its_proof(rig: Rig) -> None:
    """Else one who keeps his proof back until the next block is overdue has its committer suspended."""
    validator = second_validator(rig)
    rig.commit(rig.new_block())
    commit_as(rig, validator, rig.new_block(new_root=5))
    first, second = rig.chain[1:]
    rig.overdue(second)
    rig.prove(first)
    grace_end = rig.rollup.provenAt() + PROOF_GRACE_SECONDS
    assert refused_reverting(rig, first, second) == Refusal("ProofNotOverdue", (2, grace_end, rig.now))
    rig.pass_time(grace_end - 1)
    assert refused_reverting(rig, first, second) == Refusal("ProofNotOverdue", (2, grace_end, grace_end - 1))
    rig.pass_time(grace_end)
    rig.revert_blocks(first, second)


def test_revert_gives_no_grace_on_ones_own_block(rig: Rig) -> None:
    """Many blocks committed at once would be an hour each."""
    rig.commit(rig.new_block(), rig.new_block(new_root=5))
    first, second = rig.chain[1:]
    rig.overdue(second)
    rig.prove(first)
    rig.revert_blocks(first, second)


def test_revert_leaves_the_hour_for_all_blocks_on_top_of_anothers(rig: Rig) -> None:
    """Else who proves the first of them alone, which anyone may, has their committer suspended for the second."""
    honest = second_validator(rig)
    rig.commit(rig.new_block())
    commit_as(rig, honest, rig.new_block(new_root=5), rig.new_block(new_root=6))
    withheld, first, second = rig.chain[1:]
    rig.overdue(second)
    rig.prove(withheld)
    grace_end = rig.rollup.provenAt() + PROOF_GRACE_SECONDS
    rig.pass_time(grace_end - 60)
    rig.prove(first)
    assert rig.rollup.turnBeganAt() + PROOF_GRACE_SECONDS == grace_end
    assert refused_reverting(rig, first, second) == Refusal("ProofNotOverdue", (3, grace_end, rig.now))
    rig.pass_time(grace_end)
    rig.revert_blocks(first, second)
    assert rig.rollup.suspended(honest)


def taking_turns(rig: Rig, pairs: int) -> None:
    """Commit blocks of two validators in turn, the second one's last."""
    honest = second_validator(rig)
    for pair in range(pairs):
        rig.commit(rig.new_block(new_root=2 * pair + 1))
        commit_as(rig, honest, rig.new_block(new_root=2 * pair + 2))


def prove_at(rig: Rig, when: int, *blocks: Block) -> None:
    rig.rpc("evm_setNextBlockTimestamp", when)
    rig.prove(*blocks)
    assert rig.now == when


def test_revert_has_a_limit_where_graces_add_up_and_then_nobody_is_to_blame(rig: Rig) -> None:
    """One validator could have another take turns with him who does nothing but build on the last block."""
    pairs = 40
    taking_turns(rig, pairs)
    number, when = 1, rig.chain[1].committed_at + PROOF_DEADLINE_SECONDS - 1
    while when < rig.last.committed_at + PROOF_LIMIT_SECONDS:
        prove_at(rig, when, rig.chain[number])
        prove_at(rig, when + 1, rig.chain[number + 1])
        number, when = number + 2, when + PROOF_GRACE_SECONDS - 1
    assert number < 2 * pairs
    last, first = rig.chain[number - 1 : number + 1]
    limit = first.committed_at + PROOF_LIMIT_SECONDS
    rig.pass_time(limit - 1)
    assert refused_reverting(rig, last, first) == Refusal("ProofNotOverdue", (number, limit, limit - 1))
    rig.pass_time(limit)
    receipt = rig.revert_blocks(last, first)
    assert rig.events(receipt, "BlocksReverted") == [
        {"firstNumber": number, "lastNumber": 2 * pairs, "suspended": "0x" + 40 * "0"}
    ]
    assert not rig.rollup.suspended(rig.validator)
    assert rig.rollup.committedBlocks() == number - 1


def test_revert_after_the_limit_blames_who_has_no_grace_left(rig: Rig) -> None:
    taking_turns(rig, 1)
    rig.pass_time(rig.chain[1].committed_at + PROOF_LIMIT_SECONDS)
    rig.revert_blocks(Block(), rig.chain[1])
    assert rig.rollup.suspended(rig.validator)


def test_revert_with_nothing_unproven_is_refused(rig: Rig) -> None:
    assert refused_reverting(rig, Block(), Block()) == Refusal("NothingToRevert", (0,))
    rig.commit(rig.new_block())
    rig.prove(rig.last)
    rig.overdue(rig.last)
    assert refused_reverting(rig, rig.last, rig.last) == Refusal("NothingToRevert", (1,))


def test_revert_twice_is_refused(rig: Rig) -> None:
    rig.commit(rig.new_block())
    first = rig.last
    rig.overdue(first)
    rig.revert_blocks(Block(), first)
    assert refused_reverting(rig, Block(), first) == Refusal("NothingToRevert", (0,))


def test_revert_other_blocks_than_the_two_at_the_border_are_refused(rig: Rig) -> None:
    """No later block's time or committer, no earlier one's queue, and nothing made up."""
    for root in range(4):
        rig.commit(rig.new_block(new_root=root))
    genesis, one, two, three, four = rig.chain
    rig.prove(one, two)
    rig.overdue(four)
    assert refused_reverting(rig, one, three) == Refusal("BlockOutOfOrder", (2, 1))
    assert refused_reverting(rig, genesis, three) == Refusal("BlockOutOfOrder", (2, 0))
    assert refused_reverting(rig, three, three) == Refusal("BlockOutOfOrder", (2, 3))
    assert refused_reverting(rig, two, four) == Refusal("BlockOutOfOrder", (3, 4))
    assert refused_reverting(rig, two, two) == Refusal("BlockOutOfOrder", (3, 2))
    other = replace(two, queue_end=0, chunk_end=1)
    assert refused_reverting(rig, other, three) == Refusal("BlockHashMismatch", (2, two.hash(), other.hash()))
    other = replace(three, committer=address(rig.alice))
    assert refused_reverting(rig, two, other) == Refusal("BlockHashMismatch", (3, three.hash(), other.hash()))
    rig.revert_blocks(two, three)
    assert (rig.rollup.committedBlocks(), rig.rollup.provenBlocks()) == (2, 2)


@pytest.mark.parametrize("field", ["queue_end", "committed_at", "committer"])
def test_revert_with_a_changed_field_is_refused(rig: Rig, field: str) -> None:
    rig.commit(rig.new_block())
    other = changed(rig.last, field)
    rig.overdue(rig.last)
    assert refused_reverting(rig, Block(), other).name == "BlockHashMismatch"
    assert refused_reverting(rig, changed(Block(), field), rig.last).name == "BlockHashMismatch"


# ---- Suspension ----


def test_suspended_committer_commits_no_more_in_either_way(rig: Rig) -> None:
    rig.commit(rig.new_block())
    assert not rig.rollup.suspended(rig.validator)
    rig.overdue(rig.last)
    rig.revert_blocks(Block(), rig.last)
    assert rig.rollup.suspended(rig.validator)
    expected = Refusal("CommitterSuspended", (rig.validator.address.lower(),))
    assert rig.refused_commit(rig.new_block()) == expected
    arguments = rig.one_call_arguments(rig.new_block(), PROOF)
    assert rig.refused(rig.rollup, "commitProveExecute", *arguments, sender=rig.validator) == expected
    # Not even if the governor names him again.
    rig.send(rig.governor, "setValidator", rig.validator.address, False, sender=rig.owner)
    rig.send(rig.governor, "setValidator", rig.validator.address, True, sender=rig.owner)
    assert rig.refused_commit(rig.new_block()) == expected


def test_suspension_is_of_the_first_unproven_blocks_committer_alone(rig: Rig) -> None:
    """Who built on what could not be proven is not to blame for it; he commits again."""
    validator = second_validator(rig)
    rig.commit(rig.new_block())
    first = rig.last
    commit_as(rig, validator, rig.new_block(new_root=5))
    rig.overdue(first)
    rig.revert_blocks(Block(), first)
    assert (rig.rollup.suspended(rig.validator), rig.rollup.suspended(validator)) == (True, False)
    commit_as(rig, validator, rig.new_block(new_root=6))


def test_suspended_committers_earlier_blocks_are_proven_and_executed_and_he_is_paid(rig: Rig) -> None:
    queue_two(rig)
    deposit, _ = records(rig)
    rig.commit(rig.new_block(l1=stream(deposit)))
    one = rig.last
    rig.prove(one)
    rig.commit(rig.new_block(new_root=5))
    rig.overdue(rig.last)
    rig.revert_blocks(one, rig.last)
    rig.execute(one, stream(deposit))
    rig.send(rig.rollup, "withdrawPending", rig.validator.address, 0, sender=rig.validator)
    assert counters(rig)[:3] == (1, 1, 1)


def test_stalling_by_blocks_that_are_never_proven_costs_a_validator_each_time(rig: Rig) -> None:
    """n validators that all want to stall gain n deadlines, no more; then the queue expires: n of 7 days / 24 h."""
    validators = [rig.validator, rig.bob, rig.alice]
    for validator in validators[1:]:
        rig.send(rig.governor, "setValidator", validator.address, True, sender=rig.owner)
    for validator in validators:
        commit_as(rig, validator, rig.new_block())
        rig.overdue(rig.last)
        rig.revert_blocks(Block(), rig.last)
        assert rig.refused_commit(rig.new_block(), sender=validator).name == "CommitterSuspended"
