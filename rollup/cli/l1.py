"""What a user sends to L1 himself: deposits, forced exits, approvals of key changes, withdrawals; what he is owed."""

import json
from typing import Any

import click

from rollup.cli.options import (
    ACCOUNT_ID,
    Address,
    amount_of,
    double_fee_option,
    key_index_option,
    l2_key,
    money_of,
    owner_account,
    token_of,
)
from rollup.cli.session import Way, reaches_l1, report, session


@click.command()
@reaches_l1()
@click.option("--amount", required=True, metavar="AMOUNT:SYMBOL", help="Such as 12.5:ETH.")
@click.option("--to", type=Address(), help="Owner of the L2 account, an L1 address.  [default: the account that pays]")
@click.option("--set-key", is_flag=True, help="Also set the owner's L2 key, if the account has none.")
@key_index_option
@double_fee_option(default=False)
def deposit(way: Way, amount: str, to: int | None, set_key: bool, key_index: int, double_fee: bool) -> None:
    """Put money into the rollup; the queue fee is paid on top, in ETH. ERC-20s are approved as needed."""
    from rollup.core.operations import NO_KEY
    from rollup.l1.manifest import load_manifest

    token, units = money_of(load_manifest(way.manifest), amount, "--amount")
    with session(way) as on:
        payer = on.signer()
        key = NO_KEY
        if set_key:
            owner = owner_account(way.key_file)
            if owner.address != payer.address:
                reason = f"the key is of {owner.address}, the deposit by {payer.address}"
                raise click.UsageError(f"{reason}: only the owner's own deposit sets a key")
            key = l2_key(owner, on.manifest, key_index).public_key
        whose = None if to is None else f"0x{to:040x}"
        if token.token_id == 0:
            sent = on.client.deposit_eth(payer, units, whose, key, double_fee)
        else:
            on.client.allow(payer, on.manifest.tokens[token.token_id].address, units)
            sent = on.client.deposit_erc20(payer, token.token_id, units, whose, key, double_fee)
        report(sent, "deposited; the next blocks take it in")


@click.group("exit")
def forced_exit() -> None:
    """Leave through L1's queue, whatever a validator wants."""


@forced_exit.command("request")
@reaches_l1()
@click.option("--id", "account_id", type=ACCOUNT_ID, required=True, help="The L2 account.")
@click.option("--token", required=True, metavar="SYMBOL")
@double_fee_option(default=True)
def request_exit(way: Way, account_id: int, token: str, double_fee: bool) -> None:
    """Demand all that an L2 account has of a token back, through L1's queue; for its owner, whatever key it has."""
    from rollup.l1.manifest import load_manifest

    token_id = token_of(load_manifest(way.manifest), token, "--token").token_id
    with session(way) as on:
        sent = on.client.request_full_exit(on.signer(), account_id, token_id, double_fee)
        over = "; so is already what was sent over the queue fee, in ETH" if double_fee else ""
        report(sent, f"requested; once a block with it is executed, the money is pending{over}")


@click.command("approve-key")
@reaches_l1()
@click.option("--for-ever", is_flag=True, help="Approve a change that never ends.")
@click.argument("file", type=click.File("rb"))
def approve_key(way: Way, for_ever: bool, file: Any) -> None:
    """Approve a change of key on L1, from the JSON that `sluice sign new-key --unsigned` printed.

    For owners that cannot sign. Nothing takes an approval back but the account's next operation, and its end.
    """
    from rollup.core.operations import FOREVER, ChangePubKey
    from rollup.core.wire import loads

    change = loads(file.read())
    if not isinstance(change, ChangePubKey):
        raise click.UsageError(f"{file.name} holds {type(change).__name__}, not a change of key")
    if change.valid_until == FOREVER and not for_ever:
        raise click.UsageError("the change never ends and an approval cannot be taken back: add --for-ever if it must")
    with session(way) as on:
        signer = on.signer()
        if int(signer.address, 16) != change.owner:
            raise click.UsageError(f"the change is of an account of 0x{change.owner:040x}: it must send the approval")
        report(on.client.approve_key_change(signer, change), "approved; hand the same JSON to a validator")


@click.command()
@reaches_l1()
@click.option("--owner", type=Address(), help="Whose money; it goes to him.")
@click.option("--to", type=Address(), help="Or where your own money goes: you need not be able to receive it.")
@click.option("--token", required=True, metavar="SYMBOL")
@click.option("--amount", metavar="AMOUNT", help="Such as 12.5; with --to.  [default: all of it]")
def withdraw(way: Way, owner: int | None, to: int | None, token: str, amount: str | None) -> None:
    """Have a pending balance paid out, to its owner by anyone, or elsewhere by the owner himself."""
    from rollup.l1.manifest import load_manifest

    if (owner is None) == (to is None):
        raise click.UsageError("whose money goes where? --owner for somebody's to him, --to for your own elsewhere")
    if amount is not None and to is None:
        raise click.UsageError("all that is pending goes to its --owner: a part of your own goes --to where you say")
    paid = token_of(load_manifest(way.manifest), token, "--token")
    units = None if amount is None else amount_of(amount, paid, "--amount")
    with session(way) as on:
        if to is not None:
            sent = on.client.withdraw_pending_to(on.signer(), paid.token_id, f"0x{to:040x}", units)
        else:
            sent = on.client.withdraw_pending(on.signer(), f"0x{owner:040x}", paid.token_id)
        report(sent, "paid out")


@click.command()
@reaches_l1(sends=False)
@click.option("--owner", type=Address(), required=True, help="Whose balances.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, in smallest units.")
def pending(way: Way, owner: int, as_json: bool) -> None:
    """Show what an address can have paid out on L1."""
    from rollup.wallet.tokens import Token

    with session(way) as on:
        owed = {
            token: on.client.pending(f"0x{owner:040x}", token.token_id)
            for token in (Token(each.token_id, each.symbol, each.decimals) for each in on.manifest.tokens)
        }
    if as_json:
        click.echo(json.dumps({"ok": True, "pending": {token.symbol: str(amount) for token, amount in owed.items()}}))
        return
    for token, amount in owed.items():
        click.echo(f"{token.symbol} {token.show(amount)}")
