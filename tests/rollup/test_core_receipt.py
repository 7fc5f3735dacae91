"""Receipts (protocol 13): the bytes that are signed, by whom, and what they hold a block to (I-30)."""

import importlib.util
import json
from dataclasses import fields, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from core_users import ALICE, BOB, DOMAIN, key_change, owner_signed, swap, transfer, withdraw
from eth_account import Account as EthereumAccount
from eth_account.messages import encode_typed_data
from eth_hash.auto import keccak

from rollup.core import Batch, Deposit, domain, key_change_digest, linked
from rollup.core.errors import (
    FieldRuleError,
    ReceiptBrokenError,
    ReceiptForeignError,
    ReceiptSignerError,
    ValueRangeError,
    WireError,
)
from rollup.core.receipt import (
    Promise,
    Receipt,
    digests,
    operation_hash,
    receipt_from_wire,
    receipt_of,
    receipt_to_wire,
    recipient_of,
)

VECTORS = Path(__file__).parents[1] / "vectors"
FILE: dict[str, Any] = json.loads((VECTORS / "receipt.json").read_text())
SIGNER = EthereumAccount.from_key(FILE["private_key"])
NAMES = [field.name for field in fields(Receipt) if field.name not in ("signature", "text")]


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_receipt_vectors", VECTORS / "make_receipt_vectors.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def receipts() -> list[Receipt]:
    return [receipt_from_wire(vector["receipt"]) for vector in FILE["receipts"]]


def other(value: Any) -> Any:
    """A value of the same form that is not this one."""
    if isinstance(value, int):
        return value ^ 1
    return bytes([value[0] ^ 1]) + value[1:] if value else bytes(32)


def test_vectors_file_is_what_the_code_gives(maker: ModuleType) -> None:
    """Run tests/vectors/make_receipt_vectors.py if the format changed on purpose."""
    assert len(FILE["receipts"]) >= 3
    assert {len(bytes.fromhex(vector["receipt"]["record"][2:])) for vector in FILE["receipts"]} == {0, 64}
    assert maker.vectors() == FILE


def test_digest_equals_that_of_another_implementation_of_eip_712() -> None:
    for vector, receipt in zip(FILE["receipts"], receipts(), strict=True):
        message = encode_typed_data(full_message=receipt.typed_data())
        assert keccak(b"\x19" + message.version + message.header + message.body).hex() == vector["digest"][2:]
        assert receipt.digest.hex() == vector["digest"][2:]
        assert bytes(SIGNER.sign_message(message).signature) == receipt.signature


def test_signer_of_a_signed_receipt_is_the_validator() -> None:
    for receipt in receipts():
        assert receipt.signer() == int(SIGNER.address, 16)
        receipt.check_signer(receipt.domain, ("0x" + 40 * "0", SIGNER.address))


@pytest.mark.parametrize("name", NAMES)
def test_signer_with_any_field_changed_is_nobody_known(name: str) -> None:
    receipt = receipts()[0]
    changed = replace(receipt, **{name: other(getattr(receipt, name))})
    with pytest.raises(ReceiptSignerError, match="it promises nothing") as caught:
        changed.check_signer(changed.domain, (SIGNER.address,))
    assert caught.value.values["validators"] == (SIGNER.address,)
    assert caught.value.signer != SIGNER.address


def test_check_signer_second_form_of_the_signature_refused() -> None:
    receipt = receipts()[0]
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    s = order - int.from_bytes(receipt.signature[32:64], "big")
    flipped = receipt.signature[:32] + s.to_bytes(32, "big") + bytes([55 - receipt.signature[64]])
    with pytest.raises(ReceiptSignerError) as caught:
        replace(receipt, signature=flipped).check_signer(receipt.domain, (SIGNER.address,))
    assert caught.value.signer == ""


@pytest.mark.parametrize(("chain_id", "rollup"), [(1, 0xC0FFEE), (31337, 1)])
def test_check_signer_receipt_of_another_rollup_refused(chain_id: int, rollup: int) -> None:
    receipt = replace(receipts()[0], domain=domain(chain_id, rollup))
    with pytest.raises(ReceiptForeignError) as caught:
        receipt.check_signer(DOMAIN, (SIGNER.address,))
    assert caught.value.what == ("chain id" if chain_id == 1 else "address")


def test_kept_block_of_the_vectors_keeps_its_receipts() -> None:
    blocks = json.loads((VECTORS / "protocol.json").read_text())["blocks"]
    for receipt in receipts():
        block = blocks[receipt.block_number - 1]
        receipt.check_kept(*(bytes.fromhex(block[stream][2:]) for stream in ("l2", "l1")))


@pytest.mark.parametrize("stream", ["L2", "L1"])
def test_kept_block_with_one_bit_changed_is_refused(stream: str) -> None:
    """I-30: every byte that is promised counts, no other does."""
    receipt = next(receipt for receipt in receipts() if receipt.record)
    is_l2 = stream == "L2"
    size, position = (15, receipt.chunk_position) if is_l2 else (32, receipt.word_position)
    promised = receipt.chunks if is_l2 else receipt.record
    data = bytes(size * position) + promised + bytes(size)
    kept = {"L2": bytes(15 * receipt.chunk_position) + receipt.chunks}
    kept["L1"] = bytes(32 * receipt.word_position) + receipt.record
    for index in range(len(data)):
        changed = data[:index] + bytes([data[index] ^ 1]) + data[index + 1 :]
        streams = kept | {stream: changed}
        if size * position <= index < size * position + len(promised):
            with pytest.raises(ReceiptBrokenError, match="it proves the fault") as caught:
                receipt.check_kept(streams["L2"], streams["L1"])
            assert (caught.value.stream, caught.value.position) == (stream, position)
        else:
            receipt.check_kept(streams["L2"], streams["L1"])


def test_kept_block_that_ends_before_the_promise_is_refused() -> None:
    receipt = receipts()[0]
    with pytest.raises(ReceiptBrokenError, match="has nothing from chunk") as caught:
        receipt.check_kept(bytes(15 * receipt.chunk_position), b"")
    assert caught.value.published == ""


def test_wire_round_trip_gives_the_receipt() -> None:
    for receipt in receipts():
        assert receipt_from_wire(json.loads(json.dumps(receipt_to_wire(receipt)))) == receipt


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"chunks": "0x00"}, "multiple of 15"),
        ({"record": "0x1"}, "pairs of hexadecimal digits"),
        ({"operation_hash": "0x00"}, "32 bytes"),
        ({"signature": "0x00"}, "65 bytes"),
        ({"block_number": -1}, "block_number"),
        ({"block_number": "1"}, "block_number"),
        ({"recipient": "0x12"}, "not an address"),
        ({"chunks": 5}, "expected string"),
        ({"more": 1}, "wrong about more"),
    ],
)
def test_wire_of_another_form_refused(changes: dict[str, Any], match: str) -> None:
    with pytest.raises(WireError, match=match):
        receipt_from_wire(receipt_to_wire(receipts()[0]) | changes)


def test_wire_that_is_no_object_or_lacks_a_field_refused() -> None:
    values = receipt_to_wire(receipts()[0])
    del values["commit_by"]
    for wrong in (values, [], None):
        with pytest.raises(WireError):
            receipt_from_wire(wrong)


def test_wire_of_an_unsigned_receipt_refused() -> None:
    with pytest.raises(FieldRuleError, match="before it is signed"):
        receipt_to_wire(replace(receipts()[0], signature=b""))


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("domain", 1 << 224, ValueRangeError),
        ("block_number", 1 << 32, ValueRangeError),
        ("chunk_position", 1 << 20, ValueRangeError),
        ("word_position", 1 << 20, ValueRangeError),
        ("recipient", 1 << 160, ValueRangeError),
        ("issued_at", 1 << 40, ValueRangeError),
        ("commit_by", 1 << 40, ValueRangeError),
        ("chunks", bytes(14), FieldRuleError),
        ("record", bytes(33), FieldRuleError),
        ("operation_hash", bytes(31), FieldRuleError),
        ("validator_set", bytes(33), FieldRuleError),
    ],
)
def test_receipt_field_out_of_range_refused(field: str, value: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        replace(receipts()[0], **{field: value})


def test_many_promises_give_the_digests_and_receipts_one_by_one() -> None:
    promises: list[Promise] = [
        (
            each.block_number, each.chunk_position, each.chunks, each.word_position, each.record, each.operation_hash,
            each.recipient.to_bytes(20, "big"), each.issued_at, each.commit_by, each.validator_set,
        )
        for each in receipts()
    ]  # fmt: skip
    domain = receipts()[0].domain
    assert digests(domain, promises) == [each.digest for each in receipts()]
    assert [receipt_of(domain, promise, b"") for promise in promises] == [
        replace(each, signature=b"") for each in receipts()
    ]


def test_operation_hash_names_what_was_signed() -> None:
    payment, change, trade = transfer(), owner_signed(key_change()), swap()
    assert operation_hash(payment, DOMAIN) == payment.message_hash(DOMAIN).to_bytes(32, "big")
    assert operation_hash(replace(payment, signature=None), DOMAIN) == operation_hash(payment, DOMAIN)
    assert operation_hash(change, DOMAIN) == key_change_digest(change, DOMAIN)
    batch = Batch(linked([transfer(), transfer(ALICE, BOB, nonce=1)]))
    assert int.from_bytes(operation_hash(batch, DOMAIN), "big") == batch.operations[0].link
    orders = b"".join(order.message_hash(DOMAIN).to_bytes(32, "big") for order in (trade.maker, trade.taker))
    assert operation_hash(trade, DOMAIN) == keccak(orders)


def test_operation_hash_of_a_queue_operation_refused() -> None:
    with pytest.raises(FieldRuleError, match="only what a user submits"):
        operation_hash(Deposit(0, 0, 1, 1), DOMAIN)


def test_recipient_is_the_one_address_named() -> None:
    assert recipient_of(transfer()) == BOB.address
    assert recipient_of(withdraw(address=7)) == 7
    assert recipient_of(key_change()) == key_change().owner
    assert recipient_of(swap()) == 0
    assert recipient_of(Batch(linked([transfer(), transfer(ALICE, BOB, nonce=1)]))) == 0
