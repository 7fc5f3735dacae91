"""How a command gets to L1: with a node and a key file alone, or through ape."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rollup.cli.options import key_file_option, manifest_option, owner_account, rpc_option
from rollup.cli.through_ape import ape_account, ape_network

if TYPE_CHECKING:
    from rollup.l1.client import RollupClient
    from rollup.l1.manifest import Manifest
    from rollup.l1.rpc import JsonRpc
    from rollup.l1.sending import Account, Sending, Sent

_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Way:
    """How L1 is reached, as the options say.

    Args:
        manifest: The deployment.
        rpc: A node's address, or
        network: ape's network choice.
        account: Alias of ape's account.
        key_file: File with the private key; with `rpc` also who pays.
    """

    manifest: Path
    rpc: str | None
    network: str | None
    account: str | None = None
    key_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A connection to a deployment."""

    manifest: "Manifest"
    client: "RollupClient"
    way: Way

    def signer(self) -> "Account":
        """Return who pays: the key's account; with ape its account, on a local chain test account 0 by default."""
        if self.way.rpc is not None:
            return owner_account(self.way.key_file)
        from rollup.l1.deployment import is_local
        from rollup.l1.project import development_account

        if self.way.account is not None:
            return ape_account(self.way.account)  # type: ignore[no-any-return]
        if not is_local(self.client.sender.rpc):
            reason = f"{self.way.network} is no local development chain"
            raise click.UsageError(f"{reason}: name your own account with --account")
        return development_account(0)  # type: ignore[no-any-return]


def reaches_l1(sends: bool = True) -> Callable[[_Command], _Command]:
    """Give a command the options by which L1 is reached, joined in `way`; with `sends`, who pays too."""

    def decorate(command: _Command) -> _Command:
        @wraps(command)
        def run(
            manifest: Path, rpc: str | None, network: str | None, account: str | None = None,
            key_file: Path | None = None, **others: Any,
        ) -> Any:  # fmt: skip
            if (rpc is None) == (network is None):
                raise click.UsageError("how is L1 reached? Name a node with --rpc, or ape's network with --network")
            if rpc is not None and account is not None:
                raise click.UsageError("--account is ape's: with --rpc the key file says who pays")
            return command(way=Way(manifest, rpc, network, account, key_file), **others)

        options = [
            manifest_option,
            rpc_option(required=False, then="; needs no ape"),
            click.option("--network", help="Or ape's network choice, such as http://127.0.0.1:8545."),
        ]
        if sends:
            options.append(click.option("--account", help="With --network: alias of ape's account that pays."))
            options.append(key_file_option)
        wrapped: Any = run
        for option in reversed(options):
            wrapped = option(wrapped)
        return wrapped  # type: ignore[no-any-return]

    return decorate


@contextmanager
def session(way: Way) -> Iterator[Session]:
    """Connect to the deployment of a manifest, which must be of this chain.

    Raises: ManifestInvalid.
    """
    from rollup.l1.client import RollupClient
    from rollup.l1.manifest import load_manifest

    deployed = load_manifest(way.manifest)
    with _sending(way) as sender:
        _check_chain(deployed, sender.rpc, way.manifest)
        yield Session(deployed, RollupClient(sender, deployed.rollup, deployed.deployed_at), way)


@contextmanager
def _sending(way: Way) -> "Iterator[Sending]":
    from rollup.l1.refusals import Refusals

    if way.rpc is not None:
        from rollup.l1.key_sender import KeySender
        from rollup.l1.patient import PatientRpc

        yield KeySender(PatientRpc(way.rpc), Refusals.of_contracts())
        return
    from rollup.l1.sender import Sender

    with ape_network(str(way.network)) as provider:
        yield Sender(provider, Refusals.of_contracts())


def _check_chain(deployed: "Manifest", rpc: "JsonRpc", path: Path) -> None:
    from rollup.l1.errors import ManifestInvalid

    genesis = str(rpc("eth_getBlockByNumber", "0x0", False)["hash"])
    for name, expected, got in (
        ("chain id", deployed.chain_id, rpc.chain_id()),
        ("first block", deployed.l1_genesis, genesis),
    ):
        if expected != got:
            raise ManifestInvalid(str(path), f"it is of a chain with {name} {expected}, this one has {got}")


def report(sent: "Sent", what: str) -> None:
    """Say what was done, by which transaction."""
    click.echo(f"{what} ({sent.transaction}, {sent.gas_used:,} gas)")
