"""`sluice node`: the operator's service, alone on this machine or by a configuration file."""

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from rollup.cli.options import DEFAULT_MANIFEST, NodeUrl

if TYPE_CHECKING:
    from rollup.service.config import Config
    from rollup.service.service import Service

FILE = click.Path(path_type=Path, dir_okay=False)
DEFAULT_CONFIG = Path("sluice.toml")

config_option = click.option("--config", "path", type=FILE, help="A configuration that `sluice node init` began.")


@click.group(invoke_without_command=True)
@config_option
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Its folder.  [default: sluice-data]")
@click.option("--listen", help="Where the API listens, host:port.  [default: 127.0.0.1:8000]")
@click.option("--l1-port", type=click.IntRange(0, 65535), help="Port of the local chain.  [default: 8545, if free]")
@click.option("--check", is_flag=True, help="The same as `sluice node check`.")
@click.option("--log-format", type=click.Choice(["human", "json"]), help="For people, or JSON lines.")
@click.pass_context
def node(context: click.Context, /, path: Path | None, check: bool, **options: Any) -> None:
    """Run a node: receipts at once over HTTP, blocks, proofs, L1. Stop it with Ctrl-C; it goes on where it was.

    Without --config everything is made on this machine, for trying: a local chain, a deployment under development keys,
    money to play with. With --config it is a real one.

    \b
    sluice node init     write a configuration with keystores, to be completed
    sluice node check    is anything wrong? Starts nothing
    sluice node trace    one operation's way through the node, by its hash
    """
    if context.invoked_subcommand is not None:
        return
    if check:
        context.invoke(check_command, path=path or DEFAULT_CONFIG)
        return
    code = _run_by_config(path, options) if path is not None else _run_locally(options)
    context.exit(code)


@node.command()
@click.option("--config", "path", type=FILE, default=DEFAULT_CONFIG, show_default=True, help="The file to write.")
@click.option("--data", type=click.Path(path_type=Path), default=Path("sluice-data"), show_default=True)
@click.option("--manifest", type=click.Path(path_type=Path), default=DEFAULT_MANIFEST, show_default=True)
@click.option(
    "--rpc", "--l1", "endpoints", type=NodeUrl(), multiple=True, help="JSON-RPC address of an L1 node; repeat."
)
def init(path: Path, data: Path, manifest: Path, endpoints: tuple[str, ...]) -> None:
    """Write a commented configuration, and make the keys of sender and validator in keystores of their own."""
    from rollup.service.template import write_template

    made = write_template(path, data, manifest, endpoints)
    click.echo(f"{path}: complete it, then run `sluice node check --config {path}`")
    click.echo(f"sender    {made.sender}: pays for L1, so it needs ETH there, and the governor's leave to commit")
    click.echo(f"validator {made.validator}: signs receipts; it needs the governor's leave and a deposit of any size")
    click.echo(f"their keystores and password files are in {made.keys}: back them up, apart from each other")


@node.command("check")
@click.option("--config", "path", type=FILE, default=DEFAULT_CONFIG, show_default=True)
def check_command(path: Path) -> None:
    """Look at everything that a node needs, and start nothing. Exit 1 if something is wrong."""
    from rollup.service.check import check_all
    from rollup.service.config import load_config
    from rollup.service.errors import CheckFailed

    failed = []
    for finding in check_all(load_config(path)):
        mark, colour = ("ok   ", "green") if finding.is_well else ("wrong", "red")
        click.echo(f"{click.style(mark, fg=colour)} {finding.what:<22} {finding.words}")
        failed += [] if finding.is_well else [finding.what]
    if failed:
        raise CheckFailed(failed)


@node.command()
@click.argument("hash")
@click.option(
    "--node",
    "--api",
    "api",
    type=NodeUrl(),
    default="http://127.0.0.1:8000",
    show_default=True,
    envvar="SLUICE_NODE",
    help="Address of the node's API.  [$SLUICE_NODE]",
)
def trace(hash: str, api: str) -> None:  # noqa: A002  # as users call it
    """Show how far one operation has come and when, by its hash, as JSON."""
    import httpx

    try:
        answer = httpx.get(f"{api.rstrip('/')}/v1/transactions/{quote(hash, safe='')}/trace", timeout=30)
        values = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise click.ClickException(f"{api} does not answer ({error}): is the node running there?") from error
    if answer.status_code != 200:
        raise click.ClickException(str(values.get("error", {}).get("message", answer.text[:200])))
    click.echo(json.dumps(values, indent=2))


def _run_by_config(path: Path, options: dict[str, Any]) -> int:
    from dataclasses import replace

    from rollup.service.config import load_config
    from rollup.service.folder import make_folder
    from rollup.service.service import open_database

    for name in ("data", "l1_port"):
        if options[name] is not None:
            raise click.UsageError(f"--{name.replace('_', '-')} is of the node without --config: the file says it here")
    config = load_config(path)
    if options["listen"]:
        config = replace(config, listen=_listen(options["listen"]))
    _logs(config.log.level, options["log_format"] or config.log.format)
    make_folder(config.data)
    with open_database(config.database_url) as database:
        return _serve(config, database)


def _run_locally(options: dict[str, Any]) -> int:
    from dataclasses import replace

    from rollup.service.config import DEFAULT_LISTEN
    from rollup.service.folder import DEFAULT_DATA, make_folder
    from rollup.service.local import USER, LocalChain
    from rollup.service.service import open_database

    _logs("info", options["log_format"] or "human")
    data = make_folder((options["data"] or DEFAULT_DATA).absolute())
    listen = _listen(options["listen"] or DEFAULT_LISTEN)
    # The database first: whoever has it has the folder.
    with open_database(f"sqlite:///{data / 'node.db'}") as database, LocalChain(data, options["l1_port"]) as chain:
        click.echo(f"L1         {chain.url} (a local chain, kept in {chain.state})")
        config = replace(chain.set_up(), listen=listen)
        click.echo(f"manifest   {chain.manifest}")
        click.echo(f"test user  {chain.keys / USER} (a private key with ETH and USDS on this L1)")
        return _serve(config, database)


def _serve(config: "Config", database: Any) -> int:
    from rollup.service.collector import calm
    from rollup.service.service import Service

    def ready() -> None:
        calm()
        click.echo("ready; stop with Ctrl-C")

    service = Service(config, database)
    stop_on_signals(service)
    click.echo(f"API        http://{service.address}  (http://{service.address}/v1/docs)")
    return service.run(ready)


def stop_on_signals(service: "Service") -> None:
    """The first one ends it in order; the second at once."""

    def stop(number: int, _: Any) -> None:
        signal.signal(number, signal.SIG_DFL)
        service.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


def _listen(value: str) -> str:
    from rollup.service.config import check_listen

    reason = check_listen(value)
    if reason is not None:
        raise click.BadParameter(reason, param_hint="--listen")
    return value


def _logs(level: str, form: str) -> None:
    from rollup.service.logs import set_up_logs

    set_up_logs(level, form)
