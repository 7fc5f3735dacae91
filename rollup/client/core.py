"""What a client submits to a node, and believes of its answers, as flows: the one place where that is decided.

A submission is asked again when no answer comes, as its hash makes it the same one: but a Swap that fills its orders in
part, which would fill them twice. Where an answer was lost, "no" is not believed before the operation was looked for by
its hash.
"""

import json
from collections.abc import Sequence
from typing import Final

from rollup.client import answers
from rollup.client.errors import (
    AnswerInvalid,
    ClientError,
    NodeOfAnother,
    Refused,
    SubmissionUnknown,
)
from rollup.client.flow import Answer, Ask, Flow, Lost, Pause, Work
from rollup.client.model import Confirmed
from rollup.client.reading import Reader
from rollup.client.retrying import (
    AGAIN,
    UNASKED,
    content_of,
    is_doubt,
    is_repeatable,
    may_be_taken,
    name_of,
    pause_before,
    perhaps_blocking,
)
from rollup.client.trust import Deployment, check_receipt
from rollup.client.waiting import Waiting
from rollup.core.errors import FieldRuleError, SluiceError
from rollup.core.receipt import Receipt
from rollup.core.wire import WireOperation, to_wire

BATCH_OPERATIONS: Final = 100
"""Sent at once where the node has not said how many it takes."""


class Core(Waiting):
    """See Asking for what it is made of."""

    def submit(self, operation: WireOperation) -> Flow[Confirmed]:
        """Submit a signed operation; what was taken in before gives its receipt again.

        Raises:
            Refused: it is not taken in.
            SubmissionUnknown: it may have been taken in.
            ReceiptError: the node's promise is not what was asked for.
            NodeNotAnswering: it has not got there.
        """
        deployment = yield from self._prepared()
        name = name_of(operation, deployment)
        body = json.dumps(to_wire(operation), separators=(",", ":")).encode()
        path, outcome, is_doubtful = "/v1/transactions", UNASKED, False
        for attempt in range(self._attempts):
            if attempt:
                yield Pause(pause_before(attempt, outcome))
            outcome = yield Ask("POST", path, body, self._seconds)
            if isinstance(outcome, Answer) and outcome.status not in AGAIN:
                try:
                    said = _of(name, content_of(outcome, path))
                except Refused as refusal:
                    return (yield from self._believed(refusal, operation, name, is_doubtful))
                except AnswerInvalid as error:
                    outcome = Lost(error.reason, True)
                else:
                    return (yield from self._confirmed(said, operation, name))
            is_doubtful = is_doubtful or may_be_taken(outcome, path)
            if is_doubtful and not is_repeatable(operation):
                break
        failure = self._unanswered(outcome, path)
        return (yield from self._believed(failure, operation, name, is_doubtful, is_over=True))

    def submit_many(self, operations: Sequence[WireOperation]) -> Flow[list[Confirmed | SluiceError]]:
        """Submit operations that do not depend on each other, many at once; of each what becomes of it, in order.

        Raises: FieldRuleError: one of them is a swap that could be filled twice.
        """
        for operation in operations:
            if not is_repeatable(operation):
                raise FieldRuleError("operations", "swap", "a swap of parts of its orders is submitted alone")
        yield from self._prepared()
        assert self._config is not None
        most = self._config.limits.get("batch_operations")
        most = most if isinstance(most, int) and most > 0 else BATCH_OPERATIONS
        results: list[Confirmed | SluiceError] = []
        for start in range(0, len(operations), most):
            results += yield from self._submit_some(operations[start : start + most])
        return results

    def _prepared(self) -> Flow[Deployment]:
        """Before anything is sent: which rollup it is, and that L1, if it is asked, answers and knows the validator."""
        deployment = yield from self.known()
        watch, config = self.watch, self._config
        assert config is not None
        if watch is not None and not (yield Work(lambda: watch.is_validator(config.validator))):
            raise NodeOfAnother(self.url, "validator", "one that L1 knows", config.validator)
        return deployment

    def _submit_some(self, operations: Sequence[WireOperation]) -> Flow[list[Confirmed | SluiceError]]:
        body = json.dumps({"operations": [to_wire(each) for each in operations]}, separators=(",", ":")).encode()
        path, outcome, is_doubtful, listed = "/v1/transactions/batch", UNASKED, False, None
        for attempt in range(self._attempts):
            if attempt:
                yield Pause(pause_before(attempt, outcome))
            outcome = yield Ask("POST", path, body, self._seconds)
            if isinstance(outcome, Answer) and outcome.status not in AGAIN:
                try:
                    listed = answers.results(content_of(outcome, path), len(operations))
                    break
                except AnswerInvalid as error:
                    outcome = Lost(error.reason, True)
            is_doubtful = is_doubtful or may_be_taken(outcome, path)
        deployment = yield from self.known()
        results: list[Confirmed | SluiceError] = []
        for index, operation in enumerate(operations):
            name = name_of(operation, deployment)
            found = self._unanswered(outcome, path) if listed is None else listed[index]
            try:
                if isinstance(found, Reader):
                    results.append((yield from self._confirmed(_of(name, found), operation, name)))
                else:
                    doubt = is_doubtful or (isinstance(found, Refused) and is_doubt(found))
                    results.append(
                        (yield from self._believed(found, operation, name, doubt, is_over=listed is None or doubt))
                    )
            except SluiceError as error:
                results.append(error)
        return results

    def _confirmed(self, said: tuple[str, Receipt], operation: WireOperation, name: str) -> Flow[Confirmed]:
        status, receipt = said
        deployment = yield from self.known()
        watch, clock = self.watch, self.clock
        yield from perhaps_blocking(watch, lambda: check_receipt(receipt, operation, deployment, watch, clock))
        return Confirmed(name, operation, receipt, status)

    def _believed(
        self, failure: ClientError, operation: WireOperation, name: str, is_doubtful: bool, is_over: bool = False
    ) -> Flow[Confirmed]:
        """A failure, once it is known that the operation was not taken in all the same."""
        if not is_doubtful:
            raise failure
        found: Confirmed | None = None
        if is_repeatable(operation):
            try:
                found = yield from self.find(operation)
            except ClientError:
                is_over = True
        if found is not None:
            return found
        if is_over or not is_repeatable(operation):
            raise SubmissionUnknown(name, str(failure)) from failure
        raise failure

    def find(self, operation: WireOperation) -> Flow[Confirmed | None]:
        """What became of an operation that was submitted before; None: the node does not know it.

        Raises: ReceiptError, Refused, NodeNotAnswering.
        """
        deployment = yield from self.known()
        name = name_of(operation, deployment)
        try:
            found = yield from self.transaction(name)
        except Refused as refusal:
            if refusal.status == 404:
                return None
            raise
        if found.receipt is None:
            raise AnswerInvalid(f"/v1/transactions/{name}", "receipt", "it is missing")
        receipt, watch, clock = found.receipt, self.watch, self.clock
        yield from perhaps_blocking(watch, lambda: check_receipt(receipt, operation, deployment, watch, clock))
        return Confirmed(name, operation, receipt, found.status)


def _of(name: str, content: Reader) -> tuple[str, Receipt]:
    """The status and receipt that an answer gives for the operation of this name.

    Raises: AnswerInvalid.
    """
    said, status, receipt = answers.confirmed(content)
    if said != name:
        raise AnswerInvalid(content.path, "hash", f"it is {said}, what was submitted is {name}")
    return status, receipt
