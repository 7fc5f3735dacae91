"""Operations, messages, chunks and records (protocol 4, 6), and L2 signatures."""

import dataclasses
from typing import Any

import pytest
from core_users import ALICE, BOB, DOMAIN, transfer, withdraw

from rollup._native import eddsa_verify, poseidon
from rollup.core import Deposit, FullExit, Noop, Signature, Transfer, Withdraw, domain
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


def test_message_hash_every_signed_field_counts() -> None:
    op = transfer()
    hashes = {op.message_hash(DOMAIN), op.message_hash(DOMAIN + 1), op.message_hash(DOMAIN + (1 << 160))}
    changes: dict[str, Any] = {
        "from_id": 9, "to_id": 9, "to_address": 9, "token": 9, "amount": 9, "fee": 9, "nonce": 9,
        "valid_from": 9, "valid_until": 9,
    }  # fmt: skip
    hashes |= {dataclasses.replace(op, **{name: value}).message_hash(DOMAIN) for name, value in changes.items()}
    hashes.add(withdraw(address=BOB.address).message_hash(DOMAIN))
    assert len(hashes) == 3 + len(changes) + 1


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
    assert Noop().chunks() == ()
    assert Noop().record() == ()


@pytest.mark.parametrize(
    ("make", "field", "value", "limit"),
    [
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
    assert withdraw(amount=2**35 + 1).amount == 2**35 + 1


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


def test_record_full_exit_with_open_amount_refused() -> None:
    with pytest.raises(FieldRuleError):
        FullExit(0, 0, 1).record()


def test_signature_not_of_words_refused() -> None:
    for field in range(3):
        values = [0, 1, 0]
        values[field] = FIELD_MODULUS
        with pytest.raises(ValueRangeError):
            Signature(*values)
