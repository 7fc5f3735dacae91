"""Blocks: building, sealing, the circuits' inputs, rebuilding from streams."""

import dataclasses
from itertools import pairwise
from typing import Any

import pytest
from core_users import ALICE, BOB, CAROL, DOMAIN, FEE_TOKENS, TIME, transfer, withdraw

from rollup._native import poseidon
from rollup.core import BlockBuilder, Deposit, FullExit, SealedBlock, State, apply_block_data, unpack_fee
from rollup.core.binding import commitment, evaluation
from rollup.core.constants import FIELD_MODULUS
from rollup.core.errors import (
    BalanceTooLowError,
    BlockFullError,
    BlockSealedError,
    FeeAccountMissingError,
    FeeTokensError,
    HeaderMismatchError,
    ReplayError,
    RootMismatchError,
    StreamError,
    TooManyL1OperationsError,
    ValueRangeError,
)
from rollup.core.operations import Noop, domain


def builder(state: State, **changes: Any) -> BlockBuilder:
    options = {"domain": DOMAIN, "block_number": 1, "timestamp": TIME, "fee_account": 2, "fee_tokens": FEE_TOKENS}
    return BlockBuilder(state, **(options | {"block_size": 8, "queue_start": 5} | changes))


def fill(block: BlockBuilder) -> SealedBlock:
    block.add(Deposit(3, 2, 70, 0x33, (5, 7), True, False, 4))
    block.add(transfer())
    block.add(withdraw(nonce=1, fee=2))
    block.add(Deposit(0, 2, 70, 0x34, refused=True))
    block.add(FullExit(1, 1, BOB.address))
    block.add(transfer(CAROL, CAROL, amount=0, fee=0))
    return block.seal()


def test_seal_header_streams_and_fees(state: State) -> None:
    old_root = state.root
    block = fill(builder(state))
    header = block.header
    assert (header.old_root, header.new_root) == (old_root, state.root)
    assert (header.queue_start, header.queue_count, header.l2_chunks, header.l1_words) == (5, 3, 6, 12)
    assert (len(block.l2), len(block.l1)) == (6 * 15, 12 * 32)
    assert state.balances(2) == {1: 3}
    assert block.operations[4] == FullExit(1, 1, BOB.address, 110)
    assert block.commitment == commitment(header, [*block.operations, Noop(), Noop()])
    assert block.evaluation == evaluation(header, block.l2, block.l1, block.challenge)


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


# The circuits' inputs


def replaced(path: list[list[int]], index: int, old: int, new: int) -> tuple[int, int]:
    """The roots over `path` before and after the leaf at `index` becomes `new`."""
    for children in path:
        assert children[index % 8] == old
        after = [*children]
        after[index % 8] = new
        old, new, index = poseidon(children), poseidon(after), index // 8
    return old, new


def touched(signals: dict[str, Any], prefix: str, root: int, credit: int, **changes: Any) -> int:
    """The circuit's Touch: opens `root` with the inputs of this prefix; the root after."""
    slot, path = signals["token"], signals[f"{prefix}balance_path"]
    balance = path[0][slot % 8]
    old_balances, new_balances = replaced(path, slot, balance, balance + credit)
    old = {name: signals[prefix + name] for name in ("key", "address", "nonce")}
    new = old | changes
    leaves = [
        poseidon([*fields["key"], fields["address"], fields["nonce"], balances])
        for fields, balances in ((old, old_balances), (new, new_balances))
    ]
    before, after = replaced(signals[f"{prefix}account_path"], signals[f"{prefix}id"], *leaves)
    assert before == root
    return after


def stepped(signals: dict[str, Any], fee: int) -> int:
    """The circuit's two touches: the first debits and counts the nonce, the second credits and sets the key."""
    is_signed = signals["is_transfer"] + signals["is_withdraw"]
    accepted = signals["is_deposit"] * (1 - signals["refused"])
    debit = signals["amount"] * (1 - signals["is_deposit"]) + fee
    root = touched(signals, "from_", signals["root_in"], -debit, nonce=signals["from_nonce"] + is_signed)
    changes: dict[str, Any] = {}
    if accepted:
        changes["address"] = signals["address"]
        if signals["sender_is_owner"] and signals["to_key"] == (0, 0):
            changes["key"] = signals["key"]
    return touched(signals, "to_", root, (signals["is_transfer"] + accepted) * signals["amount"], **changes)


def test_witness_steps_chain_and_open_the_tree(state: State) -> None:
    block = fill(builder(state))
    witness = block.witness
    assert witness is not None
    assert len(witness.steps) == 8
    vector = witness.open.state_out
    assert (vector.root, vector.commitment) == (block.header.old_root, poseidon(list(block.header.words())))
    for step in witness.steps:
        assert step.state_in == vector
        signals: Any = step.signals()
        assert signals["is_transfer"] or signals["to_id"] == signals["from_id"]
        assert stepped(signals, unpack_fee(signals["fee_packed"])) == step.state_out.root
        vector = step.state_out
    assert vector == witness.close.state_in
    assert (vector.l2_count, vector.l1_count, vector.l2_parity) == (6, 12, 0)
    assert (vector.commitment, vector.fees[1]) == (block.commitment, 3)
    close = witness.close.signals()
    assert (close["C"], close["X"], close["Y"]) == (block.commitment, block.challenge, block.evaluation)
    r, x = FIELD_MODULUS, block.challenge
    joined = close["header_eval"] + pow(x, 2**20, r) * vector.l2_eval + pow(x, 2**21, r) * vector.l1_eval
    assert joined % r == block.evaluation


def test_witness_close_credits_fees_to_the_new_root(state: State) -> None:
    block = builder(state)
    block.add(transfer(fee=7))
    sealed = block.seal()
    assert sealed.witness is not None
    close: Any = sealed.witness.close.signals()
    roots = []
    for j, token in enumerate(FEE_TOKENS):
        path = close["balance_paths"][j]
        balance = path[0][token % 8]
        roots.append(replaced(path, token, balance, balance + close["fees_in"][j]))
    assert all(before == after for (_, after), (before, _) in pairwise(roots))
    account = [*close["key"], close["address"], close["nonce"]]
    leaves = poseidon([*account, roots[0][0]]), poseidon([*account, roots[-1][1]])
    assert replaced(close["account_path"], 2, *leaves) == (close["root_in"], close["new_root"])
    assert close["new_root"] == state.root


def test_witness_unused_inputs_are_pinned(state: State) -> None:
    witness = fill(builder(state)).witness
    assert witness is not None
    deposit, pay, out, turned_away, leave, _, noop, _ = (step.signals() for step in witness.steps)
    for signals in (deposit, turned_away, leave, noop):
        assert signals["signature_r"] == (0, 1)
        for name in ("signature_s", "fee_packed", "valid_from", "valid_until", "amount_packed"):
            assert signals[name] == 0, name
    for signals in (pay, out, leave, noop):
        assert (signals["key"], signals["sender_is_owner"], signals["refused"]) == ((0, 0), 0, 0)
    assert (turned_away["from_id"], turned_away["refused"], turned_away["amount"]) == (0, 1, 70)
    assert (leave["amount"], leave["address"]) == (110, BOB.address)
    assert (pay["amount"], pay["amount_packed"], pay["fee_packed"], pay["address"]) == (100, 3200, 32, BOB.address)
    assert (out["amount"], out["amount_packed"], out["fee_packed"], out["aux"]) == (100, 0, 64, 0)
    assert all(noop[name] == 0 for name in ("from_id", "to_id", "token", "amount", "address", "aux"))
    for signals in (deposit, pay, out, turned_away, leave, noop):
        kinds = [signals[f"is_{kind}"] for kind in ("noop", "deposit", "full_exit", "transfer", "withdraw")]
        assert sorted(kinds) == [0, 0, 0, 0, 1]


# Rebuild


def test_rebuild_from_streams_gives_the_state(state: State) -> None:
    rebuilt = state.copy()
    block = fill(builder(state))
    operations = apply_block_data(rebuilt, block.header, block.l2, block.l1)
    assert len(operations) == 6
    assert rebuilt.root == state.root
    for account_id, account in state.accounts():
        assert rebuilt.account(account_id) == account
        assert rebuilt.balances(account_id) == state.balances(account_id)
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
    fails(RootMismatchError, l1=l1[: 4 * 32 + 32 + 31] + b"\x63" + l1[4 * 32 + 64 :])  # Withdraw of 99, not 100
    fails(RootMismatchError, fee_account=0)
    for field, expected in (("old_root", root), ("l2_chunks", 6), ("l1_words", 12), ("queue_count", 3)):
        mismatch = fails(HeaderMismatchError, **{field: 9})
        assert (mismatch.field, mismatch.expected, mismatch.got, mismatch.block_number) == (field, expected, 9, 1)
    assert fails(HeaderMismatchError, block_size=5).field == "block_size"
    assert fails(FeeAccountMissingError, fee_account=9).fee_account == 9
    replay = fails(ReplayError, fee_tokens=(0, 2, 3, 4, 5, 6, 7, 8))
    assert (replay.block_number, replay.position) == (1, 1)
    assert "no fee in token 1" in str(replay)
    fails(StreamError, l2=l2[:-1])
    apply_block_data(rebuilt, header, l2, l1)


def test_rebuild_needs_no_domain(state: State) -> None:
    """The proof vouches for the signatures; a rebuild knows none."""
    rebuilt = state.copy()
    block = fill(builder(state))
    elsewhere = dataclasses.replace(block.header, domain=domain(5, 6))
    apply_block_data(rebuilt, elsewhere, block.l2, block.l1)
    assert rebuilt.root == state.root
