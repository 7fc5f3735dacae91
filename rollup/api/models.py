"""What answers look like: the OpenAPI document's schemas are made from here. Answers are not held to them at run time;
tests do that (tests/api/test_api_schema.py).
"""

from enum import StrEnum
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import PlainTextResponse

from rollup.api.pricing import PRICED
from rollup.api.stages import BlockStage, Stage

Amount: TypeAlias = Annotated[str, Field(pattern="^(0|[1-9][0-9]*)$", description="In the token's smallest unit.")]
Wei: TypeAlias = Annotated[str, Field(pattern="^(0|[1-9][0-9]*)$")]
Address: TypeAlias = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{40}$", description="With EIP-55's checksum.")]
Word: TypeAlias = Annotated[str, Field(pattern="^0x[0-9a-f]{64}$")]
Bytes: TypeAlias = Annotated[str, Field(pattern="^0x([0-9a-f]{2})*$")]
Name: TypeAlias = Annotated[
    str,
    Field(pattern="^(0x[0-9a-f]{64}|queue:[0-9]+)$", description="The operation's hash, or its place in L1's queue."),
]
Time: TypeAlias = Annotated[int, Field(description="Unix seconds.")]
QuotedType = StrEnum("QuotedType", {name.upper(): name for name in PRICED})  # type: ignore[misc]  # not a literal
PlainText = PlainTextResponse


class Answer(BaseModel):
    """Base of all: nothing that is not said here."""

    model_config = ConfigDict(extra="forbid")


class Fault(Answer):
    """What is wrong, the values, the way out."""

    code: Annotated[str, Field(description="Stable; what programs decide by.", pattern="^[a-z0-9_]+$")]
    message: str
    values: Annotated[
        dict[str, Any],
        Field(description="In question: amounts and what is above 2^53 as strings, addresses and hashes in hex."),
    ]


class Error(Answer):
    """Every answer that is not 2xx."""

    error: Fault


class Health(Answer):
    """The process answers."""

    status: Literal["alive"]


class Ready(Answer):
    """Whether operations are taken."""

    ready: bool
    reasons: list[Fault]


class Token(Answer):
    """A listed token. ETH has the address 0."""

    id: int
    symbol: str
    decimals: int
    address: Address


class Tokens(Answer):
    """The listed tokens."""

    tokens: list[Token]


class Protocol(Answer):
    """Constants of the protocol (docs/protocol.md)."""

    amount_mantissa_bits: int
    fee_mantissa_bits: int
    exponent_bits: int
    order_amount_bits: int
    first_order_slot: int
    order_slots: int
    max_l1_operations_per_block: int
    receipt_window_seconds: int
    proof_deadline_seconds: int
    queue_expiry_seconds: int


class Limits(Answer):
    """How much is taken; 0 requests a second, connections or subscribers of one client: as many as come."""

    body_bytes: int
    batch_operations: int
    page_entries: int
    requests_per_second: float
    request_burst: int
    connections: int
    connections_of_one: int
    subscribers: int
    subscribers_of_one: int
    subscriptions: int
    message_bytes: int
    unread_messages: int
    header_bytes: int
    header_seconds: float
    body_seconds: float
    write_seconds: float
    idle_seconds: float


class Config(Answer):
    """What a client must know once."""

    version: str
    chain_id: int
    rollup: Address
    deployed_at: Annotated[int, Field(description="L1 block to read the rollup's events from.")]
    contracts: dict[str, Address]
    tokens: list[Token]
    fee_tokens: Annotated[list[str], Field(description="Symbols of the tokens that fees can be paid in.")]
    block_sizes: Annotated[list[int], Field(description="Steps.")]
    validator: Annotated[Address, Field(description="Who signs receipts.")]
    validator_set: Word
    confirmations: Annotated[int, Field(description="L1 blocks on top of a deposit before it is taken in.")]
    protocol: Protocol
    limits: Limits


class Components(Answer):
    """What a fee is made of, in wei."""

    l1_data: Wei
    l1_execution: Wei
    proving: Wei


class Quote(Answer):
    """A fee to offer, encodable as one."""

    type: str
    token: str
    fee: Amount
    gas: int
    components: Components
    base_fee_wei: Wei
    margin_percent: int
    valid_until: Time


class OrderState(Answer):
    """An order slot that was used: its latest order, and how much of what it sells is sold."""

    slot: int
    order_id: int
    filled: Amount


class Holdings(Answer):
    """Of an account at one time; balances by the token's symbol, none that are 0."""

    nonce: int
    balances: dict[str, Amount]
    orders: list[OrderState]


class Account(Answer):
    """An account."""

    id: int
    address: Address
    has_key: bool
    key: Annotated[list[Word] | None, Field(min_length=2, max_length=2)]
    confirmed: Annotated[Holdings, Field(description="As receipts promise it; what can be spent.")]
    final: Annotated[
        Holdings | None,
        Field(description="As L1 has executed it; null for a while after a node's database was rebuilt."),
    ]


class Accounts(Answer):
    """The accounts of an address."""

    accounts: list[Account]


class Receipt(Answer):
    """The validator's signed promise (docs/protocol.md, 13), as `sluice receipt verify` reads it."""

    chain_id: int
    rollup: Address
    block_number: int
    chunk_position: int
    chunks: Bytes
    word_position: int
    record: Bytes
    operation_hash: Word
    recipient: Address
    issued_at: Time
    commit_by: Time
    validator_set: Word
    signature: Bytes


class Landed(Answer):
    """Where something happened on L1."""

    transaction: str | None
    l1_block: int | None
    at: Time


class OnL1(Answer):
    """Null where it has not happened, or is not known here."""

    committed: Landed | None
    proven: Landed | None
    executed: Landed | None


class Confirmed(Answer):
    """An operation that was taken."""

    hash: Word
    status: Stage
    is_final: bool
    block: int
    position: Annotated[int, Field(description="Of its first chunk in the block's L2 stream.")]
    receipt: Receipt


class Refused(Error):
    """An operation of a batch that was not taken, with the status that it would have had alone."""

    status_code: int


class Results(Answer):
    """In the order of what was sent."""

    results: list[Confirmed | Refused]


class Listed(Answer):
    """An operation that was taken, and how far it is."""

    hash: Name
    type: str
    status: Stage
    is_final: bool
    block: int
    position: int
    accounts: Annotated[list[int], Field(description="That it names.")]
    operation: Annotated[dict[str, Any], Field(description="In the wire form; the queue's as published.")]
    confirmed_at: Time


class Transactions(Answer):
    """A page of operations."""

    transactions: list[Listed]
    next_cursor: str | None


class Occurrence(Answer):
    """Where an operation stands."""

    block: int
    position: int


class Transaction(Answer):
    """An operation. An entry of L1's queue has no receipt, and while it is `waiting` no place."""

    hash: Name
    type: str
    status: Stage | Literal["waiting"]
    is_final: bool
    block: int | None
    position: int | None
    accounts: list[int]
    operation: dict[str, Any]
    confirmed_at: Time | None
    receipt: Receipt | None
    l1: OnL1
    occurrences: Annotated[
        list[Occurrence], Field(description="Oldest first, the latest 100; more than one only of a swap.")
    ]


class Trace(Answer):
    """An operation's way through the node."""

    hash: Name
    stages: Annotated[
        list[dict[str, Any]],
        Field(description="`stage`, `at` (unix seconds), and where that was, each in the order of time."),
    ]


class Block(Answer):
    """A block. What is null is not known yet; a block that a rebuilt node got from L1 has no operations here."""

    number: int
    status: BlockStage
    is_final: bool
    timestamp: Time
    opened_at: Time
    commit_by: Annotated[int, Field(description="When L1 must have it, unix seconds.")]
    operations: Annotated[int, Field(description="How many.")]
    size: Annotated[int | None, Field(description="Steps.")]
    fee_account: int | None
    queue_start: int
    validator_set: Word
    root: Annotated[Word | None, Field(description="Of the state after it.")]
    commitment: Word | None
    l1: OnL1


class Blocks(Answer):
    """A page of blocks."""

    blocks: list[Block]
    next_cursor: str | None


class QueueEntry(Answer):
    """An entry of L1's queue. `waiting`: the node has not taken it in yet."""

    index: int
    hash: Name
    operation: dict[str, Any]
    status: Stage | Literal["waiting"]
    block: int | None
    expiry: Annotated[int | None, Field(description="From when on it opens exodus if it was not served, unix seconds.")]


class Queue(Answer):
    """L1's queue from the first entry that is not executed on."""

    first_index: int
    next_index: Annotated[int, Field(description="The next that the node takes in.")]
    waiting: Annotated[
        int | None, Field(description="Entries that L1 has and the node has not taken; null: L1 does not say.")
    ]
    oldest_expiry: Time | None
    seen_at: Annotated[int | None, Field(description="When L1 last said so, unix seconds; null: it does not say.")]
    confirmations: int
    entries: list[QueueEntry]
    next_cursor: str | None


class BlockNumbers(Answer):
    """The last block of each stage; `open` is null if none is."""

    open: int | None
    closed: int
    sealed: int
    ready: Annotated[int, Field(description="Has its proof here.")]
    committed: int
    proven: int
    final: int


class QueueStatus(Answer):
    """Of L1's queue."""

    next_index: int


class L1(Answer):
    """L1 as last seen; null: not seen yet."""

    head: int | None
    base_fee_wei: Wei | None
    sender: Address | None
    sender_balance_wei: Wei | None
    seen_at: Time | None


class Faults(Answer):
    """What is wrong now, by part; null: nothing."""

    node: str | None
    l1: str | None
    storage: str | None
    proving: str | None


class NodeStatus(Answer):
    """How the node is doing."""

    accepting: bool
    reasons: list[Fault]
    blocks: BlockNumbers
    backlog: Annotated[int, Field(description="Closed blocks without a proof.")]
    seconds_a_block: Annotated[float, Field(description="That one takes to prove, as of late.")]
    queue: QueueStatus
    l1: L1
    faults: Faults
    notices: Annotated[list[Fault], Field(description="What the operator should know.")]
    time: Time


_ERRORS = {
    400: "Malformed: a parameter or field is not of its form.",
    404: "There is no such thing.",
    405: "The path has other methods.",
    408: "The body did not come in time.",
    409: "The nonce was used, or is not due yet.",
    413: "Too large: more than the limits of /v1/config.",
    422: "Well-formed, and cannot be included: the code says why.",
    429: "Too many requests from this address; `Retry-After` says when to come back.",
    503: "Not now; `Retry-After` says when to try again. What has a receipt stands.",
}
_RETRY = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answers of a route that are errors."""
    return {
        status: {"model": Error, "description": _ERRORS[status]} | ({"headers": _RETRY} if status in (429, 503) else {})
        for status in statuses
    }


NOT_READY: dict[int | str, dict[str, Any]] = {
    503: {"model": Ready, "description": "Operations are not taken now; the reasons say why."},
    **errors(429),
}
