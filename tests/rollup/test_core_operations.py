"""Operations, messages, chunks and records (protocol 4, 6), and L2 signatures."""

import dataclasses
from typing import Any

import pytest
from core_users import (
    ALICE,
    BOB,
    DOMAIN,
    cancel_order,
    forced_exit,
    order,
    swap,
    transfer,
    transfer_to_address,
    withdraw,
)

from rollup._native import eddsa_verify, poseidon
from rollup.core import (
    CancelOrder,
    ChangePubKey,
    Deposit,
    ForcedExit,
    FullExit,
    Noop,
    Order,
    Signature,
    Swap,
    Transfer,
    TransferToAddress,
    Withdraw,
    domain,
)
from rollup.core.constants import FIELD_MODULUS
from rollup.core.errors import AmountNotRepresentableError, FieldRuleError, ValueRangeError


def test_domain_packs_chain_and_address() -> None:
    assert domain(1, 2) == 1 << 160 | 2
    assert domain(2**64 - 1, 2**160 - 1) == 2**224 - 1
    for chain_id, address in ((2**64, 0), (0, 2**160), (-1, 0)):
        with pytest.raises(ValueRangeError):
            domain(chain_id, address)


def test_message_words_transfer_fields_at_their_offsets() -> None:
    op = Transfer(
        from_id=2, to_id=3, to_address=0xAB, token=5, amount=7, fee=9, nonce=11, valid_from=13, valid_until=17
    )
    m1 = 3 << 200 | 2 << 176 | 11 << 144 | 5 << 132 | 5 << 120 | (9 << 5) << 104 | 3 << 80 | 13 << 40 | 17
    assert op.message_words(DOMAIN) == (DOMAIN, m1, 0xAB, 7 << 5, 0)
    assert op.message_hash(DOMAIN) == poseidon([DOMAIN, m1, 0xAB, 7 << 5, 0])


def test_message_words_withdraw_exact_amount_and_no_recipient_id() -> None:
    amount = 2**128 - 1
    op = Withdraw(from_id=2, address=0xAB, token=5, amount=amount, fee=9, nonce=11, valid_from=13, valid_until=17)
    m1 = 5 << 200 | 2 << 176 | 11 << 144 | 5 << 132 | 5 << 120 | (9 << 5) << 104 | 0 << 80 | 13 << 40 | 17
    assert op.message_words(DOMAIN) == (DOMAIN, m1, 0xAB, amount, 0)


WINDOW = {"valid_from": 13, "valid_until": 17}


@pytest.mark.parametrize(
    ("op", "m1", "m2", "m3"),
    [
        (
            TransferToAddress(2, 3, 0xAB, 5, 7, 9, 11, link=19, **WINDOW),
            4 << 200 | 2 << 176 | 11 << 144 | 5 << 132 | 5 << 120 | (9 << 5) << 104, 0xAB, 7 << 5,
        ),
        (
            ForcedExit(2, 3, 0xAB, 5, 6, 9, 11, link=19, **WINDOW),
            7 << 200 | 2 << 176 | 11 << 144 | 5 << 132 | 6 << 120 | (9 << 5) << 104 | 3 << 80, 0xAB, 0,
        ),
        (
            CancelOrder(2, 4095, 2**32 - 1, 5, 9, 11, link=19, **WINDOW),
            9 << 200 | 2 << 176 | 11 << 144 | 5 << 132 | 5 << 120 | (9 << 5) << 104 | 4095 << 80, 0, 2**32 - 1,
        ),
        (
            Order(2, 4095, 2**32 - 1, 5, 6, 2**120 - 1, 2**120 - 2, 9, **WINDOW),
            8 << 200 | 2 << 176 | (2**32 - 1) << 144 | 5 << 132 | 5 << 120 | (9 << 5) << 104 | 4095 << 92 | 6 << 80,
            0, (2**120 - 1) << 120 | (2**120 - 2),
        ),
    ],
)  # fmt: skip
def test_message_words_fields_at_their_offsets(op: Any, m1: int, m2: int, m3: int) -> None:
    link = getattr(op, "link", 0)
    assert op.message_words(DOMAIN) == (DOMAIN, m1 | 13 << 40 | 17, m2, m3, link)
    assert op.message_hash(DOMAIN) == poseidon([DOMAIN, m1 | 13 << 40 | 17, m2, m3, link])


@pytest.mark.parametrize(
    ("make", "unsigned"),
    [
        (transfer, set()), (transfer_to_address, {"to_id"}), (withdraw, set()), (forced_exit, {"amount"}),
        (cancel_order, set()), (order, set()),
    ],
)  # fmt: skip
def test_message_hash_every_signed_field_counts(make: Any, unsigned: set[str]) -> None:
    op = make()
    fields = {field.name for field in dataclasses.fields(op)} - {"signature"}
    changed = {name: dataclasses.replace(op, **{name: 9}).message_hash(DOMAIN) for name in fields}
    assert {name for name, value in changed.items() if value == op.message_hash(DOMAIN)} == unsigned
    hashes = {*changed.values(), *(op.message_hash(DOMAIN + other) for other in (0, 1, 1 << 160))}
    assert len(hashes) == len(fields - unsigned) + 3


def test_message_hash_kinds_differ() -> None:
    """The same numbers mean another operation."""
    fields = {"from_id": 1, "token": 2, "amount": 64, "fee": 3, "nonce": 4}
    hashes = {
        Transfer(to_id=0, to_address=9, **fields).message_hash(DOMAIN),
        TransferToAddress(to_id=0, to_address=9, **fields).message_hash(DOMAIN),
        Withdraw(address=9, **fields).message_hash(DOMAIN),
        Withdraw(address=9, **fields | {"amount": 2}).message_hash(DOMAIN),
        ForcedExit(1, 0, 9, 2, 2, 3, 4).message_hash(DOMAIN),
        CancelOrder(1, 0, 64, 2, 3, 4).message_hash(DOMAIN),
        Order(1, 0, 4, 2, 0, 0, 64, 3).message_hash(DOMAIN),
    }
    assert len(hashes) == 7


def test_sign_verifies_only_with_own_key_message_and_domain() -> None:
    op = transfer()
    assert op.signature is not None
    signature, message = op.signature.as_tuple(), op.message_hash(DOMAIN)
    assert eddsa_verify(ALICE.key.public_key, message, signature)
    assert not eddsa_verify(BOB.key.public_key, message, signature)
    assert not eddsa_verify(ALICE.key.public_key, op.message_hash(DOMAIN + 1), signature)


def test_chunk_and_record_fields_at_their_offsets() -> None:
    full = Transfer(from_id=2**24 - 1, to_id=1, to_address=1, token=4095, amount=6, fee=7, nonce=0)
    assert full.chunks() == (3 << 116 | 4095 << 104 | (2**24 - 1) << 80 | 1 << 56 | (6 << 5) << 16 | 7 << 5,)
    assert full.record() == ()
    deposit = Deposit(2, 3, 4, 5, (6, 7), True, False, 8)
    assert deposit.chunks() == (1 << 116,)
    assert deposit.record() == (1 << 200 | 1 << 196 | 2 << 172 | 3 << 160 | 5, 8 << 128 | 4, 6, 7)
    refused = Deposit(0, 3, 4, 5, (6, 7), True, True, 8)
    assert refused.record()[0] == 1 << 200 | 3 << 196 | 3 << 160 | 5
    full_exit = FullExit(2, 3, 5, 4, 8)
    assert full_exit.chunks() == (2 << 116,)
    assert full_exit.record() == (2 << 200 | 2 << 172 | 3 << 160 | 5, 8 << 128 | 4)
    out = Withdraw(from_id=2, address=5, token=3, amount=2**128 - 1, fee=9, nonce=0)
    assert out.chunks() == (5 << 116 | 9 << 5,)
    assert out.record() == (5 << 200 | 2 << 172 | 3 << 160 | 5, 2**128 - 1)
    to_address = TransferToAddress(2, 3, 2**160 - 2, 4095, 6, 7, 0)
    first = 4 << 116 | 4095 << 104 | 2 << 80 | 3 << 56 | (6 << 5) << 16 | 7 << 5
    assert to_address.chunks() == (first, 2**120 - 1, (2**40 - 2) << 80)
    assert to_address.record() == ()
    forced = ForcedExit(2, 3, 0xAB, 5, 6, 9, 11, amount=2**128 - 1)
    assert forced.chunks() == (7 << 116 | 6 << 104 | 2 << 80 | 9 << 5,)
    assert forced.record() == (7 << 200 | 3 << 172 | 5 << 160 | 0xAB, 2**128 - 1)
    change = ChangePubKey(2, 0xAB, (6, 7), 2**32 - 1, 5, 9, 17)
    assert change.chunks() == (6 << 116 | 9 << 5,)
    assert change.record() == (6 << 200 | 2 << 172 | 5 << 160 | 0xAB, (2**32 - 1) << 128 | 9, 6, 7)
    cancel = CancelOrder(2, 4095, 2**32 - 1, 5, 9, 11)
    assert cancel.chunks() == (9 << 116 | 5 << 104 | 2 << 80 | 4095 << 56 | (2**32 - 1) << 16 | 9 << 5,)
    assert cancel.record() == ()
    assert Noop().chunks() == ()
    assert Noop().record() == ()


def test_chunks_of_a_swap_one_a_step() -> None:
    maker = Order(2, 2048, 2**32 - 1, 5, 6, 100, 100, 9)
    taker = Order(2**24 - 1, 4095, 7, 6, 5, 100, 100, 9)
    first, second, settlement = Swap(maker, taker, 10, 11, 3, 4).steps()
    assert first.chunks() == (8 << 116 | 5 << 104 | 2 << 80 | 2048 << 56 | (10 << 5) << 16 | 3 << 5,)
    assert second.chunks() == (8 << 116 | 6 << 104 | (2**24 - 1) << 80 | 4095 << 56 | (11 << 5) << 16 | 4 << 5,)
    assert settlement.chunks() == (8 << 116 | 7 << 32 | 2**32 - 1,)
    assert [step.record() for step in (first, second, settlement)] == [(), (), ()]


@pytest.mark.parametrize(
    ("make", "field", "value", "limit"),
    [
        (transfer_to_address, "to_address", 2**160, 2**160),
        (transfer_to_address, "to_id", 2**24, 2**24),
        (transfer_to_address, "amount", 2**128, 2**128),
        (forced_exit, "account_id", 2**24, 2**24),
        (forced_exit, "address", 2**160, 2**160),
        (forced_exit, "token", 2**12, 2**12),
        (forced_exit, "fee_token", 2**12, 2**12),
        (forced_exit, "amount", 2**128, 2**128),
        (cancel_order, "slot", 2**12, 2**12),
        (cancel_order, "first_valid_order_id", 2**32, 2**32),
        (cancel_order, "account_id", 2**24, 2**24),
        (cancel_order, "link", FIELD_MODULUS, FIELD_MODULUS),
        (order, "account_id", 2**24, 2**24),
        (order, "slot", 2**12, 2**12),
        (order, "sell_token", 2**12, 2**12),
        (order, "buy_token", -1, 2**12),
        (order, "valid_from", 2**40, 2**40),
        (order, "valid_until", 2**40, 2**40),
        (transfer, "token", 2**12, 2**12),
        (transfer, "to_id", 2**24, 2**24),
        (transfer, "to_address", 2**160, 2**160),
        (transfer, "nonce", 2**32, 2**32),
        (transfer, "valid_from", 2**40, 2**40),
        (transfer, "valid_until", -1, 2**40),
        (transfer, "amount", 2**128, 2**128),
        (transfer, "fee", -1, 2**128),
        (withdraw, "amount", 2**128, 2**128),
        (withdraw, "address", 2**160, 2**160),
        (withdraw, "nonce", True, 2**32),
    ],
)
def test_signed_operation_field_out_of_range_refused(make: Any, field: str, value: int, limit: int) -> None:
    with pytest.raises(ValueRangeError) as caught:
        make(**{field: value})
    assert (caught.value.field, caught.value.value, caught.value.limit) == (field, value, limit)


def test_signed_operation_amount_with_too_many_digits_refused() -> None:
    with pytest.raises(AmountNotRepresentableError):
        transfer(amount=2**35 + 1)
    with pytest.raises(AmountNotRepresentableError):
        withdraw(fee=2049)
    for changes in ({"maker_amount": 2**35 + 1}, {"taker_amount": 2**35 + 1}, {"maker_fee": 2049}):
        with pytest.raises(AmountNotRepresentableError):
            swap(**changes)
    for make in (forced_exit, cancel_order, order):
        with pytest.raises(AmountNotRepresentableError):
            make(fee=2049)
    assert withdraw(amount=2**35 + 1).amount == 2**35 + 1
    assert order(sell_amount=2**35 + 1, buy_amount=2**120 - 1).sell_amount == 2**35 + 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("account_id", 2**24), ("token", 2**12), ("amount", 2**128), ("owner", 2**160), ("queue_fee_gwei", 2**64)],
)
def test_queue_operation_field_out_of_range_refused(field: str, value: int) -> None:
    fields = {"account_id": 0, "token": 0, "amount": 0, "owner": 1, field: value}
    for operation in (Deposit, FullExit):
        with pytest.raises(ValueRangeError) as caught:
            operation(**fields)  # type: ignore[arg-type]
        assert caught.value.field == field


def test_deposit_key_not_below_modulus_refused() -> None:
    for key in ((FIELD_MODULUS, 0), (0, FIELD_MODULUS)):
        with pytest.raises(ValueRangeError):
            Deposit(0, 0, 0, 1, key)


def test_deposit_refused_with_account_refused() -> None:
    with pytest.raises(FieldRuleError) as caught:
        Deposit(1, 0, 0, 1, refused=True)
    assert (caught.value.field, caught.value.value) == ("account_id", 1)


@pytest.mark.parametrize("make", [lambda: FullExit(0, 0, 1), forced_exit])
def test_record_of_an_exit_with_open_amount_refused(make: Any) -> None:
    with pytest.raises(FieldRuleError) as caught:
        make().record()
    assert (caught.value.field, caught.value.value) == ("amount", None)


def test_signature_not_of_words_refused() -> None:
    for field in range(3):
        values = [0, 1, 0]
        values[field] = FIELD_MODULUS
        with pytest.raises(ValueRangeError):
            Signature(*values)
