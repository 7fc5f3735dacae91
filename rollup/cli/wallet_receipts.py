"""`sluice wallet receipts`: the evidence on this machine, and what it is worth."""

import json
from typing import TYPE_CHECKING, Any

import click

from rollup.cli.wallet import wallet
from rollup.cli.wallet_options import Purse, uses_purse
from rollup.core.receipt import receipt_to_wire
from rollup.core.times import show_time
from rollup.core.wire import to_wire

if TYPE_CHECKING:
    from rollup.client.records import Records, Sent
    from rollup.core.receipt import Receipt


class _ListsByDefault(click.Group):
    """Without a command it is `list`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        is_help = bool(args) and args[0] in ctx.help_option_names
        if not args or (args[0].startswith("-") and not is_help):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@wallet.group(cls=_ListsByDefault)
def receipts() -> None:
    """Receipts that the wallet has kept: a validator's signed promises. Without a command: list."""


@receipts.command("list")
@uses_purse()
def list_receipts(purse: Purse) -> None:
    """Everything that was sent, the oldest first; what has no receipt may still be taken in, or never will."""
    with purse.client() as client:
        records = _records(purse, client.known())
    sent, waiting = records.all(), {each.hash for each in records.outstanding()}
    values = [
        {
            "hash": each.hash,
            "at": int(each.at),
            "type": to_wire(each.operation)["type"],
            "has_receipt": each.receipt is not None,
            "may_be_taken_in": each.hash in waiting,
        }
        | ({} if each.receipt is None else {"block": each.receipt.block_number, "commit_by": each.receipt.commit_by})
        for each in sent
    ]
    lines = [_line(each, each.hash in waiting) for each in sent]
    purse.show({"receipts": values}, lines or ["nothing was sent from here"])


@receipts.command()
@uses_purse()
@click.argument("hash_", metavar="HASH")
def show(purse: Purse, hash_: str) -> None:
    """One receipt, as JSON: what `sluice receipt verify` takes."""
    with purse.client() as client:
        given = _receipt(_records(purse, client.known()), hash_)
    purse.show({"receipt": receipt_to_wire(given)}, [json.dumps(receipt_to_wire(given), indent=2)])


@receipts.command()
@uses_purse()
@click.argument("hash_", metavar="HASH")
def verify(purse: Purse, hash_: str) -> None:
    """Check a receipt again: its signature, and with --rpc on L1 who signed it and that the block keeps it."""
    from rollup.client.trust import check_receipt
    from rollup.core.addresses import show_address
    from rollup.l1.lookup import Lookup, Stage

    with purse.client() as client:
        known, watch = client.known(), client.core.watch
        records = _records(purse, known)
        given, sent = _receipt(records, hash_), _sent(records, hash_)
        check_receipt(given, sent.operation, known, watch, client.core.clock)
        stage = None
        if client.core.l1 is not None:
            lookup = Lookup(client.core.l1, known.rollup, known.deployed_at)
            stage = lookup.stage(given.block_number)
            if stage != Stage.ABSENT:
                published = lookup.find(given.block_number)
                given.check_kept(published.l2, published.l1)
        signer = show_address(given.signer() or 0)
        values = {"signer": signer, "block": given.block_number, "commit_by": given.commit_by, "stage": stage}
        lines = [f"signed by validator {signer}: block {given.block_number}, chunk {given.chunk_position}"]
        if stage == Stage.ABSENT:
            lines.append(f"the block is not on L1 yet; it is due by {show_time(given.commit_by)}")
        elif stage is not None:
            lines.append(f"kept: the block is {stage} on L1 and holds exactly what was promised")
        purse.show(values, lines)


def _records(purse: Purse, known: Any) -> "Records":
    from rollup.client.records import Records

    purse.address()
    return Records(purse.records_folder(known))


def _sent(records: "Records", hash_: str) -> "Sent":
    for each in records.all():
        if each.hash == hash_.lower():
            return each
    raise click.BadParameter(f"{hash_!r} was not sent from here: see `sluice wallet receipts list`", param_hint="HASH")


def _receipt(records: "Records", hash_: str) -> "Receipt":
    found = _sent(records, hash_).receipt
    if found is None:
        raise click.ClickException(f"{hash_} has no receipt yet: `sluice wallet resend` asks for it")
    return found


def _line(each: "Sent", is_waiting: bool) -> str:
    kind = to_wire(each.operation)["type"]
    if each.receipt is None:
        unheard = "no receipt: may be taken in" if is_waiting else "never taken in: too late, or its nonce is used"
        stage = "handed over" if kind == "order" else unheard
    else:
        stage = f"block {each.receipt.block_number}, due on L1 by {show_time(each.receipt.commit_by)}"
    return f"{kind:<20} {stage:<48} {each.hash}"
