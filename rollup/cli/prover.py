"""`sluice prover`: Groth16 proofs from and to files, for any circom circuit; as rapidsnark and snarkjs have them."""

from pathlib import Path

import click

from rollup.progress import Bars

FILE = click.Path(path_type=Path, dir_okay=False)
VALID, INVALID = "valid", "INVALID"


@click.group()
def prover() -> None:
    """Prove and verify with any circom Groth16 key over BN254 (bn128)."""


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
