"""`sluice restore` and `sluice balances`, as a user without ape, anvil or an operator runs them."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fake_l1 import CHAIN_ID, DEPLOYED_AT, ROLLUP
from plain_install import plain, plain_distributions
from restore_rig import Rig
from rpc_server import RpcServer

from rollup.cli.main import cli
from rollup.cli.restore import RestoreBar
from rollup.core.constants import FIRST_ORDER_SLOT
from rollup.l1.errors import ManifestInvalid, NodesDisagree, NodeUnreachable
from rollup.l1.manifest import DeployedContract, DeployedToken, Manifest
from rollup.store import Store
from rollup.store.errors import StoreOfAnother, StoreUnusable
from rollup.toolchain import ROOT

BLOCKS = 5


@pytest.fixture
def served(rig: Rig) -> Iterator[RpcServer]:
    rig.blocks(BLOCKS)
    with RpcServer(rig.l1.answer) as server:
        yield server


@pytest.fixture
def manifest(rig: Rig, tmp_path: Path) -> Path:
    tokens = [DeployedToken(0, "ETH", 18, "0x", 1), DeployedToken(1, "USDS", 6, "0x", 1)]
    contracts = {"Rollup": DeployedContract(ROLLUP, DEPLOYED_AT, 1)}
    path = tmp_path / "manifest.json"
    Manifest(CHAIN_ID, rig.l1.origin.l1_genesis, "0x", 1, contracts, tokens=tokens).save(path)
    return path


def _restore(manifest: Path, rig: Rig, *options: str) -> Result:
    return CliRunner().invoke(cli, ["restore", "--manifest", str(manifest), "--store", str(rig.path), *options])


def _balances(manifest: Path, rig: Rig, *options: str) -> Result:
    return CliRunner().invoke(cli, ["balances", "--manifest", str(manifest), "--store", str(rig.path), *options])


def test_sluice_restore_prints_what_it_restored(rig: Rig, served: RpcServer, manifest: Path) -> None:
    result = _restore(manifest, rig, "--rpc", served.url, "--check-rpc", served.url, "--json")
    assert result.exit_code == 0, result.output
    values: dict[str, Any] = json.loads(result.stdout)
    tip = rig.operator.chain[-1]
    assert values.pop("seconds") > 0
    assert values == {
        "ok": True,
        "store": str(rig.path),
        "blocks": BLOCKS,
        "hash": f"0x{tip.hash().hex()}",
        "root": f"{tip.new_root:#066x}",
        "accounts": len(dict(rig.operator.state.accounts())),
        "l1_block": rig.l1.head.number,
        "new_operations": 6 * BLOCKS,
        "confirmed_by": 1,
    }
    rig.check(BLOCKS)
    again = _restore(manifest, rig, "--rpc", served.url)
    assert f"{BLOCKS} blocks, {values['accounts']} accounts, as on L1" in again.stdout
    assert values["root"] in again.stdout


def test_sluice_restore_second_node_that_differs_is_an_error(
    rig: Rig, served: RpcServer, manifest: Path, tmp_path: Path
) -> None:
    other = Rig(tmp_path / "other.db", seed=2)
    other.blocks(BLOCKS)
    with RpcServer(other.l1.answer) as liar:
        result = _restore(manifest, rig, "--rpc", served.url, "--check-rpc", liar.url)
    assert isinstance(result.exception, NodesDisagree)
    assert result.exception.block_number == BLOCKS


def test_sluice_restore_without_a_node_names_its_address(rig: Rig, manifest: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("rollup.l1.node.FIRST_PAUSE_SECONDS", 0)
    result = _restore(manifest, rig, "--rpc", "http://127.0.0.1:1")
    assert isinstance(result.exception, NodeUnreachable)
    assert "http://127.0.0.1:1" in str(result.exception)
    assert not rig.path.exists()


def test_sluice_restore_while_a_node_does_not_answer_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[object, ...]] = []
    monkeypatch.setattr("rollup.cli.restore.time.sleep", lambda seconds: shown.append((seconds,)))
    bar = RestoreBar(lambda *said: shown.append(said))
    bar.restoring(3, 9, 0)
    bar.pause(1.5)
    before, asking, paused, after = shown
    assert (asking, paused, after) == (("no answer, asking again", 3, 9), (1.5,), before)


@pytest.mark.parametrize("address", ["foo", "ftp://host", "http://", "http://host:port", "http://[::1"])
def test_sluice_restore_from_what_is_no_address_is_refused_at_once(rig: Rig, manifest: Path, address: str) -> None:
    for options in (("--rpc", address), ("--rpc", "http://127.0.0.1:1", "--check-rpc", address)):
        result = _restore(manifest, rig, *options)
        assert (result.exit_code, "write http:// or https:// and the host" in result.output) == (2, True)
    assert not rig.path.exists()


def test_sluice_restore_into_the_store_of_another_rollup_is_refused(
    rig: Rig, served: RpcServer, manifest: Path
) -> None:
    _restore(manifest, rig, "--rpc", served.url)
    values = json.loads(manifest.read_text())
    values["contracts"]["Rollup"]["address"] = "0x" + 20 * "c1"
    manifest.write_text(json.dumps(values))
    result = _restore(manifest, rig, "--rpc", served.url)
    assert isinstance(result.exception, StoreOfAnother)
    assert (result.exception.what, result.exception.got) == ("rollup", ROLLUP)


def test_sluice_restore_without_a_manifest_is_refused(rig: Rig, tmp_path: Path) -> None:
    result = _restore(tmp_path / "none.json", rig, "--rpc", "http://never.asked")
    assert isinstance(result.exception, ManifestInvalid)


def test_sluice_balances_shows_an_owners_accounts(rig: Rig, served: RpcServer, manifest: Path) -> None:
    _restore(manifest, rig, "--rpc", served.url)
    state = rig.operator.state
    account_id = max((number for number, _ in state.accounts()), key=lambda number: len(state.balances(number)))
    owner = f"0x{state.account(account_id).address:040x}"
    by_owner = json.loads(_balances(manifest, rig, "--owner", owner, "--json").stdout)
    by_id = json.loads(_balances(manifest, rig, "--id", str(account_id), "--json").stdout)
    expected = {str(token): str(amount) for token, amount in sorted(state.balances(account_id).items())}
    assert by_id["accounts"][0]["balances"] == expected
    assert by_owner["accounts"] == by_id["accounts"]
    shown = _balances(manifest, rig, "--id", str(account_id)).stdout
    assert re.search(rf"account {account_id} of 0x[0-9a-fA-F]{{40}} after block {BLOCKS}", shown)
    for token, amount in state.balances(account_id).items():
        words = {0: "ETH ", 1: "USDS "}.get(token, f"token {token}: {amount} smallest units")
        assert words in shown


def test_sluice_balances_leaves_order_slots_out(rig: Rig, served: RpcServer, manifest: Path) -> None:
    while not any(rig.operator.state.order_slots(number) for number, _ in rig.operator.state.accounts()):
        rig.blocks(1)
    _restore(manifest, rig, "--rpc", served.url)
    state = rig.operator.state
    account_id = next(number for number, _ in state.accounts() if state.order_slots(number))
    (account,) = json.loads(_balances(manifest, rig, "--id", str(account_id), "--json").stdout)["accounts"]
    assert all(int(slot) < FIRST_ORDER_SLOT for slot in account["balances"])
    assert len(account["balances"]) == len(state.balances(account_id))


def test_sluice_balances_of_nobody_says_so(rig: Rig, served: RpcServer, manifest: Path) -> None:
    _restore(manifest, rig, "--rpc", served.url)
    assert "there is no such account after block 5" in _balances(manifest, rig, "--id", "999999").stdout
    assert json.loads(_balances(manifest, rig, "--owner", "0x" + 40 * "1", "--json").stdout)["accounts"] == []


def test_sluice_balances_without_a_store_says_how_to_make_it(rig: Rig, manifest: Path) -> None:
    result = _balances(manifest, rig, "--id", "1")
    assert isinstance(result.exception, StoreUnusable)
    assert "`sluice restore` makes it" in str(result.exception)
    assert not rig.path.exists()


def test_sluice_balances_of_nobody_or_two_is_refused(rig: Rig, manifest: Path) -> None:
    assert "whose balances?" in _balances(manifest, rig).output
    assert "exclude each other" in _balances(manifest, rig, "--id", "1", "--owner", "0x" + 40 * "1").output


def test_sluice_balances_of_an_empty_store_says_nothing_is_restored(rig: Rig, manifest: Path) -> None:
    with Store(rig.path, rig.l1.origin):
        pass
    assert "nothing is restored" in _balances(manifest, rig, "--id", "1").stdout


LOADED = """
import json, sys
before = set(sys.modules)
from rollup.cli.main import main
try:
    main()
finally:
    print(json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""


def test_sluice_restore_loads_nothing_but_what_a_plain_install_has(rig: Rig, served: RpcServer, manifest: Path) -> None:
    """No ape, no web3, nothing of the extras: only what pyproject.toml's dependencies bring."""
    options = ["restore", "--manifest", str(manifest), "--store", str(rig.path), "--rpc", served.url, "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *options], env=environment, capture_output=True, text=True, check=True
    )
    said, loaded = map(json.loads, done.stdout.splitlines())
    assert said["blocks"] == BLOCKS
    owners = metadata.packages_distributions()
    distributions = {plain(name) for module in loaded for name in owners.get(module, [])}
    # pycryptodome loads cffi where it is, and does without it.
    assert distributions - plain_distributions() - {"sluice-rollup", "cffi", "pycparser"} == set()
    assert {"click", "eth-abi"} <= distributions
