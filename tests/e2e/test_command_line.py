"""`sluice deposit`, `exit`, `pending`, `withdraw` and `approve-key` against a deployment, through ape and without."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest
from ape import accounts, networks
from click.testing import CliRunner, Result
from e2e_rig import ETHER, assigned, l1_balance, local_account

from rollup.cli.main import cli
from rollup.cli.options import KEY_VARIABLE
from rollup.core.key_change import key_change_digest
from rollup.core.operations import ChangePubKey, Deposit
from rollup.core.wire import loads
from rollup.demo.world import Person, World
from rollup.l1.errors import ContractRefused, ManifestInvalid
from rollup.node.validator import Validator

pytestmark = pytest.mark.slow
Sluice = Callable[..., Result]


@pytest.fixture(params=["ape", "key"])
def way(request: pytest.FixtureRequest) -> str:
    """How L1 is reached: through ape, or with a node and a key alone."""
    way: str = request.param
    return way


@pytest.fixture
def sluice(world: World, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sluice:
    """Runs a command by one of the people, on the deployment; `key` is whose key it is given with ape."""
    manifest = tmp_path / "deployment.json"
    world.manifest.save(manifest)
    monkeypatch.setattr(type(networks), "parse_network_choice", lambda *_: nullcontext(world.sender.provider))
    people = {person.user.name: person for person in (world.operator, *world.people)}
    monkeypatch.setattr(type(accounts), "load", lambda _, alias: people[alias].account)

    def run(*arguments: str, by: Person | None = None, key: Person | None = None) -> Result:
        common = ["--manifest", str(manifest)]
        at = 2 if arguments[0] in ("sign", "exit") else 1
        if arguments[0] == "sign" or way == "key":
            key = key or by
        elif by is not None:
            common += ["--account", by.user.name]
        if arguments[0] != "sign":
            common += ["--network", "ethereum:local:here"] if way == "ape" else ["--rpc", world.sender.rpc.url]
        environment = {KEY_VARIABLE: bytes(local_account(key).key).hex()} if key else {}
        return CliRunner().invoke(cli, [*arguments[:at], *common, *arguments[at:]], env=environment)

    return run


def done(result: Result) -> str:
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def test_deposit_with_a_key_and_of_a_token_lands_in_the_queue(world: World, sluice: Sluice) -> None:
    alice, bob, _ = world.people
    assert alice.key is not None
    done(sluice("deposit", "--amount", "1.5:ETH", "--set-key", by=alice, key=alice))
    world.sender.call("mint", world.token, "mint", ["address", "uint256"], [bob.address, 9_000_000], bob.account)
    done(sluice("deposit", "--amount", "7.25:USDS", "--to", alice.address, by=bob))
    first, second = (entry.operation for entry in world.client.queue())
    assert isinstance(first, Deposit)
    assert isinstance(second, Deposit)
    owner = int(alice.address, 16)
    assert (first.owner, first.token, first.amount, first.key) == (owner, 0, 3 * ETHER // 2, alice.key.public_key)
    assert (second.owner, second.token, second.amount, second.key) == (owner, 1, 7_250_000, (0, 0))


def test_exit_pending_withdraw_bring_the_money_back(started: tuple[World, Validator], sluice: Sluice) -> None:
    world, validator = started
    bob = world.people[1]
    done(sluice("exit", "request", "--id", "2", "--token", "ETH", "--exact-fee", by=bob))
    validator.run(assigned(validator, 3))
    assert done(sluice("pending", "--owner", bob.address)) == "ETH 1\nUSDS 0\n"
    shown = json.loads(done(sluice("pending", "--owner", bob.address, "--json")))
    assert shown["pending"] == {"ETH": str(ETHER), "USDS": "0"}
    before = l1_balance(world, bob.address, 0)
    done(sluice("withdraw", "--owner", bob.address, "--token", "ETH", by=world.operator))
    assert l1_balance(world, bob.address, 0) - before == ETHER
    again = sluice("withdraw", "--owner", bob.address, "--token", "ETH", by=world.operator)
    assert isinstance(again.exception, ContractRefused)
    assert again.exception.error == "NothingPending"


def test_approve_key_of_an_unsigned_change_is_stored(world: World, sluice: Sluice, tmp_path: Path) -> None:
    alice, bob, _ = world.people
    change = ("sign", "new-key", "--id", "1", "--nonce", "0", "--key-index", "1", "--fee", "0:ETH", "--unsigned")
    text = done(sluice(*change, by=alice))
    (tmp_path / "change.json").write_text(text)
    operation = loads(text)
    assert isinstance(operation, ChangePubKey)
    by_bob = sluice("approve-key", str(tmp_path / "change.json"), by=bob)
    assert (by_bob.exit_code, "it must send the approval" in by_bob.output) == (2, True)
    done(sluice("approve-key", str(tmp_path / "change.json"), by=alice))
    digest = key_change_digest(operation, world.manifest.domain)
    assert world.client.key_change_approved(alice.address, digest)


def test_approve_key_for_ever_only_when_told(world: World, sluice: Sluice, tmp_path: Path) -> None:
    change = ("sign", "new-key", "--id", "1", "--nonce", "0", "--fee", "0:ETH", "--unsigned", "--for-ever")
    alice = world.people[0]
    (tmp_path / "change.json").write_text(done(sluice(*change, by=alice)))
    refused = sluice("approve-key", str(tmp_path / "change.json"), by=alice)
    assert (refused.exit_code, "add --for-ever" in refused.output) == (2, True)
    done(sluice("approve-key", "--for-ever", str(tmp_path / "change.json"), by=alice))


@pytest.mark.parametrize("way", ["ape"])
def test_deposit_key_of_another_account_is_refused(world: World, sluice: Sluice) -> None:
    alice, bob, _ = world.people
    refused = sluice("deposit", "--amount", "1:ETH", "--set-key", by=bob, key=alice)
    assert refused.exit_code == 2
    assert f"the key is of {alice.address}, the deposit by {bob.address}" in refused.output
    assert world.client.queue() == []


def test_pending_on_another_chain_than_the_manifests_is_refused(world: World, sluice: Sluice, tmp_path: Path) -> None:
    manifest = tmp_path / "deployment.json"
    manifest.write_text(manifest.read_text().replace(world.manifest.l1_genesis, "0x" + 64 * "0"))
    refused = sluice("pending", "--owner", world.operator.address)
    assert isinstance(refused.exception, ManifestInvalid)
    assert "of a chain with first block 0x000" in str(refused.exception)


@pytest.mark.parametrize("options", [(), ("--rpc", "http://x", "--network", "y")])
def test_pending_with_no_or_two_ways_to_l1_is_refused(options: tuple[str, ...]) -> None:
    refused = CliRunner().invoke(cli, ["pending", "--owner", "0x" + 40 * "1", *options])
    assert (refused.exit_code, "how is L1 reached?" in refused.output) == (2, True)


def test_withdraw_with_a_key_and_apes_account_is_refused(tmp_path: Path) -> None:
    options = ("--rpc", "http://x", "--account", "y", "--owner", "0x" + 40 * "1", "--token", "ETH")
    refused = CliRunner().invoke(cli, ["withdraw", *options])
    assert (refused.exit_code, "--account is ape's" in refused.output) == (2, True)
