"""What breaks around us: a port in use, an anvil that dies, a tool that is not there."""

import json
import os
import signal
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from rollup import toolchain
from rollup.cli.main import cli
from rollup.core.block import SealedBlock
from rollup.demo import scenario
from rollup.demo.payments import read_payroll
from rollup.l1.anvil import Anvil, free_port
from rollup.l1.errors import AnvilDied, AnvilNotReady, NodeUnreachable, PortInUse
from rollup.l1.manifest import DeployedContract, Manifest
from rollup.l1.project import Contracts
from rollup.l1.rpc import JsonRpc
from rollup.l1.sending import TRANSACTION_GAS_LIMIT
from rollup.progress import Bars
from rollup.prover import BlockProver
from rollup.toolchain import ROOT, ToolMissing

EXAMPLES = ROOT / "examples"


def test_anvil_port_in_use_is_named_with_the_way_out() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(PortInUse, match="name no port") as error:
            Anvil(port)
    assert error.value.values == {"port": port}


def test_anvil_ends_with_its_block_and_leaves_nothing() -> None:
    with Anvil(accounts=1) as anvil:
        pid, url = anvil.pid, anvil.url
        assert os.getpgid(pid) == pid
        assert anvil.rpc("eth_chainId") == hex(31337)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(NodeUnreachable, match="check that a node runs"):
        JsonRpc(url).chain_id()


def test_anvil_killed_is_reported_as_dead_with_exit_code() -> None:
    with Anvil(accounts=1) as anvil:
        os.killpg(anvil.pid, signal.SIGKILL)
        with pytest.raises(AnvilDied, match="in the middle") as error:
            anvil.rpc("eth_chainId")
    assert error.value.values["exit_code"] == -signal.SIGKILL


def test_anvil_unknown_flag_is_not_ready_with_its_words() -> None:
    with pytest.raises(AnvilNotReady, match="no-such-flag"):
        Anvil(flags=["--no-such-flag"])


def test_anvil_refuses_a_transaction_over_the_gas_limit_of_eip_7825() -> None:
    with Anvil(accounts=1) as anvil:
        account = anvil.rpc("eth_accounts")[0]
        too_much = hex(TRANSACTION_GAS_LIMIT + 1)
        with pytest.raises(AnvilNotReady, match="gas"):
            anvil.rpc("eth_sendTransaction", {"from": account, "to": account, "gas": too_much})


def test_anvil_missing_tool_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(toolchain, "ROOT", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing, match=r"anvil: .*make setup"):
        Anvil()


@pytest.mark.slow
def test_run_demo_anvil_killed_in_the_middle_says_so(
    monkeypatch: pytest.MonkeyPatch, contracts: Contracts, keys: Path
) -> None:
    started: list[Anvil] = []

    class Recorded(Anvil):
        def __init__(self, port: int | None = None, accounts: int = 10) -> None:
            super().__init__(port, accounts)
            started.append(self)

    def kill(_: BlockProver, sealed: SealedBlock, progress: object = None) -> None:
        os.killpg(started[0].pid, signal.SIGKILL)
        raise NodeUnreachable(started[0].url, f"while block {sealed.header.block_number} was proven")

    monkeypatch.setattr(scenario, "Anvil", Recorded)
    monkeypatch.setattr(BlockProver, "prove", kill)
    payroll = read_payroll(EXAMPLES / "payments.csv", EXAMPLES / "users.csv")
    with Bars(quiet=True) as bars, pytest.raises(AnvilDied, match="start again"):
        scenario.run_demo(payroll, bars, keys=keys, contracts=contracts)
    assert not started[0].alive()


def test_sluice_demo_bad_payments_ends_with_json_and_starts_nothing(tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("payer,payee,token,amount,fee,memo\nacme,nobody,ETH,-1,0,\n")
    result = CliRunner().invoke(cli, ["demo", "--payments", str(bad)])
    assert result.exit_code == 1
    last = json.loads(result.stdout.splitlines()[-1])
    assert last["ok"] is False
    assert last["code"] == "payments_invalid"
    assert "bad.csv:2: payee = 'nobody'" in last["reason"]
    assert "bad.csv:2: amount = '-1'" in last["reason"]
    assert "Traceback" not in result.output


def test_sluice_demo_port_in_use_ends_with_json(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenario.run_demo, "__kwdefaults__", {**(scenario.run_demo.__kwdefaults__ or {}), "keys": keys})
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        result = CliRunner().invoke(cli, ["demo", "--port", str(port)])
    assert result.exit_code == 1
    assert json.loads(result.stdout.splitlines()[-1])["code"] == "port_in_use"


def test_sluice_rebuild_without_a_node_names_the_address(tmp_path: Path) -> None:
    manifest = Manifest(31337, "0x", "0x", 1, {"Rollup": DeployedContract("0x" + "11" * 20, 1, 1)})
    manifest.save(tmp_path / "manifest.json")
    url = f"http://127.0.0.1:{free_port()}"
    result = CliRunner().invoke(cli, ["rebuild", "--manifest", str(tmp_path / "manifest.json"), "--rpc", url])
    assert isinstance(result.exception, NodeUnreachable)
    assert url in str(result.exception)
