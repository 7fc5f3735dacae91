"""`sluice node check`: everything a node needs, looked at without starting or changing anything."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from eth_abi.abi import encode
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from rollup.circuits.keys import KEYS, load_verification_key
from rollup.core.errors import SluiceError
from rollup.core.operations import Deposit
from rollup.l1.abi import selector
from rollup.l1.client import RollupClient
from rollup.l1.key_sender import KeySender
from rollup.l1.manifest import DEVELOPMENT_CLASS, Manifest, load_manifest
from rollup.l1.refusals import Refusals
from rollup.l1.rpc import JsonRpc, RpcError
from rollup.l1.verifier_source import VerificationKey
from rollup.landing.errors import show_ether
from rollup.service.clock import BEHIND_SECONDS
from rollup.service.config import Config
from rollup.service.observer import LEAST_FREE_BYTES
from rollup.service.service import check_chain
from rollup.service.signers import open_signers

FIRST_FUNDS_WEI: Final = 10**17


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: in words what was found, and if it is not well the way out."""

    what: str
    is_well: bool
    words: str


class Wrong(Exception):
    """What was looked at is not well."""


def check_all(config: Config) -> Iterator[Finding]:
    """Look at everything; what needs something that is wrong is left out."""
    yield _look("data folder", lambda: _folder(config.data))
    yield _look("journal folder", lambda: _folder(config.journal))
    yield _look("database", lambda: _database(config.database_url))
    manifest: list[Manifest] = []
    yield _look("manifest", lambda: _manifest(config.manifest, manifest))
    keys: list[tuple[str, str]] = []
    yield _look("keys", lambda: _keys(config, keys))
    if not manifest:
        return
    yield _look("proving keys", lambda: _proving_keys(config, manifest[0]))
    nodes: list[JsonRpc] = []
    for url in config.l1.endpoints:
        rpc = JsonRpc(url, config.l1.timeout_seconds)
        yield _look(f"L1 at {rpc.name}", partial(_node, rpc, manifest[0], nodes))
    if not nodes or not keys:
        return
    sender, validator = keys[0]
    client = RollupClient(KeySender(nodes[0], Refusals.of_contracts()), manifest[0].rollup, manifest[0].deployed_at)
    yield _look("rollup", lambda: _rollup(client))
    yield _look("sender's leave", lambda: _allowed(nodes[0], manifest[0], sender))
    yield _look("validator's leave", lambda: _allowed(nodes[0], manifest[0], validator))
    yield _look("sender's money", lambda: _funds(nodes[0], sender))
    yield _look("validator's account", lambda: _account(client, validator))


def _look(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, True, look())
    except (Wrong, SluiceError, RpcError) as error:
        return Finding(what, False, str(error))


def _folder(path: Path) -> str:
    existing = next(each for each in (path, *path.parents) if each.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise Wrong(f"{existing} cannot be written: own it, or name another")
    free = shutil.disk_usage(existing).free
    if free < LEAST_FREE_BYTES:
        raise Wrong(f"{existing} has {free >> 20} MiB left: make room for {LEAST_FREE_BYTES >> 20} at least")
    return f"{path}, {free >> 30} GiB free"


def _database(url: str) -> str:
    parsed = make_url(url)
    name = parsed.render_as_string(hide_password=True)
    if parsed.get_backend_name() == "sqlite":
        return f"{name}, {'there' if Path(str(parsed.database)).exists() else 'to be made'}"
    engine = create_engine(parsed.set(drivername="postgresql+psycopg"))
    try:
        with engine.connect():
            return f"{name} answers"
    except SQLAlchemyError as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        raise Wrong(f"{name}: {reason}; is it there, and may this user in?") from error
    finally:
        engine.dispose()


def _manifest(path: Path, into: list[Manifest]) -> str:
    found = load_manifest(path)
    if not found.complete:
        raise Wrong(f"{path} is of a deployment that was cut off: run `sluice deploy` again")
    into.append(found)
    kinds = {key.key_class for key in found.keys}
    warning = ", DEVELOPMENT KEYS: no real money" if DEVELOPMENT_CLASS in kinds else ""
    return f"rollup {found.rollup} on chain {found.chain_id}{warning}"


def _keys(config: Config, into: list[tuple[str, str]]) -> str:
    from rollup.core.addresses import show_address

    sender, retired, receipts = open_signers(config)
    validator = show_address(receipts.address)
    into.append((sender.address, validator))
    more = f", {len(retired)} retired" if retired else ""
    return f"sender {sender.address}, validator {validator}{more}"


def _proving_keys(config: Config, manifest: Manifest) -> str:
    if config.prover.scheduler is not None:
        return f"the workers' of {config.prover.scheduler}, which are compared before each job"
    folder = config.prover.keys or KEYS
    for key in manifest.keys:
        found = VerificationKey.from_snarkjs(key.block_size, load_verification_key(key.block_size, folder)).key_hash()
        if "0x" + found.hex() != key.key_hash:
            raise Wrong(
                f"{folder}: the key for {key.block_size} steps is not the deployment's: get the one it was made of"
            )
    return f"{folder}, for blocks of {', '.join(map(str, manifest.block_sizes))} steps"


def _node(rpc: JsonRpc, manifest: Manifest, into: list[JsonRpc]) -> str:
    found = rpc.chain_id()
    if found != manifest.chain_id:
        raise Wrong(f"it is of chain {found}, the manifest of {manifest.chain_id}: name a node of that chain")
    check_chain(rpc, manifest)
    head = rpc("eth_getBlockByNumber", "latest", False)
    behind = int(head["timestamp"], 16) - time.time()
    if behind > BEHIND_SECONDS:
        raise Wrong(f"this machine's clock is {behind:.0f} s behind its latest block: set it by NTP")
    into.append(rpc)
    return f"chain {found}, block {int(head['number'], 16):,}"


def _rollup(client: RollupClient) -> str:
    if client.exodus_root():
        raise Wrong("exodus has begun: this rollup takes no blocks any more")
    return f"{client.committed_blocks()} blocks committed, {client.executed_blocks()} executed"


def _allowed(rpc: JsonRpc, manifest: Manifest, address: str) -> str:
    view = selector("isValidator", ["address"]) + encode(["address"], [address])
    if not int.from_bytes(rpc.call(manifest.contracts["Governor"].address, view), "big"):
        raise Wrong(f"{address} is no validator of the governor's: its owner can set it (setValidator)")
    if address.lower() not in [each.lower() for each in manifest.validators]:
        raise Wrong(f"{address} is not in the manifest's validators, so wallets do not know it: publish it with it")
    return f"{address} may"


def _funds(rpc: JsonRpc, sender: str) -> str:
    balance = int(rpc("eth_getBalance", sender, "latest"), 16)
    if balance < FIRST_FUNDS_WEI:
        raise Wrong(f"{sender} has {show_ether(balance)}: send it {show_ether(FIRST_FUNDS_WEI)} at least")
    return f"{sender} has {show_ether(balance)}"


def _account(client: RollupClient, validator: str) -> str:
    deposits: list[Any] = [each.operation for each in client.queue() if isinstance(each.operation, Deposit)]
    if not any(each.owner == int(validator, 16) for each in deposits):
        raise Wrong(f"{validator} has no L2 account for the fees: `sluice deposit --to {validator} --amount 0.001:ETH`")
    return f"{validator} has deposited"
