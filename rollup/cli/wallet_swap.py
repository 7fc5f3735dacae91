"""`sluice wallet swap`: an order to hand over, and somebody else's to fill."""

from pathlib import Path
from typing import Any

import click

from rollup.cli.options import fee_of, money_of
from rollup.cli.wallet import wallet
from rollup.cli.wallet_options import Purse, uses_purse, write_private
from rollup.cli.wallet_pay import fee_option, fees, ignore_option, max_fee_option, timeout_option, wait_option
from rollup.cli.wallet_wait import finish
from rollup.core.amounts import pack_amount, pack_fee
from rollup.core.constants import FIRST_ORDER_SLOT, SLOT_BITS

SECONDS_PER_HOUR = 3600


@wallet.group()
def swap() -> None:
    """Trade with somebody: one makes an order, the other fills it, both sides happen or neither."""


@swap.command()
@uses_purse()
@click.option("--sell", required=True, metavar="AMOUNT:SYMBOL", help="What you give, at most.")
@click.option("--for", "buy", required=True, metavar="AMOUNT:SYMBOL", help="What you get for all of it, at least.")
@click.option("--fee", default="0", show_default=True, metavar="AMOUNT[:SYMBOL]", help="Of what is sold, at most.")
@click.option(
    "--hours",
    type=click.FloatRange(0, 24 * 365, min_open=True),
    default=1.0,
    show_default=True,
    help="How long it stands.",
)
@click.option("--out", type=click.Path(path_type=Path), help="File to hand over.  [default: order-HASH.json]")
def offer(purse: Purse, sell: str, buy: str, fee: str, hours: float, out: Path | None) -> None:
    """Make an order, a file to hand over. Whoever has it can fill it, whole or in parts, until its time ends."""
    from rollup.core.wire import dumps, to_wire

    with purse.open() as mine:
        known = mine.client.known()
        sold, sells = money_of(known, sell, "--sell", pack_amount)
        bought, buys = money_of(known, buy, "--for", pack_amount)
        if sold == bought:
            raise click.BadParameter(f"{buy!r} is what is sold: name another token", param_hint="--for")
        order = mine.offer(
            sells, sold.symbol, buys, bought.symbol, fee_of(fee, sold, known), int(hours * SECONDS_PER_HOUR)
        )
        path = out or Path(f"order-{order.message_hash(known.domain):064x}"[:22] + ".json")
        write_private(path, dumps(order) + "\n")
        values = {"order": to_wire(order), "file": str(path), "valid_until": order.valid_until, "slot": order.slot}
        give, get = f"{sold.show(sells)} {sold.symbol}", f"{bought.show(buys)} {bought.symbol}"
        lines = [
            f"{path}: gives {give} for {get} or better, until {order.valid_until} (unix seconds)",
            f"hand it over: whoever has it can fill it. To end it: sluice wallet swap cancel --slot {order.slot}",
        ]
        purse.show(values, lines)


@swap.command()
@uses_purse()
@click.argument("file", type=click.File("rb"))
@click.option("--yes", is_flag=True, help="Do not ask whether the terms are right.")
@fee_option
@max_fee_option
@wait_option
@timeout_option
@ignore_option
def accept(
    purse: Purse, file: Any, yes: bool, fee: str | None, max_fee: str | None, wait: str, timeout: float | None,
    ignore_outstanding: bool,
) -> None:  # fmt: skip
    """Fill an order whole: you give what it buys and get what it sells."""
    from rollup.core.operations import Order
    from rollup.core.wire import loads

    order = loads(file.read())
    if not isinstance(order, Order):
        raise click.UsageError(f"{file.name} holds no order")
    with purse.open(ignore_outstanding=ignore_outstanding) as mine:
        known = mine.client.known()
        sold, bought = mine.terms(order)
        give, get = f"{bought.show(order.buy_amount)} {bought.symbol}", f"{sold.show(order.sell_amount)} {sold.symbol}"
        if not yes:
            click.confirm(f"give {give} and get {get} from account {order.account_id}?", abort=True, err=True)
        confirmed = mine.take(order, *fees(known, bought, fee, max_fee))
        values = {
            "gave": {"amount": str(order.buy_amount), "token": bought.symbol},
            "got": {"amount": str(order.sell_amount), "token": sold.symbol},
        }
        finish(purse, mine.client, confirmed, f"gave {give}, got {get}", bought, wait, timeout, values)


@swap.command()
@uses_purse()
@click.option(
    "--slot", type=click.IntRange(FIRST_ORDER_SLOT, (1 << SLOT_BITS) - 1), required=True, help="As the offer said."
)
@click.option("--fee", metavar="AMOUNT:SYMBOL", help="Pay exactly this.  [default: what the node asks]")
@click.option(
    "--max-fee", default="0:ETH", show_default=True, metavar="AMOUNT:SYMBOL", help="Sign nothing that costs more."
)
@wait_option
@timeout_option
@ignore_option
def cancel(
    purse: Purse, slot: int, fee: str | None, max_fee: str, wait: str, timeout: float | None, ignore_outstanding: bool
) -> None:
    """End every order that a slot has had, once this is in a block."""
    with purse.open(ignore_outstanding=ignore_outstanding) as mine:
        known = mine.client.known()
        token, units = money_of(known, fee or max_fee, "--fee" if fee else "--max-fee", pack_fee)
        confirmed = mine.cancel_orders(slot, token.symbol, **{"fee" if fee else "max_fee": units})
        finish(purse, mine.client, confirmed, f"orders of slot {slot} ended", token, wait, timeout, {"slot": slot})
