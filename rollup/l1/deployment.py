"""Deploys the contracts and lists tokens, step by step into a manifest, so that it can be resumed.

A step that the manifest has is used again only if the chain bears it out: the code at the address is compared with
what the creation code of today's sources gives. A creation that was sent and not seen to land is found by its address.
"""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

from ape.api import AccountAPI
from ape.utils import generate_dev_accounts
from ape.utils.testing import DEFAULT_TEST_MNEMONIC
from eth_abi.abi import decode, encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from rlp import encode as rlp_encode  # type: ignore[import-untyped]

from rollup.core.constants import MAX_QUEUE_FEE_GWEI
from rollup.groth16 import Ceremony
from rollup.l1.abi import L1Block, selector
from rollup.l1.errors import DeploymentRefused, ManifestInvalid
from rollup.l1.manifest import (
    CEREMONY_CLASS,
    DEVELOPMENT_CLASS,
    DeployedContract,
    DeployedExitKey,
    DeployedKey,
    DeployedToken,
    Manifest,
    load_manifest,
)
from rollup.l1.rpc import JsonRpc, RpcError
from rollup.l1.sender import Sender
from rollup.l1.verifier_source import EXIT, VerificationKey
from rollup.toolchain import ROOT

MAINNET_CHAIN_ID: Final = 1
LOCAL_CHAIN_IDS: Final = (31337, 1337)
LOCAL_NODES: Final = ("anvil", "hardhat", "ganache")
DEFAULT_QUEUE_FEE_GWEI: Final = 10_000
"""0.00001 ETH; rises with the open queue."""
PUBLISHED_ACCOUNTS: Final = 20
"""Accounts of the test mnemonic that are looked for; nodes fund 10 or 20."""
JSON_INTEGER_BITS: Final = 53
CONTRACTS: Final = ("Governor", "BlockVerifier", "ExitVerifier", "Rollup")


@dataclass(frozen=True, slots=True)
class KeyOffer:
    """A verification key to deploy.

    Args:
        block_size: Steps of the circuit; None for the exit circuit's.
        constraints: Of the whole block, or of the exit circuit.
        development: Whether it was made from a known seed.
        verification_key: As snarkjs writes it.
        ceremony: Who contributed to it, if it is of a ceremony.
    """

    block_size: int | None
    constraints: int
    development: bool
    verification_key: dict[str, Any]
    ceremony: Ceremony | None = None


@dataclass(frozen=True, slots=True)
class TokenOffer:
    """A token to list. ETH has address None and is listed always.

    `deposit_cap` in smallest units, below 2^DEPOSIT_CAP_BITS.
    """

    symbol: str
    decimals: int
    address: str | None
    deposit_cap: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What to deploy. One of `keys` is the exit circuit's. `tokens` starts with ETH; the others get ids 1, 2, ..."""

    keys: Sequence[KeyOffer]
    tokens: Sequence[TokenOffer]
    validators: Sequence[str]
    queue_fee_gwei: int = DEFAULT_QUEUE_FEE_GWEI
    allow_development_key: bool = False


class Factory(Protocol):
    """ape's contract container, as far as used here: called, it gives the creation transaction."""

    def __call__(self, *arguments: object) -> Any: ...


def is_local(rpc: JsonRpc) -> bool:
    """Return whether this is a private development chain: by its id, and by what the node says it is."""
    return rpc.chain_id() in LOCAL_CHAIN_IDS and _is_local_node(rpc)


def check_plan(plan: Plan, rpc: JsonRpc, deployer: str) -> None:
    """Refuse keys and accounts that must not be used, or not on this chain.

    Raises: DeploymentRefused; VerifierKeyError for a key whose phase 2 was skipped, on any chain.
    """
    for key in plan.keys:
        VerificationKey.from_snarkjs(key.block_size, key.verification_key)
    if not 0 < plan.queue_fee_gwei <= MAX_QUEUE_FEE_GWEI:
        reason = f"a queue fee of {plan.queue_fee_gwei} gwei an entry"
        raise DeploymentRefused(reason, f"choose one from 1 to {MAX_QUEUE_FEE_GWEI}, such as {DEFAULT_QUEUE_FEE_GWEI}")
    if is_local(rpc):
        return
    chain_id, node = rpc.chain_id(), str(rpc("web3_clientVersion"))
    if any(key.development for key in plan.keys):
        reason = f"a development key, with which anyone can forge proofs, on chain {chain_id} ({node})"
        if chain_id == MAINNET_CHAIN_ID and not _is_local_node(rpc):
            raise DeploymentRefused(reason, "use keys from a ceremony; nothing overrides this on mainnet")
        if not plan.allow_development_key:
            way_out = "pass --allow-development-key if this is a fork or a testnet without real money"
            raise DeploymentRefused(reason, way_out)
    for key in plan.keys:
        if not key.development and (key.ceremony is None or not key.ceremony.contributions):
            of = "exits" if key.block_size is EXIT else f"block size {key.block_size}"
            reason = f"the key for {of} has no contributions, on chain {chain_id} ({node})"
            raise DeploymentRefused(reason, "take it through a ceremony (`sluice ceremony contribute`)")
    for option, address in (("--account", deployer), *(("--validator", address) for address in plan.validators)):
        if address.lower() in _published_addresses():
            reason = f"{address} is of the published test mnemonic, so anyone has its key, on chain {chain_id} ({node})"
            raise DeploymentRefused(reason, f"name an account of your own with {option}")


def _is_local_node(rpc: JsonRpc) -> bool:
    node = str(rpc("web3_clientVersion")).lower()
    return any(name in node for name in LOCAL_NODES)


@cache
def _published_addresses() -> frozenset[str]:
    accounts = generate_dev_accounts(DEFAULT_TEST_MNEMONIC, PUBLISHED_ACCOUNTS)
    return frozenset(account.address.lower() for account in accounts)


class Deployment:
    """One run of a deployment.

    Args:
        sender: How transactions go out.
        account: Who deploys and owns the governor.
        factories: ape's contract containers by name.
        path: The manifest.
        progress: Called with (what, steps done, steps in all).
    """

    def __init__(
        self,
        sender: Sender,
        account: AccountAPI,
        factories: Callable[[str], Factory],
        path: Path,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> None:
        self._sender = sender
        self._rpc = sender.rpc
        self._account = account
        self._factories = factories
        self._path = path
        self._progress = progress

    def run(self, plan: Plan) -> Manifest:
        """Deploy what the manifest does not have yet, and finish it.

        Raises: DeploymentRefused, ManifestInvalid, and what sending raises.
        """
        check_plan(plan, self._rpc, str(self._account.address))
        manifest = self._open_manifest(plan)
        manifest.complete = False
        steps = len(CONTRACTS) + len(plan.tokens)
        eth, *erc20s = plan.tokens
        owner = str(self._account.address)
        self._tell("Governor", 0, steps)
        governor = self._contract(manifest, "Governor", owner, eth.deposit_cap, list(plan.validators))
        self._tell("BlockVerifier", 1, steps)
        verifier = self._contract(manifest, "BlockVerifier")
        self._tell("ExitVerifier", 2, steps)
        exit_verifier = self._contract(manifest, "ExitVerifier")
        self._check_keys(manifest, plan, verifier, exit_verifier)
        self._tell("Rollup", 3, steps)
        self._contract(manifest, "Rollup", governor, governor, verifier, exit_verifier, plan.queue_fee_gwei)
        self._check_genesis(manifest)
        manifest.tokens = [DeployedToken(0, eth.symbol, eth.decimals, "0x" + 40 * "0", self._deposit_cap(governor, 0))]
        for index, token in enumerate(erc20s):
            self._tell(f"token {token.symbol}", len(CONTRACTS) + 1 + index, steps)
            manifest.tokens.append(self._list_token(manifest, governor, token))
            manifest.save(self._path)
        manifest.complete = True
        manifest.save(self._path)
        self._tell("deployed", steps, steps)
        return manifest

    def _tell(self, what: str, done: int, steps: int) -> None:
        if self._progress is not None:
            self._progress(what, done, steps)

    def _open_manifest(self, plan: Plan) -> Manifest:
        genesis = str(self._rpc("eth_getBlockByNumber", "0x0", False)["hash"])
        wanted = Manifest(
            chain_id=self._rpc.chain_id(),
            l1_genesis=genesis,
            deployer=str(self._account.address),
            queue_fee_gwei=plan.queue_fee_gwei,
            validators=list(plan.validators),
            commit=_commit(),
        )
        if not self._path.exists():
            wanted.save(self._path)
            return wanted
        found = load_manifest(self._path)
        for name in ("chain_id", "l1_genesis", "deployer", "queue_fee_gwei", "validators"):
            if getattr(found, name) != getattr(wanted, name):
                reason = f"it is of another deployment: {name} is {getattr(found, name)}, here {getattr(wanted, name)}"
                raise ManifestInvalid(str(self._path), reason)
        found.commit = wanted.commit
        return found

    def _contract(self, manifest: Manifest, name: str, *arguments: object) -> str:
        """Deploy a contract, or find it deployed; return its address."""
        creation = bytes(self._factories(name)(*arguments).data)
        expected = self._created_code(name, creation)
        if (known := manifest.contracts.get(name)) is not None:
            if self._rpc.code(known.address) != expected:
                reason = f"the code of {name} at {known.address} is not what these sources and keys give"
                raise ManifestInvalid(str(self._path), reason)
            if name == "Governor":
                self._check_governor(manifest, known.address)
            return known.address
        sending = manifest.sending
        if sending and sending["name"] == name and self._rpc.code(sending["address"]) == expected:
            address, l1_block = str(sending["address"]), int(sending["l1_block"])
        else:
            address, l1_block = self._create(manifest, name, creation)
        manifest.contracts[name] = DeployedContract(address, l1_block, len(expected))
        manifest.sending = None
        manifest.save(self._path)
        return address

    def _check_governor(self, manifest: Manifest, governor: str) -> None:
        """Its code has no owner and no validators in it, so anybody's has the same code."""
        owner = bytes(12) + bytes.fromhex(manifest.deployer[2:])
        if self._rpc.call(governor, selector("owner", [])) != owner:
            reason = f"the owner of the Governor at {governor} is not the deployer {manifest.deployer}"
            raise ManifestInvalid(str(self._path), reason)
        for validator in manifest.validators:
            view = selector("isValidator", ["address"]) + encode(["address"], [validator])
            if not int.from_bytes(self._rpc.call(governor, view), "big"):
                reason = f"the Governor at {governor} does not have the validator {validator}"
                raise ManifestInvalid(str(self._path), reason)

    def _create(self, manifest: Manifest, name: str, creation: bytes) -> tuple[str, int]:
        sender = str(self._account.address)
        nonce = int(self._rpc("eth_getTransactionCount", sender, "latest"), 16)
        address = created_address(sender, nonce)
        l1_block = int(self._rpc("eth_blockNumber"), 16)
        manifest.sending = {"name": name, "address": address, "l1_block": l1_block}
        manifest.save(self._path)
        sent = self._sender.send(f"the deployment of {name}", None, creation, self._account)
        return address, sent.l1_block

    def _created_code(self, name: str, creation: bytes) -> bytes:
        """What the creation code leaves on chain, immutables filled in."""
        request = {"from": self._account.address, "data": "0x" + creation.hex()}
        try:
            return bytes.fromhex(self._rpc("eth_call", request, "latest")[2:])
        except RpcError as error:
            raise DeploymentRefused(f"the creation of {name} fails ({error})", "build the contracts again") from error

    def _check_keys(self, manifest: Manifest, plan: Plan, verifier: str, exit_verifier: str) -> None:
        manifest.keys, manifest.exit_key = [], None
        for key in plan.keys:
            expected = VerificationKey.from_snarkjs(key.block_size, key.verification_key).key_hash()
            key_class = DEVELOPMENT_CLASS if key.development else CEREMONY_CLASS
            ceremony = asdict(key.ceremony) if key.ceremony is not None else None
            said = key.constraints, key_class, "0x" + expected.hex(), ceremony
            if key.block_size is EXIT:
                of, answer = "exits", self._rpc.call(exit_verifier, selector("keyHash", []))
                manifest.exit_key = DeployedExitKey(*said)
            else:
                of, data = f"block size {key.block_size}", encode(["uint16"], [key.block_size])
                answer = self._rpc.call(verifier, selector("keyHash", ["uint16"]) + data)
                manifest.keys.append(DeployedKey(key.block_size, *said))
            if answer != expected:
                reason = f"the verifier's key for {of} is not the one given"
                raise DeploymentRefused(reason, "run `sluice build contracts` and deploy into a new manifest")
        if manifest.exit_key is None:
            raise DeploymentRefused("there is no exit key", "run `sluice build keys`")

    def _check_genesis(self, manifest: Manifest) -> None:
        genesis = L1Block.genesis()
        data = selector("blockHash", ["uint64"]) + encode(["uint64"], [0])
        if self._rpc.call(manifest.rollup, data) != genesis.hash():
            reason = "the rollup's genesis block is not that of these sources"
            raise DeploymentRefused(reason, "run `sluice build` and deploy into a new manifest")
        block = {name: _json_value(value) for name, value in asdict(genesis).items()}
        manifest.genesis = {"block": block, "hash": "0x" + genesis.hash().hex(), "l1_block": manifest.deployed_at}

    def _list_token(self, manifest: Manifest, governor: str, token: TokenOffer) -> DeployedToken:
        """List a token with its cap. The cap of one listed before stays: it may have been lowered for a reason."""
        if token.address is None:
            raise DeploymentRefused(f"{token.symbol} has no address", "name the address of the ERC-20")
        view = selector("tokenId", ["address"]) + encode(["address"], [token.address])
        step = f"listing {token.address}"
        if not (token_id := int.from_bytes(self._rpc.call(governor, view), "big")):
            manifest.sending = {"name": step}
            manifest.save(self._path)
            self._call(governor, "addToken", ["address"], [token.address])
            token_id = int.from_bytes(self._rpc.call(governor, view), "big")
        self._check_token(governor, token_id, token)
        cap = self._deposit_cap(governor, token_id)
        if manifest.sending == {"name": step}:
            if cap == 0 != token.deposit_cap:
                self._call(governor, "setDepositCap", ["uint16", "uint128"], [token_id, token.deposit_cap])
                cap = token.deposit_cap
            manifest.sending = None
        return DeployedToken(token_id, token.symbol, token.decimals, token.address, cap)

    def _check_token(self, governor: str, token_id: int, token: TokenOffer) -> None:
        """The cap is in units that the decimals give, so they must be the token's own."""
        view = selector("tokenMetadata", ["uint16"]) + encode(["uint16"], [token_id])
        # As bytes: a symbol may be any.
        decimals, raw_symbol = decode(["uint8", "bytes"], self._rpc.call(governor, view))
        symbol = raw_symbol.decode(errors="replace") or token.symbol
        if (symbol, decimals) != (token.symbol, token.decimals):
            named = f"{token.symbol} with {token.decimals} decimals"
            reason = f"the token at {token.address} is {symbol} with {decimals} decimals, not {named}"
            raise DeploymentRefused(reason, "name it as it names itself, or another address; its cap is still 0")

    def _deposit_cap(self, governor: str, token_id: int) -> int:
        view = selector("depositTerms", ["uint16"]) + encode(["uint16"], [token_id])
        _, cap, _ = decode(["address", "uint128", "bool"], self._rpc.call(governor, view))
        return int(cap)

    def _call(self, to: str, name: str, types: Sequence[str], values: Sequence[Any]) -> None:
        self._sender.call(name, to, name, types, values, self._account)


def _json_value(value: object) -> object:
    """Words as hex: a JSON number of their size is not read back exactly everywhere."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return hex(value) if isinstance(value, int) and value >> JSON_INTEGER_BITS else value


def created_address(sender: str, nonce: int) -> str:
    """Return the address of the contract that a sender creates with this nonce."""
    return str(to_checksum_address(keccak(rlp_encode([bytes.fromhex(sender[2:]), nonce]))[12:]))


def _commit() -> str | None:
    """The commit of the sources, None if they are no checkout or changed since."""
    try:
        status = subprocess.run(
            ["git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no"],  # noqa: S607
            capture_output=True,
            text=True,
            check=True,
        )
        head = subprocess.run(
            ["git", "-C", str(ROOT), "rev-parse", "HEAD"],  # noqa: S607
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return None if status.stdout.strip() else head.stdout.strip()
