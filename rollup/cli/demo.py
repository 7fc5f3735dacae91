"""`sluice demo`: the main job. The last line of stdout is one JSON object, whatever happens."""

import json
import sys
from pathlib import Path

import click
from rich.console import Console

from rollup.cli.errors import INTERRUPTED, Failure, failure_summary
from rollup.core.errors import SluiceError
from rollup.toolchain import ROOT, ToolMissing

EXAMPLES = ROOT / "examples"
REPORT_WIDTH = 100
FILE = click.Path(path_type=Path)


@click.command()
@click.option(
    "--payments",
    type=click.Path(path_type=Path),
    default=EXAMPLES / "payments.csv",
    help="CSV of payments.",
    show_default=True,
)
@click.option(
    "--users", type=click.Path(path_type=Path), help="CSV of users.  [default: users.csv beside the payments]"
)
@click.option("--port", type=click.IntRange(1, 65535), help="Port for anvil.  [default: a free one]")
@click.option("--manifest", type=click.Path(path_type=Path), help="Keep the deployment manifest here.")
@click.option("--json", "only_json", is_flag=True, help="Print the last line only.")
def demo(payments: Path, users: Path | None, port: int | None, manifest: Path | None, only_json: bool) -> None:
    """Run a payroll through the rollup on a local chain: deposit, pay, prove, withdraw, rebuild, compare.

    \b
    PAYMENTS has the columns  payer,payee,token,amount,fee,memo
    USERS has the columns     name,address,deposit_ETH,deposit_USDS
    """
    try:
        _run(payments, users, port, manifest, only_json)
    except (SluiceError, ToolMissing) as error:
        raise Failure(error, as_json=True) from error
    except (click.Abort, KeyboardInterrupt):
        click.echo(json.dumps({"ok": False, "code": "interrupted", "reason": "interrupted"}))
        sys.exit(INTERRUPTED)
    except Exception as error:
        click.echo(json.dumps(failure_summary(error)))
        raise


def _run(payments: Path, users: Path | None, port: int | None, manifest: Path | None, only_json: bool) -> None:
    from rollup.demo.payments import read_payroll
    from rollup.demo.users import find_users_file
    from rollup.progress import Bars

    payroll = read_payroll(payments, users or find_users_file(payments, EXAMPLES))

    from rollup.demo.report import print_report, summary
    from rollup.demo.scenario import run_demo

    with Bars() as bars:
        outcome = run_demo(payroll, bars, port=port, manifest=manifest)
    if not only_json:
        console = Console()
        # Piped into a file there is no width to go by; the tables need this much.
        print_report(outcome, console if console.is_terminal else Console(width=REPORT_WIDTH))
    click.echo(json.dumps(summary(outcome)))
