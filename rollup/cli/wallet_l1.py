"""`sluice wallet deposit`, `exit`, `claim`: what is done on L1, seen through to L2 and back."""

import click

from rollup.cli.options import Address, double_fee_option, money_of, token_of
from rollup.cli.wallet import wallet
from rollup.cli.wallet_options import Purse, uses_purse
from rollup.cli.wallet_pay import timeout_option
from rollup.cli.wallet_wait import WAIT, say, wait_for
from rollup.core.addresses import show_address

wait_option = click.option(
    "--wait",
    type=click.Choice(("none", *WAIT)),
    default="confirmed",
    show_default=True,
    help="How far it is waited for.",
)


@wallet.command()
@uses_purse()
@click.option("--amount", required=True, metavar="AMOUNT:SYMBOL", help="Such as 12.5:ETH.")
@click.option("--to", type=Address(), help="Owner of the L2 account, an L1 address.  [default: the wallet's]")
@double_fee_option(default=False)
@wait_option
@timeout_option
def deposit(purse: Purse, amount: str, to: int | None, double_fee: bool, wait: str, timeout: float | None) -> None:
    """Put money in from L1, and wait until it can be spent on L2. The queue fee is paid on top, in ETH.

    Your first deposit makes your account and sets its key. ERC-20s are approved as needed.
    """
    with purse.open() as mine:
        token, units = money_of(mine.client.known(), amount, "--amount")
        whose = None if to is None else show_address(to)
        queued = mine.deposit(units, token.symbol, whose, double_fee)
        sent = queued.sent
        what = f"deposited {token.show(units)} {token.symbol}"
        values = {"queue_index": queued.index, "l1_transaction": sent.transaction, "amount": str(units)}
        values |= {"token": token.symbol, "status": "waiting"}
        say(purse, f"{what}: entry {queued.index} of L1's queue ({sent.transaction}, {sent.gas_used:,} gas)", values)
        if wait == "none":
            purse.show(values, ["the next blocks take it in"])
            return
        done = wait_for(mine.client, queued.name, wait, timeout)
        values |= {"status": done.status, "is_final": done.is_final, "block": done.block}
        held = f"it is on L2: {done.status}{'' if done.is_final else ' (not final)'}, block {done.block}"
        purse.show(values, [held])


@wallet.command("exit")
@uses_purse()
@click.option("--token", required=True, metavar="SYMBOL", help="All that the account has of it leaves.")
@double_fee_option(default=True)
@click.option(
    "--wait",
    type=click.Choice(("none", *WAIT)),
    default="none",
    show_default=True,
    help="How far it is waited for.",
)
@timeout_option
def leave(purse: Purse, token: str, double_fee: bool, wait: str, timeout: float | None) -> None:
    """Demand a whole balance back through L1's queue, whatever the validator wants. Then it is claimed.

    Needs the node only to find your account's number; `sluice exit request` needs no node at all.
    """
    with purse.open() as mine:
        named = token_of(mine.client.known(), token, "--token")
        queued = mine.request_exit(named.symbol, double_fee)
        sent = queued.sent
        entry = f"entry {queued.index} of L1's queue ({sent.transaction}, {sent.gas_used:,} gas)"
        line = f"demanded all {named.symbol}: {entry}"
        values = {"queue_index": queued.index, "l1_transaction": sent.transaction, "token": named.symbol}
        values |= {"status": "waiting"}
        if wait == "none":
            purse.show(values, [line, "once its block is executed: `sluice wallet claim`"])
            return
        say(purse, line, values)
        done = wait_for(mine.client, queued.name, wait, timeout)
        values |= {"status": done.status, "is_final": done.is_final, "block": done.block}
        purse.show(values, [f"{done.status}: block {done.block}"])


@wallet.command()
@uses_purse()
@click.option("--token", required=True, metavar="SYMBOL")
@click.option("--to", type=Address(), help="Where it goes on L1.  [default: the wallet's address]")
def claim(purse: Purse, token: str, to: int | None) -> None:
    """Have paid out on L1 what L1 owes you: final withdrawals, exits, refused deposits."""
    with purse.open() as mine:
        named = token_of(mine.client.known(), token, "--token")
        owed = mine.pending(named.symbol)
        if not owed:
            raise click.ClickException(
                f"L1 owes {mine.owner.address} no {named.symbol} now: a withdrawal is owed once it is final "
                "(`sluice wallet history`)"
            )
        sent = mine.claim(named.symbol, None if to is None else show_address(to))
        values = {"token": named.symbol, "amount": str(owed), "l1_transaction": sent.transaction}
        line = f"paid out {named.show(owed)} {named.symbol} on L1 ({sent.transaction}, {sent.gas_used:,} gas)"
        purse.show(values, [line])
