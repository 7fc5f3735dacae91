"""`sluice wallet transfer`, `withdraw`, `new-key`, `resend`: signed here, sent to the node, the receipt kept."""

from typing import TYPE_CHECKING

import click

from rollup.cli.options import ACCOUNT_ID, Address, fee_of, money_of
from rollup.cli.wallet import wallet
from rollup.cli.wallet_options import Purse, uses_purse
from rollup.cli.wallet_wait import WAIT, confirmed_line, confirmed_values, finish, say, wait_for
from rollup.core.addresses import show_address
from rollup.core.amounts import pack_amount, pack_fee

if TYPE_CHECKING:
    from rollup.client import Deployment
    from rollup.wallet.tokens import Token

fee_option = click.option(
    "--fee", metavar="AMOUNT[:SYMBOL]", help="Pay exactly this.  [default: what the node asks, up to --max-fee]"
)
max_fee_option = click.option(
    "--max-fee", metavar="AMOUNT[:SYMBOL]", help="Sign nothing that costs more.  [default: a tenth of the amount]"
)
ignore_option = click.option(
    "--ignore-outstanding",
    is_flag=True,
    help="Sign although something unanswered may still be taken in: it may pay twice.",
)
wait_option = click.option(
    "--wait", type=click.Choice(WAIT), default="confirmed", show_default=True, help="How far it is waited for."
)
timeout_option = click.option(
    "--timeout", type=click.FloatRange(0, min_open=True), help="Seconds to wait.  [default: as long as it takes]"
)


@wallet.command()
@uses_purse()
@click.option("--to", type=Address(), help="Whom: an L1 address; its checksum is checked.")
@click.option("--to-id", type=ACCOUNT_ID, help="Or the number of an L2 account.")
@click.option("--amount", required=True, metavar="AMOUNT:SYMBOL", help="Such as 12.5:ETH.")
@fee_option
@max_fee_option
@wait_option
@timeout_option
@ignore_option
def transfer(
    purse: Purse, to: int | None, to_id: int | None, amount: str, fee: str | None, max_fee: str | None, wait: str,
    timeout: float | None, ignore_outstanding: bool,
) -> None:  # fmt: skip
    """Pay somebody on L2."""
    if (to is None) == (to_id is None):
        raise click.UsageError("whom? Name an address with --to, or an account with --to-id")
    with purse.open(ignore_outstanding=ignore_outstanding) as mine:
        known = mine.client.known()
        token, units = money_of(known, amount, "--amount", pack_amount)
        whom: str | int = show_address(to) if to is not None else to_id  # type: ignore[assignment]  # one of both
        confirmed = mine.transfer(whom, units, token.symbol, *fees(known, token, fee, max_fee))
        what = f"paid {token.show(units)} {token.symbol} to {whom if to is not None else f'account {whom}'}"
        finish(purse, mine.client, confirmed, what, token, wait, timeout, {"amount": str(units), "token": token.symbol})


@wallet.command()
@uses_purse()
@click.option("--amount", required=True, metavar="AMOUNT:SYMBOL")
@click.option("--to", type=Address(), help="L1 address.  [default: the wallet's]")
@fee_option
@max_fee_option
@click.option(
    "--wait", type=click.Choice(WAIT), help="How far it is waited for.  [default: confirmed; with --to-l1 final]"
)
@click.option("--to-l1", is_flag=True, help="Wait until it is final, then have it paid out on L1.")
@timeout_option
@ignore_option
def withdraw(
    purse: Purse, amount: str, to: int | None, fee: str | None, max_fee: str | None, wait: str | None, to_l1: bool,
    timeout: float | None, ignore_outstanding: bool,
) -> None:  # fmt: skip
    """Take money out to L1. Once it is final L1 owes it, until it is claimed (`sluice wallet claim`, or --to-l1)."""
    if to_l1 and wait not in (None, "final"):
        raise click.UsageError("--to-l1 needs it final: leave --wait out")
    with purse.open(ignore_outstanding=ignore_outstanding) as mine:
        known = mine.client.known()
        token, units = money_of(known, amount, "--amount")
        if to_l1:
            mine.pending(token.symbol)  # there is a way to L1
        whom = None if to is None else show_address(to)
        confirmed = mine.withdraw(units, token.symbol, whom, *fees(known, token, fee, max_fee))
        what = f"withdrew {token.show(units)} {token.symbol} to {whom or mine.owner.address} on L1"
        values = {"amount": str(units), "token": token.symbol}
        if not to_l1:
            finish(purse, mine.client, confirmed, what, token, wait or "confirmed", timeout, values)
            return
        say(purse, confirmed_line(confirmed, what, token), confirmed_values(confirmed) | values)
        done = wait_for(mine.client, confirmed.hash, "final", timeout)
        sent = mine.claim(token.symbol, of=whom)
        values |= confirmed_values(confirmed, done) | {"l1_transaction": sent.transaction}
        purse.show(values, [f"final, and paid out on L1 ({sent.transaction}, {sent.gas_used:,} gas)"])


@wallet.command("new-key")
@uses_purse()
@click.option("--key-index", type=click.IntRange(0), required=True, help="Number of the new L2 key.")
@click.option("--fee", default=None, metavar="AMOUNT:SYMBOL", help="Pay exactly this.  [default: what the node asks]")
@click.option(
    "--max-fee", default="0:ETH", show_default=True, metavar="AMOUNT:SYMBOL", help="Sign nothing that costs more."
)
@wait_option
@timeout_option
@ignore_option
def new_key(
    purse: Purse, key_index: int, fee: str | None, max_fee: str, wait: str, timeout: float | None,
    ignore_outstanding: bool,
) -> None:  # fmt: skip
    """Give the account another L2 key, if the old one was seen by others. The old key is not needed."""
    with purse.open(ignore_outstanding=ignore_outstanding) as mine:
        known = mine.client.known()
        token, units = money_of(known, fee or max_fee, "--fee" if fee else "--max-fee", pack_fee)
        chosen = {"fee": units} if fee else {"max_fee": units}
        confirmed = mine.change_key(key_index, token.symbol, **chosen)
        what = f"L2 key number {key_index} is the account's"
        finish(purse, mine.client, confirmed, what, token, wait, timeout, {"key_index": key_index})


@wallet.command()
@uses_purse()
@wait_option
@timeout_option
def resend(purse: Purse, wait: str, timeout: float | None) -> None:
    """Submit again what was sent and has no receipt, as it was signed: it is never done twice."""
    with purse.open() as mine:
        settled = mine.settle()
        again = [mine.resend(each) for each in mine.records.outstanding()]
        hashes = [*(each.hash for each in settled), *(each.hash for each in again)]
        for name in hashes:
            wait_for(mine.client, name, wait, timeout)
        lines = [f"{each}: confirmed (not final), receipt kept" for each in hashes] or ["everything has its receipt"]
        purse.show({"confirmed": hashes}, lines)


def fees(known: "Deployment", token: "Token", fee: str | None, max_fee: str | None) -> tuple[int | None, int | None]:
    """What --fee and --max-fee say, in smallest units."""
    return (
        None if fee is None else fee_of(fee, token, known),
        None if max_fee is None else money_limit(known, token, max_fee),
    )


def money_limit(known: "Deployment", token: "Token", text: str) -> int:
    """A limit need not be encodable as a fee."""
    named, units = money_of(known, text if ":" in text else f"{text}:{token.symbol}", "--max-fee")
    if named.token_id != token.token_id:
        raise click.BadParameter(f"{text!r}: this fee is paid in {token.symbol}", param_hint="--max-fee")
    return units
