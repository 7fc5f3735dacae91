"""`sluice exodus` and `sluice revert`: getting out when the operator is gone. With --rpc, no ape is needed."""

import json
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rollup.cli.options import ACCOUNT_ID, Address, token_of
from rollup.cli.restore import RestoreBar, feeds, store_option
from rollup.cli.session import Session, Way, reaches_l1, report, session
from rollup.cli.steps import show_steps
from rollup.progress import Bars

if TYPE_CHECKING:
    from rollup.core.state import State
    from rollup.exits.leave import Step
    from rollup.exits.prover import ExitProver
    from rollup.exits.status import Status

kit_option = click.option(
    "--kit", type=click.Path(path_type=Path), default=Path("exit.kit"), show_default=True, help="The exit kit."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object, in smallest units.")
owner_option = click.option("--owner", type=Address(), help="Whose money, an L1 address.  [default: who pays]")


@click.group()
def exodus() -> None:
    """Get everything out of a rollup whose queue nobody serves, with public data only.

    Anyone can do it for anyone: the money goes to its owner, whoever pays the gas.
    """


@exodus.command("status")
@reaches_l1(sends=False)
@json_option
def show_status(way: Way, as_json: bool) -> None:
    """Show how far the rollup is from exodus: what waits, and what is due when."""
    from rollup.exits.status import read_status

    with session(way) as on:
        status = read_status(on.client)
    if as_json:
        values = {
            "ok": True,
            "now": status.now,
            "committed": status.committed,
            "proven": status.proven,
            "executed": status.executed,
            "waiting": len(status.waiting),
            "exodus": status.is_exodus,
            "exodus_due": status.exodus_due,
            "revert_due": status.revert_due,
        }
        click.echo(json.dumps(values))
        return
    for line in _status_lines(status):
        click.echo(line)


@exodus.command()
@reaches_l1()
def activate(way: Way) -> None:
    """Begin exodus, for good, once the oldest queue entry is overdue; anyone may."""
    from rollup.exits.errors import NotDueError
    from rollup.exits.status import read_status
    from rollup.l1.errors import ContractRefused

    with session(way) as on:
        status = read_status(on.client)
        if status.is_exodus:
            click.echo("exodus has begun already")
            return
        try:
            sent = on.client.activate_exodus(on.signer(), status.last_proven)
        except ContractRefused as error:
            if error.error == "QueueNotOverdue" and status.exodus_due is not None:
                raise NotDueError("exodus", status.exodus_due, status.now) from error
            raise
        report(sent, f"exodus has begun: everything leaves as of block {status.proven}")


@click.command()
@reaches_l1()
def revert(way: Way) -> None:
    """Take back blocks that nobody has proven in time; anyone may. Who is to blame is suspended for good."""
    from rollup.exits.errors import NotDueError
    from rollup.exits.status import read_status
    from rollup.l1.errors import ContractRefused

    with session(way) as on:
        status = read_status(on.client)
        if status.first_unproven is None:
            click.echo(f"nothing to take back: all committed blocks are proven, {status.proven} in number")
            return
        try:
            sent = on.client.revert_blocks(on.signer(), status.last_proven, status.first_unproven)
        except ContractRefused as error:
            if error.error == "ProofNotOverdue" and status.revert_due is not None:
                raise NotDueError("reverting", status.revert_due, status.now) from error
            raise
        void = f"blocks {status.proven + 1} to {status.committed} are void"
        committer = status.first_unproven.committer
        blame = "is suspended" if on.client.suspended(committer) else "still had grace and is not suspended"
        report(sent, f"{void}, their committer {committer} {blame}")


@exodus.command("exit")
@reaches_l1()
@store_option
@kit_option
@owner_option
@click.option("--all", "everything", is_flag=True, help="All that the owner has, wherever in the rollup.")
@click.option("--everyone", is_flag=True, help="All that anybody has.")
@click.option("--id", "account_id", type=ACCOUNT_ID, help="Or one account's ...")
@click.option("--token", metavar="SYMBOL", help="... balance of one token.")
@click.option("--to", type=Address(), help="Where your own money goes, if your address cannot receive it.")
@json_option
def leave_exodus(
    way: Way, path: Path, kit: Path, owner: int | None, everything: bool, everyone: bool, account_id: int | None,
    token: str | None, to: int | None, as_json: bool,
) -> None:  # fmt: skip
    """Prove what somebody has, claim it and have it paid out; run again, it does what is left.

    The state is restored first. With --all, proven blocks that nobody has executed are executed if they pay the owner,
    and what he put into the queue too late is taken back.
    """
    from rollup.core.errors import NothingToExitError
    from rollup.exits.leave import leave, pay_out
    from rollup.exits.plan import Plan, claims_of, make_plan
    from rollup.exits.status import read_status

    if [everything, everyone, account_id is not None].count(True) != 1 or (account_id is None) != (token is None):
        raise click.UsageError("what leaves? --all of an owner, --everyone's, or one --id and --token")
    with session(way) as on:
        payer = on.signer()
        status = read_status(on.client)
        state = _exodus_state(on, status, path, as_json)
        owners = None if everyone else {owner if owner is not None else int(payer.address, 16)}
        if account_id is not None:
            owners = {state.account(account_id).address}
            token_id = token_of(on.manifest, str(token), "--token").token_id
            claims = [c for c in claims_of(state, owners) if (c.account_id, c.token) == (account_id, token_id)]
            if not claims:
                raise NothingToExitError(account_id, token_id)
            plan = Plan(exits=tuple(claims))
        else:
            plan = make_plan(on.client, status, state, owners)
        if to is not None and owners != {int(payer.address, 16)}:
            raise click.UsageError("--to is for your own money: the key must be the owner's")
        steps = leave(on.client, payer, plan, state, cache(lambda: _prover(on, kit)))
        show_steps(on.manifest, chain(steps, pay_out(on.client, payer, owners, to)), as_json)


@exodus.command()
@reaches_l1()
@owner_option
@click.option("--all", "everything", is_flag=True, help="All entries of the owner.")
@click.option("--index", type=click.IntRange(0), help="Or one, by its place in the queue.")
@json_option
def refund(way: Way, owner: int | None, everything: bool, index: int | None, as_json: bool) -> None:
    """Take back deposits and requests that came too late for the last proven block, with the queue's fee."""
    from rollup.exits.leave import pay_out
    from rollup.exits.leave import refund as take_back
    from rollup.exits.plan import refundable
    from rollup.exits.status import read_status

    if everything == (index is not None):
        raise click.UsageError("what is taken back? --all of an owner, or one --index")
    with session(way) as on:
        status = read_status(on.client)
        _require_exodus(status)
        payer = on.signer()
        whose = None if index is not None else {owner if owner is not None else int(payer.address, 16)}
        entries = [entry for entry in refundable(on.client, status, whose) if index in (None, entry.index)]
        owners = {entry.operation.owner for entry in entries}
        steps: Iterator[Step] = (take_back(on.client, payer, entry) for entry in entries)
        show_steps(on.manifest, chain(steps, pay_out(on.client, payer, owners)), as_json)


def _status_lines(status: "Status") -> Iterator[str]:
    from rollup.core.times import show_time

    yield f"blocks: {status.committed} committed, {status.proven} proven, {status.executed} executed"
    if status.is_exodus:
        yield f"exodus: everything leaves as of block {status.proven}"
        return
    if status.revert_due is not None:
        due = "now" if status.revert_due <= status.now else f"at {show_time(status.revert_due)} if it is not proven"
        yield f"block {status.proven + 1} can be taken back {due}"
    if status.exodus_due is None:
        yield "queue: nothing waits"
        return
    due = "now" if status.exodus_due <= status.now else f"at {show_time(status.exodus_due)} if it is not served"
    yield f"queue: {len(status.waiting)} entries wait; exodus can begin {due}"


def _require_exodus(status: "Status") -> None:
    from rollup.exits.errors import NotInExodusError

    if not status.is_exodus:
        raise NotInExodusError(status.exodus_due)


def _exodus_state(on: Session, status: "Status", path: Path, quiet: bool) -> "State":
    """The state that everything leaves from, restored into the store.

    Raises: NotInExodusError, WrongStateError, and what a restore raises.
    """
    from rollup.exits.errors import WrongStateError
    from rollup.l1.feed import Origin
    from rollup.restore import restore
    from rollup.store import Store

    _require_exodus(status)
    origin = Origin.of(on.manifest)
    with Bars(quiet=quiet) as bars, bars.step("restore") as advance:
        bar = RestoreBar(advance)
        (feed,) = feeds(origin, bar.pause, on.client.sender.rpc.url)
        with Store(path, origin) as store:
            state = restore(store, feed, bar).state
    if state.root != status.exodus_root:
        raise WrongStateError(str(path), status.exodus_root, state.root)
    return state


def _prover(on: Session, kit: Path) -> "ExitProver":
    """Raises: ExitKitError, KitOfAnotherError."""
    from rollup.exits.errors import KitOfAnotherError
    from rollup.exits.prover import ExitProver

    prover = ExitProver(kit)
    expected, got = on.client.exit_key_hash(), prover.kit.key_hash()
    if expected != got:
        raise KitOfAnotherError(str(kit), f"0x{expected.hex()}", f"0x{got.hex()}")
    return prover
