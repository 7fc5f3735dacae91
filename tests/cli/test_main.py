"""`sluice` as its console script starts it: what a user can mend is one line with the way out, never a traceback."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rollup.cli.main import main
from rollup.cli.options import KEY_VARIABLE
from rollup.l1.anvil import Anvil
from rollup.l1.manifest import DeployedContract, DeployedToken, Manifest

Sluice = Callable[..., tuple[int, str]]
ADDRESS = "0x" + 40 * "1"
WITHDRAW = ("sign", "withdraw", "--id", "1", "--nonce", "0", "--amount", "1:ETH")


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    deployed = Manifest(31337, "0x", "0x", 1, {"Rollup": DeployedContract(f"0x{0xC0FFEE:040x}", 1, 1)})
    deployed.tokens = [DeployedToken(0, "ETH", 18, "0x", 1), DeployedToken(1, "USDS", 6, "0x", 1)]
    deployed.save(tmp_path / "deployment.json")
    return tmp_path / "deployment.json"


@pytest.fixture
def sluice(manifest: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Sluice:
    """Runs the script in the manifest's folder; returns its exit code and what it printed."""
    monkeypatch.chdir(manifest.parent)
    monkeypatch.setenv(KEY_VARIABLE, 64 * "1")

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["sluice", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out + printed.err

    return run


def test_sign_through_the_script_succeeds(sluice: Sluice) -> None:
    code, printed = sluice(*WITHDRAW)
    assert (code, json.loads(printed)["type"]) == (0, "withdraw")


@pytest.mark.parametrize("command", [("deploy",), ("pending", "--owner", ADDRESS)])
@pytest.mark.parametrize("network", ["ethereum:local:http://127.0.0.1:1", "http://127.0.0.1:1", "nonsense"])
def test_network_that_ape_cannot_use_is_refused_in_a_line(
    sluice: Sluice, command: tuple[str, ...], network: str
) -> None:
    code, printed = sluice(*command, "--network", network)
    assert code == 2
    assert "Invalid value for --network" in printed
    assert "name a node that runs" in printed
    assert len(printed) < 700


def test_account_that_ape_does_not_have_is_refused_and_nothing_written(sluice: Sluice, tmp_path: Path) -> None:
    with Anvil() as anvil:
        at = ("--network", f"ethereum:local:{anvil.url}", "--account", "nope", "--manifest", "new.json")
        code, printed = sluice("deploy", *at)
    assert (code, "ape has no account 'nope'" in printed) == (2, True)
    assert not (tmp_path / "new.json").exists()


def test_error_of_apes_in_the_middle_is_one_line(sluice: Sluice, monkeypatch: pytest.MonkeyPatch) -> None:
    from ape.exceptions import ProviderError

    def fail(*_: object) -> None:
        raise ProviderError("the node is gone")

    monkeypatch.setattr("rollup.wallet.account.WalletAccount.sign", fail)
    assert sluice(*WITHDRAW) == (1, "error: the node is gone\n")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--validator", "0x12"), "'0x12': not an address; write 0x and 40"),
        (("--token", "USDS:6:0x12:10"), "ADDRESS '0x12': not an address"),
        (("--token", f"USDS:six:{ADDRESS}:10"), "DECIMALS is 'six'"),
        (("--token", f"USDS:6:{ADDRESS}:ten"), "'ten' is not a decimal number"),
        (("--token", f"USDS:6:{ADDRESS}"), "write SYMBOL:DECIMALS:ADDRESS:CAP"),
        (("--token", f":6:{ADDRESS}:10"), "SYMBOL is empty"),
    ],
)
def test_deploy_bad_option_names_the_wrong_part(sluice: Sluice, arguments: tuple[str, ...], reason: str) -> None:
    code, printed = sluice("deploy", *arguments)
    assert (code, reason in " ".join(printed.split())) == (2, True), printed


def test_sign_for_an_unfinished_deployment_is_refused(sluice: Sluice, manifest: Path) -> None:
    Manifest(31337, "0x", "0x", 1).save(manifest)
    code, printed = sluice(*WITHDRAW)
    assert (code, "its deployment is not finished; run `sluice deploy` again" in printed) == (1, True)


def test_sign_without_a_manifest_says_how_to_name_one(sluice: Sluice, manifest: Path) -> None:
    manifest.unlink()
    code, printed = sluice(*WITHDRAW)
    assert (code, "No such file or directory; name the deployment's file with --manifest" in printed) == (1, True)


@pytest.mark.parametrize("hours", ["nan", "inf", "0", "-1", "1e9"])
def test_sign_for_no_possible_time_is_refused(sluice: Sluice, hours: str) -> None:
    code, printed = sluice(*WITHDRAW, "--hours", hours)
    assert (code, "Invalid value for --hours" in printed) == (2, True)


@pytest.mark.parametrize("command", [("sign", "batch", "--id", "1"), ("approve-key", "--rpc", "http://127.0.0.1:1")])
def test_file_that_is_no_text_is_refused(sluice: Sluice, tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    code, printed = sluice(*command, "binary")
    assert (code, "not JSON" in printed) == (1, True)


def test_sign_batch_with_a_batch_as_ones_own_is_refused(sluice: Sluice, tmp_path: Path) -> None:
    (tmp_path / "one").write_text(sluice(*WITHDRAW, "--unsigned")[1])
    code, batch = sluice("sign", "batch", "--id", "1", "one", "one", "--unsigned")
    assert code == 0
    (tmp_path / "batch").write_text(batch.splitlines()[0])
    code, printed = sluice("sign", "batch", "--id", "1", "batch", "--mine", "batch")
    assert (code, "holds Batch: name each operation" in printed) == (2, True)


def test_withdraw_of_a_part_of_somebodys_is_refused(sluice: Sluice) -> None:
    part = "--token", "ETH", "--amount", "1", "--rpc", "http://127.0.0.1:1"
    code, printed = sluice("withdraw", "--owner", ADDRESS, *part)
    assert (code, "a part of your own goes --to" in printed) == (2, True)


@pytest.mark.parametrize(
    ("command", "option"),
    [
        (("deposit", "--amount", "1:DAI"), "--amount"),
        (("deposit", "--amount", "1:ETH", "--to", "0x" + 40 * "0"), "--to"),
        (("exit", "request", "--id", "1", "--token", "DAI"), "--token"),
        (("exit", "request", "--id", str(1 << 24), "--token", "ETH"), "--id"),
        (("withdraw", "--owner", ADDRESS, "--token", "DAI"), "--token"),
        (("withdraw", "--to", ADDRESS, "--token", "ETH", "--amount", "some"), "--amount"),
    ],
)
def test_what_is_wrong_in_itself_is_refused_before_l1_is_asked(
    sluice: Sluice, command: tuple[str, ...], option: str
) -> None:
    code, printed = sluice(*command, "--rpc", "http://127.0.0.1:1")
    assert (code, f"Invalid value for {option}" in printed or f"Invalid value for '{option}'" in printed) == (2, True)
