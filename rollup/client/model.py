"""What a node answers, typed. Amounts in the tokens' smallest units, times in unix seconds, addresses with checksum."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from rollup.core.operations import Key
from rollup.core.receipt import Receipt
from rollup.core.wire import WireOperation
from rollup.wallet.tokens import Token

FINAL: Final = "final"
"""The status of what L1 has executed; before it, a status says how far its block is."""
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Listed(Token):
    """A token of the rollup; the address of ETH is zero."""

    address: str


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """What a node says that it is.

    Args:
        validator: Whose receipts it gives.
        validator_set: Of the contract, as the node last saw it; 32 bytes in hex.
        contracts: Addresses by name.
        confirmations: L1 blocks on top of a deposit before it is credited.
        limits: The API's, by name.
        deployed_at: L1 block to read events from, if the node says.
        l1_genesis: Hash of L1's block 0, if the node says.
    """

    chain_id: int
    rollup: str
    tokens: tuple[Listed, ...]
    validator: str
    validator_set: str
    block_sizes: tuple[int, ...]
    contracts: Mapping[str, str]
    confirmations: int
    limits: Mapping[str, Any]
    version: str
    deployed_at: int | None = None
    l1_genesis: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """An account at one time: its next nonce, its balances by symbol, its order slots' latest order ids by slot."""

    nonce: int
    balances: Mapping[str, int]
    orders: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class AccountState:
    """An account: with all that has a receipt (confirmed), and with what L1 has executed (final; None: not known)."""

    account_id: int
    address: str
    key: Key | None
    confirmed: Standing
    final: Standing | None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What was submitted and has a receipt, which was checked. `confirmed` is not final: L1 has not executed it.

    Args:
        hash: Names the operation, 32 bytes in hex.
        operation: As submitted.
        receipt: The validator's signed promise.
        status: How far its block is; FINAL if L1 has executed it.
    """

    hash: str
    operation: WireOperation
    receipt: Receipt
    status: str

    @property
    def is_final(self) -> bool:
        """Whether L1 has executed it, as the node says."""
        return self.status == FINAL


@dataclass(frozen=True, slots=True)
class Transaction:
    """An operation and how far it is.

    Args:
        hash: Of a user's operation; None of the queue's.
        queue_index: Of the queue's entry; None of a user's.
        status: `waiting` (in L1's queue alone), confirmed, committed, proven, final.
        kind: As in its wire form, or deposit, full_exit.
        block, position: Where it stands; None while L1's queue has it and no block.
        operation: As the node shows it.
        receipt: A user's; None where the answer has none.
        confirmed_at: When it was taken in, unix seconds.
        l1: What L1 did with its block (committed, proven, executed), as far as it is.
    """

    hash: str | None
    queue_index: int | None
    status: str
    kind: str
    block: int | None
    position: int | None
    operation: Mapping[str, Any]
    receipt: Receipt | None
    confirmed_at: int | None
    l1: Mapping[str, "OnL1"]

    @property
    def is_final(self) -> bool:
        """Whether L1 has executed it, as the node says."""
        return self.status == FINAL


@dataclass(frozen=True, slots=True)
class OnL1:
    """A stage on L1: the transaction and its block, if they are known, and when it was seen, unix seconds."""

    transaction: str | None
    l1_block: int | None
    at: int


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """A part of a list, and where the next begins; None: nowhere."""

    items: tuple[Item, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Quote:
    """What a node asks for an operation, in the token's smallest units.

    Args:
        gas: What it costs on L1.
        components: The fee by what it pays for.
        valid_until: Until when the node takes it, unix seconds.
    """

    kind: str
    token: str
    fee: int
    gas: int
    components: Mapping[str, int]
    base_fee_wei: int | None
    valid_until: int


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """Whether new operations are taken, and why not; all else as the node says it."""

    accepting: bool
    reasons: tuple[str, ...]
    values: Mapping[str, Any]
