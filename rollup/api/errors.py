"""Every way the API itself says no; what the core and the node refuse keeps its own code.

SluiceError (rollup.core.errors)
└── ApiError
    ├── RouteUnknown        404  there is no such path
    ├── MethodNotAllowed    405  the path has other methods
    ├── AccountUnknown      404  no account has this id
    ├── TransactionUnknown  404  no operation has this hash, or stands at this place
    ├── BlockUnknown        404  there is no such block
    ├── TokenUnknown        404  no token is called so
    ├── TokenUnpriced       422  no fee can be quoted in this token
    ├── BaseFeeUnknown      503  L1 was not seen yet, so no fee can be quoted
    ├── ParameterInvalid    400  a parameter of path or query is not of its form
    ├── RequestTooSlow      408  the body did not come in time
    ├── BodyTooLarge        413  the body has more bytes than are taken
    ├── BatchTooLarge       413  a list has more operations than are taken at once
    ├── RateExceeded        429  the client's address asks too often
    ├── TooManyOfClient     429  the client's address has as many connections or WebSockets as it may
    ├── TooManyConnections  503  no more connections are taken
    ├── TooManySubscribers  503  no more WebSockets are taken
    ├── TooManySubscriptions 429 a WebSocket has as many as it may
    ├── SubscriptionInvalid 400  what a client said on its WebSocket is not of its form
    ├── RequestMalformed    400  what came is not HTTP
    ├── HeadersTooLarge     431  the first line and the headers have more bytes than are taken
    └── Internal            500  a fault of Sluice
"""

from dataclasses import dataclass
from typing import ClassVar

from rollup.core.errors.base import DataError


class ApiError(DataError):
    """A request cannot be answered. `status` is HTTP's; `retry_after` in seconds, where trying again later helps."""

    code = "api"
    status: ClassVar[int] = 400


@dataclass(eq=False)
class RouteUnknown(ApiError):
    """There is no such path."""

    path: str
    code = "route_unknown"
    status = 404

    @property
    def message(self) -> str:
        return f"there is nothing at {self.path[:200]!r}: /v1/docs and /v1/openapi.json say what there is"


@dataclass(eq=False)
class MethodNotAllowed(ApiError):
    """The path has other methods."""

    method: str
    path: str
    allowed: str
    code = "method_not_allowed"
    status = 405

    @property
    def message(self) -> str:
        return f"{self.path[:200]!r} does not take {self.method[:20]}: use {self.allowed}"


@dataclass(eq=False)
class AccountUnknown(ApiError):
    """No account has this id."""

    account_id: int
    code = "account_unknown"
    status = 404

    @property
    def message(self) -> str:
        return f"no account has the id {self.account_id}: look it up by address, or deposit to it first"


@dataclass(eq=False)
class TransactionUnknown(ApiError):
    """No operation has this hash, or stands at this place."""

    hash: str
    code = "transaction_unknown"
    status = 404

    @property
    def message(self) -> str:
        return f"this node has taken no operation {self.hash}: submit it, or ask a node that has"


@dataclass(eq=False)
class BlockUnknown(ApiError):
    """There is no such block."""

    number: int
    last: int
    code = "block_unknown"
    status = 404

    @property
    def message(self) -> str:
        return f"there is no block {self.number}: the latest is {self.last}, and a rebuilt node lacks the oldest"


@dataclass(eq=False)
class TokenUnknown(ApiError):
    """No token is called so."""

    symbol: str
    known: tuple[str, ...]
    code = "token_unknown"
    status = 404

    @property
    def message(self) -> str:
        return f"no token is called {self.symbol[:40]!r}: there are {', '.join(self.known)}"


@dataclass(eq=False)
class TokenUnpriced(ApiError):
    """No fee can be quoted in this token."""

    symbol: str
    accepted: tuple[str, ...]
    code = "token_unpriced"
    status = 422

    @property
    def message(self) -> str:
        return f"no fee can be quoted in {self.symbol}: pay it in one of {', '.join(self.accepted)}"


@dataclass(eq=False)
class BaseFeeUnknown(ApiError):
    """L1 was not seen yet, so no fee can be quoted."""

    code = "base_fee_unknown"
    status = 503

    @property
    def message(self) -> str:
        return "the node has not seen L1's base fee since it started: ask again in a moment"


@dataclass(eq=False)
class ParameterInvalid(ApiError):
    """A parameter of path or query is not of its form."""

    name: str
    value: str
    rule: str
    code = "parameter_invalid"

    @property
    def message(self) -> str:
        return f"{self.name} is {self.value}: {self.rule}"


@dataclass(eq=False)
class RequestTooSlow(ApiError):
    """The body did not come in time."""

    seconds: float
    code = "request_too_slow"
    status = 408

    @property
    def message(self) -> str:
        return f"the body was not there after {self.seconds:g} s: send it at once"


@dataclass(eq=False)
class BodyTooLarge(ApiError):
    """The body has more bytes than are taken."""

    limit: int
    code = "body_too_large"
    status = 413

    @property
    def message(self) -> str:
        return f"the body has more than {self.limit} bytes: send less at once"


@dataclass(eq=False)
class BatchTooLarge(ApiError):
    """A list has more operations than are taken at once."""

    count: int
    limit: int
    code = "batch_too_large"
    status = 413

    @property
    def message(self) -> str:
        return f"{self.count} operations, at most {self.limit} are taken at once: send them in parts"


@dataclass(eq=False)
class RateExceeded(ApiError):
    """The client's address asks too often."""

    per_second: float
    retry_after: float
    code = "rate_exceeded"
    status = 429

    @property
    def message(self) -> str:
        return (
            f"more than {self.per_second:g} requests a second come from this address: wait {self.retry_after:.3f} s, "
            "and send many operations in one request (/v1/transactions/batch)"
        )


@dataclass(eq=False)
class TooManyOfClient(ApiError):
    """The client's address has as many as it may."""

    what: str
    limit: int
    retry_after: float = 10.0
    code = "too_many_of_client"
    status = 429

    @property
    def message(self) -> str:
        return f"{self.limit} {self.what} of this address are open, more are not taken: use those, or close some"


@dataclass(eq=False)
class TooManyConnections(ApiError):
    """No more connections are taken."""

    limit: int
    retry_after: float = 1.0
    code = "too_many_connections"
    status = 503

    @property
    def message(self) -> str:
        return f"{self.limit} connections are open, more are not taken: close some, or try again later"


@dataclass(eq=False)
class TooManySubscribers(ApiError):
    """No more WebSockets are taken."""

    limit: int
    retry_after: float = 10.0
    code = "too_many_subscribers"
    status = 503

    @property
    def message(self) -> str:
        return f"{self.limit} WebSockets are open, more are not taken: subscribe to more on one, or try again later"


@dataclass(eq=False)
class TooManySubscriptions(ApiError):
    """A WebSocket has as many subscriptions as it may."""

    limit: int
    code = "too_many_subscriptions"
    status = 429

    @property
    def message(self) -> str:
        return f"this WebSocket has {self.limit} subscriptions, more are not taken: end some, or open another"


@dataclass(eq=False)
class SubscriptionInvalid(ApiError):
    """What a client said on its WebSocket is not of its form."""

    name: str
    rule: str
    code = "subscription_invalid"

    @property
    def message(self) -> str:
        return f"{self.name}: {self.rule}"


@dataclass(eq=False)
class RequestMalformed(ApiError):
    """What came is not HTTP."""

    code = "request_malformed"

    @property
    def message(self) -> str:
        return "this is not HTTP/1.1: use a client that speaks it"


@dataclass(eq=False)
class HeadersTooLarge(ApiError):
    """The first line and the headers have more bytes than are taken."""

    limit: int
    code = "headers_too_large"
    status = 431

    @property
    def message(self) -> str:
        return f"first line and headers have more than {self.limit} bytes: send shorter ones"


@dataclass(eq=False)
class Internal(ApiError):
    """A fault of Sluice; the node's log has more under this reference."""

    reference: str
    code = "internal"
    status = 500

    @property
    def message(self) -> str:
        return f"a fault of Sluice: please report it with its reference, {self.reference}; what has a receipt stands"
