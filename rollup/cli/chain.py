"""`sluice deploy` and `sluice rebuild`: a deployment on any chain, and the state that its L1 data give."""

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from rollup.cli.options import Address, amount_of, manifest_option, rpc_option
from rollup.cli.through_ape import ape_account, ape_network
from rollup.progress import Bars

if TYPE_CHECKING:
    from rollup.l1.deployment import TokenOffer
    from rollup.wallet.tokens import Token

LISTING_FORM = "SYMBOL:DECIMALS:ADDRESS:CAP"


@click.command()
@manifest_option
@click.option("--network", default="ethereum:local:foundry", show_default=True, help="ape's network choice.")
@click.option("--account", help="Alias of ape's account that deploys and owns the governor.  [local: test account 0]")
@click.option(
    "--validator",
    "validators",
    type=Address(),
    multiple=True,
    help="Address that may commit; repeat.  [default: account]",
)
@click.option("--eth-cap", default="10", show_default=True, help="How much ETH may be deposited in all.")
@click.option(
    "--token",
    "tokens",
    multiple=True,
    metavar=LISTING_FORM,
    help="ERC-20 to list and how much of it may be deposited in all, such as USDS:6:0x...:10000; repeat.",
)
@click.option("--allow-development-key", is_flag=True, help="On a fork or testnet. Never works on mainnet.")
def deploy(
    manifest: Path,
    network: str,
    account: str | None,
    validators: tuple[int, ...],
    eth_cap: str,
    tokens: tuple[str, ...],
    allow_development_key: bool,
) -> None:
    """Deploy the contracts and write the manifest; run again, it goes on where it was cut off.

    On a chain that ape starts for this command alone, as by default, nothing is kept: it shows that all works.
    """
    from rollup.core.addresses import show_address
    from rollup.l1.deployment import is_local
    from rollup.l1.project import deploy_rollup, development_account
    from rollup.l1.rpc import JsonRpc

    offers = [_eth(eth_cap), *(_token(text) for text in tokens)]
    with ape_network(network) as provider, TemporaryDirectory() as folder:
        if account is None and not is_local(JsonRpc(str(provider.http_uri))):
            raise click.UsageError(f"{network} is no local development chain: name your own account with --account")
        signer = ape_account(account) if account else development_account(0)
        allowed = [show_address(validator) for validator in validators] or [str(signer.address)]
        ends = getattr(provider, "process", None) is not None
        path = Path(folder) / manifest.name if ends else manifest
        with Bars() as bars, bars.step("deploy") as advance:
            deployed = deploy_rollup(provider, signer, path, offers, allowed, allow_development_key, advance)
    where = (
        "not kept, as its chain ended with this command; name a node that stays with --network" if ends else manifest
    )
    click.echo(f"rollup {deployed.rollup} on chain {deployed.chain_id}, block sizes {deployed.block_sizes}: {where}")


@click.command()
@manifest_option
@rpc_option()
@click.option("--json", "as_json", is_flag=True, help="Print the whole state as one JSON object.")
def rebuild(manifest: Path, rpc: str, as_json: bool) -> None:
    """Rebuild the state from L1 data alone and compare every hash and root with the contract's."""
    from rollup.l1.manifest import load_manifest
    from rollup.l1.reader import Reader
    from rollup.l1.rpc import JsonRpc

    deployed = load_manifest(manifest)
    reader = Reader(JsonRpc(rpc), deployed.rollup, deployed.deployed_at)
    with Bars(quiet=as_json) as bars, bars.step("rebuild from L1") as advance:
        rebuilt = reader.rebuild(lambda done, total: advance(f"block {done} of {total}", done, total))
    state = rebuilt.state
    accounts: list[dict[str, Any]] = [
        {
            "account_id": account_id,
            "address": f"0x{account.address:040x}",
            "nonce": account.nonce,
            "has_key": account.has_key,
            "balances": {str(token): str(balance) for token, balance in sorted(state.balances(account_id).items())},
        }
        for account_id, account in sorted(state.accounts())
    ]
    if as_json:
        values = {"ok": True, "blocks": len(rebuilt.blocks), "root": f"{state.root:#066x}", "accounts": accounts}
        click.echo(json.dumps(values))
        return
    click.echo(f"{len(rebuilt.blocks)} blocks, {len(accounts)} accounts, root {state.root:#066x}: as on L1")


def _eth(cap: str) -> "TokenOffer":
    from rollup.l1.deployment import TokenOffer
    from rollup.wallet.tokens import ETH

    return TokenOffer(ETH.symbol, ETH.decimals, None, _cap(cap, ETH, "--eth-cap"))


def _token(text: str) -> "TokenOffer":
    from rollup.core.addresses import parse_address, show_address
    from rollup.core.errors import AddressTextError
    from rollup.l1.deployment import TokenOffer
    from rollup.wallet.tokens import Token

    parts = text.split(":")
    if len(parts) != len(LISTING_FORM.split(":")):
        raise click.BadParameter(f"{text!r}: write {LISTING_FORM}", param_hint="--token")
    symbol, decimals, address, cap = parts
    if not symbol:
        raise click.BadParameter(f"{text!r}: its SYMBOL is empty: write {LISTING_FORM}", param_hint="--token")
    if re.fullmatch("[0-9]{1,2}", decimals) is None:
        raise click.BadParameter(f"DECIMALS is {decimals!r}: a number of one or two digits", param_hint="--token")
    try:
        where = show_address(parse_address(address))
    except AddressTextError as error:
        raise click.BadParameter(f"ADDRESS {error}", param_hint="--token") from error
    return TokenOffer(symbol, int(decimals), where, _cap(cap, Token(0, symbol, int(decimals)), "--token"))


def _cap(text: str, token: "Token", option: str) -> int:
    from rollup.core.constants import DEPOSIT_CAP_BITS

    cap = amount_of(text, token, option)
    if cap >> DEPOSIT_CAP_BITS:
        raise click.BadParameter(f"{text!r}: caps are below 2^{DEPOSIT_CAP_BITS} smallest units", param_hint=option)
    return cap
