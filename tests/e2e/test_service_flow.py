"""`sluice node` in one process, `sluice wallet` beside it, real proofs on the real contract: deposit, pay, finality,
withdraw, money on L1; the node's stop and its start again.
"""

import json
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from e2e_rig import ETHER, l1_balance
from eth_account import Account as EthereumAccount

from rollup.cli.main import cli
from rollup.demo.world import World
from rollup.landing.keystore import create_keystore
from rollup.service.folder import make_folder, write_private

pytestmark = pytest.mark.slow
WAIT_SECONDS = 90
CHEAP = 2
"""Guessing these passwords costs little: what they guard is worth nothing."""


class Operator:
    """Who runs the node: a folder with keys, a configuration, and the process while it runs."""

    def __init__(self, world: World, keys: Path, folder: Path) -> None:
        self.folder = make_folder(folder)
        sender = bytes.fromhex(world.operator.account.private_key[2:])  # type: ignore[attr-defined, union-attr]
        validator = secrets.token_bytes(32)
        self.validator = str(EthereumAccount.from_key(validator).address)
        for name, key in (("sender", sender), ("validator", validator)):
            create_keystore(folder / f"{name}.json", key, "x", CHEAP)
            write_private(folder / f"{name}.password", "x\n")
        governor = world.manifest.contracts["Governor"].address
        allow = "setValidator", ["address", "bool"], [self.validator, True]
        world.sender.call("the allow-list", governor, *allow, world.operator.signer)
        world.manifest.save(folder / "deployment.json")
        values = json.loads((folder / "deployment.json").read_text())
        values["validators"].append(self.validator)
        (folder / "deployment.json").write_text(json.dumps(values))
        (folder / "sluice.toml").write_text(
            f"""
            manifest = "deployment.json"
            data = "data"
            listen = "127.0.0.1:0"
            log = {{ format = "json" }}
            prover = {{ keys = "{keys}" }}
            policy = {{ max_age_seconds = 2 }}
            sender = {{ keystore = "sender.json", password_file = "sender.password" }}
            validator = {{ keystore = "validator.json", password_file = "validator.password" }}
            [l1]
            endpoints = ["{world.sender.rpc.url}"]
            confirmations = 0
            has_finalized_tag = false
            poll_seconds = 0.1
            """
        )

    @contextmanager
    def node(self) -> Iterator[str]:
        """The node; its API's address. At the end it stops in order, on Ctrl-C."""
        command = [sys.executable, "-m", "rollup.cli.main", "node", "--config", "sluice.toml"]
        with (self.folder / "log.jsonl").open("a") as log:
            process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=log, text=True)
        assert process.stdout is not None
        try:
            said = {}
            for line in process.stdout:
                name, _, rest = line.partition(" ")
                said[name] = rest.split()
                if line.startswith("ready"):
                    break
            assert "API" in said, (self.folder / "log.jsonl").read_text()[-2000:]
            yield said["API"][0]
            process.send_signal(signal.SIGINT)
            assert process.wait(WAIT_SECONDS) == 0
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


class User:
    """Somebody with `sluice wallet`, a node's address and an L1 node."""

    def __init__(self, key: bytes, home: Path, api: str, l1: str) -> None:
        self.address = str(EthereumAccount.from_key(key).address)
        write_private(make_folder(home) / "key", f"0x{key.hex()}\n")
        write_private(home / "password", "x\n")
        self.home = home
        self.environment = {
            "SLUICE_HOME": str(home), "SLUICE_NODE": api, "SLUICE_RPC": l1,
            "SLUICE_PASSWORD_FILE": str(home / "password"),
        }  # fmt: skip
        self("import", "--key-file", str(home / "key"))

    def __call__(self, *arguments: str) -> dict[str, Any]:
        ran = CliRunner().invoke(cli, ["wallet", *arguments, "--json"], env=self.environment)
        assert ran.exit_code == 0, (arguments, ran.output, ran.exception)
        found: dict[str, Any] = json.loads(ran.stdout.strip().splitlines()[-1])
        return found


def whole_way(api: str, name: str) -> list[dict[str, Any]]:
    """An operation's stages once the last is there: what L1 did is looked up now and then."""
    deadline = time.monotonic() + 60
    while True:
        way = httpx.get(f"{api}/v1/transactions/{name}/trace").json()["stages"]
        if way[-1]["stage"] == "executed" or time.monotonic() > deadline:
            return list(way)
        time.sleep(0.1)


def test_newcomer_deposits_pays_sees_finality_and_withdraws(world: World, keys: Path, tmp_path: Path) -> None:
    operator = Operator(world, keys, tmp_path / "operator")
    world.client.deposit_eth(world.operator.signer, ETHER, operator.validator)
    l1, bob = world.sender.rpc.url, world.people[1].address
    with operator.node() as api:
        secret = bytes.fromhex(world.people[0].account.private_key[2:])  # type: ignore[union-attr]
        alice = User(secret, tmp_path / "alice", api, l1)
        alice("deposit", "--amount", "1:ETH")
        paid = alice("transfer", "--to", bob, "--amount", "0.25:ETH", "--wait", "confirmed")
        assert (paid["status"], paid["is_final"]) == ("confirmed", False)
        out = alice("withdraw", "--amount", "0.5:ETH", "--to", f"0x{0xDD:040x}", "--wait", "final")
        assert out["is_final"]
        pending = world.client.pending(f"0x{0xDD:040x}", 0)
        assert pending == ETHER // 2
        world.client.withdraw_pending(world.operator.signer, f"0x{0xDD:040x}", 0)
        assert l1_balance(world, f"0x{0xDD:040x}", 0) == ETHER // 2

        way = whole_way(api, paid["hash"])
        names = [each["stage"] for each in way]
        assert names == [
            "received", "durable", "closed", "sealed", "proven", "committed", "proven_on_l1", "executed",
        ]  # fmt: skip
        assert [each["at"] for each in way[1:5]] == sorted(each["at"] for each in way[1:5])
        assert world.sender.rpc("eth_getTransactionReceipt", way[5]["l1_transaction"])["status"] == "0x1"
        told = CliRunner().invoke(cli, ["node", "trace", paid["hash"], "--api", api])
        assert json.loads(told.stdout)["stages"] == way
        metrics = httpx.get(f"{api}/metrics").text
        assert 'sluice_operations_total{outcome="taken"} 2.0' in metrics
        assert 'sluice_l1_block_number{stage="executed"}' in metrics
    with operator.node() as api:
        again = httpx.get(f"{api}/v1/transactions/{paid['hash']}").json()
        assert (again["status"], again["receipt"]) == ("final", paid["receipt"])
        assert httpx.get(f"{api}/v1/transactions/{paid['hash']}/trace").json()["stages"] == way
        alice.environment["SLUICE_NODE"] = api
        assert alice("exit", "--token", "ETH", "--wait", "final")["status"] == "final"
        (left,) = alice("balance")["accounts"]
        assert left["final"] == left["confirmed"] == {}
        claimed = alice("claim", "--token", "ETH")
        # With what the exit was sent beyond its fee.
        back = int(claimed["amount"]) - world.client.queue_fee()
        assert 0 < ETHER // 4 - back < ETHER // 1000
        assert world.client.pending(alice.address, 0) == 0
    events = [json.loads(line)["event"] for line in (operator.folder / "log.jsonl").read_text().splitlines()]
    assert events.count("service.stopped") == 2
    assert {"service.ready", "block.closed", "block.proven", "block.executed"} <= set(events)


def test_check_names_what_is_wrong_and_starts_nothing(world: World, keys: Path, tmp_path: Path) -> None:
    operator = Operator(world, keys, tmp_path / "operator")
    ran = check(operator)
    assert ran.returncode == 1
    assert f"wrong validator's account    {operator.validator} has no L2 account" in ran.stdout
    assert [line.split()[0] for line in ran.stdout.splitlines()].count("wrong") == 1
    assert not (operator.folder / "data").exists()
    world.client.deposit_eth(world.operator.signer, ETHER, operator.validator)
    ran = check(operator)
    assert ran.returncode == 0, ran.stdout
    text = (operator.folder / "sluice.toml").read_text()
    (operator.folder / "sluice.toml").write_text(text.replace(world.sender.rpc.url, "http://127.0.0.1:1"))
    assert "wrong L1 at http://127.0.0.1:1" in check(operator).stdout


def check(operator: Operator) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "rollup.cli.main", "node", "check", "--config", "sluice.toml"]
    return subprocess.run(command, cwd=operator.folder, capture_output=True, text=True, check=False)
