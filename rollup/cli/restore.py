"""`sluice restore` and `sluice balances`: the state from L1 alone into a file, and what is in it. No ape needed."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rollup.cli.options import ACCOUNT_ID, Address, NodeUrl, manifest_option, rpc_option
from rollup.progress import Advance, Bars

if TYPE_CHECKING:
    from rollup.l1.feed import Feed, Origin
    from rollup.l1.manifest import Manifest
    from rollup.store import Store

RPC_TIMEOUT_SECONDS = 30

store_option = click.option(
    "--store", "path", type=click.Path(path_type=Path), default=Path("sluice.db"), show_default=True, help="The state."
)


@click.command()
@manifest_option
@store_option
@rpc_option()
@click.option(
    "--check-rpc",
    "others",
    type=NodeUrl(),
    multiple=True,
    help="Another node, to confirm the last block's hash; repeat.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def restore(manifest: Path, path: Path, rpc: str, others: tuple[str, ...], as_json: bool) -> None:
    """Rebuild the state after the last proven block from L1 alone; every hash and root is compared with the contract's.

    Cut off anywhere, it goes on from there when run again; run later, it takes in what is new.
    """
    from rollup.l1.feed import Origin, confirm
    from rollup.l1.manifest import load_manifest
    from rollup.restore import restore as restore_into
    from rollup.store import Store

    origin = Origin.of(load_manifest(manifest))
    with Bars(quiet=as_json) as bars, bars.step("restore") as advance:
        bar = RestoreBar(advance)
        feed, *checks = feeds(origin, bar.pause, rpc, *others)
        if not path.exists():
            feed.check()  # a node that is none leaves no file behind
        with Store(path, origin) as store:
            start = time.perf_counter()
            restored = restore_into(store, feed, bar)
            seconds = time.perf_counter() - start
            tip, accounts = store.tip, store.count_accounts()
        confirm(tip.block.number, tip.hash, feed, checks)
    values = {
        "ok": True,
        "store": str(path),
        "blocks": tip.block.number,
        "hash": f"0x{tip.hash.hex()}",
        "root": f"{tip.block.new_root:#066x}",
        "accounts": accounts,
        "l1_block": restored.l1_block,
        "new_operations": restored.operations,
        "seconds": round(seconds, 2),
        "confirmed_by": len(checks),
    }
    if as_json:
        click.echo(json.dumps(values))
        return
    confirmed = f"; {len(checks)} more nodes have the same hash" if checks else ""
    click.echo("{store}: {blocks} blocks, {accounts} accounts, as on L1 at its block {l1_block}".format(**values))
    click.echo(f"root {values['root']}{confirmed}")


@click.command()
@manifest_option
@store_option
@click.option("--owner", type=Address(), help="Whose accounts, an L1 address.")
@click.option("--id", "account_id", type=ACCOUNT_ID, help="Or which account.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, in smallest units by token id.")
def balances(manifest: Path, path: Path, owner: int | None, account_id: int | None, as_json: bool) -> None:
    """Show what somebody has on L2, from the state that `sluice restore` made."""
    from rollup.l1.manifest import load_manifest
    from rollup.store import Store

    if owner is not None and account_id is not None:
        raise click.UsageError("--owner and --id exclude each other: --owner shows all accounts of an address")
    if owner is None and account_id is None:
        raise click.UsageError("whose balances? Name an address with --owner, or an account with --id")
    with Store(path) as store:
        found = [account_id] if account_id is not None else store.find(owner or 0)
        accounts = [_account(store, number) for number in found if store.account(number).exists]
        block = store.tip.block.number
    if as_json:
        click.echo(json.dumps({"ok": True, "block": block, "accounts": accounts}))
        return
    if not block:
        click.echo(f"nothing is restored into {path} yet, or nothing was proven: run `sluice restore`")
    elif not accounts:
        click.echo(f"there is no such account after block {block}")
    for account in accounts:
        click.echo(f"account {account['account_id']} of {account['owner']} after block {block}")
        for line in _amounts(load_manifest(manifest), account["balances"]):
            click.echo(f"  {line}")


def feeds(origin: "Origin", pause: Callable[[float], None], *urls: str) -> "list[Feed]":
    from rollup.l1.feed import Feed
    from rollup.l1.node import Node
    from rollup.l1.rpc import JsonRpc

    return [Feed(Node(JsonRpc(url, RPC_TIMEOUT_SECONDS), pause=pause), origin) for url in urls]


def _account(store: "Store", account_id: int) -> dict[str, Any]:
    from rollup.core.addresses import show_address
    from rollup.core.constants import FIRST_ORDER_SLOT

    account = store.account(account_id)
    money = {str(slot): str(leaf) for slot, leaf in store.leaves(account_id).items() if slot < FIRST_ORDER_SLOT}
    return {
        "account_id": account_id,
        "owner": show_address(account.address),
        "nonce": account.nonce,
        "has_key": account.has_key,
        "balances": money,
    }


def _amounts(manifest: "Manifest", balances: dict[str, str]) -> Iterator[str]:
    from rollup.wallet.tokens import Token

    known = {str(token.token_id): Token(token.token_id, token.symbol, token.decimals) for token in manifest.tokens}
    for token_id, units in balances.items():
        token = known.get(token_id)
        yield f"{token.symbol} {token.show(int(units))}" if token else f"token {token_id}: {units} smallest units"


class RestoreBar:
    """Shows a restore's progress."""

    def __init__(self, advance: Advance) -> None:
        self._advance = advance
        self._start = time.perf_counter()
        self._said: tuple[str, float, float] = ("", 0, 1)

    def pause(self, seconds: float) -> None:
        """Wait before a node is asked again, and say so."""
        self._advance("no answer, asking again", *self._said[1:])
        time.sleep(seconds)
        self._advance(*self._said)

    def loading(self, done: int, total: int) -> None:
        self._say(f"{done:,} balances loaded", done, total)
        self._start = time.perf_counter()

    def restoring(self, block: int, proven: int, operations: int) -> None:
        rate = operations / (time.perf_counter() - self._start)
        self._say(f"block {block} of {proven}, {rate:,.0f} op/s", block, proven)

    def _say(self, words: str, done: float, total: float) -> None:
        self._said = (words, done, total)
        self._advance(*self._said)
