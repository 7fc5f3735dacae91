"""`sluice bench`: the measured figures, by the runners in `bench/`."""

import os
import subprocess
import sys

import click

from rollup.toolchain import ROOT


@click.command()
@click.option(
    "--rapidsnark", type=click.Path(exists=True, dir_okay=False, resolve_path=True), help="Compare with this binary."
)
def bench(rapidsnark: str | None) -> None:
    """Measure compile, setup, witness and proof; print the table and store it in bench/results."""
    environment = os.environ | ({"BENCH_RAPIDSNARK": rapidsnark} if rapidsnark else {})
    sys.exit(subprocess.run([sys.executable, "-m", "bench.run"], cwd=ROOT, env=environment, check=False).returncode)
