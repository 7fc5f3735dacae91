"""What is to be sent, and what it would do: asked before anything is signed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from eth_abi.abi import encode

from rollup.l1.abi import selector
from rollup.l1.errors import GasLimitExceeded
from rollup.l1.refusals import Refusals
from rollup.l1.rpc import Rpc
from rollup.l1.sending import TRANSACTION_GAS_LIMIT, allowed_gas, request


@dataclass(frozen=True, slots=True)
class Call:
    """What is to happen on L1.

    Args:
        action: What it is, for messages, such as "the commit".
        to: The contract; None to create one.
        data: Calldata, or creation code.
        wei: ETH to send along.
        gas_limit: What it may use, at most TRANSACTION_GAS_LIMIT. None asks the node, which can tell only when all is
            mined that the call builds on: until then the call waits.
    """

    action: str
    to: str | None
    data: bytes = b""
    wei: int = 0
    gas_limit: int | None = None

    @classmethod
    def function(
        cls, action: str, to: str, name: str, types: Sequence[str], values: Sequence[Any], wei: int = 0
    ) -> Self:
        """The call of a contract's function by its name and the types of its arguments."""
        return cls(action, to, selector(name, types) + encode(list(types), list(values)), wei)

    def request(self, sender: str) -> dict[str, str]:
        """As eth_call and eth_estimateGas take it."""
        return request(sender, self.to, self.data, self.wei)


def gas_limit(rpc: Rpc, refusals: Refusals, call: Call, sender: str) -> int:
    """Return the gas to allow a call: its own limit, or what `allowed_gas` says.

    Raises: ContractRefused, TransactionReverted: it would fail. GasLimitExceeded, NodeUnreachable.
    """
    if call.gas_limit is None:
        return allowed_gas(rpc, refusals, call.action, call.request(sender))
    if call.gas_limit > TRANSACTION_GAS_LIMIT:
        raise GasLimitExceeded(call.action, call.gas_limit, TRANSACTION_GAS_LIMIT)
    return call.gas_limit
