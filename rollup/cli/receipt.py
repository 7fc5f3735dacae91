"""`sluice receipt verify`: what a validator's signed promise is worth, offline and against L1. No ape needed."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rollup.cli.options import manifest_option, rpc_option

if TYPE_CHECKING:
    from rollup.core.receipt import Receipt
    from rollup.l1.manifest import Manifest


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

    Fails if it is not signed by a validator of the manifest, or the block on L1 holds something else.
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
    stage = _stage(given, deployed, rpc) if rpc else None
    signer = show_address(given.signer() or 0)
    if as_json:
        summary = {"ok": True, "signer": signer, "block": given.block_number, "commit_by": given.commit_by}
        click.echo(json.dumps(summary | {"stage": stage}))
        return
    click.echo(f"signed by validator {signer}: block {given.block_number}, chunk {given.chunk_position}")
    if stage == "absent":
        click.echo(f"the block is not on L1 yet; it is due by {_utc(given.commit_by)}")
    elif stage:
        click.echo(f"kept: the block is {stage} on L1 and holds exactly what was promised")


def _stage(given: "Receipt", deployed: "Manifest", rpc: str) -> str:
    """How far the receipt's block has come, once it was found to keep the receipt.

    Raises: ReceiptBrokenError, WrongChain.
    """
    from rollup.l1.errors import WrongChain
    from rollup.l1.lookup import Lookup, Stage
    from rollup.l1.rpc import JsonRpc

    node = JsonRpc(rpc)
    chain_id = node.chain_id()
    if chain_id != deployed.chain_id:
        raise WrongChain(node.name, "chain id", str(deployed.chain_id), str(chain_id))
    lookup = Lookup(node, deployed.rollup, deployed.deployed_at)
    stage = lookup.stage(given.block_number)
    if stage != Stage.ABSENT:
        published = lookup.find(given.block_number)
        given.check_kept(published.l2, published.l1)
    return stage


def _utc(seconds: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
