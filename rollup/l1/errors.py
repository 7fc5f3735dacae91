"""Every way L1, or the way to it, says no.

    SluiceError (rollup.core.errors)
    └── L1Error
        ├── PortInUse                    somebody else listens there
        ├── AnvilNotReady                anvil did not start, or refused a call
        ├── AnvilDied                    anvil ended in the middle
        ├── NodeUnreachable              the JSON-RPC endpoint does not answer
        ├── TransactionReverted          without an error of ours
        ├── ContractRefused              with a custom error: its name, its data, the way out
        ├── GasLimitExceeded             over EIP-7825's limit of a transaction
        ├── DeploymentRefused            a key or chain this must not be deployed with or on
        ├── ManifestInvalid              the manifest is not one, or not of this chain
        └── ReaderError                  the chain's data is not what its hashes say

Each carries the offending values, and its message names what is wrong, the value, and the way out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rollup.core.errors.base import DataError


class L1Error(DataError):
    """Something is wrong on L1 or on the way there."""

    code = "l1"


@dataclass(eq=False)
class PortInUse(L1Error):
    """Something listens on the port already."""

    port: int
    code = "port_in_use"

    @property
    def message(self) -> str:
        return f"port {self.port} is in use: stop what listens there, or leave --port out to get a free one"


@dataclass(eq=False)
class AnvilNotReady(L1Error):
    """Anvil did not start, or refused a call."""

    port: int
    reason: str
    code = "anvil_not_ready"

    @property
    def message(self) -> str:
        return f"anvil on port {self.port} is not usable: {self.reason}; run `sluice doctor` to check the tools"


@dataclass(eq=False)
class AnvilDied(L1Error):
    """Anvil ended while it was needed."""

    port: int
    exit_code: int | None
    last_lines: str
    code = "anvil_died"

    @property
    def message(self) -> str:
        words = f"; its last words: {self.last_lines}" if self.last_lines else ""
        return (
            f"anvil on port {self.port} ended in the middle (exit code {self.exit_code}): the local chain and all that "
            f"was on it are gone, so start again; if it was killed for memory, free some{words}"
        )


@dataclass(eq=False)
class NodeUnreachable(L1Error):
    """The endpoint does not answer."""

    url: str
    reason: str
    code = "node_unreachable"

    @property
    def message(self) -> str:
        return f"no answer from {self.url} ({self.reason}): check that a node runs there and that the address is right"


@dataclass(eq=False)
class TransactionReverted(L1Error):
    """A call or transaction reverted without an error of ours."""

    action: str
    reason: str
    code = "reverted"

    @property
    def message(self) -> str:
        return f"{self.action} reverted: {self.reason}; nothing changed on L1"


@dataclass(eq=False)
class ContractRefused(L1Error):
    """A contract refused with a custom error."""

    action: str
    error: str
    data: Mapping[str, Any]
    way_out: str
    code = "contract_refused"

    @property
    def message(self) -> str:
        data = ", ".join(f"{name} = {_show(value)}" for name, value in self.data.items())
        return f"{self.action} was refused with {self.error}({data}): {self.way_out}; nothing changed on L1"


@dataclass(eq=False)
class GasLimitExceeded(L1Error):
    """The transaction needs more gas than L1 takes in one."""

    action: str
    gas: int
    limit: int
    code = "gas_limit_exceeded"

    @property
    def message(self) -> str:
        return f"{self.action} needs {self.gas} gas, L1 takes at most {self.limit} a transaction: use smaller blocks"


@dataclass(eq=False)
class DeploymentRefused(L1Error):
    """This key must not be deployed, or not here."""

    reason: str
    way_out: str
    code = "deployment_refused"

    @property
    def message(self) -> str:
        return f"not deployed: {self.reason}; {self.way_out}"


@dataclass(eq=False)
class ManifestInvalid(L1Error):
    """The file is not a deployment manifest, or not this chain's."""

    path: str
    reason: str
    code = "manifest_invalid"

    @property
    def message(self) -> str:
        return f"{self.path}: {self.reason}; deploy again into a new file, or name the right manifest"


@dataclass(eq=False)
class ReaderError(L1Error):
    """What L1 gave does not hash to what L1 stored."""

    block_number: int
    reason: str
    code = "reader"

    @property
    def message(self) -> str:
        return f"block {self.block_number}: {self.reason}; ask another node, as this one's data is not the chain's"


def _show(value: object) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
