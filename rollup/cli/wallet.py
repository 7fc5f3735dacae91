"""`sluice wallet`: keys in keystores, and a node to use; the commands that move money are beside this file."""

import json
import secrets
from dataclasses import replace
from pathlib import Path

import click

from rollup.cli.options import key_file_option, owner_account
from rollup.cli.wallet_options import Purse, read_settings, uses_purse, wallet_names, write_private


@click.group()
def wallet() -> None:
    """Your money on the rollup: keys, deposits, payments, swaps, withdrawals, and what you were promised.

    Amounts are AMOUNT:SYMBOL, such as 12.5:ETH. What is confirmed has a validator's signed receipt, which is kept
    before anything is shown; it is final once L1 has executed its block. Works with a node's address alone; with
    --rpc what the node says is looked up on L1 too.
    """


@wallet.command()
@uses_purse(node=False)
def create(purse: Purse) -> None:
    """Make a new key in an encrypted keystore. Whoever loses it or its password loses the money: copy both."""
    _keep(purse, secrets.token_bytes(32), "made")


@wallet.command("import")
@uses_purse(node=False)
@key_file_option
def import_key(purse: Purse, key_file: Path | None) -> None:
    """Put an existing Ethereum key into an encrypted keystore."""
    _keep(purse, bytes(owner_account(key_file).key), "imported")


@wallet.command("list")
@uses_purse(node=False)
def list_wallets(purse: Purse) -> None:
    """The wallets of the folder."""
    found = {name: replace(purse, name=name).address() for name in wallet_names(purse.home)}
    wallets = [{"wallet": name, "address": address} for name, address in found.items()]
    lines = [f"{name:<16} {address}" for name, address in found.items()] or [
        f"no wallet in {purse.home}: `sluice wallet create` or `import` makes one"
    ]
    purse.show({"wallets": wallets}, lines)


@wallet.command()
@uses_purse(node=False)
def address(purse: Purse) -> None:
    """The wallet's address, on L1 and L2: what others pay to."""
    found = purse.address()
    purse.show({"wallet": purse.name, "address": found}, [found])


@wallet.command()
@uses_purse()
def connect(purse: Purse) -> None:
    """Remember which node, L1 node and deployment to use, once they have been seen to belong together."""
    from rollup.client.trust import check_chain
    from rollup.l1.patient import PatientRpc

    with purse.client() as client:
        config, known = client.config(), client.known()
    if purse.rpc is not None:
        check_chain(PatientRpc(purse.rpc), known)
    settings = read_settings(purse.home) | {"node": purse.node}
    settings |= {} if purse.rpc is None else {"rpc": purse.rpc}
    settings |= {} if purse.manifest is None else {"manifest": str(purse.manifest.resolve())}
    write_private(purse.home / "settings.json", json.dumps(settings, indent=2) + "\n")
    values = {"node": purse.node, "rollup": known.rollup, "chain_id": known.chain_id, "version": config.version}
    lines = [f"{purse.node}: rollup {known.rollup} on chain {known.chain_id}, version {config.version}"]
    if purse.rpc is None:
        lines.append("no L1 node: who signs receipts and what is final is believed; name one with --rpc")
    purse.show(values | {"rpc": purse.rpc}, lines)


def _keep(purse: Purse, key: bytes, what: str) -> None:
    from rollup.landing.errors import KeystoreUnusable
    from rollup.landing.keystore import create_keystore, read_password

    if purse.keystore.exists():
        raise KeystoreUnusable(str(purse.keystore), "there is a key already", "choose another name with --wallet")
    if purse.password_file is not None:
        password = read_password(purse.password_file)
    else:
        prompt = f"new password of wallet {purse.name}"
        password = click.prompt(prompt, hide_input=True, confirmation_prompt=True, err=True)
    if not password:
        raise click.UsageError("the password is empty: anybody could open the keystore")
    purse.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Half a keystore would be in the way for ever.
    partial = purse.keystore.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    create_keystore(partial, key, password)
    partial.replace(purse.keystore)
    found = purse.address()
    lines = [
        f"{what}: wallet {purse.name}, address {found}",
        f"keystore: {purse.keystore}; keep a copy, and its password",
    ]
    purse.show({"wallet": purse.name, "address": found, "keystore": str(purse.keystore)}, lines)
