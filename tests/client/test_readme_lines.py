"""README's "Run a node, use it", typed as it stands: a node with a chain of its own, real proofs, money out on L1."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rollup.l1.rpc import JsonRpc
from rollup.toolchain import ROOT

pytestmark = pytest.mark.slow
SECONDS = 240
PAYEE = "0x5afE00000000000000000000000000000c4a8171"
ETHER = 10**18


def lines() -> list[str]:
    """What README says to type."""
    (section,) = re.findall(
        r"## Run a node, use it\n\n[^\n]*\n\n```console\n(.*?)```", (ROOT / "README.md").read_text(), re.S
    )
    typed = [re.sub(r"\s+#.*", "", line) for line in section.splitlines()]
    assert all(line.startswith("$ sluice ") for line in typed)
    assert len(typed) < 10
    return [line.removeprefix("$ ") for line in typed]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


class Terminal:
    """A folder, and an environment in which other ports are used than README's, as those may be taken."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.api, self.l1 = folder, free_port(), free_port()
        (folder / "password").write_text("correct horse\n")
        (folder / "password").chmod(0o600)
        self.environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "SLUICE_HOME": str(folder / "home"),
            "SLUICE_NODE": f"http://127.0.0.1:{self.api}",
            "SLUICE_RPC": f"http://127.0.0.1:{self.l1}",
            "SLUICE_PASSWORD_FILE": str(folder / "password"),
        }

    @contextmanager
    def running(self, command: str) -> Iterator[None]:
        """The first terminal: until the node says that it is ready."""
        words = [*command.split(), "--listen", f"127.0.0.1:{self.api}", "--l1-port", str(self.l1)]
        log = self.folder / "node.log"
        with log.open("w") as out:
            process = subprocess.Popen(words, cwd=self.folder, env=self.environment, stdout=out, stderr=out)
        try:
            deadline = time.monotonic() + SECONDS
            while not re.search("^ready", log.read_text(), re.M):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.2)
            yield
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(60) in (0, 130), log.read_text()

    def type(self, command: str) -> str:
        """The other one."""
        done = subprocess.run(
            command.split(),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout


def test_readme_lines_typed_deposit_pay_and_take_money_out_to_l1(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    first, *others = lines()
    said: dict[str, str] = {}
    with terminal.running(first):
        rpc = JsonRpc(f"http://127.0.0.1:{terminal.l1}")
        for command in others:
            if " withdraw " in command:
                address = terminal.type("sluice wallet address").strip()
                before = int(rpc("eth_getBalance", address, "latest"), 16)
            said[command.split()[2]] = terminal.type(command)
        gained = int(rpc("eth_getBalance", address, "latest"), 16) - before
        assert 0 < ETHER // 5 - gained < ETHER // 1000, "the withdrawal, less the gas of having it paid out"
        (receipt,) = re.findall("0x[0-9a-f]{64}", said["receipts"])
        assert "kept: the block is executed on L1" in terminal.type(f"sluice wallet receipts verify {receipt}")
    assert "confirmed (not final)" in said["transfer"]
    assert receipt in said["transfer"]
    assert "final, and paid out on L1" in said["withdraw"]
    assert re.search(r"ETH +confirmed 0\.6999\d+, final 0\.6999", said["balance"])
