"""How `sluice wallet` tells how far something is, and waits for more, with progress on stderr."""

from typing import TYPE_CHECKING, Any

import click

from rollup.cli.wallet_options import Purse
from rollup.core.receipt import receipt_to_wire

if TYPE_CHECKING:
    from rollup.client import Confirmed, SluiceClient, Transaction
    from rollup.wallet.tokens import Token

WAIT = ("confirmed", "committed", "proven", "final")
STEPS = {"unknown": 0, "waiting": 0, "confirmed": 1, "committed": 2, "proven": 3, "final": 4}


def confirmed_line(confirmed: "Confirmed", what: str, token: "Token") -> str:
    """What has a receipt, in a line: never as if it were final."""
    stage = "final" if confirmed.is_final else f"{confirmed.status} (not final)"
    fee = f"fee {token.show(fee_of(confirmed))} {token.symbol}"
    return f"{what}, {fee}: {stage}, block {confirmed.receipt.block_number}; receipt kept as {confirmed.hash}"


def fee_of(confirmed: "Confirmed") -> int:
    """What the operation pays, in smallest units."""
    return sum(part.fee for part in parts_of(confirmed.operation))


def parts_of(operation: Any) -> list[Any]:
    """The operation's own parts: a batch's operations, a swap's taker, else itself."""
    from rollup.core.operations import Batch, Swap

    match operation:
        case Batch():
            return list(operation.operations)
        case Swap():
            return [operation.taker]
    return [operation]


def finish(
    purse: Purse, client: "SluiceClient", confirmed: "Confirmed", what: str, token: "Token", until: str,
    timeout: float | None, values: dict[str, Any],
) -> None:  # fmt: skip
    """Tell what is confirmed, and wait for more if that was asked."""
    line = confirmed_line(confirmed, what, token)
    if until == "confirmed":
        purse.show(confirmed_values(confirmed) | values, [line])
        return
    say(purse, line, confirmed_values(confirmed) | values)
    done = wait_for(client, confirmed.hash, until, timeout)
    purse.show(confirmed_values(confirmed, done) | values, [f"{done.status}: block {done.block}"])


def say(purse: Purse, line: str, done: dict[str, Any]) -> None:
    """Tell on the way: on stdout for people, on stderr beside JSON; if what comes fails, `done` is told with it."""
    purse.done.update(done)
    click.echo(line, err=purse.as_json)


def confirmed_values(confirmed: "Confirmed", done: "Transaction | None" = None) -> dict[str, Any]:
    """The same for machines."""
    status = done.status if done is not None else confirmed.status
    return {
        "hash": confirmed.hash,
        "status": status,
        "is_final": status == "final",
        "block": confirmed.receipt.block_number,
        "fee": str(fee_of(confirmed)),
        "receipt": receipt_to_wire(confirmed.receipt),
    }


def wait_for(client: "SluiceClient", name: str, until: str, timeout: float | None) -> "Transaction":
    """Wait until an operation or an entry of L1's queue is as far as `until`, with a bar.

    Raises: NotFinalInTime, and what `Core.wait` raises.
    """
    from rollup.progress import Bars

    goal = STEPS[until]
    with Bars() as bars, bars.step(f"until it is {until}") as advance:
        return client.wait(name, until, timeout, lambda found: advance(found.status, STEPS[found.status], goal))
