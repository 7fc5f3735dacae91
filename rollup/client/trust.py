"""What a user believes of a node, and what is checked instead.

The deployment (from a manifest, or pinned from the first answer) says which rollup it is and who may sign receipts;
with an L1 node at hand the contract says who, and whether final is final.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

from eth_abi.abi import encode

from rollup.client.errors import FinalityDenied, NodeOfAnother, ReceiptUnfit, RecordsUnusable
from rollup.client.model import Listed, NodeConfig
from rollup.core.addresses import show_address
from rollup.core.constants import MAX_TIMESTAMP_AHEAD_SECONDS, MAX_TIMESTAMP_BEHIND_SECONDS
from rollup.core.errors import EncodingError
from rollup.core.operations import (
    Batch,
    ForcedExit,
    ForcedExitData,
    Operation,
    TransferToAddress,
    TransferToAddressData,
    domain,
)
from rollup.core.receipt import Receipt, operation_hash, recipient_of
from rollup.core.streams import decode_streams, encode_streams
from rollup.core.wire import WireOperation
from rollup.l1.abi import selector
from rollup.l1.errors import WrongChain, WrongContract
from rollup.l1.lookup import Lookup, Stage
from rollup.l1.manifest import Manifest
from rollup.l1.rpc import JsonRpc

PIN_FORMAT: Final = 1
REMEMBERED_SECONDS: Final = 60.0
"""How long L1's word on a validator is taken as it was."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """Which rollup it is.

    Args:
        validators: Who may sign receipts, with checksum.
        governor: The contract that says so on L1; None if it is not known.
        deployed_at: L1 block to read events from.
        l1_genesis: Hash of L1's block 0, None if it is not known.
        is_pinned: It was learned from the node itself: trust on first use.
    """

    chain_id: int
    rollup: str
    tokens: tuple[Listed, ...]
    validators: tuple[str, ...]
    governor: str | None = None
    deployed_at: int = 0
    l1_genesis: str | None = None
    is_pinned: bool = False

    @property
    def domain(self) -> int:
        """What every signature is bound to."""
        return domain(self.chain_id, int(self.rollup, 16))

    @classmethod
    def of_manifest(cls, manifest: Manifest) -> Self:
        """That of a manifest.

        Raises: ManifestInvalid: its deployment is not finished.
        """
        tokens = tuple(Listed(each.token_id, each.symbol, each.decimals, each.address) for each in manifest.tokens)
        governor = manifest.contracts.get("Governor")
        return cls(
            manifest.chain_id, show_address(int(manifest.rollup, 16)), tokens, tuple(manifest.validators),
            None if governor is None else governor.address, manifest.deployed_at, manifest.l1_genesis,
        )  # fmt: skip

    @classmethod
    def of_node(cls, config: NodeConfig) -> Self:
        """That which a node says it is of, to be pinned."""
        return cls(
            config.chain_id, config.rollup, config.tokens, (config.validator,), config.contracts.get("Governor"),
            config.deployed_at or 0, config.l1_genesis, is_pinned=True,
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {"format": PIN_FORMAT, **asdict(self)}

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what was pinned.

        Raises: RecordsUnusable.
        """
        try:
            values = json.loads(path.read_text())
            if values.pop("format") != PIN_FORMAT:
                raise RecordsUnusable(str(path), f"it is not of format {PIN_FORMAT}")
            values["tokens"] = tuple(Listed(**token) for token in values["tokens"])
            values["validators"] = tuple(values["validators"])
            return cls(**values)
        except OSError as error:
            raise RecordsUnusable(str(path), error.strerror or str(error)) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RecordsUnusable(str(path), f"it is no pinned deployment ({type(error).__name__})") from error


def difference(config: NodeConfig, deployment: Deployment) -> tuple[str, str, str] | None:
    """Where a node is of another rollup: what, as expected, as the node says. Tokens listed later are no difference."""
    for what, expected, got in (
        ("chain id", str(deployment.chain_id), str(config.chain_id)),
        ("address", deployment.rollup, config.rollup),
    ):
        if expected != got:
            return what, expected, got
    theirs = {token.token_id: token for token in config.tokens}
    for token in deployment.tokens:
        other = theirs.get(token.token_id)
        if other is not None and (other.symbol, other.decimals) != (token.symbol, token.decimals):
            shown = (f"{each.symbol} with {each.decimals} decimals" for each in (token, other))
            return f"token {token.token_id}", *shown  # type: ignore[return-value]  # two of them
    return None


def check_node(url: str, config: NodeConfig, deployment: Deployment, is_watched: bool) -> None:
    """Refuse a node of another rollup, or with a validator that nobody knows; where L1 is watched, it says who is one.

    Raises: NodeOfAnother.
    """
    found = difference(config, deployment)
    if found is None and not is_watched and config.validator not in deployment.validators:
        found = "validator", ", ".join(deployment.validators), config.validator
    if found is not None:
        raise NodeOfAnother(url, *found)


def check_chain(rpc: JsonRpc, deployment: Deployment) -> None:
    """Refuse an L1 node of another chain, or of one without the contract.

    Raises: WrongChain, WrongContract, NodeUnreachable, RpcError.
    """
    chain_id = rpc.chain_id()
    if chain_id != deployment.chain_id:
        raise WrongChain(rpc.name, "chain id", str(deployment.chain_id), str(chain_id))
    if deployment.l1_genesis is not None:
        genesis = str(rpc("eth_getBlockByNumber", "0x0", False)["hash"])
        if genesis != deployment.l1_genesis:
            raise WrongChain(rpc.name, "first block", deployment.l1_genesis, genesis)
    if not rpc.code(deployment.rollup):
        raise WrongContract(rpc.name, deployment.rollup, "there is no code at this address")


class Watch:
    """The contract on L1, asked what a node says. All methods block.

    Args:
        rpc: An L1 node.
        deployment: Whose contract.
    """

    def __init__(self, rpc: JsonRpc, deployment: Deployment) -> None:
        self.rpc, self._deployment = rpc, deployment
        self._lookup = Lookup(rpc, deployment.rollup, deployment.deployed_at)
        self._governor = deployment.governor
        self._allowed: dict[str, tuple[bool, float]] = {}
        self._is_checked = False

    def is_validator(self, address: str) -> bool:
        """Whether the contract lets this address commit blocks.

        Raises: WrongChain, WrongContract, NodeUnreachable, RpcError.
        """
        self._check()
        known = self._allowed.get(address)
        if known is None or time.monotonic() - known[1] > REMEMBERED_SECONDS:
            if self._governor is None:
                self._governor = self._address("governor")
            data = selector("isValidator", ["address"]) + encode(["address"], [address])
            known = any(self.rpc.call(self._governor, data)), time.monotonic()
            self._allowed[address] = known
        return known[0]

    def check_final(self, name: str, receipts: Sequence[Receipt], block: int) -> None:
        """Hold what a node calls final to L1, and the block there to the receipts.

        Raises: FinalityDenied, ReceiptBrokenError, L1Error, RpcError.
        """
        self._check()
        stage = self._lookup.stage(block)
        if stage != Stage.EXECUTED:
            raise FinalityDenied(name, block, "not there" if stage == Stage.ABSENT else f"only {stage}")
        for receipt in receipts:
            published = self._lookup.find(receipt.block_number)
            receipt.check_kept(published.l2, published.l1)

    def _check(self) -> None:
        if not self._is_checked:
            check_chain(self.rpc, self._deployment)
            self._is_checked = True

    def _address(self, view: str) -> str:
        return "0x" + self.rpc.call(self._deployment.rollup, selector(view, []))[-20:].hex()


def check_receipt(
    receipt: Receipt,
    operation: WireOperation,
    deployment: Deployment,
    watch: Watch | None = None,
    clock: Callable[[], float] = time.time,
) -> None:
    """Hold a receipt to what was submitted: the rollup, the signer, the operation, its recipient, bytes and times.

    Raises: ReceiptError; with a watch also NodeUnreachable, RpcError. Blocks then.
    """
    check_signed_by_validator(receipt, deployment, watch)
    for what, expected, got in (
        ("operation", operation_hash(operation, deployment.domain).hex(), receipt.operation_hash.hex()),  # type: ignore[arg-type]  # an order has none
        ("recipient", show_address(recipient_of(operation)), show_address(receipt.recipient)),
    ):
        if expected != got:
            raise ReceiptUnfit(what, expected, got)
    chunks, record = promised(operation, receipt)
    if (chunks, record) != (receipt.chunks, receipt.record):
        raise ReceiptUnfit("bytes", (chunks + record).hex(), (receipt.chunks + receipt.record).hex())
    latest = int(clock()) + MAX_TIMESTAMP_AHEAD_SECONDS
    if receipt.issued_at > latest:
        raise ReceiptUnfit("time of issue", f"at most {latest}", str(receipt.issued_at))
    due = receipt.issued_at + MAX_TIMESTAMP_AHEAD_SECONDS + MAX_TIMESTAMP_BEHIND_SECONDS
    if receipt.commit_by > due:
        # L1 would take no block so late: a promise that falls due only then is none.
        raise ReceiptUnfit("commit_by", f"at most {due}", str(receipt.commit_by))


def check_signed_by_validator(receipt: Receipt, deployment: Deployment, watch: Watch | None) -> None:
    """The signature alone; with a watch L1 says who is a validator, without the deployment does.

    Raises: ReceiptForeignError, ReceiptSignerError.
    """
    if watch is None:
        receipt.check_signer(deployment.domain, deployment.validators)
        return
    signer = receipt.signer()
    is_one = signer is not None and watch.is_validator(show_address(signer))
    named = (show_address(signer),) if signer is not None and is_one else tuple(
        each for each in deployment.validators if watch.is_validator(each)
    )  # fmt: skip
    receipt.check_signer(deployment.domain, named)


def promised(operation: WireOperation, receipt: Receipt) -> tuple[bytes, bytes]:
    """What a block publishes of an operation: of it all, but what is the validator's to fill in, as in the receipt.

    Raises: ReceiptUnfit: the receipt's bytes are no operation's at all.
    """
    try:
        published = decode_streams(receipt.chunks, receipt.record)
    except EncodingError as error:
        raise ReceiptUnfit("bytes", "an operation's", error.message) from error
    parts: tuple[Any, ...] = operation.operations if isinstance(operation, Batch) else (operation,)
    if len(parts) == len(published):
        parts = tuple(_filled(mine, theirs) for mine, theirs in zip(parts, published, strict=True))
    return encode_streams(parts) if all(_is_whole(part) for part in parts) else (b"", b"")


def _filled(mine: Any, theirs: Any) -> Operation:
    match mine, theirs:
        case TransferToAddress(), TransferToAddressData():
            return replace(mine, to_id=theirs.to_id)
        case ForcedExit(), ForcedExitData():
            return replace(mine, amount=theirs.amount)
    return mine  # type: ignore[no-any-return]


def _is_whole(part: Any) -> bool:
    return not isinstance(part, ForcedExit) or part.amount is not None
