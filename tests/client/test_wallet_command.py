"""`sluice wallet` against a real node over a real socket: what is typed, what is told, what is kept."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_rig import MANIFEST
from click.testing import CliRunner, Result
from client_rig import ANNA, BEN, CLEO, DAI, ETHER, NEWCOMER, Lost, Person, Told, Town

from rollup.cli.main import cli
from rollup.landing.keystore import create_keystore, open_keystore

CENT = ETHER // 100
PASSWORD = "correct horse"


class Shell:
    """Somebody's shell: his folder, his password, the node's address."""

    def __init__(self, town: Town, person: Person, name: str, manifest: bool = True) -> None:
        self.home, self.person, self.town = town.folder / name, person, town
        self.home.mkdir()
        password = self.home / "password"
        password.write_text(PASSWORD + "\n")
        password.chmod(0o600)
        keystore = self.home / "wallets" / "main" / "keystore.json"
        keystore.parent.mkdir(parents=True)
        create_keystore(keystore, bytes(person.account.key), PASSWORD, iterations=2)
        MANIFEST.save(self.home / "deployment.json")
        self.environment: dict[str, str | None] = {
            "SLUICE_HOME": str(self.home),
            "SLUICE_NODE": town.url,
            "SLUICE_PASSWORD_FILE": str(password),
            "SLUICE_MANIFEST": str(self.home / "deployment.json") if manifest else None,
            "SLUICE_RPC": None,
            "SLUICE_WALLET": None,
        }

    def run(self, *words: str, **options: Any) -> Result:
        return CliRunner(mix_stderr=False).invoke(cli, ["wallet", *words], env=self.environment, **options)

    def type(self, *words: str, **options: Any) -> str:
        result = self.run(*words, **options)
        assert result.exit_code == 0, (words, result.output, result.exception)
        return result.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.type(*words, "--json"))

    def refused(self, *words: str, code: str | None = None) -> str:
        """What is told of a refusal; with --json the same with its code."""
        result = self.run(*words, "--json")
        assert result.exit_code != 0, result.output
        said = json.loads(result.stdout.splitlines()[-1])
        assert said["ok"] is False
        assert code is None or said["code"] == code, said
        return str(said["reason"])


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with Town(tmp_path_factory.mktemp("street")) as town:
        yield town


@pytest.fixture
def anna(street: Town, request: pytest.FixtureRequest) -> Iterator[Shell]:
    street.liar.lie = lambda told: told
    yield Shell(street, ANNA, f"anna-{abs(hash(request.node.name))}")
    street.liar.lie = lambda told: told


@pytest.fixture
def ben(street: Town, request: pytest.FixtureRequest) -> Shell:
    return Shell(street, BEN, f"ben-{abs(hash(request.node.name))}")


def test_create_makes_an_encrypted_keystore_that_only_its_password_opens(tmp_path: Path) -> None:
    typed = f"{PASSWORD}\n{PASSWORD}\n"
    made = CliRunner().invoke(cli, ["wallet", "create", "--home", str(tmp_path), "--wallet", "mine"], input=typed)
    assert made.exit_code == 0, made.output
    keystore = tmp_path / "wallets" / "mine" / "keystore.json"
    assert keystore.stat().st_mode & 0o777 == 0o600
    account = open_keystore(keystore, lambda _: PASSWORD)
    assert bytes(account.key).hex() not in keystore.read_text()
    listed = CliRunner().invoke(cli, ["wallet", "list", "--home", str(tmp_path), "--json"])
    assert json.loads(listed.stdout)["wallets"] == [{"wallet": "mine", "address": account.address}]
    again = CliRunner().invoke(cli, ["wallet", "create", "--home", str(tmp_path), "--wallet", "mine"], input=typed)
    assert again.exit_code == 1
    assert "choose another name" in again.output


def test_import_takes_a_key_file_and_never_shows_it(tmp_path: Path) -> None:
    key, password = tmp_path / "key", tmp_path / "password"
    for path, text in ((key, bytes(ANNA.account.key).hex()), (password, PASSWORD)):
        path.write_text(text)
        path.chmod(0o600)
    words = ["--home", str(tmp_path / "home"), "--password-file", str(password)]
    done = CliRunner().invoke(cli, ["wallet", "import", *words, "--key-file", str(key)])
    assert done.exit_code == 0, done.output
    assert key.read_text() not in done.output
    assert ANNA.address in done.output
    shown = CliRunner().invoke(cli, ["wallet", "address", *words])
    assert shown.stdout.strip() == ANNA.address


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a" * 65])
def test_wallet_with_a_name_that_is_a_path_is_refused(tmp_path: Path, name: str) -> None:
    done = CliRunner().invoke(cli, ["wallet", "address", "--home", str(tmp_path), "--wallet", name])
    assert done.exit_code == 2
    assert "letters, digits" in done.output


def test_unknown_wallet_is_told_how_to_make_one(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["wallet", "address", "--home", str(tmp_path)])
    assert done.exit_code == 1
    assert "sluice wallet create" in done.output


def test_transfer_is_told_as_confirmed_and_not_final_and_its_receipt_verifies(anna: Shell) -> None:
    said = anna.type("transfer", "--to", BEN.address, "--amount", "0.01:ETH", "--fee", "0")
    assert "confirmed (not final)" in said
    (kept,) = anna.json("receipts", "list")["receipts"]
    assert kept["hash"] in said
    assert kept["has_receipt"]
    assert re.search(r"block \d+, due on L1 by \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", anna.type("receipts"))
    checked = anna.json("receipts", "verify", kept["hash"])
    assert checked["block"] == kept["block"]
    shown = json.loads(anna.type("receipts", "show", kept["hash"]))
    assert shown["operation_hash"] == kept["hash"]


def test_transfer_as_json_is_one_object(anna: Shell) -> None:
    before = anna.town.balance(BEN)
    said = anna.json("transfer", "--to", BEN.address, "--amount", "0.01:ETH", "--fee", "0")
    assert {"ok", "hash", "status", "is_final", "block", "fee", "amount", "token", "receipt"} <= said.keys()
    assert (said["status"], said["is_final"], said["amount"], said["fee"]) == ("confirmed", False, str(CENT), "0")
    assert anna.town.balance(BEN) == before + CENT


MISTAKES = [
    (("--to", BEN.address[:-1] + ("0" if BEN.address[-1] != "0" else "1"), "--amount", "1:ETH"), "checksum"),
    (("--to", BEN.address, "--amount", "1"), "AMOUNT:SYMBOL"),
    (("--to", BEN.address, "--amount", "1:eth"), "case-sensitive"),
    (("--to", BEN.address, "--amount", "1:BTC"), "no token"),
    (("--to", BEN.address, "--amount", "-1:ETH"), "negative"),
    (("--to", BEN.address, "--amount", "1.00000000000000001:ETH"), "use 1 or 1.0000000001"),
    (("--amount", "1:ETH"), "--to-id"),
    (("--to", BEN.address, "--to-id", "1", "--amount", "1:ETH"), "--to-id"),
    (("--to", BEN.address, "--amount", "1:ETH", "--fee", "1:DAI"), "paid in the token"),
    (("--to", BEN.address, "--amount", "1:ETH", "--max-fee", "1:DAI"), "paid in ETH"),
]


@pytest.mark.parametrize(("words", "reason"), MISTAKES)
def test_transfer_mistyped_is_refused_with_the_way_out(anna: Shell, words: tuple[str, ...], reason: str) -> None:
    done = anna.run("transfer", *words)
    assert done.exit_code == 2
    assert reason in done.stderr
    assert not list(anna.home.glob("wallets/main/*/receipts.jsonl"))


def test_transfer_of_too_much_is_refused_in_units_and_in_the_way_of_nothing(anna: Shell) -> None:
    words = ("transfer", "--to", BEN.address, "--fee", "0", "--amount")
    for token in ("ETH", "DAI"):
        said = anna.refused(*words, f"100.5:{token}", code="balance_too_low")
        assert "this takes 100.5 and a fee of 0: deposit " in said
        assert f" {token} more" in said
    anna.type(*words, "0.01:ETH")
    # Those refused had the nonce that this payment has a receipt for.
    assert anna.type("receipts").count("never taken in") == 2
    anna.type(*words, "0.01:ETH")


def test_transfer_dearer_than_allowed_is_refused(anna: Shell) -> None:
    words = ("transfer", "--to", BEN.address, "--amount", "1:ETH", "--fee", "0.02", "--max-fee", "0.01")
    assert "0.02 ETH" in anna.refused(*words, code="fee_above_maximum")


def test_transfer_with_a_wrong_password_is_refused(anna: Shell) -> None:
    (anna.home / "password").write_text("wrong")
    words = ("transfer", "--to", BEN.address, "--amount", "0.01:ETH", "--fee", "0")
    assert "the password is wrong" in anna.refused(*words, code="keystore_unusable")


def test_transfer_unheard_is_told_and_the_same_again_is_not_paid_twice(anna: Shell) -> None:
    before, is_gone = anna.town.balance(BEN), [False]

    def lie(told: Told) -> Told | Exception:
        is_gone[0] = is_gone[0] or told.method == "POST"
        return Lost() if is_gone[0] else told

    words = ("transfer", "--to", BEN.address, "--amount", "0.01:ETH", "--fee", "0")
    anna.town.liar.lie = lie
    anna.refused(*words, code="submission_unknown")
    anna.town.liar.lie = lambda told: told
    anna.refused(*words, code="sent_before")
    assert anna.town.balance(BEN) == before + CENT
    anna.type(*words)
    assert anna.town.balance(BEN) == before + 2 * CENT


def test_resend_gets_the_receipt_of_what_was_not_heard_of(anna: Shell) -> None:
    before = anna.town.balance(CLEO)

    def lie(told: Told) -> Told | Exception:
        is_gone[0] = is_gone[0] or told.method == "POST"
        return Lost() if is_gone[0] else told

    is_gone = [False]
    anna.town.liar.lie = lie
    anna.refused("transfer", "--to", CLEO.address, "--amount", "0.01:ETH", "--fee", "0", code="submission_unknown")
    anna.town.liar.lie = lambda told: told
    assert len(anna.json("resend")["confirmed"]) == 1
    assert anna.json("resend")["confirmed"] == []
    assert anna.town.balance(CLEO) == before + CENT


def test_balance_shows_confirmed_and_final_without_a_password(anna: Shell) -> None:
    anna.environment["SLUICE_PASSWORD_FILE"] = None
    said = anna.json("balance")
    (account,) = said["accounts"]
    assert account["confirmed"]["DAI"].isdecimal()
    assert set(account) >= {"id", "confirmed", "final", "nonce"}
    assert "confirmed" in anna.type("balance")


def test_balance_of_nobody_says_so(street: Town) -> None:
    shell = Shell(street, NEWCOMER, "newcomer")
    assert "no account yet" in shell.type("balance")


def test_history_shows_what_came_and_went(anna: Shell) -> None:
    hashed = anna.json("transfer", "--to", BEN.address, "--amount", "0.01:ETH", "--fee", "0")["hash"]
    said = anna.json("history", "--limit", "100")
    assert hashed in [each["hash"] for each in said["transactions"]]
    assert "0.01 ETH" in anna.type("history")


def test_fees_are_quoted(anna: Shell) -> None:
    said = anna.json("fees", "--type", "transfer")
    assert said["fees"][0]["fee"].isdecimal()
    assert "transfer" in anna.type("fees")


def test_withdraw_is_confirmed_and_says_that_it_is_not_final(anna: Shell) -> None:
    assert "confirmed (not final)" in anna.type("withdraw", "--amount", "0.01:ETH", "--fee", "0")
    done = anna.run("withdraw", "--amount", "0.01:ETH", "--to-l1", "--wait", "confirmed")
    assert done.exit_code == 2


def test_wait_that_takes_too_long_tells_what_was_done(anna: Shell) -> None:
    words = (
        "transfer",
        "--to",
        BEN.address,
        "--amount",
        "0.01:ETH",
        "--fee",
        "0",
        "--wait",
        "final",
        "--timeout",
        "0.01",
    )
    result = anna.run(*words, "--json")
    assert result.exit_code == 1
    said = json.loads(result.stdout)
    assert (said["ok"], said["code"], said["status"]) == (False, "not_final_in_time", "confirmed")
    assert said["hash"] in [each["hash"] for each in anna.json("receipts")["receipts"]]


def test_swap_offer_is_handed_over_and_accepted(anna: Shell, ben: Shell) -> None:
    town = anna.town
    before = town.balance(ANNA), town.balance(BEN, DAI)
    path = anna.home / "order.json"
    anna.json("swap", "offer", "--sell", "0.1:ETH", "--for", "0.2:DAI", "--out", str(path))
    asked = ben.run("swap", "accept", str(path), "--fee", "0", input="n\n")
    assert asked.exit_code != 0
    assert "give 0.2 DAI and get 0.1 ETH" in asked.stderr
    said = ben.json("swap", "accept", str(path), "--fee", "0", "--yes")
    assert said["got"] == {"amount": str(ETHER // 10), "token": "ETH"}
    assert (town.balance(ANNA), town.balance(BEN, DAI)) == (before[0] - ETHER // 10, before[1] - ETHER // 5)


def test_swap_cancel_ends_an_offer(anna: Shell, ben: Shell) -> None:
    path = anna.home / "order.json"
    offered = anna.json("swap", "offer", "--sell", "0.1:ETH", "--for", "0.2:DAI", "--out", str(path))
    anna.json("swap", "cancel", "--slot", str(offered["slot"]), "--fee", "0:ETH")
    ben.refused("swap", "accept", str(path), "--fee", "0", "--yes", code="order_replaced")


def test_new_key_signs_from_then_on(anna: Shell) -> None:
    def key() -> Any:
        return anna.town.client().accounts(ANNA.address)[0].key

    first = key()
    anna.json("new-key", "--key-index", "1", "--fee", "0:ETH")
    second = key()
    anna.json("transfer", "--to", BEN.address, "--amount", "0.01:ETH", "--fee", "0")
    anna.json("new-key", "--key-index", "0", "--fee", "0:ETH")
    assert first != second
    assert key() == first


# Which node


def test_first_use_pins_the_node_and_says_so(street: Town) -> None:
    shell = Shell(street, ANNA, "first", manifest=False)
    street.liar.lie = lambda told: told
    first = shell.run("balance")
    assert "for the first time, and believed" in first.stderr
    assert "for the first time" not in shell.run("balance").stderr
    street.liar.lie = lambda told: (
        told.say(told.values | {"rollup": "0x" + 40 * "1"}) if told.path == "/v1/config" else told
    )
    assert "not what it was" in shell.refused("balance", code="pin_differs")
    street.liar.lie = lambda told: told


def test_node_of_another_manifest_is_refused(anna: Shell) -> None:
    from dataclasses import replace

    replace(MANIFEST, chain_id=5).save(anna.home / "deployment.json")
    anna.refused("balance", code="node_of_another")


def test_connect_remembers_the_node_and_the_manifest(anna: Shell) -> None:
    anna.json("connect")
    anna.environment |= {"SLUICE_NODE": None, "SLUICE_MANIFEST": None}
    assert anna.json("balance")["accounts"]
    assert (anna.home / "settings.json").stat().st_mode & 0o777 == 0o600


def test_node_that_does_not_answer_is_named(anna: Shell) -> None:
    anna.environment["SLUICE_NODE"] = "http://127.0.0.1:9"
    assert "127.0.0.1:9" in anna.refused("balance", code="node_not_answering")


def test_deposit_without_a_way_to_l1_is_refused_before_anything(anna: Shell) -> None:
    done = anna.run("deposit", "--amount", "1:ETH", "--rpc", "http://127.0.0.1:9")
    assert done.exit_code == 1
    assert "127.0.0.1:9" in str(done.exception) + done.stderr


def test_wallet_works_in_a_plain_installation(tmp_path: Path) -> None:
    """Without the extras: none of their packages can be imported."""
    import subprocess
    import sys

    extras = ["ape", "ape_foundry", "ape_solidity", "coincurve", "cryptography", "distributed", "fastapi", "orjson"]
    extras += ["prometheus_client", "psycopg", "sqlalchemy", "starlette", "uvicorn"]
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({extras})); import rollup.client; "
        "from rollup.cli import wallet_commands, wallet_options; from rollup.client import l1, trust; "
        "from rollup.cli.main import cli; cli(['wallet', 'list', '--json'])"
    )
    words = [sys.executable, "-c", program]
    environment = {"SLUICE_HOME": str(tmp_path), "PATH": ""}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"ok": True, "wallets": []}
