"""What an answer is worth, and when a question is asked again."""

import random
from collections.abc import Callable
from typing import Final

from rollup.client import answers
from rollup.client.errors import AnswerInvalid, Refused
from rollup.client.flow import Answer, Flow, Lost, Work
from rollup.client.reading import Reader, read_json
from rollup.client.trust import Deployment, Watch
from rollup.core.operations import Swap
from rollup.core.receipt import operation_hash
from rollup.core.wire import WireOperation

ATTEMPTS: Final = 5
FIRST_PAUSE_SECONDS: Final = 0.2
LONGEST_PAUSE_SECONDS: Final = 5.0
AGAIN: Final = (408, 429, 500, 502, 503, 504)
NOT_TAKEN: Final = (
    "backlog",
    "no_fee_account",
    "queue_full",
    "rate_exceeded",
    "stopping",
    "too_many_connections",
    "too_many_of_client",
)
"""Codes of a node that surely did not take a submission in, although the status says it may be tried again."""
UNASKED: Answer | Lost = Lost("it was not asked", False)


def is_repeatable(operation: WireOperation) -> bool:
    """Whether submitting it twice does it once: by its nonces; a Swap only if it sells all of an order."""
    if not isinstance(operation, Swap):
        return True
    maker, taker = operation.maker, operation.taker
    return operation.maker_amount == maker.sell_amount or operation.taker_amount == taker.sell_amount


def name_of(operation: WireOperation, deployment: Deployment) -> str:
    return "0x" + operation_hash(operation, deployment.domain).hex()  # type: ignore[arg-type]  # an order is refused


def content_of(answer: Answer, path: str) -> Reader:
    """What an answer says.

    Raises: Refused, AnswerInvalid.
    """
    content = read_json(answer.body, path)
    if answer.status == 200:
        return content
    raise answers.refusal(content, answer.status)


def may_be_taken(outcome: Answer | Lost, path: str) -> bool:
    """Whether a submission without a good answer may have been taken in all the same."""
    if isinstance(outcome, Lost):
        return outcome.may_have_arrived
    try:
        content_of(outcome, path)
    except Refused as refusal:
        return is_doubt(refusal)
    except AnswerInvalid:
        pass
    return True


def is_doubt(refusal: Refused) -> bool:
    return refusal.status >= 500 and refusal.code not in NOT_TAKEN


def pause_before(attempt: int, outcome: Answer | Lost) -> float:
    """Seconds before the next attempt: longer each time, not in step with others, not shorter than the node says."""
    seconds: float = min(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), LONGEST_PAUSE_SECONDS) * random.uniform(0.5, 1)  # noqa: S311
    advice = outcome.retry_after if isinstance(outcome, Answer) else None
    return seconds if advice is None else max(seconds, min(advice, LONGEST_PAUSE_SECONDS))


def perhaps_blocking(watch: Watch | None, check: Callable[[], None]) -> Flow[None]:
    if watch is None:
        check()
    else:
        yield Work(check)
