"""A node that lies: of every lie there is an error of its own, and nothing of it is believed."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from client_rig import ANNA, BEN, CLEO, DEPLOYMENT, ETHER, SIGNER, Lost, Told, Town

from rollup.client import Confirmed
from rollup.client.errors import (
    AnswerInvalid,
    FeeAboveMaximum,
    NodeNotAnswering,
    NodeOfAnother,
    QuoteExpired,
    ReceiptUnfit,
    Refused,
    SubmissionUnknown,
)
from rollup.client.flow import MAX_ANSWER_BYTES
from rollup.core.errors import ReceiptForeignError, ReceiptSignerError, SluiceError
from rollup.core.operations import domain
from rollup.core.receipt import Receipt, receipt_from_wire, receipt_to_wire
from rollup.node.signing import LocalSigner

CENT = ETHER // 100
STRANGER = LocalSigner(bytes([9]) * 32)


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with Town(tmp_path_factory.mktemp("street")) as town:
        yield town


@pytest.fixture
def town(street: Town) -> Iterator[Town]:
    """One for all lies; each begins with an honest node."""
    yield street
    street.liar.lie = lambda told: told


def on(method: str, start: str, change: Callable[[Any], Any]) -> Callable[[Told], Told]:
    """Answers with status 200 to some questions are changed."""

    def lie(told: Told) -> Told:
        if told.method != method or not told.path.startswith(start) or told.status != 200:
            return told
        return told.say(change(told.values))

    return lie


def signed(receipt: Receipt, signer: LocalSigner = SIGNER) -> dict[str, Any]:
    (signature,) = signer.sign([receipt.digest])
    return receipt_to_wire(replace(receipt, signature=signature))


def with_receipt(**changes: Any) -> Callable[[Any], Any]:
    """The validator signs another promise."""

    def change(values: Any) -> Any:
        return values | {"receipt": signed(replace(receipt_from_wire(values["receipt"]), **changes))}

    return change


def other_amount(values: Any) -> Any:
    receipt = receipt_from_wire(values["receipt"])
    chunk = bytearray(receipt.chunks)
    chunk[-5] ^= 1  # of the mantissa
    return values | {"receipt": signed(replace(receipt, chunks=bytes(chunk)))}


RECEIPTS: list[tuple[str, Callable[[Any], Any], type[SluiceError], str]] = [
    (
        "a stranger's signature",
        lambda values: values | {"receipt": signed(receipt_from_wire(values["receipt"]), STRANGER)},
        ReceiptSignerError,
        "it promises nothing",
    ),
    (
        "a receipt that was changed after signing",
        lambda values: values | {"receipt": values["receipt"] | {"commit_by": values["receipt"]["commit_by"] - 1}},
        ReceiptSignerError,
        "it promises nothing",
    ),
    ("another chain", with_receipt(domain=domain(1, int(DEPLOYMENT.rollup, 16))), ReceiptForeignError, "chain id is 1"),
    ("another rollup", with_receipt(domain=domain(31337, 0xDEAD)), ReceiptForeignError, "its address"),
    ("another operation", with_receipt(operation_hash=bytes(32)), ReceiptUnfit, "operation"),
    ("another recipient", with_receipt(recipient=int(CLEO.address, 16)), ReceiptUnfit, "recipient"),
    ("another amount in the block", other_amount, ReceiptUnfit, "bytes"),
    ("nothing in the block", with_receipt(chunks=b""), ReceiptUnfit, "bytes"),
    ("no operation in the block", with_receipt(chunks=bytes(15)), ReceiptUnfit, "bytes"),
    ("a record beside it", with_receipt(record=bytes(31) + b"\x01"), ReceiptUnfit, "bytes"),
    ("a promise for the next century", with_receipt(commit_by=1 << 39), ReceiptUnfit, "commit_by"),
    ("a promise of tomorrow", with_receipt(issued_at=1 << 39), ReceiptUnfit, "time of issue"),
]


@pytest.mark.parametrize(("change", "error", "words"), [lie[1:] for lie in RECEIPTS], ids=[lie[0] for lie in RECEIPTS])
def test_submit_answered_with_a_false_receipt_is_refused(
    town: Town, change: Callable[[Any], Any], error: type[SluiceError], words: str
) -> None:
    town.liar.lie = on("POST", "/v1/transactions", change)
    wallet = town.wallet(ANNA)
    with pytest.raises(error, match=words):
        wallet.transfer(BEN.address, CENT, fee=0)
    # It may be taken in, so it is remembered; once the node is honest its receipt comes.
    town.liar.lie = lambda told: told
    assert all(each.receipt is not None for each in wallet.settle())
    assert wallet.records.outstanding() == []


def test_receipts_of_a_batch_in_false_order_are_refused(town: Town) -> None:
    from rollup.client import Payment

    town.liar.lie = on("POST", "/v1/transactions/batch", lambda values: {"results": values["results"][::-1]})
    done = town.wallet(ANNA).pay_all([Payment(BEN.address, CENT, fee=0), Payment(CLEO.address, CENT, fee=0)])
    assert [type(each) for each in done] == [AnswerInvalid, AnswerInvalid]


FORMS: list[tuple[str, Callable[[Told], Any]]] = [
    ("cut off", lambda told: told.__class__(told.method, told.path, 200, told.body[:100])),
    ("no JSON", lambda told: told.__class__(told.method, told.path, 200, b"<html>welcome</html>")),
    ("endless", lambda told: told.__class__(told.method, told.path, 200, b" " * (MAX_ANSWER_BYTES + 1))),
    ("nested", lambda told: told.__class__(told.method, told.path, 200, b"[" * 100_000)),
    ("a list", lambda told: told.__class__(told.method, told.path, 200, b"[1]")),
    ("a redirection", lambda told: told.__class__(told.method, told.path, 302, told.body)),
    ("500", lambda told: told.__class__(told.method, told.path, 500, b"oops")),
    ("502 of a proxy", lambda told: told.__class__(told.method, told.path, 502, b"<html>bad gateway</html>")),
    ("a broken connection", lambda told: Lost()),
]


@pytest.mark.parametrize("spoil", [form[1] for form in FORMS], ids=[form[0] for form in FORMS])
def test_answer_that_is_none_leaves_a_submission_unknown_and_a_question_unanswered(
    town: Town, spoil: Callable[[Told], Any]
) -> None:
    wallet = town.wallet(ANNA)
    wallet.open()
    spoiling = [False]

    def lie(told: Told) -> Any:
        spoiling[0] = spoiling[0] or told.method == "POST"
        return spoil(told) if spoiling[0] else told

    town.liar.lie = lie
    before = town.balance(BEN)
    with pytest.raises(SubmissionUnknown) as caught:
        wallet.transfer(BEN.address, CENT, fee=0)
    assert town.balance(BEN) == before + CENT
    with pytest.raises((AnswerInvalid, NodeNotAnswering)):
        wallet.state()
    town.liar.lie = lambda told: told
    assert [each.hash for each in wallet.settle()] == [caught.value.operation_hash]


@pytest.mark.parametrize("spoil", [form[1] for form in FORMS], ids=[form[0] for form in FORMS])
def test_answer_that_is_none_once_costs_nothing(town: Town, spoil: Callable[[Told], Any]) -> None:
    left = [1]

    def lie(told: Told) -> Any:
        if told.method == "POST" and left[0]:
            left[0] -= 1
            return spoil(told)
        return told

    town.liar.lie = lie
    before = town.balance(BEN)
    assert isinstance(town.wallet(ANNA).transfer(BEN.address, CENT, fee=0), Confirmed)
    assert town.balance(BEN) == before + CENT


CONFIGS: list[tuple[str, dict[str, Any], str]] = [
    ("chain", {"chain_id": 1}, "chain id"),
    ("validator", {"validator": "0x" + 40 * "1"}, "validator"),
    ("rollup", {"rollup": "0x" + 40 * "1"}, "address"),
    ("token", {"tokens": [{"id": 0, "symbol": "ETH", "decimals": 6, "address": "0x" + 40 * "0"}]}, "token 0"),
    ("symbol", {"tokens": [{"id": 1, "symbol": "DAY", "decimals": 18, "address": "0x" + 40 * "0"}]}, "token 1"),
]


@pytest.mark.parametrize(("other", "what"), [lie[1:] for lie in CONFIGS], ids=[lie[0] for lie in CONFIGS])
def test_node_of_another_rollup_is_sent_nothing(town: Town, other: dict[str, Any], what: str) -> None:
    town.liar.lie = on("GET", "/v1/config", lambda values: values | other)
    town.liar.seen.clear()
    with pytest.raises(NodeOfAnother) as caught:
        town.wallet(ANNA).transfer(BEN.address, CENT, fee=0)
    assert caught.value.what == what
    assert "POST" not in {method for method, _ in town.liar.seen}


ACCOUNTS: list[tuple[str, Callable[[Any], Any]]] = [
    ("another's account", lambda account: account | {"address": CLEO.address}),
    ("an address that is none", lambda account: account | {"address": "0x12"}),
    ("a negative nonce", lambda account: account | {"confirmed": account["confirmed"] | {"nonce": -1}}),
    ("a nonce that is no number", lambda account: account | {"confirmed": account["confirmed"] | {"nonce": "0"}}),
    ("a nonce that is true", lambda account: account | {"confirmed": account["confirmed"] | {"nonce": True}}),
    ("a balance as a number", lambda account: account | {"confirmed": account["confirmed"] | {"balances": {"ETH": 1}}}),
    (
        "a balance with a sign",
        lambda account: account | {"confirmed": account["confirmed"] | {"balances": {"ETH": "-1"}}},
    ),
    (
        "a balance in other digits",
        lambda account: account | {"final": account["final"] | {"balances": {"ETH": "\u0661"}}},
    ),
    ("half a key", lambda account: account | {"key": account["key"][:1]}),
    ("no final side", lambda account: {name: value for name, value in account.items() if name != "final"}),
]


@pytest.mark.parametrize("change", [lie[1] for lie in ACCOUNTS], ids=[lie[0] for lie in ACCOUNTS])
def test_account_that_is_not_as_promised_is_refused(town: Town, change: Callable[[Any], Any]) -> None:
    town.liar.lie = on(
        "GET", "/v1/accounts", lambda values: {"accounts": [change(each) for each in values["accounts"]]}
    )
    with pytest.raises(AnswerInvalid):
        town.wallet(ANNA).transfer(BEN.address, CENT, fee=0)


def test_account_of_another_id_is_refused(town: Town) -> None:
    client = town.client()
    own = client.accounts(ANNA.address)[0].account_id
    town.liar.lie = on("GET", f"/v1/accounts/{own}", lambda values: values | {"id": own + 1})
    with pytest.raises(AnswerInvalid):
        client.account(own)


def test_payment_to_an_id_with_a_false_address_is_refused_by_the_rules(town: Town) -> None:
    ben = town.client().accounts(BEN.address)[0].account_id
    town.liar.lie = on("GET", f"/v1/accounts/{ben}", lambda values: values | {"address": CLEO.address})
    before = town.balance(ANNA)
    with pytest.raises(Refused) as caught:
        town.wallet(ANNA).transfer(ben, CENT, fee=0)
    assert caught.value.code == "recipient_mismatch"
    assert town.balance(ANNA) == before


def fees(**changes: Any) -> Callable[[Told], Told]:
    quote = {
        "type": "transfer", "token": "ETH", "fee": "1", "gas": 46, "components": {"l1_data": "1"}, "base_fee_wei": "7",
        "valid_until": 1 << 39,
    }  # fmt: skip

    def lie(told: Told) -> Told:
        if told.path != "/v1/fees":
            return told
        return Told(told.method, told.path, 200, json.dumps(quote | changes).encode())

    return lie


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"fee": str(CENT)}, FeeAboveMaximum),
        ({"valid_until": 1}, QuoteExpired),
        ({"type": "withdraw"}, AnswerInvalid),
        ({"token": "DAI"}, AnswerInvalid),
        ({"fee": "-1"}, AnswerInvalid),
        ({"fee": 1}, AnswerInvalid),
    ],
)
def test_quote_that_is_too_high_over_or_of_something_else_signs_nothing(
    town: Town, changes: dict[str, Any], error: type[SluiceError]
) -> None:
    town.liar.lie = fees(**changes)
    wallet = town.wallet(ANNA)
    with pytest.raises(error):
        wallet.transfer(BEN.address, CENT)
    assert wallet.records.all() == []


def test_quote_up_to_the_maximum_is_paid(town: Town) -> None:
    town.liar.lie = fees(fee="1000")
    assert town.wallet(ANNA).transfer(BEN.address, CENT, max_fee=1000).operation.fee == 1000  # type: ignore[union-attr]
    with pytest.raises(FeeAboveMaximum):
        town.wallet(ANNA).transfer(BEN.address, CENT, max_fee=999)


def test_transaction_of_another_hash_is_refused(town: Town) -> None:
    confirmed = town.wallet(ANNA).transfer(BEN.address, CENT, fee=0)
    town.liar.lie = on("GET", "/v1/transactions/", lambda values: values | {"hash": "0x" + 64 * "0"})
    with pytest.raises(AnswerInvalid):
        town.client().transaction(confirmed.hash)


def test_transaction_with_a_strangers_receipt_is_refused(town: Town) -> None:
    confirmed = town.wallet(ANNA).transfer(BEN.address, CENT, fee=0)
    town.liar.lie = on(
        "GET",
        "/v1/transactions/",
        lambda values: values | {"receipt": signed(receipt_from_wire(values["receipt"]), STRANGER)},
    )
    with pytest.raises(ReceiptSignerError):
        town.client().transaction(confirmed.hash)


def test_refusal_that_is_a_lie_signs_nothing_beside_it(town: Town) -> None:
    """The node takes a payment in, says no, and then names another nonce: the next payment would be a second one."""
    from rollup.client.errors import SentBefore

    refusal = {"error": {"code": "balance_too_low", "message": "no", "values": {}}}

    def lie(told: Told) -> Told:
        return replace(told, status=422).say(refusal) if told.method == "POST" else told

    wallet = town.wallet(ANNA)
    town.liar.lie = lie
    with pytest.raises(Refused):
        wallet.transfer(BEN.address, CENT, fee=0)
    town.liar.lie = lambda told: told
    wallet.flows._is_sure = False
    with pytest.raises(SentBefore):
        wallet.transfer(BEN.address, CENT, fee=0)
