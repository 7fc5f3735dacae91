"""`sluice`: the front door. Commands import what they need when they run, so that help is instant."""

import sys
from typing import NoReturn

import click

from rollup.cli.errors import INTERRUPTED, Failure
from rollup.core.errors import SluiceError
from rollup.toolchain import ToolMissing, use_tool_environment


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="sluice-rollup", prog_name="sluice")
def cli() -> None:
    """Sluice, a payments ZK rollup on Ethereum.

    \b
    sluice doctor     is everything there?
    sluice build      circuits, development keys, contracts
    sluice demo       a payroll from CSV through L1 and back
    sluice deploy     contracts on any chain, with a manifest that the others read
    sluice deposit    money in; exit, pending, withdraw: and out again
    sluice wallet     your account on a node: deposit, pay, swap, withdraw, receipts
    sluice sign       L2 operations, offline, as JSON
    sluice receipt    what a validator's signed promise is worth
    sluice node       run a node: receipts over HTTP, blocks, proofs, L1
    sluice database   back up and restore the node's database
    sluice prover     Groth16 proofs from and to files, for any circom circuit
    sluice ceremony   keys from powers of tau and contributions
    sluice restore    the state, from L1 alone; balances: what somebody has in it
    sluice exodus     the operator is gone: everything out, with public data only
    """


def main() -> None:
    """Run the command line; the entry point of the console script."""
    use_tool_environment()
    try:
        sys.exit(cli.main(standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (SluiceError, ToolMissing) as error:
        _fail(error)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted; what was finished is kept", err=True)
        sys.exit(INTERRUPTED)
    except Exception as error:
        # Only if a command has loaded ape: that takes seconds.
        apes = sys.modules.get("ape.exceptions")
        if apes is None or not isinstance(error, apes.ApeException):
            raise
        _fail(error)


def _fail(error: Exception) -> NoReturn:
    Failure(error).show()
    sys.exit(1)


def _add_commands() -> None:
    from rollup.cli.bench import bench
    from rollup.cli.build import build
    from rollup.cli.ceremony import ceremony
    from rollup.cli.chain import deploy, rebuild
    from rollup.cli.database import database
    from rollup.cli.demo import demo
    from rollup.cli.doctor import doctor
    from rollup.cli.exodus import exodus, revert
    from rollup.cli.l1 import approve_key, deposit, forced_exit, pending, withdraw
    from rollup.cli.node import node
    from rollup.cli.prover import prover
    from rollup.cli.receipt import receipt
    from rollup.cli.restore import balances, restore
    from rollup.cli.sign import sign
    from rollup.cli.wallet_commands import wallet

    own = (wallet, sign, receipt)
    users = (*own, deposit, forced_exit, pending, withdraw, approve_key, restore, balances, exodus, revert)
    for command in (build, demo, deploy, rebuild, doctor, bench, node, database, prover, ceremony, *users):
        cli.add_command(command)


_add_commands()

if __name__ == "__main__":
    main()
