"""How errors are said: every class can be written, with its status; and what nobody foresaw has a reference."""

import inspect
import json
from typing import Any

import pytest
from api_rig import ApiRig, until
from node_rig import ALICE, BOB

from rollup.api.answers import dump, error_to_json, retry_after, status_of
from rollup.api.openapi import REFUSALS, tree
from rollup.core.addresses import show_address
from rollup.core.errors import (
    AmountNotRepresentableError,
    BalanceTooLowError,
    FieldRuleError,
    NonceMismatchError,
    OwnerMismatchError,
    SignatureInvalidError,
    SluiceError,
    WireError,
)
from rollup.node.errors import BacklogError, DatabaseDamaged, FeeTooLowError, OperationTooLargeError, StoppingError

ANSWERED = sorted({kind for root in REFUSALS for kind in tree(root)}, key=lambda kind: kind.__name__)
SAMPLES = {"int": 1 << 159, "float": 1.5, "str": "x", "bytes": b"\x01", "object": 1 << 300, "tuple": (1 << 100, 2)}


def sample(annotation: Any) -> Any:
    name = str(getattr(annotation, "__name__", annotation) if "[" not in str(annotation) else annotation)
    if name.startswith("tuple[str"):
        return ("x", "y")
    return next(value for kind, value in SAMPLES.items() if name.startswith(kind))


@pytest.mark.parametrize("kind", ANSWERED)
def test_every_error_can_be_written_exactly(kind: type[SluiceError]) -> None:
    names = {name: each for name, each in inspect.get_annotations(kind).items() if name not in ("code", "status")}
    error = kind(**{name: sample(each) for name, each in names.items()})
    told = json.loads(dump(error_to_json(error)))["error"]
    assert (told["code"], told["message"]) == (kind.code, error.message)
    assert told["values"].keys() == names.keys()
    assert 400 <= status_of(error) < 600
    # Exact in every reader of JSON: what is larger is text.
    numbers = json.loads(dump(told["values"]), parse_int=lambda text: int(text) < 1 << 53)
    assert False not in numbers.values()


def test_errors_have_the_status_of_their_kind() -> None:
    expected = {
        400: [WireError("a", "b", "c"), FieldRuleError("a", 1, "b"), AmountNotRepresentableError("fee", 1, 0, None)],
        409: [NonceMismatchError(1, 2, 3)],
        422: [BalanceTooLowError(1, 0, 5, 6, 7), OperationTooLargeError(1, 2, 3, 4), FeeTooLowError(1, "0", "x")],
        503: [BacklogError(1, "x"), StoppingError(), DatabaseDamaged("x", 1, "y")],
    }
    for status, errors in expected.items():
        assert {status_of(error) for error in errors} == {status}
        assert [retry_after(error) for error in errors] == [1.0 if status == 503 else None] * len(errors)


def test_values_are_written_by_what_they_are() -> None:
    told = error_to_json(BalanceTooLowError(1, 0, 5, 6, 7))["error"]["values"]
    assert told == {"account_id": 1, "token": 0, "balance": "5", "amount": "6", "fee": "7"}
    signed = error_to_json(SignatureInvalidError(1, 10))["error"]["values"]
    assert signed == {"account_id": 1, "message_hash": f"0x{10:064x}"}
    owned = error_to_json(OwnerMismatchError(1, 0xA, 0xB))["error"]["values"]
    assert owned == {"account_id": 1, "stated": show_address(0xA), "address": show_address(0xB)}


def test_submit_where_the_sequencer_fails_is_not_now(api: ApiRig, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise DatabaseDamaged("x", 1, "y")

    monkeypatch.setattr(api.rig.node.sequencer, "submit", fail)
    error = api.post(ALICE.pay(BOB, 0), 503)["error"]
    assert error["code"] == "fault"
    until(lambda: api.rig.node.fault is not None)
    assert api.post(ALICE.pay(BOB, 0), 503)["error"]["code"] == "stopping"


def test_what_nobody_foresaw_is_500_with_a_reference_that_the_log_has(
    api: ApiRig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(api.rig.node, "hand_in", fail)
    monkeypatch.setattr(api.rig.database, "last_block", fail)
    for error in (api.post(ALICE.pay(BOB, 0), 500)["error"], api.get("/v1/status", 500)["error"]):
        assert error["code"] == "internal"
        assert error["values"]["reference"] in caplog.text
        assert "unforeseen" not in error["message"]
    assert "unforeseen" in caplog.text
