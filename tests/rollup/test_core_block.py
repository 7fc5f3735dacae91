"""Blocks: building, sealing, the circuits' inputs, rebuilding from streams."""

import dataclasses
from typing import Any

import pytest
from core_users import (
    ALICE,
    BOB,
    DOMAIN,
    DORA,
    FEE_TOKENS,
    OWNER,
    TIME,
    batch,
    every_operation,
    forced_exit,
    key_change,
    order,
    payments,
    snapshot,
    swap,
    transfer,
    transfer_to_address,
    withdraw,
)

from rollup._native import commit_chains
from rollup.core import (
    Batch,
    BlockBuilder,
    CancelOrderData,
    ChangePubKeyData,
    Deposit,
    FillData,
    ForcedExitData,
    FullExit,
    SealedBlock,
    State,
    SwapData,
    Transfer,
    TransferData,
    TransferToAddressData,
    WithdrawData,
    apply_block_data,
    encode_streams,
    key_change_digest,
)
from rollup.core.binding import chain_word, chain_words, commit_header, commitment, evaluation
from rollup.core.constants import CHUNK_BYTES
from rollup.core.errors import (
    BalanceTooLowError,
    BlockFullError,
    BlockSealedError,
    FeeAccountMissingError,
    FeeTokensError,
    HeaderMismatchError,
    KeyChangeNotAuthorisedError,
    OperationError,
    ReplayError,
    RootMismatchError,
    StreamError,
    TooManyL1OperationsError,
    ValueRangeError,
)
from rollup.core.operations import Noop, domain, steps_of


def builder(state: State, **changes: Any) -> BlockBuilder:
    options = {"domain": DOMAIN, "block_number": 1, "timestamp": TIME, "fee_account": 2, "fee_tokens": FEE_TOKENS}
    return BlockBuilder(state, **(options | {"block_size": 16, "queue_start": 5} | changes))


def fill(block: BlockBuilder) -> SealedBlock:
    for operation in every_operation():
        block.add(operation)
    return block.seal()


def test_seal_header_streams_and_fees(state: State) -> None:
    old_root = state.root
    block = fill(builder(state))
    header = block.header
    assert (header.old_root, header.new_root) == (old_root, state.root)
    assert (header.queue_start, header.queue_count, header.l2_chunks, header.l1_words) == (5, 3, 16, 18)
    assert (len(block.l2), len(block.l1)) == (16 * 15, 18 * 32)
    assert state.balances(2) == {1: 16, 2: 11}
    assert block.operations[5] == FullExit(3, 2, 0x33, 70)
    assert block.operations[6] == dataclasses.replace(forced_exit(BOB, fee_token=2), amount=77)
    assert block.commitment == commitment(header, [*block.operations, Noop(), Noop()])
    assert block.evaluation == evaluation(header, block.l2, block.l1, block.challenge)


def test_chain_of_the_steps_words_is_the_commitment(state: State) -> None:
    block = fill(builder(state))
    steps = [step for operation in (*block.operations, Noop(), Noop()) for step in steps_of(operation)]
    words = b"".join(map(chain_words, steps))
    assert commit_chains([commit_header(block.header)], [words]) == [block.commitment]
    payment = next(step for step in steps if isinstance(step, TransferData | Transfer))
    (chunk,) = payment.chunks()
    assert chain_word(chunk.to_bytes(CHUNK_BYTES, "big")) == chain_words(payment)


def test_seal_lists_a_batch_as_its_operations(state: State) -> None:
    block = fill(builder(state))
    assert len(block.operations) == 12
    assert not any(isinstance(operation, Batch) for operation in block.operations)
    assert encode_streams(block.operations) == (block.l2, block.l1)


def test_seal_key_auth_has_each_key_changes_authorisation(state: State) -> None:
    approved = dataclasses.replace(key_change(nonce=1), authorisation=None)
    approvals = {(DORA.address, key_change_digest(approved, DOMAIN))}
    block = builder(state, key_approvals=approvals)
    block.add(key_change())
    block.add(transfer())
    block.add(approved)
    assert block.seal().key_auth() == key_change().key_auth() + bytes(65) + TIME.to_bytes(5, "big")


def test_add_key_change_approved_while_the_block_is_open(state: State) -> None:
    """Whoever watches L1 adds to the approvals that the builder was given."""
    approvals: set[tuple[int, bytes]] = set()
    operation = dataclasses.replace(key_change(), authorisation=None)
    block = builder(state, key_approvals=approvals)
    with pytest.raises(KeyChangeNotAuthorisedError):
        block.add(operation)
    approvals.add((int(OWNER.address, 16), key_change_digest(operation, DOMAIN)))
    block.add(operation)


def test_seal_with_and_without_witness_agree(state: State) -> None:
    other = state.copy()
    with_witness, without = fill(builder(state)), fill(builder(other, witness=False))
    assert without.witness is None
    assert dataclasses.replace(with_witness, witness=None) == without


def test_seal_fee_tokens_each_credited_once(state: State) -> None:
    """Fees are minted to nobody: what the fee account gains is what the payers lost."""
    block = builder(state, fee_tokens=(1, 2, 9, 10, 11, 12, 13, 14))
    block.add(transfer(fee=7))
    block.add(transfer(nonce=1, token=9, amount=5, fee=11))
    assert block.fees == {1: 7, 2: 0, 9: 11, 10: 0, 11: 0, 12: 0, 13: 0, 14: 0}
    block.seal()
    assert state.balances(2) == {1: 7, 9: 11}


@pytest.mark.parametrize("tokens", [(0,) * 8, (0, 1, 2, 3, 4, 5, 6, 6), (0, 1, 2, 3, 4, 5, 6, 32)])
def test_builder_repeated_or_unmonied_fee_tokens_refused(state: State, tokens: tuple[int, ...]) -> None:
    with pytest.raises(FeeTokensError) as caught:
        builder(state, fee_tokens=tokens)
    assert caught.value.fee_tokens == tokens


def test_builder_arguments_out_of_range_refused(state: State) -> None:
    for name, value in (
        ("block_number", 2**32), ("timestamp", 2**40), ("fee_account", 64), ("block_size", 2**16),
        ("queue_start", 2**40), ("domain", 2**224),
    ):  # fmt: skip
        with pytest.raises(ValueRangeError) as caught:
            builder(state, **{name: value})
        assert (caught.value.field, caught.value.value) == (name, value)


def test_add_full_block_refused(state: State) -> None:
    block = builder(state, block_size=1)
    block.add(transfer())
    root = state.root
    with pytest.raises(BlockFullError) as caught:
        block.add(transfer(nonce=1))
    assert caught.value.values == {"block_number": 1, "block_size": 1, "free": 0, "needed": 1}
    assert (block.is_full, len(block), state.root) == (True, 1, root)


@pytest.mark.parametrize("operation", [swap(), payments()], ids=["swap", "batch"])
@pytest.mark.parametrize("witness", [True, False])
def test_add_what_takes_several_steps_all_or_nothing(state: State, operation: Any, witness: bool) -> None:
    """I-18, I-19: too few steps are left, so not one is taken; with enough all are."""
    needed = 3 if operation == swap() else 2
    block = builder(state, block_size=needed, witness=witness)
    block.add(Deposit(0, 1, 5, ALICE.address))
    before = snapshot(state)
    with pytest.raises(BlockFullError) as caught:
        block.add(operation)
    assert (caught.value.free, caught.value.needed) == (needed - 1, needed)
    assert (snapshot(state), len(block), block.free_steps) == (before, 1, needed - 1)
    block.seal()
    fitting = builder(state, block_size=needed, witness=witness)
    fitting.add(operation)
    assert fitting.is_full
    fitting.seal()


def test_add_what_no_block_of_this_size_holds_says_so(state: State) -> None:
    with pytest.raises(BlockFullError) as caught:
        builder(state, block_size=2).add(swap())
    assert "larger block" in str(caught.value)


@pytest.mark.parametrize(
    "operation",
    [swap(taker=order(BOB, sell_amount=49)), payments(amount=1001), payments(nonce=1), swap(maker_fee=11)],
)
@pytest.mark.parametrize("witness", [True, False])
def test_add_refused_several_steps_leave_block_and_state(state: State, operation: Any, witness: bool) -> None:
    block = builder(state, witness=witness)
    before = snapshot(state)
    with pytest.raises(OperationError):
        block.add(operation)
    assert (snapshot(state), len(block), block.fees[1]) == (before, 0, 0)
    block.add(swap())
    assert len(block) == 3
    assert len(block.seal().operations) == 1


def test_add_batch_with_more_l1_records_than_left_refused(state: State) -> None:
    """All of its records or none."""
    members = (ALICE, withdraw()), (ALICE, withdraw(nonce=1)), (ALICE, transfer(nonce=2))
    block = builder(state, max_l1_operations=2)
    block.add(Deposit(0, 1, 5, ALICE.address))
    before = snapshot(state)
    with pytest.raises(TooManyL1OperationsError):
        block.add(batch(*members))
    assert (snapshot(state), len(block)) == (before, 1)
    block.seal()
    builder(state, max_l1_operations=2).add(batch(*members))


def test_add_refused_operation_leaves_block_and_state(state: State) -> None:
    block = builder(state)
    block.add(transfer())
    root = state.root
    with pytest.raises(BalanceTooLowError):
        block.add(transfer(nonce=1, amount=5000))
    assert (len(block), state.root, block.fees[1]) == (1, root, 1)
    assert len(block.seal().operations) == 1


def test_add_too_many_l1_operations_refused(state: State) -> None:
    block = builder(state, max_l1_operations=1)
    block.add(Deposit(0, 1, 5, ALICE.address))
    root = state.root
    with pytest.raises(TooManyL1OperationsError) as caught:
        block.add(withdraw())
    assert (caught.value.block_number, caught.value.limit, state.root) == (1, 1, root)
    block.add(transfer())


def test_seal_without_fee_account_refused_and_block_stays_open(state: State) -> None:
    block = builder(state, fee_account=9)
    block.add(transfer())
    with pytest.raises(FeeAccountMissingError) as caught:
        block.seal()
    assert (caught.value.block_number, caught.value.fee_account) == (1, 9)
    block.add(Deposit(9, 1, 0, 0x99))
    block.seal()
    assert state.balances(9) == {1: 1}


@pytest.mark.parametrize("broken", ["challenge", "encode_streams", "join_evaluations"])
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("witness", [True, False])
def test_seal_that_fails_changes_nothing_and_can_be_repeated(
    state: State, monkeypatch: pytest.MonkeyPatch, broken: str, error: type[BaseException], witness: bool
) -> None:
    expected = builder(state.copy(), witness=witness)
    expected.add(transfer())
    block = builder(state, witness=witness)
    block.add(transfer())
    before = state.root, state.balances(2)

    def fail(*_: object) -> None:
        raise error("in the middle")

    with monkeypatch.context() as patch:
        patch.setattr(f"rollup.core.block.{broken}", fail)
        with pytest.raises(error, match="in the middle"):
            block.seal()
    assert (state.root, state.balances(2)) == before
    assert block.seal() == expected.seal()


def test_seal_that_fails_can_be_abandoned(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    before = state.root
    block = builder(state)
    block.add(transfer())
    monkeypatch.setattr("rollup.core.block.challenge", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        block.seal()
    block.abandon()
    assert state.root == before


def test_sealed_or_abandoned_block_takes_nothing(state: State) -> None:
    sealed = builder(state)
    sealed.seal()
    abandoned = builder(state)
    abandoned.abandon()
    for block in (sealed, abandoned):
        for action, arguments in ((block.add, (transfer(),)), (block.seal, ()), (block.abandon, ())):
            with pytest.raises(BlockSealedError) as caught:
                action(*arguments)
            assert caught.value.block_number == 1


def test_abandon_leaves_nothing_behind(state: State) -> None:
    root, balances = state.root, state.balances(0)
    block = builder(state)
    block.add(transfer())
    block.add(Deposit(9, 1, 5, 0x99))
    block.abandon()
    assert (state.root, state.balances(0), state.find(0x99)) == (root, balances, ())


def test_seal_empty_block_keeps_the_root(state: State) -> None:
    block = builder(state).seal()
    assert block.header.old_root == block.header.new_root
    assert (block.l2, block.l1) == (b"", b"")


# Rebuild


def test_rebuild_from_streams_gives_the_state(state: State) -> None:
    rebuilt = state.copy()
    block = fill(builder(state))
    operations = apply_block_data(rebuilt, block.header, block.l2, block.l1)
    assert [type(operation) for operation in operations] == [
        Deposit, TransferData, Deposit, TransferToAddressData, WithdrawData, FullExit, ForcedExitData,
        ChangePubKeyData, SwapData, CancelOrderData, TransferData, TransferData,
    ]  # fmt: skip
    assert rebuilt.root == state.root
    for account_id, account in state.accounts():
        assert rebuilt.account(account_id) == account
        assert rebuilt.balances(account_id) == state.balances(account_id)
        assert rebuilt.order_slots(account_id) == state.order_slots(account_id)
        assert rebuilt.find(account.address) == state.find(account.address)


def test_rebuild_undoable_can_be_taken_back(state: State) -> None:
    rebuilt, root = state.copy(), state.root
    block = fill(builder(state))
    mark = rebuilt.mark()
    apply_block_data(rebuilt, block.header, block.l2, block.l1, undoable=True)
    rebuilt.rollback(mark)
    assert rebuilt.root == root
    apply_block_data(rebuilt, block.header, block.l2, block.l1)
    with pytest.raises(ValueRangeError):
        rebuilt.rollback(mark)


def test_rebuild_other_data_refused_and_nothing_changed(state: State) -> None:
    rebuilt, root = state.copy(), state.root
    block = fill(builder(state))
    header, l2, l1 = block.header, block.l2, block.l1

    def fails(error: type[Exception], l2: bytes = l2, l1: bytes = l1, **changes: Any) -> Any:
        with pytest.raises(error) as caught:
            apply_block_data(rebuilt, dataclasses.replace(header, **changes), l2, l1)
        assert rebuilt.root == root
        return caught.value

    wrong = fails(RootMismatchError, new_root=7)
    assert (wrong.block_number, wrong.expected, wrong.got) == (1, 7, header.new_root)
    withdrawn = 9 * 32  # the word W1 of the Withdraw, after two Deposits and its own W0
    assert l1[withdrawn : withdrawn + 32] == bytes(31) + b"\x64"
    fails(RootMismatchError, l1=l1[: withdrawn + 31] + b"\x63" + l1[withdrawn + 32 :])
    fails(RootMismatchError, fee_account=0)
    for field, expected in (("old_root", root), ("l2_chunks", 16), ("l1_words", 18), ("queue_count", 3)):
        mismatch = fails(HeaderMismatchError, **{field: 9})
        assert (mismatch.field, mismatch.expected, mismatch.got, mismatch.block_number) == (field, expected, 9, 1)
    assert fails(HeaderMismatchError, block_size=13).field == "block_size"
    assert fails(FeeAccountMissingError, fee_account=20).fee_account == 20
    replay = fails(ReplayError, fee_tokens=(0, 2, 3, 4, 5, 6, 7, 8))
    assert (replay.block_number, replay.position) == (1, 1)
    assert "no fee in token 1" in str(replay)
    fails(StreamError, l2=l2[:-1])
    apply_block_data(rebuilt, header, l2, l1)


def test_rebuild_block_size_counts_steps_not_operations(state: State) -> None:
    rebuilt = state.copy()
    block = builder(state, block_size=3)
    block.add(swap())
    sealed = block.seal()
    with pytest.raises(HeaderMismatchError) as caught:
        apply_block_data(rebuilt, dataclasses.replace(sealed.header, block_size=2), sealed.l2, sealed.l1)
    assert (caught.value.field, caught.value.expected) == ("block_size", 3)
    apply_block_data(rebuilt, sealed.header, sealed.l2, sealed.l1)


def test_rebuild_of_what_only_a_validator_would_publish(state: State) -> None:
    """Whatever the circuit allows, pointless or not, is rebuilt."""
    rebuilt = state.copy()
    itself = order(buy_token=1, buy_amount=0, fee=0)
    block = builder(state)
    block.add(swap(maker_amount=0, taker_amount=0, maker_fee=0, taker_fee=0))
    block.add(swap(itself, itself, maker_amount=100, taker_amount=100, maker_fee=0, taker_fee=0))
    block.add(transfer_to_address(to_id=63, amount=0, fee=0))
    block.add(transfer(ALICE, ALICE, nonce=1, amount=0, fee=0))
    block.add(Deposit(0, 63, 2**128 - 1, 0, (5, 7), True, True))
    block.add(FullExit(63, 63, 0x99))
    sealed = block.seal()
    apply_block_data(rebuilt, sealed.header, sealed.l2, sealed.l1)
    assert rebuilt.root == state.root
    assert rebuilt.order_slots(0) == state.order_slots(0)


def test_rebuild_of_half_a_swap_refused(state: State) -> None:
    """A swap's chunks are three or it is no block (I-18)."""
    rebuilt, root = state.copy(), state.root
    sealed_swap = SwapData(FillData(0, 32, 1, 1, 100, 10), FillData(1, 32, 1, 2, 50, 10))
    l2, _ = encode_streams([sealed_swap])
    block = builder(state)
    block.add(swap())
    header = block.seal().header
    for chunks in (1, 2):
        with pytest.raises(StreamError):
            apply_block_data(rebuilt, dataclasses.replace(header, l2_chunks=chunks), l2[: 15 * chunks], b"")
        assert rebuilt.root == root


def test_rebuild_needs_no_domain(state: State) -> None:
    """The proof vouches for the signatures; a rebuild knows none."""
    rebuilt = state.copy()
    block = fill(builder(state))
    elsewhere = dataclasses.replace(block.header, domain=domain(5, 6))
    apply_block_data(rebuilt, elsewhere, block.l2, block.l1)
    assert rebuilt.root == state.root
