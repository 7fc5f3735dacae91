"""The API's answers, read into `model.py`. Raises AnswerInvalid throughout."""

from typing import Any, Final

from rollup.client.errors import Refused
from rollup.client.model import (
    FINAL,
    AccountState,
    Listed,
    NodeConfig,
    NodeStatus,
    OnL1,
    Page,
    Quote,
    Standing,
    Transaction,
)
from rollup.client.reading import Reader
from rollup.core.errors import WireError
from rollup.core.operations import Key
from rollup.core.receipt import Receipt, receipt_from_wire

STAGES: Final = ("waiting", "confirmed", "committed", "proven", FINAL)
"""Of an operation; `waiting` is an entry of L1's queue that no block has taken in yet."""
QUEUE_PREFIX: Final = "queue:"
_MOST_DECIMALS: Final = 77
_WORDS_OF_A_KEY: Final = 2
_REFUSALS: Final = range(400, 600)


def is_reached(status: str, until: str) -> bool:
    """Whether one status is as far as another."""
    return STAGES.index(status) >= STAGES.index(until)


def refusal(content: Reader, status: int) -> Refused:
    """What the API refuses with."""
    if status not in _REFUSALS:
        raise content.wrong(f"HTTP status {status}")
    error = content.at("error")
    detail = error.maybe("values", lambda values: dict(values.object())) or {}
    return Refused(status, error.at("code").text(), error.at("message").words(), detail)


def config(content: Reader) -> NodeConfig:
    """GET /v1/config."""
    contracts = content.at("contracts").fields()
    return NodeConfig(
        chain_id=content.at("chain_id").number(),
        rollup=content.at("rollup").address(),
        tokens=tuple(token(each) for each in content.at("tokens").items()),
        validator=content.at("validator").address(),
        validator_set=content.at("validator_set").word(),
        block_sizes=tuple(each.number() for each in content.at("block_sizes").items()),
        contracts={name: each.address() for name, each in contracts.items()},
        confirmations=content.at("confirmations").number(),
        limits=dict(content.at("limits").object()),
        version=content.at("version").text(),
        deployed_at=content.maybe("deployed_at", Reader.number),
        l1_genesis=content.maybe("l1_genesis", Reader.word),
    )


def token(content: Reader) -> Listed:
    """An item of GET /v1/tokens."""
    decimals = content.at("decimals")
    if decimals.number() > _MOST_DECIMALS:
        raise decimals.wrong(f"{decimals.value} decimals")
    return Listed(
        content.at("id").number(), content.at("symbol").text(), decimals.number(), content.at("address").address()
    )


def status(content: Reader) -> NodeStatus:
    """GET /v1/status."""
    reasons = tuple(each.at("message").words() for each in content.at("reasons").items())
    return NodeStatus(content.at("accepting").flag(), reasons, dict(content.object()))


def account(content: Reader) -> AccountState:
    """GET /v1/accounts/{id}."""
    return AccountState(
        account_id=content.at("id").number(),
        address=content.at("address").address(),
        key=content.maybe("key", _key),
        confirmed=_standing(content.at("confirmed")),
        final=_standing(content.at("final")) if content.at("final").value is not None else None,
    )


def accounts(content: Reader) -> tuple[AccountState, ...]:
    """GET /v1/accounts?address=..."""
    return tuple(account(each) for each in content.at("accounts").items())


def _key(content: Reader) -> Key:
    words = content.items()
    if len(words) != _WORDS_OF_A_KEY:
        raise content.wrong("a key has two words")
    ax, ay = (int(each.word(), 16) for each in words)
    return ax, ay


def _standing(content: Reader) -> Standing:
    orders = content.at("orders").items()
    return Standing(
        nonce=content.at("nonce").number(),
        balances={symbol: each.amount() for symbol, each in content.at("balances").fields().items()},
        orders={each.at("slot").number(): each.at("order_id").number() for each in orders},
    )


def transaction(content: Reader) -> Transaction:
    """GET /v1/transactions/{hash}, or queue:{index}."""
    stage = content.at("status")
    if stage.text() not in STAGES:
        raise stage.wrong(f"{stage.value!r} is none of {', '.join(STAGES)}")
    operation: dict[str, Any] = dict(content.at("operation").object())
    name = content.at("hash")
    index = name.text().removeprefix(QUEUE_PREFIX) if name.text().startswith(QUEUE_PREFIX) else None
    if index is not None and not (index.isascii() and index.isdecimal()):
        raise name.wrong(f"{name.value!r} names no entry of L1's queue")
    on_l1 = content.maybe("l1", _on_l1) or {}
    return Transaction(
        hash=name.word() if index is None else None,
        queue_index=None if index is None else int(index),
        status=stage.text(),
        kind=content.at("type").text(),
        block=content.maybe("block", Reader.number),
        position=content.maybe("position", Reader.number),
        operation=operation,
        receipt=content.maybe("receipt", receipt),
        confirmed_at=content.maybe("confirmed_at", Reader.number),
        l1=on_l1,
    )


def transactions(content: Reader) -> Page[Transaction]:
    """A page of GET /v1/accounts/{id}/transactions."""
    items = tuple(transaction(each) for each in content.at("transactions").items())
    return Page(items, content.maybe("next_cursor", Reader.text))


def _on_l1(content: Reader) -> dict[str, OnL1]:
    found = {name: each for name, each in content.fields().items() if each.value is not None}
    return {
        name: OnL1(
            each.maybe("transaction", Reader.word), each.maybe("l1_block", Reader.number), each.at("at").number()
        )
        for name, each in found.items()
    }


def receipt(content: Reader) -> Receipt:
    """A signed receipt."""
    try:
        return receipt_from_wire(content.value)
    except WireError as error:
        raise content.wrong(error.message) from error


def confirmed(content: Reader) -> tuple[str, str, Receipt]:
    """POST /v1/transactions: hash, status, receipt."""
    stage = content.at("status")
    if stage.text() not in STAGES:
        raise stage.wrong(f"{stage.value!r} is none of {', '.join(STAGES)}")
    return content.at("hash").word(), stage.text(), receipt(content.at("receipt"))


def results(content: Reader, count: int) -> list[Reader | Refused]:
    """POST /v1/transactions/batch: of each operation what `confirmed` reads, or why not."""
    listed = content.at("results")
    found = listed.items()
    if len(found) != count:
        raise listed.wrong(f"{len(found)} results for {count} operations")
    return [_result(each) for each in found]


def _result(content: Reader) -> Reader | Refused:
    if not content.has("error"):
        return content
    status_code = content.maybe("status_code", Reader.number) or content.maybe("status", Reader.number)
    return refusal(content, 422 if status_code is None else status_code)


def quote(content: Reader) -> Quote:
    """GET /v1/fees."""
    components = content.at("components").fields()
    return Quote(
        kind=content.at("type").text(),
        token=content.at("token").text(),
        fee=content.at("fee").amount(),
        gas=content.at("gas").number(),
        components={name: each.amount() for name, each in components.items()},
        base_fee_wei=content.maybe("base_fee_wei", Reader.amount),
        valid_until=content.at("valid_until").number(),
    )
