"""The OpenAPI document against the running application: what it says is so, and nothing that comes in makes a 500."""

import json
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import httpx
import jsonschema_rs
import pytest
import schemathesis
from api_rig import NO_RATE, ApiRig
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from node_rig import ALICE, BOB, DOMAIN
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from socket_client import SocketClient

from rollup.api import L1Status
from rollup.api.openapi import error_codes
from rollup.api.submit import BRACKETS_AN_OPERATION
from rollup.core import Batch, CancelOrder, ForcedExit, Order, Swap, TransferToAddress, Withdraw, linked
from rollup.core.operations import ChangePubKey, OwnerSignature
from rollup.core.wire import TYPES, from_wire, to_wire
from rollup.core.wire_schema import operation_schemas

EXAMPLES = 8
GIVEN = {"deadline": None, "database": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}
UNTOLD = {"GET /v1/accounts"}
"""Where a schema cannot tell all that is wrong: an address's checksum. Nor can it of what is submitted."""


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiRig]:
    """A node where there is something to be found."""
    rig = ApiRig(tmp_path_factory.mktemp("node"), NO_RATE)
    rig.others = {"l1_status": lambda: L1Status(5, 10**9)}
    with rig:
        for nonce in range(12):
            rig.post(ALICE.pay(BOB, nonce))
        yield rig


@pytest.fixture
def document(used: ApiRig) -> Any:
    return schemathesis.openapi.from_url(f"{used.url}/v1/openapi.json")


schema = schemathesis.pytest.from_fixture("document")


@schema.include(method="GET").parametrize()
@settings(max_examples=EXAMPLES, phases=[Phase.explicit, Phase.generate], **GIVEN)
def test_every_read_answers_as_the_document_says(case: Any) -> None:
    case.call_and_validate(excluded_checks=[positive_data_acceptance] if case.operation.label in UNTOLD else [])


@schema.include(method="POST").parametrize()
@settings(max_examples=3 * EXAMPLES, phases=[Phase.generate], **GIVEN)
def test_every_submission_answers_as_the_document_says(case: Any) -> None:
    excluded = [positive_data_acceptance]
    if case.operation.label == "POST /v1/transactions/batch":
        # An operation in it that is malformed is its own error, beside the others' results.
        excluded.append(negative_data_rejection)
    case.call_and_validate(excluded_checks=excluded)


def test_document_names_every_route_and_every_error(used: ApiRig) -> None:
    document = used.get("/v1/openapi.json")
    assert sorted(document["paths"]) == [
        "/health", "/metrics", "/ready", "/v1/accounts", "/v1/accounts/{account_id}",
        "/v1/accounts/{account_id}/transactions", "/v1/blocks", "/v1/blocks/{number}",
        "/v1/blocks/{number}/transactions", "/v1/config", "/v1/fees", "/v1/queue", "/v1/status", "/v1/tokens",
        "/v1/transactions", "/v1/transactions/batch", "/v1/transactions/{hash}", "/v1/transactions/{hash}/receipt",
        "/v1/transactions/{hash}/trace",
    ]  # fmt: skip
    codes = {each["code"]: each["status"] for each in document["x-errors"]}
    assert len(codes) == len(document["x-errors"]) == len(error_codes())
    expected = {
        "wire": 400, "nonce_mismatch": 409, "balance_too_low": 422, "backlog": 503, "internal": 500,
        "rate_exceeded": 429, "body_too_large": 413, "request_too_slow": 408, "account_unknown": 404,
    }  # fmt: skip
    assert codes.items() >= expected.items()
    for name, value in used.get("/v1/config")["limits"].items():
        assert f"{name} {value:,.10g}" in document["info"]["description"]
    assert "body_bytes 1,048,576" in document["info"]["description"]


def test_every_reference_of_the_document_leads_somewhere(used: ApiRig) -> None:
    document = used.get("/v1/openapi.json")
    text = json.dumps(document)
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= document["components"]["schemas"].keys()
    assert "HTTPValidationError" not in text


def test_docs_page_is_served(used: ApiRig) -> None:
    response = used.http.get("/v1/docs")
    assert response.status_code == 200
    assert "/v1/accounts/{account_id}" in response.text
    # Nothing from elsewhere: it is read where there is no other network, and runs nothing of others.
    assert "<script" not in response.text
    assert "http://" not in response.text.replace("http://127.0.0.1", "")


def submitted() -> list[Any]:
    """One of each type, with all that may be left out, and without."""
    payment = ALICE.pay(BOB, 0)
    order = ALICE.key.sign(Order(1, 2048, 1, 0, 1, 100, 100, 0), DOMAIN)
    signed = [
        TransferToAddress(1, 0, 0xFACE, 0, 5, 0, 0), Withdraw(1, 0xDD, 0, 10, 1, 0),
        ForcedExit(1, 2, 0xDD, 0, 0, 1, 0), CancelOrder(1, 2048, 3, 0, 0, 0),
    ]  # fmt: skip
    change = ChangePubKey(1, 2, (3, 4), 0, 0, 0, 5)
    together = Batch(tuple(ALICE.key.sign(each, DOMAIN) for each in linked(signed)))  # type: ignore[arg-type]
    authorised = ChangePubKey(1, 2, (3, 4), 0, 0, 0, 5, OwnerSignature(1, 2, 27))
    return [payment, order, *signed, change, authorised, Swap(order, order, 1, 1), together]


def validator_of(name: str) -> Any:
    schemas = operation_schemas("#/$defs/")
    return jsonschema_rs.validator_for({"$ref": f"#/$defs/{name}", "$defs": schemas})


@pytest.mark.parametrize("operation", submitted(), ids=lambda each: type(each).__name__)
def test_schema_of_an_operation_takes_what_the_reader_takes(operation: Any) -> None:
    validator = validator_of(type(operation).__name__)
    values = to_wire(operation)
    validator.validate(values)
    assert from_wire(values) == operation
    for name in values:
        assert not validator.is_valid(values | {name: None})
        without = {key: value for key, value in values.items() if key != name}
        if validator.is_valid(without):
            from_wire(without)
    assert not validator.is_valid(values | {"other": 1})


def test_schemas_name_every_field_of_every_operation() -> None:
    schemas = operation_schemas("#/$defs/")
    assert schemas.keys() == {kind.__name__ for kind in TYPES.values()}
    for kind in TYPES.values():
        left = {field.name for field in fields(kind)} - schemas[kind.__name__]["properties"].keys()
        assert left <= {"to_id", "amount"}


# Whatever comes in: never a 500

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
WIRE = [to_wire(each) for each in submitted()]


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """An operation with one value somewhere in it changed into anything."""
    values = json.loads(json.dumps(draw(st.sampled_from(WIRE))))
    inside = values
    while True:
        key = draw(st.sampled_from(sorted(inside) if isinstance(inside, dict) else range(len(inside))))
        if not isinstance(inside[key], dict | list) or not inside[key] or draw(st.booleans()):
            break
        inside = inside[key]
    inside[key] = draw(JSON | st.sampled_from(["0", "1" * 39, "0x" + 64 * "f", 1 << 64, -1, 1 << 32]))
    return values


def answered(response: httpx.Response) -> int:
    assert response.status_code < 500, response.text
    if response.status_code != 200:
        error = response.json()["error"]
        assert error.keys() == {"code", "message", "values"}
        assert error["message"]
    return response.status_code


@settings(max_examples=150, **GIVEN)
@given(body=st.binary(max_size=200) | JSON.map(lambda values: json.dumps(values).encode()))
def test_submit_of_any_bytes_is_answered(used: ApiRig, body: bytes) -> None:
    assert answered(used.http.post("/v1/transactions", content=body)) == 400
    assert answered(used.http.post("/v1/transactions/batch", content=body)) == 400


def test_submit_of_lists_in_place_of_objects_is_refused(used: ApiRig) -> None:
    values = to_wire(ALICE.pay(BOB, 12))
    bare = {name: list(each.values()) if isinstance(each, dict) else each for name, each in values.items()}
    for each in (bare, list(bare.values()), list(values.values())):
        assert answered(used.http.post("/v1/transactions", json=each)) == 400
        (result,) = used.post_many([each] if isinstance(each, dict) else [{"type": each}])["results"]
        assert result["status_code"] == 400
    for body in ([[]], [[values]], {"operations": [list(values.values())]}):
        response = used.http.post("/v1/transactions/batch", json=body)
        assert answered(response) == 400 or response.json()["results"][0]["status_code"] == 400
    assert used.rig.node.sequencer.read(lambda state: state.account(1).nonce) == 12


@settings(max_examples=200, **GIVEN)
@given(values=mutated())
def test_submit_of_a_changed_operation_is_answered(used: ApiRig, values: Any) -> None:
    alone = answered(used.http.post("/v1/transactions", content=json.dumps(values)))
    together = used.http.post("/v1/transactions/batch", content=json.dumps({"operations": [values]}))
    if answered(together) == 400:
        # A list may have so many brackets for each operation that it may have, and no more.
        assert alone == 400
        assert sum(json.dumps(values).count(bracket) for bracket in "[{") > BRACKETS_AN_OPERATION
        return
    (result,) = together.json()["results"]
    assert result.get("status_code", 200) == alone


def test_submit_of_deep_nesting_and_twice_named_fields_is_answered(used: ApiRig) -> None:
    for body in (
        b"[" * 100_000,
        b'{"operations":' * 5_000,
        b'{"type":"order","type":"transfer"}',
        b"1" * 5_000,
        b"NaN",
    ):
        for path in ("/v1/transactions", "/v1/transactions/batch"):
            assert answered(used.http.post(path, content=body)) == 400


@settings(max_examples=100, **GIVEN)
@given(path=st.text(max_size=30), query=st.dictionaries(st.text(max_size=8), st.text(max_size=12), max_size=3))
def test_read_of_any_path_is_answered(used: ApiRig, path: str, query: dict[str, str]) -> None:
    from urllib.parse import quote

    for root in ("/v1/", "/v1/accounts/", "/v1/transactions/", "/v1/blocks/"):
        answered(used.http.get(root + quote(path, safe="/"), params=query))


@settings(max_examples=100, **GIVEN)
@given(said=st.binary(max_size=100) | JSON.map(lambda values: json.dumps(values).encode()))
def test_subscribe_with_any_text_is_answered(subscriber: SocketClient, said: bytes) -> None:
    try:
        said.decode()
    except UnicodeDecodeError:
        said = said.hex().encode()
    answer = subscriber.ask(said)
    assert answer["error"]["code"] in ("wire", "subscription_invalid")


@pytest.fixture(scope="module")
def subscriber(used: ApiRig) -> Iterator[SocketClient]:
    with SocketClient(used.server.port) as client:
        yield client
