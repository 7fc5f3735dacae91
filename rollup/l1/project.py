"""What of ape and of the build everybody on L1 starts from: a connection, the contracts, the keys, an account."""

import fcntl
import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from ape import Project, accounts, networks
from ape.api import AccountAPI, ProviderAPI
from ape.contracts import ContractContainer
from ape.logging import logger
from ape.utils import generate_dev_accounts

from rollup._native import ProvingKey, check_key
from rollup.circuits.keys import DEVELOPMENT_SEED, KEYS, find_exit_kit, find_key, read_exit_key, read_manifest
from rollup.exits.kit import unpacked_key
from rollup.groth16 import KeyFileError, read_ceremony
from rollup.l1.deployment import Deployment, KeyOffer, Plan, TokenOffer
from rollup.l1.errors import DeploymentRefused
from rollup.l1.manifest import Manifest
from rollup.l1.refusals import Refusals
from rollup.l1.sender import Sender
from rollup.l1.verifier_source import EXIT
from rollup.toolchain import ROOT

CONFIG: Final = "ape-config.yaml"


@contextmanager
def ape_on(url: str) -> Iterator[ProviderAPI]:
    """Connect ape to a running anvil at `url`; ape neither starts nor ends it."""
    logger.set_level("ERROR")
    settings = {"host": url, "manage_process": False}
    with networks.ethereum.local.use_provider("foundry", provider_settings=settings) as provider:
        yield provider


def development_account(index: int) -> AccountAPI:
    """Return an account of the test mnemonic, of which ape itself keeps the first few only; anvil funds them all."""
    container: Any = accounts.test_accounts.containers["test"]
    (generated,) = generate_dev_accounts(container.mnemonic, 1, container.hd_path, index)
    account: AccountAPI = container.init_test_account(index, generated.address, generated.private_key)
    return account


Contracts = Callable[[str], Any]
"""Gives ape's contract container by name."""


def compiled_contracts(folder: Path = ROOT) -> Contracts:
    """Return the contracts of a checkout, or of a folder laid out like one, compiled if any source has changed.

    Two things of ape's are stepped around. It compiles a changed file but not always what inherits from it, so a change
    compiles everything. And it sees 500 files of a contracts folder at most, in the file system's order, where its own
    copy of OpenZeppelin has more: that copy goes before compiling, and contracts are then taken from what was compiled.
    """
    build = folder / ".build"
    (folder / "build").mkdir(exist_ok=True)
    with (folder / "build" / "contracts.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        digest = _sources_digest(folder)
        mark = build / "sources.sha256"
        if not mark.is_file() or mark.read_text() != digest:
            shutil.rmtree(build, ignore_errors=True)
            shutil.rmtree(folder / "contracts" / ".cache", ignore_errors=True)
            Project(folder).load_contracts()
            mark.write_text(digest)
        types = dict(Project(folder).manifest.contract_types or {})
    return lambda name: ContractContainer(types[name])


def mirror_project(folder: Path, sources: Mapping[Path, str], settings: str | None = None) -> bool:
    """Make a folder an ape project of exactly these sources, with this checkout's packages; what is equal stays.

    Args:
        folder: Where; all other sources in it go.
        sources: Text by path, relative to the folder.
        settings: The text of its ape-config.yaml, by default the checkout's.

    Returns: Whether a source came, went or changed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONFIG).write_text((ROOT / CONFIG).read_text() if settings is None else settings)
    modules = folder / "node_modules"
    if not modules.is_symlink():
        modules.symlink_to(ROOT / "node_modules")
    held = {path.relative_to(folder): path.read_text() for path in contract_sources(folder)}
    for gone in held.keys() - sources.keys():
        (folder / gone).unlink()
    for path, text in sources.items():
        if held.get(path) != text:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
    return held != dict(sources)


def contract_sources(folder: Path) -> list[Path]:
    """The Solidity sources in a folder, without ape's copy of OpenZeppelin and what is linked to."""
    theirs = {".cache", ".build"}
    return [path for path in sorted(folder.rglob("*.sol")) if not theirs & set(path.relative_to(folder).parts)]


def _sources_digest(folder: Path) -> str:
    digest = hashlib.sha256((folder / CONFIG).read_bytes())
    for path in contract_sources(folder / "contracts"):
        digest.update(f"\n{path.relative_to(folder)}\n".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def known_refusals(contracts: Contracts) -> Refusals:
    """Return a decoder for the errors of every contract that a call can reach."""
    names = ("Rollup", "Governor", "BlockVerifier", "DemoToken")
    abis = [abi.model_dump(mode="json") for name in names for abi in contracts(name).contract_type.abi]
    return Refusals(abis)


def built_keys(folder: Path = KEYS) -> list[KeyOffer]:
    """Return the keys that `sluice build keys` made, the exit circuit's last; none if it has not run.

    All that matters is asked of the proving keys themselves.

    Raises:
        DeploymentRefused: A file is no key, its phase 2 was skipped, or it is of neither a known seed nor a ceremony.
        ProvingKeyMissingError, ProvingKeyStaleError, ExitKitMissingError, ExitKitError: The manifest names a key that
            is gone, damaged, or of other circuits.
    """
    keys = sorted(read_manifest(folder).items())
    if not keys:
        return []
    offers = [_offer(size, key.constraints, find_key(size, folder)) for size, key in keys]
    with unpacked_key(find_exit_kit(folder)) as path:
        return [*offers, _offer(EXIT, read_exit_key(folder).constraints, path)]


def _offer(block_size: int | None, constraints: int, path: Path) -> KeyOffer:
    try:
        is_development = check_key(path, [DEVELOPMENT_SEED])["development"]
        verification_key = ProvingKey(path).verification_key()
        ceremony = None if is_development else read_ceremony(path)
    except ValueError as error:
        raise DeploymentRefused(f"{path}: {error}", "make the keys again") from error
    except KeyFileError as error:
        raise DeploymentRefused(f"{path}: {error.reason}", error.way_out) from error
    return KeyOffer(block_size, constraints, is_development, verification_key, ceremony)


def deploy_rollup(
    provider: ProviderAPI,
    account: AccountAPI,
    manifest: Path,
    tokens: Sequence[TokenOffer],
    validators: Sequence[str],
    allow_development_key: bool = False,
    progress: Callable[[str, float, float], None] | None = None,
) -> Manifest:
    """Deploy with the keys that were built, or go on with the deployment of a manifest.

    Args:
        provider: ape's connection.
        account: Who deploys and becomes governor.
        manifest: Where the manifest is or will be.
        tokens: ETH, then the ERC-20s to list.
        validators: Addresses that may commit.
        allow_development_key: Needed on a fork or testnet.
        progress: Called with (what, steps done, steps in all).

    Raises: DeploymentRefused, ManifestInvalid, and what sending raises.
    """
    contracts = compiled_contracts()
    keys = built_keys()
    if not keys:
        raise DeploymentRefused("there are no keys", "run `sluice build`")
    plan = Plan(keys, tokens, validators, allow_development_key=allow_development_key)
    sender = Sender(provider, known_refusals(contracts))
    return Deployment(sender, account, contracts, manifest, progress).run(plan)
