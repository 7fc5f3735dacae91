"""Whatever a node answers, it is read or refused: no other error comes out of the client's decoders."""

import contextlib
import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from client_rig import ANNA, BEN, ETHER, Town
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollup.client import answers
from rollup.client.errors import AnswerInvalid, Refused
from rollup.client.reading import Reader, read_json

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(1 << 300), 1 << 300), st.floats(), st.text(max_size=70),
    st.sampled_from(["0x", "0x" + 64 * "0", "0x" + 40 * "f", "queue:", "queue:x", "final", "1e9", "-0", "٣"]),
)  # fmt: skip
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner), max_leaves=6
)
DECODERS: dict[str, Callable[[Reader], Any]] = {
    "config": answers.config,
    "status": answers.status,
    "account": answers.account,
    "accounts": answers.accounts,
    "transaction": answers.transaction,
    "transactions": answers.transactions,
    "quote": answers.quote,
    "confirmed": answers.confirmed,
    "results": lambda content: answers.results(content, 1),
    "refusal": lambda content: answers.refusal(content, 422),
}


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What an honest node answers."""
    import httpx

    with Town(tmp_path_factory.mktemp("honest")) as town:
        paid = town.wallet(ANNA).transfer(BEN.address, ETHER // 100, fee=0)
        get = {
            "config": "/v1/config", "status": "/v1/status", "account": "/v1/accounts/4",
            "accounts": f"/v1/accounts?address={ANNA.address}", "transaction": f"/v1/transactions/{paid.hash}",
            "transactions": "/v1/accounts/4/transactions", "quote": "/v1/fees?type=transfer&token=ETH",
            "refusal": "/v1/accounts/4000",
        }  # fmt: skip
        found = {name: httpx.get(town.url + path).json() for name, path in get.items()}
    found["confirmed"] = {name: found["transaction"][name] for name in ("hash", "status", "receipt")}
    return found | {"results": {"results": [found["confirmed"]]}}


def places(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Everything in it, by its way there."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(place for key, each in inner for place in places(each, (*here, key)))]


def put(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    if not place:
        return new
    changed = copy.deepcopy(value)
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = new
    return changed


@pytest.mark.parametrize("name", DECODERS)
def test_honest_answer_is_read(samples: dict[str, Any], name: str) -> None:
    assert DECODERS[name](Reader(samples[name], "/")) is not None


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(name=st.sampled_from(sorted(DECODERS)), pick=st.integers(0, 10**6), new=JSON)
def test_answer_changed_anywhere_is_read_or_refused(samples: dict[str, Any], name: str, pick: int, new: Any) -> None:
    found = places(samples[name])
    changed = put(samples[name], found[pick % len(found)], new)
    refused = None
    try:
        DECODERS[name](Reader(json.loads(json.dumps(changed)), "/"))
    except (AnswerInvalid, Refused) as error:
        refused = error
    assert str(refused).isprintable()


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200))
def test_bytes_are_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(AnswerInvalid):
        read_json(body, "/")
