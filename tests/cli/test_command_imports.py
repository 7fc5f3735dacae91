"""Help is at once: what a command needs it imports when it runs."""

import subprocess
import sys

HEAVY = ("ape", "eth_account", "httpx", "fastapi", "sqlalchemy", "web3", "distributed")


def test_import_of_the_command_line_loads_nothing_heavy() -> None:
    code = f"import sys, rollup.cli.main; print([each for each in {HEAVY} if each in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
