"""What a client reads of a node, as flows; asked again when no answer comes."""

import time
from collections.abc import Callable
from typing import TypeVar

from rollup.client import answers
from rollup.client.errors import AnswerInvalid, ClientError, NodeNotAnswering, Refused
from rollup.client.flow import REQUEST_SECONDS, Answer, Ask, Flow, Lost, Pause
from rollup.client.model import AccountState, NodeConfig, NodeStatus, Page, Quote, Transaction
from rollup.client.reading import Reader
from rollup.client.retrying import AGAIN, ATTEMPTS, UNASKED, content_of, pause_before, perhaps_blocking
from rollup.client.trust import Deployment, Watch, check_node, check_signed_by_validator
from rollup.l1.rpc import JsonRpc

T = TypeVar("T")


class Asking:
    """One node, seen from a user's side.

    Args:
        url: Its address.
        deployment: Which rollup it must be of; None until it was pinned.
        l1: A node of L1 that is asked too, if there is one.
        attempts: How often a question is asked.
        seconds: How long each attempt may take.
        clock: Unix seconds.
    """

    def __init__(
        self,
        url: str,
        deployment: Deployment | None = None,
        l1: JsonRpc | None = None,
        attempts: int = ATTEMPTS,
        seconds: float = REQUEST_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.url, self.l1, self.clock = url, l1, clock
        self.sending_l1 = l1
        self._deployment, self._attempts, self._seconds = deployment, attempts, seconds
        self._config: NodeConfig | None = None
        self._watch: Watch | None = None

    @property
    def watch(self) -> Watch | None:
        """The contract on L1, if there is a way to it."""
        if self._watch is None and self.l1 is not None and self._deployment is not None:
            self._watch = Watch(self.l1, self._deployment)
        return self._watch

    def known(self) -> Flow[Deployment]:
        """Which rollup it is; a node of another one is refused before anything else is asked."""
        if self._config is None or self._deployment is None:
            yield from self.config()
        assert self._deployment is not None
        return self._deployment

    # What reads

    def config(self) -> Flow[NodeConfig]:
        """What the node says that it is, held to the deployment; without one, what it says is taken from then on.

        Raises: NodeOfAnother.
        """
        config = yield from self._get("/v1/config", answers.config)
        if self._deployment is None:
            self._deployment = Deployment.of_node(config)
        check_node(self.url, config, self._deployment, self.l1 is not None)
        self._config = config
        return config

    def status(self) -> Flow[NodeStatus]:
        """Whether the node takes operations, and how it is."""
        return (yield from self._get("/v1/status", answers.status))

    def account(self, account_id: int) -> Flow[AccountState]:
        """An account by its id.

        Raises: Refused: `account_unknown`.
        """
        found = yield from self._get(f"/v1/accounts/{account_id}", answers.account)
        if found.account_id != account_id:
            raise AnswerInvalid(f"/v1/accounts/{account_id}", "id", f"it is of account {found.account_id}")
        return found

    def accounts(self, address: str) -> Flow[tuple[AccountState, ...]]:
        """The accounts of an L1 address, the oldest first."""
        path = f"/v1/accounts?address={address}"
        found = yield from self._get(path, answers.accounts)
        for account in found:
            if int(account.address, 16) != int(address, 16):
                raise AnswerInvalid(path, "address", f"account {account.account_id} is of {account.address}")
        return found

    def history(self, account_id: int, cursor: str | None = None, limit: int = 50) -> Flow[Page[Transaction]]:
        """What an account paid and got, newest first."""
        more = "" if cursor is None else f"&cursor={cursor}"
        path = f"/v1/accounts/{account_id}/transactions?limit={limit}{more}"
        return (yield from self._get(path, answers.transactions))

    def quote(self, kind: str, token: str) -> Flow[Quote]:
        """What the node asks for an operation of a kind (`transfer`, ...), paid in a token."""
        path = f"/v1/fees?type={kind}&token={token}"
        found = yield from self._get(path, answers.quote)
        if (found.kind, found.token) != (kind, token):
            raise AnswerInvalid(path, "(all)", f"it is of a {found.kind} in {found.token}")
        return found

    def transaction(self, name: str) -> Flow[Transaction]:
        """An operation by its hash, or `queue:N`, an entry of L1's queue; its receipt, if any, is a validator's.

        Raises: Refused: `transaction_unknown`; ReceiptError.
        """
        path = f"/v1/transactions/{name}"
        found = yield from self._get(path, answers.transaction)
        named = found.hash if found.queue_index is None else f"queue:{found.queue_index}"
        if named is not None and named.lower() != name.lower():
            raise AnswerInvalid(path, "hash", f"it is {named}")
        if found.receipt is not None:
            if "0x" + found.receipt.operation_hash.hex() != name.lower():
                raise AnswerInvalid(path, "receipt.operation_hash", "it is another operation's")
            deployment = yield from self.known()
            receipt, watch = found.receipt, self.watch
            yield from perhaps_blocking(watch, lambda: check_signed_by_validator(receipt, deployment, watch))
        return found

    def _get(self, path: str, read: Callable[[Reader], T]) -> Flow[T]:
        outcome: Answer | Lost = UNASKED
        for attempt in range(self._attempts):
            if attempt:
                yield Pause(pause_before(attempt, outcome))
            outcome = yield Ask("GET", path, None, self._seconds)
            if isinstance(outcome, Answer) and outcome.status not in AGAIN:
                return read(content_of(outcome, path))
        raise self._unanswered(outcome, path)

    def _unanswered(self, outcome: Answer | Lost, path: str) -> ClientError:
        if isinstance(outcome, Lost):
            return NodeNotAnswering(self.url, outcome.reason, self._attempts)
        try:
            content_of(outcome, path)
        except Refused as refusal:
            return refusal
        except AnswerInvalid:
            pass
        return NodeNotAnswering(self.url, f"HTTP {outcome.status}", self._attempts)
