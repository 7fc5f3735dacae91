"""`sluice database`: the node's database into a file and back, or from one kind into the other."""

import json
from pathlib import Path
from typing import Any

import click

from rollup.cli.options import manifest_option

url_option = click.option(
    "--database", "url", required=True, help="sqlite:///path or postgresql://user:password@host/name; no node may run."
)


@click.group()
def database() -> None:
    """The node's database: back it up, put it back, take back what L1 can never have."""


@database.command()
@url_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(url: str, file: Path) -> None:
    """Copy a database into FILE, which must not be there yet. The file is an SQLite database of the same tables.

    A backup is older than the last receipts: keep the journal too, from which a node completes it.
    """
    if file.exists():
        raise click.UsageError(f"{file} is there already: name a new file")
    _copy(url, f"sqlite:///{file}")


@database.command()
@url_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
def restore(url: str, file: Path) -> None:
    """Copy a backup, FILE, into a database that is empty, of either kind."""
    _copy(f"sqlite:///{file}", url)


@database.command()
@url_option
@manifest_option
@click.option("--rpc", required=True, help="JSON-RPC address of an L1 node, such as http://127.0.0.1:8545.")
def rebuild(url: str, manifest: Path, rpc: str) -> None:
    """Bring a lost or old database to what L1 has. The node completes it from its journal when it starts."""
    from rollup.l1.feed import Origin
    from rollup.l1.manifest import load_manifest
    from rollup.l1.rpc import JsonRpc
    from rollup.node.database import Database
    from rollup.node.rebuilding import rebuild as rebuild_into

    origin = Origin.of(load_manifest(manifest))
    with Database(url, origin) as target:
        click.echo(json.dumps({"ok": True, "block": rebuild_into(target, JsonRpc(rpc), origin)}))


@database.command()
@url_option
@manifest_option
@click.option("--rpc", required=True, help="JSON-RPC address of an L1 node, such as http://127.0.0.1:8545.")
@click.option(
    "--journal", required=True, type=click.Path(path_type=Path, file_okay=False, exists=True), help="Its folder."
)
@click.argument("first", type=click.IntRange(1))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def retract(url: str, manifest: Path, rpc: str, journal: Path, first: int, file: Path) -> None:
    """Take back all blocks from FIRST on, which L1 can never have; their users' operations go to FILE, one a line.

    Receipts of them are broken or late by that. Start the node, then have FILE done in new blocks: `resubmit`.
    """
    from rollup.l1.feed import Origin
    from rollup.l1.lookup import Lookup
    from rollup.l1.manifest import load_manifest
    from rollup.l1.rpc import JsonRpc
    from rollup.node.database import Database
    from rollup.node.retraction import retract as take_back

    origin = Origin.of(load_manifest(manifest))
    committed = Lookup(JsonRpc(rpc), origin.rollup, origin.deployed_at).committed()
    with Database(url, origin) as target:
        count = take_back(target, journal, first, committed, file)
    click.echo(json.dumps({"ok": True, "operations": count, "file": str(file)}))


@database.command()
@click.option("--node", required=True, help="Address of the node, such as http://127.0.0.1:8080.")
@click.argument("file", type=click.File("r"))
def resubmit(node: str, file: Any) -> None:
    """Submit operations, one a line as `retract` wrote them, and say what became of each. May be run again."""
    import httpx

    with httpx.Client(base_url=node, timeout=60) as client:
        for line in file:
            answer = client.post("/v1/transactions", content=line, headers={"Content-Type": "application/json"})
            click.echo(answer.text)


def _copy(source: str, target: str) -> None:
    from rollup.node.database import Database, copy_tables

    with Database(source) as reading, Database(target) as writing:
        click.echo(json.dumps({"ok": True, **copy_tables(reading, writing)}))
