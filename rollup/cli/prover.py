"""`sluice prover`: Groth16 proofs from and to files for any circom circuit, in the form of rapidsnark and snarkjs;
and the machines that prove a node's blocks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from rollup.progress import Bars

FILE, FOLDER = click.Path(path_type=Path, dir_okay=False), click.Path(path_type=Path, file_okay=False)
VALID, INVALID = "valid", "INVALID"
SCHEDULER_PORT = 8786


@click.group()
def prover() -> None:
    """Prove and verify with any circom Groth16 key over BN254 (bn128); or prove blocks for a node, on any machine."""


@prover.command()
@click.argument("zkey", type=FILE)
@click.argument("witness", type=FILE)
@click.argument("proof", type=FILE)
@click.argument("public", type=FILE)
@click.option("--quiet", is_flag=True, help="Show no progress.")
def prove(zkey: Path, witness: Path, proof: Path, public: Path, quiet: bool) -> None:
    """Prove that WITNESS satisfies the circuit of ZKEY; write PROOF and PUBLIC, in rapidsnark's order of arguments.

    The proof is verified before it is written.
    """
    from rollup.groth16 import prove_files

    with Bars(quiet) as bars, bars.step("prove") as advance:
        made = prove_files(zkey, witness, proof, public, lambda what, done: advance(what, done, 1))
    click.echo(f"{proof}: {len(made.public)} public inputs, {sum(made.timings.values()):.2f} s")


@prover.command()
@click.argument("key", type=FILE)
@click.argument("public", type=FILE)
@click.argument("proof", type=FILE)
@click.pass_context
def verify(context: click.Context, key: Path, public: Path, proof: Path) -> None:
    """Say whether PROOF holds for PUBLIC under KEY: a verification key in JSON, or the .zkey itself. Exit 1 if not."""
    from rollup.groth16 import verify_files

    if verify_files(key, public, proof):
        click.echo(VALID)
        return
    click.echo(INVALID)
    context.exit(1)


@prover.command()
@click.argument("folder", type=FOLDER)
@click.argument("names", nargs=-1)
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="How long they are valid.")
@click.option("--host", "hosts", multiple=True, help="Name or IP address to stand in them, beside this machine's.")
def certificates(folder: Path, names: tuple[str, ...], days: int, hosts: tuple[str, ...]) -> None:
    """Make certificates in FOLDER by which node, scheduler and workers know each other; what is there stays.

    NAMES: by default scheduler, node and worker. Who holds one of the keys can run code on all of these machines: give
    each its own NAME.crt, NAME.key and ca.crt, and keep ca.key off them.
    """
    from rollup.proving.certificates import DEFAULT_NAMES, make_certificates

    for made in make_certificates(folder, names or DEFAULT_NAMES, days, hosts):
        click.echo(f"{made.certificate}: {'new' if made.is_new else 'kept'}, valid until {made.ends:%Y-%m-%d}")


def _tls_options(command: Callable[..., None]) -> Callable[..., None]:
    for name, text in (
        ("--key", "Our key, permissions 600."),
        ("--cert", "Our certificate."),
        ("--ca", "The authority's."),
    ):
        command = click.option(name, type=FILE, required=True, help=f"{text} PEM.")(command)
    return command


@prover.command()
@_tls_options
@click.option("--host", default="0.0.0.0", show_default=True, help="Where to listen.")  # noqa: S104  # TLS alone
@click.option("--port", type=click.IntRange(1, 65535), default=SCHEDULER_PORT, show_default=True)
def scheduler(ca: Path, cert: Path, key: Path, host: str, port: int) -> None:
    """Bring a node and its workers together, over TLS."""
    from rollup.proving.serving import run_scheduler
    from rollup.proving.tls import Tls

    run_scheduler(Tls(ca, cert, key), host, port, click.echo)


@prover.command()
@click.option("--scheduler", "address", required=True, metavar="tls://HOST:PORT")
@_tls_options
@click.option("--keys", type=FOLDER, help="Folder of the proving keys.  [default: build/keys]")
@click.option("--jobs", type=click.IntRange(1, 16), default=1, show_default=True, help="Blocks at once.")
@click.option("--name", help="Its name among the workers.  [default: the machine's and the process's]")
@click.option("--host", help="Where the scheduler reaches this machine.  [default: as it is found out]")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="And at which port.  [default: any]")
def worker(address: str, ca: Path, cert: Path, key: Path, keys: Path | None, **options: Any) -> None:
    """Prove blocks for a node, one after the other, until stopped. A lost scheduler is looked for again.

    Which keys it has must be the node's to the letter: a worker with others gets no jobs, and the node names it.
    """
    from rollup.circuits.keys import KEYS
    from rollup.proving.serving import run_worker
    from rollup.proving.tls import Tls

    run_worker(address, Tls(ca, cert, key), keys=keys or KEYS, say=click.echo, **options)
