"""docs/api.md, typed: each command in its order, on a node where two users have deposited, and what it says."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import pytest
from api_rig import MANIFEST, NO_RATE, ApiRig
from eth_account import Account
from node_rig import OPERATOR, Clock, User

from rollup.api import L1Status
from rollup.core.addresses import show_address
from rollup.wallet.keys import derive_local_key

PAGE: Final = Path(__file__).parents[2] / "docs" / "api.md"
SECONDS: Final = 60


def sessions() -> list[tuple[str, str]]:
    """All commands of the page with what they print."""
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL)
    typed = [part for block in blocks for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    return [(command, said) for command, _, said in (part.partition("\n") for part in typed)]


def newcomer(account_id: int, seed: int) -> tuple[str, User]:
    """A user whose L2 key is that of an Ethereum account, as `sluice sign` derives it."""
    account = Account.from_key(bytes([seed]) * 32)
    key = derive_local_key(account, MANIFEST.chain_id, int(MANIFEST.rollup, 16))
    return bytes(account.key).hex(), User(account_id, int(account.address, 16), key)


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_page_as_typed_says_what_it_says(tmp_path: Path) -> None:
    (key, anna), (_, ben) = newcomer(1, 0x41), newcomer(2, 0x42)
    clock = Clock()
    clock.now = time.time()
    MANIFEST.save(tmp_path / "deployment.json")
    rig = ApiRig(tmp_path, NO_RATE, (OPERATOR, anna, ben), clock=clock)
    rig.others = {"l1_status": lambda: L1Status(5, 10**9)}
    with rig:
        folder = Path(sys.executable).parent
        environment = os.environ | {
            "NODE": rig.url, "BEN": show_address(ben.address), "SLUICE_PRIVATE_KEY": key,
            "PATH": f"{folder}:{os.environ['PATH']}",
        }  # fmt: skip
        for name, script in re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE.read_text(), re.DOTALL):
            (tmp_path / name).write_text(script)
        commands = sessions()
        assert len(commands) == 14
        for command, said in commands:
            done = subprocess.run(
                ["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=SECONDS
            )
            assert (done.stdout.rstrip("\n"), done.stderr) == (said.rstrip("\n"), ""), command
