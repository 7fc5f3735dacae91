"""Exodus: begun by anyone when the queue is overdue, never before, and then everyone leaves once, with what is his."""

from dataclasses import astuple, replace
from typing import Any

import pytest
from block_model import Block, deposit_record, full_exit_record, stream, withdraw_record
from contract_rig import BASE_FEE_GWEI, BASE_POINT, ETHER, FEE, PROOF, Refusal, Rig, address
from eth_hash.auto import keccak

from rollup.core.constants import QUEUE_EXPIRY_SECONDS

ZERO_PROOF = [0] * 8


def hash27(record: tuple[int, ...]) -> bytes:
    return keccak(stream(record))[:27]


def deposit_of(rig: Rig, amount: int = ETHER, **fields: Any) -> tuple[int, ...]:
    """The record of a deposit of alice's as it is queued."""
    return deposit_record(address(rig.alice), amount, fee=BASE_FEE_GWEI, **({"flags": 1} | fields))


def exit_of(rig: Rig, account: int = 1, token: int = 0) -> tuple[int, ...]:
    return full_exit_record(address(rig.alice), account, token=token, fee=BASE_FEE_GWEI)


def refused_activation(rig: Rig, last_proven: Block) -> Refusal:
    return rig.refused(rig.rollup, "activateExodus", astuple(last_proven), sender=rig.stranger)


def refused_exit(rig: Rig, *arguments: Any, proof: list[int] = PROOF) -> Refusal:
    return rig.refused(rig.rollup, "exitExodus", *arguments, proof, sender=rig.stranger)


def refused_refund(rig: Rig, index: int, record: tuple[int, ...]) -> Refusal:
    return rig.refused(rig.rollup, "refundQueued", index, list(record), sender=rig.stranger)


def exodus(rig: Rig) -> Block:
    """A block with a deposit of alice's is executed; a request of hers is never served. Returns the block."""
    rig.deposit_eth(ETHER)
    rig.run_block(deposit_of(rig, account=1))
    last = rig.last
    rig.request_exit(1)
    rig.expire(1)
    rig.activate_exodus(last)
    return last


# ---- Activation ----


def test_overdue_entry_is_passed_by_no_proof_so_nobody_can_make_the_activation_stale(rig: Rig) -> None:
    """A block in between would change the last proven block, whose preimage the activation names."""
    rig.deposit_eth(ETHER)
    rig.commit(rig.new_block())
    stocked = rig.last
    rig.expire(0)
    expiry = rig.rollup.queueEntry(0)[1]
    expected = Refusal("QueueEntryOverdue", (0, expiry, rig.now))
    assert rig.refused_proof(stocked) == expected
    rig.activate_exodus(Block())


def test_overdue_entry_is_passed_by_no_block_in_one_call_either(rig: Rig) -> None:
    rig.deposit_eth(ETHER)
    rig.expire(0)
    arguments = rig.one_call_arguments(rig.new_block(), PROOF)
    refused = rig.refused(rig.rollup, "commitProveExecute", *arguments, sender=rig.validator)
    assert refused == Refusal("QueueEntryOverdue", (0, rig.rollup.queueEntry(0)[1], rig.now))
    rig.run_block(deposit_of(rig, account=1))


def test_overdue_entries_served_by_the_blocks_of_one_call_are_in_time(rig: Rig) -> None:
    """Who is late catches up, if nobody has begun exodus: with all of it at once."""
    rig.deposit_eth(ETHER)
    rig.request_exit(1)
    rig.commit(rig.new_block(l1=stream(deposit_of(rig, account=1))), rig.new_block(l1=stream(exit_of(rig)), new_root=5))
    first, second = rig.chain[1:]
    rig.expire(1)
    assert rig.refused_proof(first).name == "QueueEntryOverdue"
    rig.prove(first, second)
    assert refused_activation(rig, second) == Refusal("QueueNotOverdue", (2, 0, rig.now))


def test_activate_when_the_oldest_entry_is_overdue_by_anyone(rig: Rig) -> None:
    rig.deposit_eth(ETHER)
    rig.run_block(deposit_of(rig, account=1))
    rig.request_exit(1)
    rig.commit(rig.new_block(l1=stream(exit_of(rig)), new_root=5), rig.new_block(new_root=6))
    proven, unproven = rig.chain[1], rig.chain[2]
    assert (rig.rollup.exodusRoot(), rig.rollup.exodusQueueStart(), rig.rollup.queueCommitted()) == (0, 0, 2)
    rig.expire(1)
    receipt = rig.activate_exodus(proven)
    assert rig.events(receipt, "ExodusActivated") == [{"lastProvenBlock": 1, "root": proven.new_root, "queueStart": 1}]
    assert (rig.rollup.exodusRoot(), rig.rollup.exodusQueueStart()) == (proven.new_root, 1)
    assert (rig.rollup.committedBlocks(), rig.rollup.provenBlocks(), rig.rollup.queueCommitted()) == (1, 1, 1)
    assert bytes(rig.rollup.blockHash(2)) == bytes(32)
    assert not rig.rollup.verifyBlock(astuple(unproven))


def test_activate_one_second_early_is_refused(rig: Rig) -> None:
    rig.deposit_eth(ETHER)
    expiry = rig.rollup.queueEntry(0).expiry
    assert expiry == rig.now + QUEUE_EXPIRY_SECONDS
    rig.pass_time(expiry - 1)
    assert refused_activation(rig, Block()) == Refusal("QueueNotOverdue", (0, expiry, expiry - 1))
    rig.pass_time(expiry)
    rig.activate_exodus(Block())


def test_activate_without_an_unserved_entry_is_refused_however_late(rig: Rig) -> None:
    rig.pass_time(rig.now + 10 * QUEUE_EXPIRY_SECONDS)
    assert refused_activation(rig, Block()) == Refusal("QueueNotOverdue", (0, 0, rig.now))
    rig.deposit_eth(ETHER)
    rig.run_block(deposit_of(rig, account=1))
    rig.pass_time(rig.now + 10 * QUEUE_EXPIRY_SECONDS)
    assert refused_activation(rig, rig.last) == Refusal("QueueNotOverdue", (1, 0, rig.now))


def test_activate_for_an_entry_in_a_proven_block_is_refused(rig: Rig) -> None:
    """Nobody executed it; anyone can."""
    rig.deposit_eth(ETHER)
    rig.commit(rig.new_block(l1=stream(deposit_of(rig, account=1))))
    rig.prove(rig.last)
    rig.pass_time(rig.now + 60)
    rig.request_exit(1)
    rig.expire(0)
    expiry = rig.rollup.queueEntry(1).expiry
    assert refused_activation(rig, rig.last) == Refusal("QueueNotOverdue", (1, expiry, rig.now))


def test_activate_for_an_entry_in_a_committed_block_is_done(rig: Rig) -> None:
    """Withheld proofs are no service."""
    rig.deposit_eth(ETHER)
    rig.commit(rig.new_block(l1=stream(deposit_of(rig, account=1))))
    rig.expire(0)
    rig.activate_exodus(Block())


def test_activate_with_another_block_than_the_last_proven_is_refused(rig: Rig) -> None:
    """Neither an older nor an unproven root, nor another place in the queue."""
    rig.deposit_eth(ETHER)
    for root in range(3):
        rig.commit(rig.new_block(new_root=root))
    one, two, three = rig.chain[1:]
    rig.prove(one, two)
    rig.expire(0)
    assert refused_activation(rig, Block()) == Refusal("BlockOutOfOrder", (2, 0))
    assert refused_activation(rig, one) == Refusal("BlockOutOfOrder", (2, 1))
    assert refused_activation(rig, three) == Refusal("BlockOutOfOrder", (2, 3))
    for other in (replace(two, new_root=77), replace(two, queue_end=1), replace(three, number=2)):
        expected = Refusal("BlockHashMismatch", (2, two.hash(), other.hash()))
        assert refused_activation(rig, other) == expected
    rig.activate_exodus(two)
    assert rig.rollup.exodusRoot() == two.new_root


def test_activate_twice_is_refused(rig: Rig) -> None:
    last = exodus(rig)
    assert refused_activation(rig, last) == Refusal("ExodusIsActive", ())


def test_activate_after_a_revert_counts_from_the_first_request(rig: Rig) -> None:
    """Commit and revert change no expiry."""
    rig.deposit_eth(ETHER)
    expiry = rig.rollup.queueEntry(0).expiry
    rig.commit(rig.new_block(l1=stream(deposit_of(rig, account=1))))
    rig.overdue(rig.last)
    rig.revert_blocks(Block(), rig.last)
    assert rig.rollup.queueEntry(0).expiry == expiry
    rig.pass_time(expiry - 1)
    assert refused_activation(rig, Block()) == Refusal("QueueNotOverdue", (0, expiry, expiry - 1))
    rig.pass_time(expiry)
    rig.activate_exodus(Block())


# ---- What ends ----


def test_exodus_ends_what_makes_blocks_and_queue(rig: Rig) -> None:
    last = exodus(rig)
    over = Refusal("ExodusIsActive", ())
    value = 5 + rig.rollup.queueFee()
    deposit = ("depositETH", 5, rig.alice.address, 0, 0)
    assert rig.refused(rig.rollup, *deposit, sender=rig.alice, value=value) == over
    deposit = ("depositERC20", 1, 5, rig.alice.address, 0, 0)
    assert rig.refused(rig.rollup, *deposit, sender=rig.alice, value=value) == over
    assert rig.refused(rig.rollup, "requestFullExit", 1, 0, sender=rig.alice, value=value) == over
    assert rig.refused_commit(rig.new_block()) == over
    arguments = rig.one_call_arguments(rig.new_block(), PROOF)
    assert rig.refused(rig.rollup, "commitProveExecute", *arguments, sender=rig.validator) == over
    assert rig.refused_proof(last) == over
    reverting = [astuple(last), astuple(last)]
    assert rig.refused(rig.rollup, "revertBlocks", *reverting, sender=rig.stranger) == over


def test_exodus_proven_blocks_are_executed_and_unproven_ones_never(rig: Rig) -> None:
    rig.deposit_eth(ETHER)
    rig.request_exit(1)
    one, two = (stream(deposit_of(rig, account=1), withdraw_record(address(rig.bob), 300)), stream(exit_of(rig)))
    rig.commit(rig.new_block(l1=one, new_root=5), rig.new_block(l1=two, new_root=6))
    proven, unproven = rig.chain[1:]
    rig.prove(proven)
    rig.expire(1)
    rig.activate_exodus(proven)
    rig.execute(proven, one)
    assert (rig.rollup.pending(rig.bob, 0), rig.rollup.pending(rig.validator, 0)) == (300, FEE)
    assert (rig.rollup.executedBlocks(), rig.rollup.queueExecuted()) == (1, 1)
    assert rig.refused_execution(unproven, two) == Refusal("BlockNotProven", (2, 1))
    rig.send(rig.rollup, "withdrawPending", rig.bob.address, 0, sender=rig.stranger)


# ---- Exits ----


def test_exit_credits_the_owner_whoever_hands_it_in(rig: Rig) -> None:
    exodus(rig)
    arguments = (1, 0, rig.alice.address, ETHER - 5)
    receipt = rig.send(rig.rollup, "exitExodus", *arguments, PROOF, sender=rig.stranger)
    assert rig.events(receipt, "Exited") == [
        {
            "accountId": 1,
            "token": 0,
            "owner": rig.alice.address,
            "amount": ETHER - 5,
            "caller": rig.stranger.address,
        }
    ]
    assert rig.rollup.exited(1, 0)
    assert rig.rollup.pending(rig.alice, 0) == ETHER - 5
    before = rig.web3.eth.get_balance(rig.alice.address)
    rig.send(rig.rollup, "withdrawPending", rig.alice.address, 0, sender=rig.stranger)
    assert rig.web3.eth.get_balance(rig.alice.address) - before == ETHER - 5


def test_exit_twice_is_refused_with_any_amount_and_owner(rig: Rig) -> None:
    exodus(rig)
    rig.send(rig.rollup, "exitExodus", 1, 0, rig.alice.address, 5, PROOF, sender=rig.stranger)
    for owner, amount in ((rig.alice, 5), (rig.alice, 6), (rig.bob, 5)):
        assert refused_exit(rig, 1, 0, owner.address, amount) == Refusal("AlreadyExited", (1, 0))


def test_exit_of_each_account_and_token_is_its_own(rig: Rig) -> None:
    """Neighbours in the bitmap, and across its words."""
    exodus(rig)
    places = [(0, 0), (0, 1), (0, 255), (0, 256), (0, 2047), (1, 0), (1, 1), (2, 0), (2**24 - 1, 0), (2**24 - 1, 2047)]
    for done, (account, token) in enumerate(places):
        assert [rig.rollup.exited(*place) for place in places] == [place < done for place in range(len(places))]
        rig.send(rig.rollup, "exitExodus", account, token, rig.alice.address, 1, PROOF, sender=rig.stranger)
    assert all(rig.rollup.exited(*place) for place in places)


def test_exit_in_normal_mode_is_refused(rig: Rig) -> None:
    rig.deposit_eth(ETHER)
    rig.expire(0)
    refused = Refusal("ExodusNotActive", ())
    assert refused_exit(rig, 1, 0, rig.alice.address, 5) == refused
    assert refused_refund(rig, 0, deposit_of(rig)) == refused


def test_exit_of_nothing_is_refused(rig: Rig) -> None:
    """It would use the place up for nothing, and a proof of 0 exists for every token."""
    exodus(rig)
    assert refused_exit(rig, 1, 7, rig.alice.address, 0) == Refusal("ZeroExit", (1, 7))


def test_exit_wrong_proof_is_refused_and_leaves_nothing(rig: Rig) -> None:
    exodus(rig)
    assert refused_exit(rig, 1, 0, rig.alice.address, 5, proof=ZERO_PROOF) == Refusal("InvalidExitProof", (1, 0))
    assert not rig.rollup.exited(1, 0)


@pytest.mark.parametrize("k", [1, 2, 255])
def test_exit_account_plus_k_times_2_to_24_is_refused(rig: Rig, k: int) -> None:
    exodus(rig)
    account = 1 + k * 2**24
    assert refused_exit(rig, account, 0, rig.alice.address, 5) == Refusal("AccountOutOfRange", (account,))


@pytest.mark.parametrize("token", [2048, 4095, 4096, 4097, 2**16 - 1])
def test_exit_of_an_order_slot_or_a_token_plus_k_times_2_to_12_is_refused(rig: Rig, token: int) -> None:
    exodus(rig)
    assert refused_exit(rig, 1, token, rig.alice.address, 5) == Refusal("TokenOutOfRange", (token,))


def test_exit_arguments_wider_than_their_types_are_refused(rig: Rig) -> None:
    """Junk above uint32, uint16, address and uint128: it would be another claim for the same place."""
    exodus(rig)
    data = rig.data(rig.rollup, "exitExodus", 1, 0, rig.alice.address, 5, PROOF)
    for position, bits in enumerate((32, 16, 160, 128)):
        wide = bytearray(data)
        end = 4 + 32 * (position + 1)
        word = int.from_bytes(wide[end - 32 : end], "big") | 1 << bits
        wide[end - 32 : end] = word.to_bytes(32, "big")
        assert rig.refused_data(rig.rollup, bytes(wide), sender=rig.stranger) == Refusal("unknown", (b"",))


def test_exit_verifier_is_asked_with_exodus_root_claim_and_amount(rig: Rig) -> None:
    """Protocol 12: `account 24 | token 12 | owner 160`."""
    verifier = rig.owner.deploy(rig.project.AcceptOneExitVerifier)
    rollup = rig.owner.deploy(rig.project.Rollup, rig.governor, rig.governor, rig.verifier, verifier, 1)
    other = replace(rig, rollup=rollup, chain=[Block()])
    other.run_block()
    last = other.last
    other.deposit_eth(1)
    other.expire(0)
    other.activate_exodus(last)
    account, token, owner, amount = 2**24 - 1, 2047, rig.alice.address, 2**128 - 1
    claim = account << 172 | token << 160 | int(owner, 16)
    good = [last.new_root, claim, amount]
    for position in range(3):
        wrong = [value + (place == position) for place, value in enumerate(good)]
        rig.send(verifier, "expect", wrong, sender=rig.owner)
        refused = other.refused(rollup, "exitExodus", account, token, owner, amount, PROOF, sender=rig.bob)
        assert refused == Refusal("InvalidExitProof", (account, token))
    rig.send(verifier, "expect", good, sender=rig.owner)
    other.send(rollup, "exitExodus", account, token, owner, amount, PROOF, sender=rig.bob)


def test_exit_and_then_execute_the_block_that_holds_the_withdrawal_pays_once(rig: Rig) -> None:
    """The exodus root is the last proven block's: the withdrawal has left it, so what leaves by a proof is the rest."""
    rig.deposit_eth(ETHER)
    rig.run_block(deposit_of(rig, account=1))
    before_withdrawal = rig.last
    l1 = stream(withdraw_record(rig.alice.address, ETHER - 100))
    rig.commit(rig.new_block(l1=l1, new_root=5))
    holds_it = rig.last
    rig.prove(holds_it)
    rig.request_exit(1)
    rig.expire(1)
    assert refused_activation(rig, before_withdrawal) == Refusal("BlockOutOfOrder", (2, 1))
    rig.activate_exodus(holds_it)
    assert rig.rollup.exodusRoot() == holds_it.new_root
    rig.send(rig.rollup, "exitExodus", 1, 0, rig.alice.address, 100, PROOF, sender=rig.stranger)
    rig.execute(holds_it, l1)
    rig.send(rig.rollup, "refundQueued", 1, list(exit_of(rig)), sender=rig.stranger)
    assert rig.rollup.pending(rig.alice, 0) == ETHER + FEE
    assert rig.rollup.accounted(0) == rig.rollup.pending(rig.alice, 0) + rig.rollup.pending(rig.validator, 0)


# ---- Refunds ----


def test_refund_of_a_deposit_gives_its_owner_amount_and_fee(rig: Rig) -> None:
    exodus_of_many(rig)
    for index, record, owner, token, amount in queued(rig):
        before = [rig.rollup.pending(owner, t) for t in (0, 1)]
        receipt = rig.send(rig.rollup, "refundQueued", index, list(record), sender=rig.stranger)
        assert rig.events(receipt, "QueueRefunded") == [
            {"index": index, "owner": owner, "token": token, "amount": amount, "feeWei": FEE}
        ]
        credited = [rig.rollup.pending(owner, t) - b for t, b in zip((0, 1), before, strict=True)]
        assert credited == ([amount + FEE, 0] if token == 0 else [FEE, amount])
        assert tuple(rig.rollup.queueEntry(index)) == (bytes(27), 0)
    pending = [rig.rollup.pending(who, 0) for who in (rig.alice, rig.bob)]
    assert rig.rollup.accounted(0) == sum(pending) == rig.eth_held()


def queued(rig: Rig) -> list[tuple[int, tuple[int, ...], str, int, int]]:
    """Index, record, owner, token and amount of the entries that `exodus_of_many` leaves."""
    alice, bob = rig.alice.address, rig.bob.address
    with_key = deposit_record(alice, 10, flags=1, fee=BASE_FEE_GWEI, ax=BASE_POINT[0], ay=BASE_POINT[1])
    return [
        (0, with_key, alice, 0, 10),
        (1, deposit_record(bob, 20, fee=BASE_FEE_GWEI), bob, 0, 20),
        (2, deposit_record(alice, 30, token=1, flags=1, fee=BASE_FEE_GWEI), alice, 1, 30),
        (3, full_exit_record(alice, 3, token=1, fee=BASE_FEE_GWEI), alice, 1, 0),
    ]


def exodus_of_many(rig: Rig) -> None:
    """Nothing is ever served: deposits with a key, for another, of a token; and a full exit."""
    rig.token("PlainToken")
    rig.deposit_eth(10, key=BASE_POINT)
    rig.deposit_eth(20, owner=rig.bob)
    rig.deposit_erc20(1, 30)
    rig.request_exit(3, 1)
    rig.expire(0)
    rig.activate_exodus(Block())


def test_refund_twice_is_refused(rig: Rig) -> None:
    exodus_of_many(rig)
    (index, record, *_), *_ = queued(rig)
    rig.send(rig.rollup, "refundQueued", index, list(record), sender=rig.stranger)
    assert refused_refund(rig, index, record) == Refusal("QueueEntryMismatch", (index, bytes(27), hash27(record)))


def test_refund_with_another_record_is_refused(rig: Rig) -> None:
    """Any bit of any word, another entry's record, one cut short or with something behind it, none."""
    exodus_of_many(rig)
    entries = queued(rig)
    for index, record, *_ in entries:
        stored = hash27(record)
        others = [other for _, other, *_ in entries if other != record]
        others += [record[:-1], (*record, 0), record[:2], (), record[:1]]
        for bit in (0, 127, 128, 159, 160, 171, 196, 255):
            for position, word in enumerate(record):
                others.append((*record[:position], word ^ 1 << bit, *record[position + 1 :]))
        for other in others:
            if other != record:
                assert refused_refund(rig, index, other) == Refusal(
                    "QueueEntryMismatch", (index, stored, hash27(other))
                )


def test_refund_of_what_a_proven_block_serves_is_refused(rig: Rig) -> None:
    """Executed or not: it would be paid twice."""
    for _ in range(3):
        rig.deposit_eth(ETHER)
    rig.run_block(deposit_of(rig, account=1))
    rig.commit(rig.new_block(l1=stream(deposit_of(rig, account=1)), new_root=9))
    rig.prove(rig.last)
    rig.expire(2)
    rig.activate_exodus(rig.last)
    for index in (0, 1, 3, 2**40):
        assert refused_refund(rig, index, deposit_of(rig)) == Refusal("NotRefundable", (index, 2, 3))
    rig.send(rig.rollup, "refundQueued", 2, list(deposit_of(rig)), sender=rig.stranger)


def test_refund_of_what_an_unproven_block_took_in_is_done(rig: Rig) -> None:
    rig.deposit_eth(ETHER)
    rig.commit(rig.new_block(l1=stream(deposit_of(rig, account=1))))
    rig.expire(0)
    rig.activate_exodus(Block())
    rig.send(rig.rollup, "refundQueued", 0, list(deposit_of(rig)), sender=rig.stranger)
    assert rig.rollup.pending(rig.alice, 0) == ETHER + FEE


# ---- Everybody ----


def test_everybody_leaves_and_nothing_remains(rig: Rig) -> None:
    rig.deposit_eth(ETHER)
    rig.deposit_eth(3 * ETHER, sender=rig.bob)
    bobs = deposit_record(rig.bob.address, 3 * ETHER, flags=1, account=2, fee=BASE_FEE_GWEI)
    l1 = stream(deposit_of(rig, account=1), bobs, withdraw_record(rig.stranger.address, 7, account=2))
    rig.commit(rig.new_block(l1=l1))
    rig.prove(rig.last)
    rig.deposit_eth(11)
    rig.expire(2)
    rig.activate_exodus(rig.last)
    rig.send(rig.rollup, "exitExodus", 1, 0, rig.alice.address, ETHER, PROOF, sender=rig.stranger)
    rig.send(rig.rollup, "exitExodus", 2, 0, rig.bob.address, 3 * ETHER - 7, PROOF, sender=rig.stranger)
    rig.send(rig.rollup, "refundQueued", 2, list(deposit_of(rig, 11)), sender=rig.stranger)
    rig.execute(rig.last, l1)
    for who in (rig.alice, rig.bob, rig.stranger, rig.validator):
        rig.send(rig.rollup, "withdrawPending", who.address, 0, sender=rig.owner)
    assert rig.rollup.accounted(0) == rig.eth_held() == 0
