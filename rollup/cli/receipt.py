"""`sluice receipt verify`: what a validator's signed promise is worth, offline and against L1. No ape needed."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rollup.cli.options import manifest_option, rpc_option
from rollup.core.times import show_time

if TYPE_CHECKING:
    from rollup.core.receipt import Receipt
    from rollup.l1.manifest import Manifest
    from rollup.l1.promises import Verdict


@click.group()
def receipt() -> None:
    """Receipts: a validator's signed promises of what a block will hold, and where."""


@receipt.command()
@click.argument("file", type=click.File("r"))
@manifest_option
@rpc_option(required=False, then=": compare with the block there too")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify(file: Any, manifest: Path, rpc: str | None, as_json: bool) -> None:
    """Check a receipt, a JSON file or - for standard input: signed by a validator, and kept by the block on L1.

    Fails if it is not signed by a validator of the manifest, or the block on L1 holds something else, or is late. If
    blocks were taken back it says which, and whose: then it depends on who signed the receipt.
    """
    from rollup.core.addresses import show_address
    from rollup.core.errors import WireError
    from rollup.core.receipt import receipt_from_wire
    from rollup.l1.manifest import load_manifest

    deployed = load_manifest(manifest)
    try:
        values = json.load(file)
    except (ValueError, RecursionError) as error:
        raise WireError("(all)", "no JSON", f"a receipt is a JSON object ({error})") from error
    given = receipt_from_wire(values)
    given.check_signer(deployed.domain, tuple(deployed.validators))
    verdict = _judge(given, deployed, rpc) if rpc else None
    signer = show_address(given.signer() or 0)
    if as_json:
        click.echo(json.dumps(_summary(given, signer, verdict)))
        return
    click.echo(f"signed by validator {signer}: block {given.block_number}, chunk {given.chunk_position}")
    if verdict is None:
        return
    if verdict.reverted:
        click.echo(_reverted(verdict, given.commit_by))
    elif verdict.is_kept:
        click.echo(f"kept: the block is {verdict.stage} on L1 and holds exactly what was promised, in time")
    else:
        click.echo(f"the block is not on L1 yet; it is due by {show_time(given.commit_by)}")


def _judge(given: "Receipt", deployed: "Manifest", rpc: str) -> "Verdict":
    """What L1 shows of a receipt.

    Raises: ReceiptBrokenError, ReceiptLateError, WrongChain.
    """
    from rollup.l1.errors import WrongChain
    from rollup.l1.lookup import Lookup
    from rollup.l1.promises import judge
    from rollup.l1.rpc import JsonRpc

    node = JsonRpc(rpc)
    chain_id = node.chain_id()
    if chain_id != deployed.chain_id:
        raise WrongChain(node.name, "chain id", str(deployed.chain_id), str(chain_id))
    return judge(given, Lookup(node, deployed.rollup, deployed.deployed_at))


def _summary(given: "Receipt", signer: str, verdict: "Verdict | None") -> dict[str, Any]:
    summary = {"ok": True, "signer": signer, "block": given.block_number, "commit_by": given.commit_by, "stage": None}
    if verdict is not None:
        reverted = verdict.reverted and {"block": verdict.reverted.first, "suspended": verdict.reverted.suspended}
        summary |= {"stage": verdict.stage, "committed_at": verdict.committed_at, "reverted": reverted}
    return summary


def _reverted(verdict: "Verdict", commit_by: int) -> str:
    taken = verdict.reverted
    assert taken is not None
    what = (
        f"taken back: it was on L1 in time (due {show_time(commit_by)}) with what was promised"
        if verdict.committed_at is not None
        else f"not to be judged: blocks below it were taken back before it was due ({show_time(commit_by)})"
    )
    if int(taken.suspended, 16) == 0:
        blame = f"nobody had proven block {taken.first} by {show_time(taken.time)}; who committed it still had grace"
    else:
        blame = (
            f"{taken.suspended} had not proven block {taken.first} by {show_time(taken.time)}. Broken only if that is "
            "who signed this receipt, under whatever address he sends"
        )
    return f"{what}; {blame}. Submit the operation again"
