"""`sluice wallet balance`, `history`, `fees`: what the node says, and L1. No password is needed."""

from typing import TYPE_CHECKING, Any

import click

from rollup.cli.options import token_of
from rollup.cli.wallet import wallet
from rollup.cli.wallet_options import Purse, uses_purse
from rollup.wallet.tokens import ETH

if TYPE_CHECKING:
    from rollup.client import SluiceClient, Transaction

GUESS_SECONDS = 2.0
KINDS = ("transfer", "transfer_to_address", "withdraw", "swap", "change_pub_key", "cancel_order", "forced_exit")


@wallet.command()
@uses_purse()
def balance(purse: Purse) -> None:
    """What you have: confirmed (with a receipt), final (executed on L1), and with --rpc what L1 owes you."""
    with purse.client() as client:
        address = purse.address()
        accounts = client.accounts(address)
        owed = _owed(client, address)
        tokens = {token.symbol: token for token in client.known().tokens}
        shown = [
            {
                "id": each.account_id,
                "confirmed": {symbol: str(amount) for symbol, amount in each.confirmed.balances.items()},
                "final": None
                if each.final is None
                else {name: str(units) for name, units in each.final.balances.items()},
                "nonce": each.confirmed.nonce,
                "has_key": each.key is not None,
            }
            for each in accounts
        ]
        lines = [f"{address}: {', '.join(f'account {each.account_id}' for each in accounts) or 'no account yet'}"]
        for each in accounts:
            final = {} if each.final is None else each.final.balances
            for symbol in sorted({*each.confirmed.balances, *final}):
                token = tokens.get(symbol, ETH)
                held, sure = (token.show(side.get(symbol, 0)) for side in (each.confirmed.balances, final))
                lines.append(f"{symbol:<6} confirmed {held}, final {'not known yet' if each.final is None else sure}")
        lines += [
            f"{symbol:<6} owed on L1 {tokens[symbol].show(units)}" for symbol, units in (owed or {}).items() if units
        ]
        pending = None if owed is None else {symbol: str(units) for symbol, units in owed.items()}
        purse.show({"address": address, "accounts": shown, "pending_on_l1": pending}, lines)


@wallet.command()
@uses_purse()
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="How many, newest first.")
@click.option("--cursor", help="Where to go on, as the last page said.")
def history(purse: Purse, limit: int, cursor: str | None) -> None:
    """What came in and went out, newest first, and how far each is."""
    from rollup.client.errors import AccountUnknown

    with purse.client() as client:
        address = purse.address()
        accounts = client.accounts(address)
        if not accounts:
            raise AccountUnknown(address)
        page = client.history(accounts[0].account_id, cursor, limit)
        values = {"transactions": [_values(each) for each in page.items], "next_cursor": page.next_cursor}
        lines = [_line(client, each) for each in page.items] or ["nothing yet"]
        if page.next_cursor:
            lines.append(f"more: --cursor {page.next_cursor}")
        purse.show({"account": accounts[0].account_id, **values}, lines)


@wallet.command("fees")
@uses_purse()
@click.option("--type", "kind", type=click.Choice(KINDS), help="Of one kind.  [default: all]")
@click.option("--token", default=ETH.symbol, show_default=True, metavar="SYMBOL", help="In which it is paid.")
def quote_fees(purse: Purse, kind: str | None, token: str) -> None:
    """What the node asks for operations now."""
    with purse.client() as client:
        named = token_of(client.known(), token, "--token")
        quotes = [client.quote(each, named.symbol) for each in ([kind] if kind else KINDS)]
        values = {
            "fees": [{"type": each.kind, "fee": str(each.fee), "valid_until": each.valid_until} for each in quotes],
            "token": named.symbol,
        }
        purse.show(values, [f"{each.kind:<20} {named.show(each.fee)} {named.symbol}" for each in quotes])


def _owed(client: "SluiceClient", address: str) -> dict[str, int] | None:
    """What L1 owes an address, by token; None without a way to L1."""
    from rollup.client.trust import check_chain
    from rollup.l1.client import RollupClient
    from rollup.l1.errors import L1Error
    from rollup.l1.key_sender import KeySender
    from rollup.l1.refusals import Refusals
    from rollup.l1.rpc import JsonRpc

    known, rpc = client.known(), client.core.sending_l1
    if rpc is None:
        return None
    if client.core.l1 is None:  # a guess is asked once
        rpc = JsonRpc(rpc.url, GUESS_SECONDS)
    contract = RollupClient(KeySender(rpc, Refusals.of_contracts()), known.rollup, known.deployed_at)
    try:
        check_chain(rpc, known)
        return {token.symbol: contract.pending(address, token.token_id) for token in known.tokens}
    except L1Error:
        if client.core.l1 is not None:
            raise
        return None  # the address was a guess


def _values(each: "Transaction") -> dict[str, Any]:
    return {
        "hash": each.hash,
        "queue_index": each.queue_index,
        "type": each.kind,
        "status": each.status,
        "is_final": each.is_final,
        "block": each.block,
        "position": each.position,
        "operation": dict(each.operation),
        "confirmed_at": each.confirmed_at,
        "l1": {stage: place.transaction for stage, place in each.l1.items()},
    }


def _line(client: "SluiceClient", each: "Transaction") -> str:
    name = each.hash or f"queue:{each.queue_index}"
    where = f"block {each.block}" if each.block is not None else "in L1's queue"
    stage = each.status if each.is_final else f"{each.status} (not final)"
    return f"{each.kind:<20} {_what(client, each):<56} {stage:<22} {where:<12} {name}"


def _what(client: "SluiceClient", each: "Transaction") -> str:
    """The amount and the other side, of what has them."""
    operation = each.operation
    tokens = {token.token_id: token for token in client.known().tokens}
    token, amount = tokens.get(operation.get("token")), str(operation.get("amount", ""))  # type: ignore[arg-type]
    parts = [f"{token.show(int(amount))} {token.symbol}"] if token is not None and amount.isdecimal() else []
    other = operation.get("to_address") or operation.get("address") or operation.get("owner")
    shown = "".join(each for each in str(other) if each.isprintable())
    return " to ".join([*parts, shown] if other else parts)
