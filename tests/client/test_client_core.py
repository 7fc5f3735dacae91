"""The client's core without input and output: each effect is answered by the test."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from client_rig import ANNA, DEPLOYMENT, DOMAIN, SIGNER

from rollup.client.asking import Asking
from rollup.client.core import Core
from rollup.client.errors import AnswerInvalid, NodeNotAnswering, NotFinalInTime, Refused, SubmissionUnknown
from rollup.client.flow import Answer, Ask, Channel, Close, Flow, Hear, Lost, Open, Pause, Say
from rollup.client.reading import read_json
from rollup.client.retrying import ATTEMPTS, is_repeatable
from rollup.core.addresses import show_address
from rollup.core.operations import Order, Swap, Transfer
from rollup.core.receipt import operation_hash

ERROR = {"code": "backlog", "message": "later", "values": {}}
PAYMENT = ANNA.key().sign(Transfer(1, 2, 3, 0, 100, 1, 0), DOMAIN)
NAME = "0x" + operation_hash(PAYMENT, DOMAIN).hex()
CONFIG = {
    "chain_id": DEPLOYMENT.chain_id, "rollup": DEPLOYMENT.rollup, "tokens": [], "contracts": {}, "block_sizes": [],
    "validator": show_address(SIGNER.address), "validator_set": "0x" + 64 * "0", "confirmations": 0, "limits": {},
    "version": "1",
}  # fmt: skip


def told(values: Any, status: int = 200, retry_after: float | None = None) -> Answer:
    return Answer(status, json.dumps(values).encode(), retry_after)


def refused(status: int, code: str = "x") -> Answer:
    return told({"error": {"code": code, "message": "no", "values": {}}}, status)


def play(flow: Flow[Any], answer: Callable[[Any], Any]) -> tuple[Any, list[Any]]:
    """Run a flow; what it returned, and its effects."""
    effects = []
    try:
        effect = next(flow)
        while True:
            effects.append(effect)
            effect = flow.send(answer(effect))
    except StopIteration as end:
        return end.value, effects


def script(*outcomes: Any) -> Callable[[Any], Any]:
    """Answers questions one after the other; the config whenever it is asked for."""
    left = list(outcomes)

    def answer(effect: Any) -> Any:
        if isinstance(effect, Ask):
            return told(CONFIG) if effect.path == "/v1/config" else left.pop(0)
        return None

    return answer


def pauses(effects: list[Any]) -> list[float]:
    return [effect.seconds for effect in effects if isinstance(effect, Pause)]


def test_question_is_asked_again_until_there_is_an_answer() -> None:
    status = told({"accepting": True, "reasons": []})
    found, effects = play(Asking("u").status(), script(Lost("reset", True), refused(503), refused(429), status))
    assert found.accepting
    assert len(pauses(effects)) == 3


def test_question_never_answered_says_how_often_it_was_asked() -> None:
    with pytest.raises(NodeNotAnswering) as caught:
        play(Asking("u").status(), script(*[Lost("refused", False)] * ATTEMPTS))
    assert (caught.value.url, caught.value.attempts) == ("u", ATTEMPTS)


def test_refusal_of_a_question_is_not_asked_again() -> None:
    with pytest.raises(Refused) as caught:
        play(Asking("u").account(7), script(refused(404, "account_unknown")))
    assert (caught.value.code, caught.value.status) == ("account_unknown", 404)


def test_pause_is_as_long_as_the_node_says_within_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    from rollup.client import retrying

    monkeypatch.setattr(retrying, "LONGEST_PAUSE_SECONDS", 5.0)
    late = told({"error": ERROR}, 503, retry_after=3.0)
    forever = told({"error": ERROR}, 503, retry_after=60.0)
    _, effects = play(Asking("u").status(), script(late, forever, told({"accepting": True, "reasons": []})))
    assert pauses(effects) == [3.0, 5.0]


def test_submission_that_surely_was_not_taken_in_is_refused_not_unknown() -> None:
    with pytest.raises(Refused) as caught:
        play(Core("u", DEPLOYMENT).submit(PAYMENT), script(*[refused(503, "backlog")] * ATTEMPTS))
    assert caught.value.code == "backlog"


def test_submission_that_never_left_is_not_unknown() -> None:
    with pytest.raises(NodeNotAnswering):
        play(Core("u", DEPLOYMENT).submit(PAYMENT), script(*[Lost("no route", False)] * ATTEMPTS))


@pytest.mark.parametrize("last", [Lost("reset", True), refused(503, "storage"), refused(500, "internal")])
def test_submission_that_may_have_arrived_is_unknown_if_nobody_knows_it(last: Any) -> None:
    outcomes = [*[last] * ATTEMPTS, refused(404, "transaction_unknown")]
    with pytest.raises(SubmissionUnknown) as caught:
        play(Core("u", DEPLOYMENT).submit(PAYMENT), script(*outcomes))
    assert caught.value.operation_hash == NAME


def test_refusal_after_a_lost_answer_is_believed_only_if_the_hash_is_not_known() -> None:
    lost, no = Lost("reset", True), refused(422, "balance_too_low")
    with pytest.raises(Refused) as caught:
        play(Core("u", DEPLOYMENT).submit(PAYMENT), script(lost, no, refused(404, "transaction_unknown")))
    assert caught.value.code == "balance_too_low"
    with pytest.raises(SubmissionUnknown):
        play(Core("u", DEPLOYMENT).submit(PAYMENT), script(lost, no, *[Lost("reset", True)] * ATTEMPTS))


def test_refusal_at_once_is_believed_at_once() -> None:
    # No further answer is in the script: a second question would fail.
    with pytest.raises(Refused):
        play(Core("u", DEPLOYMENT).submit(PAYMENT), script(refused(422, "balance_too_low")))


def test_order_alone_is_refused_before_it_is_sent() -> None:
    from rollup.core.errors import FieldRuleError

    with pytest.raises(FieldRuleError):
        play(Core("u", DEPLOYMENT).submit(Order(1, 2048, 1, 0, 1, 10, 10, 0)), script())


def test_swap_is_repeatable_only_if_it_sells_an_order_out() -> None:
    maker, taker = Order(1, 2048, 1, 0, 1, 10, 10, 0), Order(2, 2048, 1, 1, 0, 20, 20, 0)
    assert is_repeatable(Swap(maker, taker, 10, 10))
    assert not is_repeatable(Swap(maker, taker, 5, 5))


# Waiting


def transaction(status: str) -> Answer:
    values = {"hash": NAME, "type": "transfer", "status": status, "is_final": status == "final", "block": 1}
    return told(values | {"position": 0, "operation": {}, "receipt": None, "confirmed_at": 1, "l1": {}})


class Node:
    """Answers by the kind of effect; what is heard on the WebSocket comes from a list."""

    def __init__(self, statuses: list[Any], heard: list[Any] | None = None) -> None:
        self.statuses, self.heard = statuses, heard

    def __call__(self, effect: Any) -> Any:
        match effect:
            case Ask(path="/v1/config"):
                return told(CONFIG)
            case Ask():
                return self.statuses.pop(0)
            case Open():
                return Lost("no", False) if self.heard is None else Channel(None)
            case Hear():
                return self.heard.pop(0) if self.heard else Lost("closed", True)
        return None


def test_wait_is_woken_by_the_subscription_and_believes_the_question() -> None:
    node = Node([transaction("confirmed"), transaction("committed"), transaction("final")], ["{}", "{}"])
    seen: list[str] = []
    found, effects = play(Core("u", DEPLOYMENT).wait(NAME, tell=lambda each: seen.append(each.status)), node)
    assert found.is_final
    assert seen == ["confirmed", "committed", "final"]
    assert [json.loads(effect.text)["hash"] for effect in effects if isinstance(effect, Say)] == [NAME]
    assert isinstance(effects[-1], Close)


@pytest.mark.parametrize("heard", [None, [Lost("closed", True)], ['{"error": {}}'], ["no json"]])
def test_wait_without_a_subscription_looks_again_and_again(heard: list[Any] | None) -> None:
    node = Node([transaction("confirmed")] * 3 + [transaction("final")], heard)
    found, effects = play(Core("u", DEPLOYMENT).wait(NAME), node)
    assert found.is_final
    assert len(pauses(effects)) >= 3


def test_wait_survives_a_node_that_is_away_for_a_while() -> None:
    away = [Lost("down", False)] * ATTEMPTS
    found, _ = play(Core("u", DEPLOYMENT).wait(NAME), Node([transaction("confirmed"), *away, transaction("final")]))
    assert found.is_final


def test_wait_of_what_the_node_does_not_know_is_refused_at_once() -> None:
    with pytest.raises(Refused):
        play(Core("u", DEPLOYMENT).wait(NAME), Node([refused(404, "transaction_unknown")]))


def test_wait_for_an_entry_of_the_queue_waits_until_the_node_has_seen_it() -> None:
    values = json.loads(transaction("confirmed").body) | {"hash": "queue:7", "type": "deposit"}
    found, _ = play(
        Core("u", DEPLOYMENT).wait("queue:7", "confirmed"),
        Node([refused(404), told(values | {"status": "waiting"}), told(values)]),
    )
    assert (found.queue_index, found.hash) == (7, None)


def test_wait_that_takes_too_long_says_how_far_it_is() -> None:
    with pytest.raises(NotFinalInTime) as caught:
        play(Core("u", DEPLOYMENT).wait(NAME, seconds=0), Node([transaction("committed")] * 9))
    assert caught.value.status == "committed"


def test_wait_closes_its_socket_when_it_fails() -> None:
    flow = Core("u", DEPLOYMENT).wait(NAME)
    effect = next(flow)
    while not isinstance(effect, Hear):
        effect = flow.send(Node([transaction("confirmed")], ["{}"])(effect))
    assert isinstance(flow.throw(KeyboardInterrupt()), Close)
    with pytest.raises(KeyboardInterrupt):
        flow.send(None)


# Reading


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b"[" * 100_000, b'{"a":' * 200 + b"1" + b"}" * 200, b"[{}]" * 60_000],
    ids=["empty", "cut", "bytes", "deep", "deep objects", "wide"],
)
def test_read_of_what_is_no_json_of_ours_is_refused(body: bytes) -> None:
    with pytest.raises(AnswerInvalid):
        read_json(body, "/").at("a")


def test_read_names_the_place_of_what_is_wrong() -> None:
    content = read_json(b'{"a": {"b": [1, "x"]}}', "/v1/x")
    with pytest.raises(AnswerInvalid) as caught:
        content.at("a").at("b").items()[1].number()
    assert (caught.value.path, caught.value.where) == ("/v1/x", "a.b[1]")


def test_words_of_a_node_cannot_move_the_terminals_cursor() -> None:
    said = told({"error": {"code": "x", "message": "no\x1b[2J\nyes", "values": {}}}, 422)
    with pytest.raises(Refused) as caught:
        play(Asking("u").account(7), script(said))
    assert str(caught.value) == "no?[2J?yes"
    with pytest.raises(AnswerInvalid):
        read_json(b'{"a": "\\u001b[2J"}', "/").at("a").text()
