"""sluice.toml: what it may say, and how every mistake in it is named with the value and the way out."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from rollup.landing.signing import Fees
from rollup.service.config import Config, load_config, read_config
from rollup.service.errors import ConfigInvalid, FolderUnusable
from rollup.service.template import write_template
from rollup.wallet.tokens import Token

GWEI = 10**9
LEAST: dict[str, Any] = {
    "manifest": "deployment.json",
    "data": "data",
    "l1": {"endpoints": ["https://one.example", "https://two.example"]},
    "sender": {"keystore": "s.json", "password_file": "s.password"},
    "validator": {"keystore": "v.json", "password_file": "v.password"},
}


def merged(table: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    result = dict(table)
    for key, value in changes.items():
        both_tables = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both_tables else value
    return result


def read(folder: Path, **changes: Any) -> Config:
    return read_config(merged(LEAST, changes), folder / "sluice.toml")


def problems(folder: Path, **changes: Any) -> dict[str, str]:
    with pytest.raises(ConfigInvalid) as caught:
        read(folder, **changes)
    return {problem.key: problem.reason for problem in caught.value.problems}


def test_read_least_that_is_needed_gives_the_defaults(tmp_path: Path) -> None:
    config = read(tmp_path)
    assert config.database_url == f"sqlite:///{tmp_path / 'data' / 'node.db'}"
    assert (config.journal, config.sender_journal) == (tmp_path / "data" / "journal", tmp_path / "data" / "sender.db")
    assert (config.host, config.port, config.l1.confirmations) == ("127.0.0.1", 8000, 12)
    assert config.sender_config().fees.ceiling == Fees(500 * GWEI, 50 * GWEI)
    assert config.sender.keystore == tmp_path / "s.json"


def test_read_says_what_becomes_of_each_setting(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        listen="[::1]:9000",
        database={"url": "sqlite:///elsewhere/node.db", "journal": "/mnt/journal"},
        sender={"ceiling_gwei": 80.5, "ceiling_tip_gwei": 3, "reserve_eth": "0.5", "patience_blocks": 2},
        policy={"fast_fees": {"USDS": "1.5"}, "least_fees": {"USDS": "0.01"}, "max_backlog": 9},
        api={"batch_operations": 7},
    )
    assert (config.host, config.port) == ("::1", 9000)
    assert config.database_url == f"sqlite:///{tmp_path}/elsewhere/node.db"
    assert config.journal == Path("/mnt/journal")
    acts = config.sender_config()
    assert acts.fees.ceiling == Fees(80_500_000_000, 3 * GWEI)
    assert (acts.reserve_wei, acts.fees.patience_blocks) == (5 * 10**17, 2)
    policy = config.node_policy({"USDS": Token(1, "USDS", 6)})
    assert (policy.fast_fees, policy.least_fees, policy.max_backlog) == ({1: 1_500_000}, {1: 10_000}, 9)
    assert config.api == {"batch_operations": 7}


def test_read_retired_senders(tmp_path: Path) -> None:
    address = "0x5afE00000000000000000000000000000c4a8171"
    config = read(tmp_path, sender={"retired": [{"url": "http://127.0.0.1:9000", "address": address}]})
    assert [each.address for each in config.sender.retired] == [address]


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"lisen": "x:1"}, "lisen", "did you mean 'listen'"),
        ({"l1": {"confirmation": 1}}, "l1.confirmation", "did you mean 'confirmations'"),
        ({"l1": {"confirmations": "12"}}, "l1.confirmations", "is '12', not a whole number"),
        ({"l1": {"confirmations": 1.5}}, "l1.confirmations", "is 1.5, not a whole number"),
        ({"l1": {"confirmations": True}}, "l1.confirmations", "is True, not a whole number"),
        ({"l1": {"confirmations": -1}}, "l1.confirmations", "is -1: it may be from 0 to 256"),
        ({"l1": {"endpoints": "http://x"}}, "l1.endpoints", "not a list"),
        ({"l1": {"endpoints": []}}, "l1.endpoints", "name at least one"),
        ({"l1": {"endpoints": ["ws://x"]}}, "l1.endpoints[0]", "http:// or https://"),
        ({"l1": {"poll_seconds": float("nan")}}, "l1.poll_seconds", "it may be from"),
        ({"listen": "8000"}, "listen", "write host:port"),
        ({"listen": "127.0.0.1:70000"}, "listen", "write host:port"),
        ({"database": {"url": "mysql://root:hunter2@x/y"}}, "database.url", "sqlite:///path or postgresql://"),
        ({"sender": {"url": "http://x"}}, "sender", "both a keystore and a url"),
        ({"sender": {"key": "0x" + 64 * "1"}}, "sender.key", "is no setting"),
        ({"sender": {"ceiling_gwei": 10}}, "sender.ceiling_tip_gwei", "above ceiling_gwei"),
        ({"sender": {"reserve_eth": "-1"}}, "sender.reserve_eth", "negative"),
        ({"sender": {"retired": [{"keystore": "a"}]}}, "sender.retired[0].password_file", "is missing"),
        ({"validator": {"url": "http://x"}}, "validator.url", "is no setting"),
        ({"policy": {"max_backlog": 0}}, "policy.max_backlog", "from 1"),
        ({"policy": "slow"}, "policy", "not a table"),
        ({"prover": {"scheduler": "tcp://x:1"}}, "prover.scheduler", "only tls://"),
        ({"prover": {"scheduler": "tls://x:1"}}, "prover.scheduler", "needs tls_ca"),
        ({"api": {"body_byte": 1}}, "api.body_byte", "did you mean 'body_bytes'"),
        ({"log": {"format": "xml"}}, "log.format", "'human', 'json'"),
    ],
)
def test_read_mistake_is_named_with_its_value_and_the_way_out(
    tmp_path: Path, changes: dict[str, Any], key: str, words: str
) -> None:
    found = problems(tmp_path, **changes)
    assert words in found[key]
    assert not any("hunter2" in reason for reason in found.values())


def test_read_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    assert problems(tmp_path, listen="x", log={"level": "loud"}).keys() == {"listen", "log.level"}


def test_read_what_must_be_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        read_config({}, tmp_path / "sluice.toml")
    assert {each.key for each in caught.value.problems} == {"data", "l1", "manifest", "sender", "validator"}


@pytest.mark.parametrize("name", ["fast_fees", "least_fees"])
def test_read_fee_in_no_token_of_the_rollup_is_refused(tmp_path: Path, name: str) -> None:
    tokens = {"ETH": Token(0, "ETH", 18)}
    for table, token in (({"DOGE": "1"}, "DOGE"), ({"ETH": "x"}, "ETH")):
        with pytest.raises(ConfigInvalid) as caught:
            read(tmp_path, policy={name: table}).node_policy(tokens)
        assert [each.key for each in caught.value.problems] == [f"policy.{name}.{token}"]
    with pytest.raises(ConfigInvalid, match="leave the token out"):
        read(tmp_path, policy={"least_fees": {"ETH": "0"}}).node_policy(tokens)
    with pytest.raises(ConfigInvalid, match="there are ETH"):
        read(tmp_path, fees={"prices": {"DOGE": "1"}}).pricing(tokens)


def test_read_prices_are_wei_for_a_smallest_unit(tmp_path: Path) -> None:
    config = read(tmp_path, fees={"prices": {"USDS": "0.0003"}, "step_gwei": 1.5})
    pricing = config.pricing({"USDS": Token(1, "USDS", 6)})
    assert (pricing.price(1), pricing.price(0), pricing.step_wei) == (300_000_000, 1, 1_500_000_000)


def test_load_file_that_is_none_or_no_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="sluice node init"):
        load_config(tmp_path / "sluice.toml")
    (tmp_path / "sluice.toml").write_text("a = [")
    with pytest.raises(ConfigInvalid, match="is no TOML"):
        load_config(tmp_path / "sluice.toml")


def test_init_writes_what_load_takes_with_every_setting_in_it(tmp_path: Path) -> None:
    path = tmp_path / "sluice.toml"
    made = write_template(path, tmp_path / "data", tmp_path / "deployment.json", ["http://127.0.0.1:8545"])
    config = load_config(path)
    assert made.sender != made.validator
    assert config.sender.keystore == tmp_path / "data" / "keys" / "sender.json"
    assert config.manifest == tmp_path / "deployment.json"
    # With every default that it shows written out it says the same.
    lines = [re.sub(r"^# (?=\w+ = \S)", "", line) for line in path.read_text().splitlines()]
    full = tmp_path / "full.toml"
    full.write_text("\n".join(line for line in lines if not line.startswith("# ")))
    assert len(tomllib.loads(full.read_text())["policy"]) >= 6
    assert load_config(full).node_policy({}) == config.node_policy({})
    assert load_config(full).sender_config() == config.sender_config()
    with pytest.raises(FolderUnusable, match="there already"):
        write_template(path, tmp_path / "data", tmp_path / "deployment.json", [])
