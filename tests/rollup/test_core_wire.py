"""Operations as JSON: one form, exact both ways, and everything else refused with its path."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.core.amounts import floor_amount, floor_fee
from rollup.core.constants import FIELD_MODULUS
from rollup.core.errors import WireError
from rollup.core.operations import (
    Batch,
    CancelOrder,
    ChangePubKey,
    ForcedExit,
    Order,
    OwnerSignature,
    Signature,
    Swap,
    Transfer,
    TransferToAddress,
    Withdraw,
)
from rollup.core.wire import dumps, from_wire, loads, to_wire

SIGNATURE = Signature(1, 2, FIELD_MODULUS - 1)
BOB = 0x5AFE00000000000000000000000000000C4A8171
TRANSFER = Transfer(1, 2, BOB, 3, 10**30, 5 * 10**20, 6, 7, 8, 9, SIGNATURE)
ORDER = Order(1, 2048, 3, 0, 1, 2**120 - 1, 2**119 + 1, 10, 11, 12, SIGNATURE)
EXAMPLES = (
    TRANSFER,
    TransferToAddress(1, 0, BOB, 3, 4, 5, 6),
    Withdraw(1, BOB, 3, 2**128 - 1, 5, 6, 7, 8, 9, SIGNATURE),
    ForcedExit(1, 2, BOB, 3, 4, 5, 6),
    CancelOrder(1, 2048, 2**32 - 1, 4, 5, 6, link=9),
    ChangePubKey(1, BOB, (FIELD_MODULUS - 1, 3), 4, 5, 6, 2**40 - 1, OwnerSignature(2**256 - 1, 2, 27)),
    ORDER,
    Swap(ORDER, Order(4, 4095, 3, 1, 0, 1, 1, 1), 10**30, 11, 3, 2),
    Batch((TRANSFER, CancelOrder(1, 2048, 1, 4, 5, 7, link=9))),
)
WORD = "0x" + 63 * "0"


def test_dumps_transfer_is_exactly_this() -> None:
    assert json.loads(dumps(TRANSFER)) == {
        "type": "transfer",
        "from_id": 1,
        "to_id": 2,
        "to_address": "0x5afE00000000000000000000000000000c4a8171",
        "token": 3,
        "amount": "1000000000000000000000000000000",
        "fee": "500000000000000000000",
        "nonce": 6,
        "valid_from": 7,
        "valid_until": 8,
        "link": WORD + "9",
        "signature": {"r8x": WORD + "1", "r8y": WORD + "2", "s": f"{FIELD_MODULUS - 1:#066x}"},
    }


def test_dumps_key_change_is_exactly_this() -> None:
    change = ChangePubKey(1, BOB, (2, 3), 4, 5, 6, 7, OwnerSignature(8, 9, 28))
    assert json.loads(dumps(change)) == {
        "type": "change_pub_key",
        "account_id": 1,
        "owner": "0x5afE00000000000000000000000000000c4a8171",
        "key": [WORD + "2", WORD + "3"],
        "nonce": 4,
        "fee_token": 5,
        "fee": "6",
        "valid_until": 7,
        "authorisation": WORD + "8" + 63 * "0" + "9" + "1c",
    }


@pytest.mark.parametrize("operation", EXAMPLES, ids=lambda operation: type(operation).__name__)
def test_loads_what_was_dumped_is_the_same_operation(operation: Any) -> None:
    assert loads(dumps(operation)) == operation


@pytest.mark.parametrize("operation", EXAMPLES, ids=lambda operation: type(operation).__name__)
def test_dumps_no_number_is_beyond_what_every_json_reader_keeps(operation: Any) -> None:
    def numbers(value: Any) -> list[int]:
        if isinstance(value, dict):
            return [number for each in value.values() for number in numbers(each)]
        if isinstance(value, list):
            return [number for each in value for number in numbers(each)]
        return [value] if isinstance(value, int) else []

    assert max(numbers(to_wire(operation))) < 2**53


ids, words = st.integers(0, 2**24 - 1), st.integers(0, FIELD_MODULUS - 1)
signatures = st.none() | st.builds(Signature, words, words, words)
fees = st.integers(0, 2**128 - 1).map(floor_fee)


@settings(max_examples=50, deadline=None)
@given(ids, st.integers(0, 2**160 - 1), st.integers(0, 2**128 - 1).map(floor_amount), fees, words, signatures)
def test_loads_random_transfers_round_trip(
    account_id: int, address: int, amount: int, fee: int, link: int, signature: Signature | None
) -> None:
    transfer = Transfer(account_id, 1, address, 4095, amount, fee, 2**32 - 1, link=link, signature=signature)
    assert loads(dumps(transfer)) == transfer


def test_to_wire_leaves_out_what_the_validator_fills_in() -> None:
    assert "to_id" not in to_wire(TransferToAddress(1, 7, BOB, 3, 4, 5, 6))
    assert "amount" not in to_wire(ForcedExit(1, 2, BOB, 3, 4, 5, 6, amount=12))


def test_from_wire_defaults_may_be_left_out() -> None:
    values = to_wire(Withdraw(1, BOB, 3, 4, 5, 6))
    for name in ("valid_from", "valid_until", "link"):
        del values[name]
    assert from_wire(values) == Withdraw(1, BOB, 3, 4, 5, 6)


def changed(operation: Any, **changes: Any) -> dict[str, Any]:
    values = to_wire(operation)
    for name, value in changes.items():
        if value is ...:
            del values[name]
        else:
            values[name] = value
    return values


@pytest.mark.parametrize(
    ("values", "path", "expected"),
    [
        ([], "(all)", "JSON object"),
        ({}, "type", "transfer, transfer_to_address"),
        (changed(TRANSFER, type="noop"), "type", "one of"),
        (changed(TRANSFER, type=["transfer"]), "type", "one of"),
        (changed(TRANSFER, nonce=...), "nonce", "needs it"),
        (changed(TRANSFER, memo="hello"), "memo", "has the fields"),
        (changed(EXAMPLES[1], to_id=7), "to_id", "has the fields"),
        (changed(EXAMPLES[3], amount="7"), "amount", "has the fields"),
        (changed(TRANSFER, nonce="6"), "nonce", "an integer"),
        (changed(TRANSFER, nonce=6.0), "nonce", "an integer"),
        (changed(TRANSFER, nonce=True), "nonce", "an integer"),
        (changed(TRANSFER, nonce=None), "nonce", "an integer"),
        (changed(TRANSFER, amount=6), "amount", "decimal digits"),
        (changed(TRANSFER, amount="06"), "amount", "decimal digits"),
        (changed(TRANSFER, amount="-6"), "amount", "decimal digits"),
        (changed(TRANSFER, amount="1_0"), "amount", "decimal digits"),
        (changed(TRANSFER, amount="٣"), "amount", "decimal digits"),
        (changed(TRANSFER, amount="1\n"), "amount", "decimal digits"),
        (changed(TRANSFER, amount="9" * 5000), "amount", "decimal digits"),
        (changed(TRANSFER, to_address=BOB), "to_address", "40 hexadecimal"),
        (changed(TRANSFER, to_address="0x" + 41 * "0"), "to_address", "40 hexadecimal"),
        (changed(TRANSFER, to_address="5a" + 40 * "0"), "to_address", "40 hexadecimal"),
        (changed(TRANSFER, to_address="0x5AfE00000000000000000000000000000c4a8171"), "to_address", "0x5afE0"),
        (changed(TRANSFER, link="0x9"), "link", "64 hexadecimal"),
        (changed(TRANSFER, signature=[1, 2, 3]), "signature", "r8x, r8y, s"),
        (changed(TRANSFER, signature={"r8x": WORD + "1"}), "signature", "r8x, r8y, s"),
        (changed(TRANSFER, signature=None), "signature", "r8x, r8y, s"),
        (changed(TRANSFER, signature=dict.fromkeys(("r8x", "r8y", "s"), "0x" + 64 * "f")), "signature", "it must be"),
        (changed(EXAMPLES[5], key=[WORD + "1"]), "key", "two words"),
        (changed(EXAMPLES[5], key=[WORD + "1", 2]), "key[1]", "64 hexadecimal"),
        (changed(EXAMPLES[5], authorisation="0x"), "authorisation", "130 hexadecimal"),
        (changed(EXAMPLES[5], authorisation="0x" + 130 * "0"), "authorisation", "leave authorisation"),
        (changed(EXAMPLES[7], maker=to_wire(TRANSFER)), "maker", "an order"),
        (changed(EXAMPLES[7], taker=changed(ORDER, fee="x")), "taker.fee", "decimal digits"),
        (changed(EXAMPLES[8], operations={}), "operations", "a list"),
        (changed(EXAMPLES[8], operations=[to_wire(TRANSFER), to_wire(ORDER)]), "operations[1]", "no orders"),
        (changed(EXAMPLES[8], operations=[changed(TRANSFER, nonce="0")]), "operations[0].nonce", "an integer"),
        (changed(EXAMPLES[8], operations=[changed(TRANSFER, token=4096)]), "operations[0]", "token is 4096"),
        (changed(EXAMPLES[8], operations=[]), "batch", "2 operations or more"),
        (changed(TRANSFER, fee="2049"), "transfer", "2048 or 2050|2047 or 2050|use 204"),
        (changed(TRANSFER, from_id=-1), "transfer", "from_id is -1"),
    ],
)
def test_from_wire_of_another_form_names_path_and_what_is_expected(values: Any, path: str, expected: str) -> None:
    with pytest.raises(WireError, match=expected) as caught:
        from_wire(json.loads(json.dumps(values)))
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        (b"\xff", "not JSON"),
        ('{"type": "transfer", "type": "withdraw"}', "stands twice"),
        ('{"type": NaN}', "NaN is no JSON"),
        ("[" * 100_000, "more than 2000 lists"),
        ("[" * 1_900, "not JSON"),
        ('{"nonce": ' + "9" * 5000 + "}", "not JSON"),
    ],
    ids=["empty", "bytes", "twice", "nan", "deep", "less_deep", "digits"],
)
def test_loads_no_json_of_ours_is_refused(text: str | bytes, reason: str) -> None:
    with pytest.raises(WireError, match=reason) as caught:
        loads(text)
    assert len(str(caught.value)) < 400


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(EXAMPLES), st.data())
def test_from_wire_damaged_is_refused_by_name_or_another_operation(operation: Any, data: st.DataObject) -> None:
    values = to_wire(operation)
    name = data.draw(st.sampled_from(sorted(values)))
    values[name] = data.draw(json_values)
    try:
        read = from_wire(values)
    except WireError:
        return
    assert from_wire(to_wire(read)) == read
