"""`sluice node` with no arguments but where: everything is made, and the second start goes on with the same chain."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from rollup.l1.manifest import load_manifest
from rollup.l1.rpc import JsonRpc
from rollup.toolchain import ROOT

pytestmark = pytest.mark.slow
WAIT_SECONDS = 120


@contextmanager
def node(data: Path, ending: signal.Signals) -> Iterator[dict[str, str]]:
    """What it says by name: API, L1 and so on."""
    command = [sys.executable, "-m", "rollup.cli.main", "node", "--data", str(data), "--listen", "127.0.0.1:0"]
    with (data.parent / "log").open("a") as log:
        process = subprocess.Popen(
            [*command, "--l1-port", "0"], cwd=data.parent, stdout=subprocess.PIPE, stderr=log, text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
    assert process.stdout is not None
    try:
        said = {}
        for line in process.stdout:
            if line.startswith("ready"):
                break
            name, _, rest = line.partition("  ")
            said[name] = rest.split()[0]
        assert "API" in said, (data.parent / "log").read_text()[-2000:]
        yield said
        process.send_signal(ending)
        assert process.wait(WAIT_SECONDS) == (0 if ending == signal.SIGTERM else -ending)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_node_without_arguments_makes_everything_and_goes_on_with_it(tmp_path: Path) -> None:
    """The first life ends by kill -9: the chain, a child of it, keeps what it has all the same."""
    data = tmp_path / "data"
    with node(data, signal.SIGKILL) as said:
        assert httpx.get(f"{said['API']}/ready").status_code == 200
        first = httpx.get(f"{said['API']}/v1/config").json()
        validator = httpx.get(f"{said['API']}/v1/accounts/0").json()
    keys = data / "keys"
    assert {path.name for path in keys.iterdir()} == {
        "sender.json", "sender.password", "validator.json", "validator.password", "user.key",
    }  # fmt: skip
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in keys.iterdir())
    with node(data, signal.SIGTERM) as said:
        assert httpx.get(f"{said['API']}/v1/config").json() == first
        assert httpx.get(f"{said['API']}/v1/accounts/0").json()["address"] == validator["address"]
        manifest, rpc = load_manifest(data / "deployment.json"), JsonRpc(said["L1"])
        assert rpc("eth_getBlockByNumber", "0x0", False)["hash"] == manifest.l1_genesis
        assert rpc.code(manifest.rollup)
        assert [token.symbol for token in manifest.tokens] == ["ETH", "USDS"]
    (data / "l1.json").unlink()
    command = [sys.executable, "-m", "rollup.cli.main", "node", "--data", str(data)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "the chain of this folder's deployment is gone" in ran.stderr
