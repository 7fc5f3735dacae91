"""Every way L1, or the way to it, says no.

    SluiceError (rollup.core.errors)
    └── L1Error
        ├── PortInUse                    somebody else listens there
        ├── AnvilNotReady                anvil did not start, or refused a call
        ├── AnvilDied                    anvil ended in the middle
        ├── NodeUnreachable              the JSON-RPC endpoint does not answer
        ├── NodeFaulty                   it answers, and never with an answer
        ├── L1BlockReplaced              the L1 block that is read at is not on the node's chain any more
        ├── NodesDisagree                two nodes give two hashes for one block
        ├── WrongChain                   the node is of another chain than the manifest
        ├── WrongContract                what is at the address is not this rollup
        ├── TransactionReverted          without an error of ours
        ├── ContractRefused              with a custom error: its name, its data, the way out
        ├── GasLimitExceeded             over EIP-7825's limit of a transaction
        ├── TransactionNotTaken          the node does not take it
        ├── TransactionNotMined          the node has it, and no L1 block does
        ├── DeploymentRefused            a key or chain this must not be deployed with or on
        ├── ManifestInvalid              the manifest is not one, or not of this chain
        ├── ReaderError                  the chain's data is not what its hashes say
        ├── ReorgTooDeep                 L1 took back what was final
        └── FalseBlock                   L1 accepted a block that its data do not give

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
        return f"port {self.port} is in use: stop what listens there, or name no port to get a free one"


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
class NodeFaulty(L1Error):
    """The endpoint answers, but with errors or nonsense, however often it is asked."""

    url: str
    method: str
    reason: str
    code = "node_faulty"

    @property
    def message(self) -> str:
        return (
            f"{self.url} gives no usable answer to {self.method}: {self.reason}; wait if it limits requests, or name "
            "another node"
        )


@dataclass(eq=False)
class L1BlockReplaced(L1Error):
    """The L1 block as of which the contract is read is not on the node's chain any more: L1 was reorganised."""

    url: str
    l1_block: int
    hash: str
    code = "l1_block_replaced"

    @property
    def message(self) -> str:
        return (
            f"{self.url} has no L1 block {self.l1_block} with hash {self.hash} any more, and so with every other "
            "it was asked about: its chain does not settle; try again, or name another node"
        )


@dataclass(eq=False)
class NodesDisagree(L1Error):
    """Two nodes have two hashes for one block of the rollup, so one of them lies or is behind."""

    block_number: int
    url: str
    hash: str
    other_url: str
    other_hash: str
    code = "nodes_disagree"

    @property
    def message(self) -> str:
        return (
            f"block {self.block_number} has hash {self.hash} at {self.url} and {self.other_hash} at {self.other_url}: "
            "one of them lies or is behind; ask a third"
        )


@dataclass(eq=False)
class WrongChain(L1Error):
    """The node is of another chain than the manifest."""

    url: str
    what: str
    expected: str
    got: str
    code = "wrong_chain"

    @property
    def message(self) -> str:
        return (
            f"{self.url} is on another chain: its {self.what} is {self.got}, the manifest says {self.expected}; name a "
            "node of that chain, or the right manifest"
        )


@dataclass(eq=False)
class WrongContract(L1Error):
    """What the node has at the rollup's address is not this rollup."""

    url: str
    address: str
    reason: str
    code = "wrong_contract"

    @property
    def message(self) -> str:
        return (
            f"{self.address} is not this rollup on the chain of {self.url}: {self.reason}; check the manifest, and "
            "that the node has caught up with the chain"
        )


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
class TransactionNotTaken(L1Error):
    """The node refuses to pass a transaction on."""

    action: str
    reason: str
    code = "not_taken"

    @property
    def message(self) -> str:
        return (
            f"{self.action} was not sent, the node says {self.reason!r}: see that the account has ETH for the gas and "
            "that nothing else sends from it, then try again"
        )


@dataclass(eq=False)
class TransactionNotMined(L1Error):
    """A transaction is in no L1 block yet."""

    action: str
    transaction: str
    seconds: float
    code = "not_mined"

    @property
    def message(self) -> str:
        return (
            f"{self.action} is sent and in no L1 block after {self.seconds:.0f} s: it may still land, so look for "
            f"{self.transaction} before you send anything again"
        )


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
    way_out: str = "deploy again into a new file, or name the right manifest"
    code = "manifest_invalid"

    @property
    def message(self) -> str:
        return f"{self.path}: {self.reason}; {self.way_out}"


@dataclass(eq=False)
class ReaderError(L1Error):
    """What L1 gave does not hash to what L1 stored."""

    block_number: int
    reason: str
    code = "reader"

    @property
    def message(self) -> str:
        return f"block {self.block_number}: {self.reason}; ask another node, as this one's data is not the chain's"


@dataclass(eq=False)
class ReorgTooDeep(L1Error):
    """The node's chain parts from what was restored before a block that was final."""

    url: str
    block_number: int
    depth: int
    reason: str
    code = "reorg_too_deep"

    @property
    def message(self) -> str:
        return (
            f"block {self.block_number} was proven {self.depth} L1 blocks deep when it was restored, and {self.url} "
            f"contradicts it: {self.reason}; ask another node, and if they agree, restore into a new store"
        )


@dataclass(eq=False)
class FalseBlock(L1Error):
    """A proven block's data, which hash to what L1 stored, do not lead to its root."""

    block_number: int
    reason: str
    code = "false_block"

    @property
    def message(self) -> str:
        return (
            f"block {self.block_number} is on L1 and proven, but false: {self.reason}; either its proof was forged, as "
            "anyone can under a development key, or this program is not of the rollup's version: check the manifest's "
            "keys and commit. All before it is restored"
        )


def _show(value: object) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
