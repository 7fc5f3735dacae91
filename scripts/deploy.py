"""`ape run deploy --network ethereum:local:foundry`: see `rollup.l1.deployment`."""

from pathlib import Path

import click
from ape.cli import ConnectedProviderCommand, account_option

from rollup.cli.chain import DEFAULT_MANIFEST, parse_token
from rollup.l1.project import deploy_rollup


@click.command(cls=ConnectedProviderCommand)
@account_option()
@click.option("--manifest", type=click.Path(path_type=Path), default=DEFAULT_MANIFEST, show_default=True)
@click.option("--token", "tokens", multiple=True, metavar="SYMBOL:DECIMALS:ADDRESS")
@click.option("--allow-development-key", is_flag=True)
def cli(provider, account, manifest, tokens, allow_development_key):
    """Deploy the contracts, or go on where the manifest says a deployment was cut off."""
    offers = [parse_token(token) for token in tokens]
    deployed = deploy_rollup(provider, account, manifest, offers, [account.address], allow_development_key)
    click.echo(f"{manifest}: rollup {deployed.rollup} on chain {deployed.chain_id}")
