"""What a user sends to L1 himself: deposits, full exits, approvals of key changes, withdrawals; and what he is owed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rollup.cli.options import (
    Address,
    key_file_option,
    key_index_option,
    l2_key,
    manifest_option,
    money_of,
    owner_account,
    token_of,
)

if TYPE_CHECKING:
    from ape.api import AccountAPI

    from rollup.l1.client import RollupClient
    from rollup.l1.manifest import Manifest
    from rollup.l1.rpc import JsonRpc
    from rollup.l1.sender import Sent

network_option = click.option(
    "--network", required=True, help="ape's network choice, such as ethereum:local:http://127.0.0.1:8545."
)
account_option = click.option("--account", help="Alias of ape's account that pays.  [local: test account 0]")


@dataclass(frozen=True, slots=True)
class Session:
    """A connection to a deployment."""

    manifest: "Manifest"
    client: "RollupClient"

    def signer(self, alias: str | None, network: str) -> "AccountAPI":
        """Return ape's account; on a local chain the first of the test mnemonic by default."""
        from ape import accounts

        from rollup.l1.deployment import is_local
        from rollup.l1.project import development_account

        if alias is not None:
            return accounts.load(alias)
        if not is_local(self.client.sender.rpc):
            raise click.UsageError(f"{network} is no local development chain: name your own account with --account")
        return development_account(0)


@contextmanager
def session(manifest: Path, network: str) -> Iterator[Session]:
    """Connect to the deployment of a manifest, which must be of this chain.

    Raises: ManifestInvalid.
    """
    from ape import networks
    from ape.logging import logger

    from rollup.l1.client import RollupClient
    from rollup.l1.manifest import load_manifest
    from rollup.l1.project import compiled_contracts, known_refusals
    from rollup.l1.sender import Sender

    logger.set_level("ERROR")
    deployed = load_manifest(manifest)
    with networks.parse_network_choice(network) as provider:
        sender = Sender(provider, known_refusals(compiled_contracts()))
        _check_chain(deployed, sender.rpc, manifest)
        yield Session(deployed, RollupClient(sender, deployed.rollup, deployed.deployed_at))


@click.command()
@manifest_option
@network_option
@account_option
@click.option("--amount", required=True, metavar="AMOUNT:SYMBOL", help="Such as 12.5:ETH.")
@click.option("--to", type=Address(), help="Owner of the L2 account, an L1 address.  [default: the account that pays]")
@click.option("--set-key", is_flag=True, help="Also set the owner's L2 key, if the account has none.")
@key_file_option
@key_index_option
def deposit(
    manifest: Path,
    network: str,
    account: str | None,
    amount: str,
    to: int | None,
    set_key: bool,
    key_file: Path | None,
    key_index: int,
) -> None:
    """Put money into the rollup; the queue fee is paid on top, in ETH. ERC-20s are approved as needed."""
    from rollup.core.operations import NO_KEY

    with session(manifest, network) as on:
        token, units = money_of(on.manifest, amount, "--amount")
        payer = on.signer(account, network)
        key = NO_KEY
        if set_key:
            owner = owner_account(key_file)
            if owner.address != payer.address:
                reason = f"the key is of {owner.address}, the deposit by {payer.address}"
                raise click.UsageError(f"{reason}: only the owner's own deposit sets a key")
            key = l2_key(owner, on.manifest, key_index).public_key
        whose = None if to is None else f"0x{to:040x}"
        if token.token_id == 0:
            sent = on.client.deposit_eth(payer, units, whose, key)
        else:
            on.client.allow(payer, on.manifest.tokens[token.token_id].address, units)
            sent = on.client.deposit_erc20(payer, token.token_id, units, whose, key)
        _report(sent, "deposited; the next blocks take it in")


@click.command("exit")
@manifest_option
@network_option
@account_option
@click.option("--id", "account_id", type=click.IntRange(0), required=True, help="The L2 account.")
@click.option("--token", required=True, metavar="SYMBOL")
def full_exit(manifest: Path, network: str, account: str | None, account_id: int, token: str) -> None:
    """Demand all that an L2 account has of a token back, through L1's queue; for its owner, whatever key it has."""
    with session(manifest, network) as on:
        token_id = token_of(on.manifest, token, "--token").token_id
        sent = on.client.request_full_exit(on.signer(account, network), account_id, token_id)
        _report(sent, "requested; once a block with it is executed, the money is pending")


@click.command("approve-key")
@manifest_option
@network_option
@account_option
@click.option("--for-ever", is_flag=True, help="Approve a change that never ends.")
@click.argument("file", type=click.File())
def approve_key(manifest: Path, network: str, account: str | None, for_ever: bool, file: Any) -> None:
    """Approve a change of key on L1, from the JSON that `sluice sign new-key --unsigned` printed.

    For owners that cannot sign. Nothing takes an approval back but the account's next operation, and its end.
    """
    from rollup.core.operations import FOREVER, ChangePubKey
    from rollup.core.wire import loads

    change = loads(file.read())
    if not isinstance(change, ChangePubKey):
        raise click.UsageError(f"{file.name} holds a {type(change).__name__}, not a change of key")
    if change.valid_until == FOREVER and not for_ever:
        raise click.UsageError("the change never ends and an approval cannot be taken back: add --for-ever if it must")
    with session(manifest, network) as on:
        signer = on.signer(account, network)
        if int(signer.address, 16) != change.owner:
            raise click.UsageError(f"the change is of an account of 0x{change.owner:040x}: it must send the approval")
        _report(on.client.approve_key_change(signer, change), "approved; hand the same JSON to a validator")


@click.command()
@manifest_option
@network_option
@account_option
@click.option("--owner", type=Address(), required=True, help="To whom the money goes.")
@click.option("--token", required=True, metavar="SYMBOL")
def withdraw(manifest: Path, network: str, account: str | None, owner: int, token: str) -> None:
    """Have a pending balance paid out to its owner; anyone may."""
    with session(manifest, network) as on:
        token_id = token_of(on.manifest, token, "--token").token_id
        sent = on.client.withdraw_pending(on.signer(account, network), f"0x{owner:040x}", token_id)
        _report(sent, "paid out")


@click.command()
@manifest_option
@network_option
@click.option("--owner", type=Address(), required=True, help="Whose balances.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, in smallest units.")
def pending(manifest: Path, network: str, owner: int, as_json: bool) -> None:
    """Show what an address can have paid out on L1."""
    from rollup.wallet.tokens import Token

    with session(manifest, network) as on:
        owed = {
            token: on.client.pending(f"0x{owner:040x}", token.token_id)
            for token in (Token(each.token_id, each.symbol, each.decimals) for each in on.manifest.tokens)
        }
    if as_json:
        click.echo(json.dumps({"ok": True, "pending": {token.symbol: str(amount) for token, amount in owed.items()}}))
        return
    for token, amount in owed.items():
        click.echo(f"{token.symbol} {token.show(amount)}")


def _check_chain(deployed: "Manifest", rpc: "JsonRpc", path: Path) -> None:
    from rollup.l1.errors import ManifestInvalid

    genesis = str(rpc("eth_getBlockByNumber", "0x0", False)["hash"])
    for name, expected, got in (
        ("chain id", deployed.chain_id, rpc.chain_id()),
        ("first block", deployed.l1_genesis, genesis),
    ):
        if expected != got:
            raise ManifestInvalid(str(path), f"it is of a chain with {name} {expected}, this one has {got}")


def _report(sent: "Sent", what: str) -> None:
    click.echo(f"{what} ({sent.transaction}, {sent.gas_used:,} gas)")
