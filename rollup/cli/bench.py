"""`sluice bench`: the measured figures, by the runners in `bench/`."""

import subprocess
import sys

import click

from rollup.toolchain import ROOT


@click.command()
def bench() -> None:
    """Measure compile, setup, witness and proof; print the table and store it in bench/results."""
    sys.exit(subprocess.run([sys.executable, "-m", "bench.run"], cwd=ROOT, check=False).returncode)
