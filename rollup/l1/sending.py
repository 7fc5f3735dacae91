"""What every way of sending to L1 shares: it asks first what a call would do, so that a refusal costs nothing and has
a name. `sender.py` sends through ape, `key_sender.py` with a private key alone."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from eth_abi.abi import encode

from rollup.l1.abi import selector
from rollup.l1.errors import GasLimitExceeded, L1Error, TransactionReverted
from rollup.l1.refusals import Refusals
from rollup.l1.rpc import JsonRpc, Rpc, RpcError

TRANSACTION_GAS_LIMIT: Final = 1 << 24
"""EIP-7825; anvil holds transactions to it with --enable-tx-gas-limit."""
BASE_GAS: Final = 21_000
TOKENS_PER_NONZERO_BYTE: Final = 4
GAS_PER_TOKEN: Final = 4
FLOOR_GAS_PER_TOKEN: Final = 10
"""EIP-7623: a transaction costs at least the base and this per token of calldata."""
_MARGIN_NUMERATOR, _MARGIN_DENOMINATOR = 6, 5


def calldata_tokens(data: bytes) -> int:
    """Return EIP-7623's tokens: 1 a zero byte, 4 any other."""
    zeros = data.count(0)
    return zeros + TOKENS_PER_NONZERO_BYTE * (len(data) - zeros)


def data_gas(data: bytes, gas_used: int) -> int:
    """Return what of a transaction's gas is for its calldata: by the floor price if the floor decided."""
    tokens = calldata_tokens(data)
    floor = FLOOR_GAS_PER_TOKEN * tokens
    return floor if gas_used <= BASE_GAS + floor else GAS_PER_TOKEN * tokens


def request(sender: str, to: str | None, data: bytes, wei: int = 0) -> dict[str, str]:
    """A call as eth_call and eth_estimateGas take it; creation code with `to` None."""
    return {"from": sender, "data": "0x" + data.hex(), "value": hex(wei)} | ({} if to is None else {"to": to})


def allowed_gas(rpc: Rpc, refusals: Refusals, action: str, call: dict[str, str]) -> int:
    """Return the gas to allow a call: the node's estimate and a fifth.

    Args:
        rpc: The node.
        refusals: The errors to recognise.
        action: What it is, for messages.
        call: As `request` gives it.

    Raises: ContractRefused, TransactionReverted: it would fail. GasLimitExceeded, NodeUnreachable.
    """
    try:
        gas = int(rpc("eth_estimateGas", call), 16)
    except RpcError as error:
        raise refusals.decode(action, error.revert_data(), error.text) from error
    if gas > TRANSACTION_GAS_LIMIT:
        raise GasLimitExceeded(action, gas, TRANSACTION_GAS_LIMIT)
    return min(gas * _MARGIN_NUMERATOR // _MARGIN_DENOMINATOR, TRANSACTION_GAS_LIMIT)


def failure(rpc: Rpc, refusals: Refusals, action: str, call: dict[str, str], receipt: dict[str, Any]) -> L1Error:
    """Return the exception for a call that failed in a block although it was estimated well; see `allowed_gas`.

    Raises: NodeUnreachable.
    """
    try:
        rpc("eth_call", call, receipt["blockNumber"])
    except RpcError as error:
        return refusals.decode(action, error.revert_data(), error.text)
    return TransactionReverted(action, f"{receipt['transactionHash']} failed, though repeated it does not")


class Account(Protocol):
    """Who signs and pays: one of ape's accounts, or a key; each sender signs for its own kind."""

    @property
    def address(self) -> str:
        """Checksummed."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A transaction that landed. Gas as charged; `gas_data` of it for the calldata; `contract` is what it created."""

    transaction: str
    l1_block: int
    gas_used: int
    gas_data: int
    contract: str | None = None


class Sending(ABC):
    """A way to send.

    Args:
        rpc: The node.
        refusals: The errors to recognise.
    """

    def __init__(self, rpc: JsonRpc, refusals: Refusals) -> None:
        self.rpc = rpc
        self.refusals = refusals

    def call(
        self,
        action: str,
        to: str,
        name: str,
        types: Sequence[str],
        values: Sequence[Any],
        account: Account,
        wei: int = 0,
    ) -> Sent:
        """Send a contract call and wait for it.

        Args:
            action: What it is, for messages.
            to: The contract.
            name, types, values: Function and arguments.
            account: Who signs and pays.
            wei: ETH to send along.

        Raises: ContractRefused, TransactionReverted, GasLimitExceeded, NodeUnreachable, and what else sending raises.
        """
        return self.send(action, to, selector(name, types) + encode(list(types), list(values)), account, wei)

    def send(self, action: str, to: str | None, data: bytes, account: Account, wei: int = 0) -> Sent:
        """Send raw calldata, or creation code with `to` None; see `call`."""
        gas = allowed_gas(self.rpc, self.refusals, action, request(str(account.address), to, data, wei))
        return self._land(action, to, data, account, wei, gas)

    @abstractmethod
    def _land(self, action: str, to: str | None, data: bytes, account: Account, wei: int, gas: int) -> Sent:
        """Sign, send, and wait until it is in an L1 block."""
