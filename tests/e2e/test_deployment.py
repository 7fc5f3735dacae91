"""Deploying: refused where it must be, the same on a second run, and going on from wherever it was cut off."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ape import networks
from click.testing import CliRunner
from e2e_rig import ETHER, STEPS
from eth_utils.address import to_checksum_address

from rollup.circuits.keys import load_verification_key
from rollup.cli.main import cli
from rollup.l1 import abi
from rollup.l1.anvil import Anvil
from rollup.l1.deployment import Deployment, KeyOffer, Plan, TokenOffer, check_plan
from rollup.l1.errors import DeploymentRefused, ManifestInvalid
from rollup.l1.manifest import DEVELOPMENT_CLASS, load_manifest
from rollup.l1.project import Contracts, ape_on, built_keys, development_account, known_refusals
from rollup.l1.rpc import JsonRpc
from rollup.l1.sender import Sender
from rollup.l1.verifier_source import VerifierKeyError

pytestmark = pytest.mark.slow
EIP_170_BYTES = 24_576
OWN = "0x" + 20 * "aB"
PUBLISHED = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
"""Account 1 of the test mnemonic."""


@pytest.fixture(scope="module")
def sender(contracts: Contracts) -> Iterator[Sender]:
    with Anvil() as anvil, ape_on(anvil.url) as provider:
        yield Sender(provider, known_refusals(contracts))


@pytest.fixture
def plan(keys: Path) -> Plan:
    return Plan(built_keys(keys), [TokenOffer("ETH", 18, None, ETHER)], [str(development_account(0).address)])


class CutOff(Exception):
    pass


class DyingSender(Sender):
    """Sends `alive` transactions; the next one lands, but whoever sent it is gone before he knows."""

    def __init__(self, sender: Sender, alive: int) -> None:
        super().__init__(sender.provider, sender.refusals)
        self.alive = alive

    def send(self, *values: Any, **named: Any) -> Any:
        sent = super().send(*values, **named)
        self.alive -= 1
        if self.alive < 0:
            raise CutOff
        return sent


def test_run_writes_a_manifest_that_matches_the_chain(
    sender: Sender, contracts: Contracts, plan: Plan, tmp_path: Path
) -> None:
    path = tmp_path / "manifest.json"
    Deployment(sender, development_account(0), contracts, path).run(plan)
    manifest = load_manifest(path)
    assert manifest.complete
    assert manifest.block_sizes == [STEPS]
    assert manifest.keys[0].key_class == DEVELOPMENT_CLASS
    assert manifest.genesis["hash"] == "0x" + abi.L1Block.genesis().hash().hex()
    assert set(manifest.contracts) == {"Governor", "BlockVerifier", "ExitVerifier", "Rollup"}
    for contract in manifest.contracts.values():
        assert len(sender.rpc.code(contract.address)) == contract.bytes_of_code <= EIP_170_BYTES


def test_run_again_sends_nothing(sender: Sender, contracts: Contracts, plan: Plan, tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    first = Deployment(sender, development_account(0), contracts, path).run(plan)
    again = Deployment(DyingSender(sender, 0), development_account(0), contracts, path).run(plan)
    assert again == first


@pytest.mark.parametrize("alive", [0, 1, 2, 3])
def test_run_cut_off_after_sending_goes_on_without_a_second_contract(
    sender: Sender, contracts: Contracts, plan: Plan, tmp_path: Path, alive: int
) -> None:
    path, account = tmp_path / "manifest.json", development_account(0)
    before = int(sender.rpc("eth_getTransactionCount", account.address, "latest"), 16)
    with pytest.raises(CutOff):
        Deployment(DyingSender(sender, alive), account, contracts, path).run(plan)
    assert not load_manifest(path).complete
    assert Deployment(sender, account, contracts, path).run(plan).complete
    assert int(sender.rpc("eth_getTransactionCount", account.address, "latest"), 16) - before == 4


def test_run_with_a_manifest_of_another_chain_is_refused(
    sender: Sender, contracts: Contracts, plan: Plan, tmp_path: Path
) -> None:
    path = tmp_path / "manifest.json"
    manifest = Deployment(sender, development_account(0), contracts, path).run(plan)
    manifest.l1_genesis = "0x00"
    manifest.save(path)
    with pytest.raises(ManifestInvalid, match="another deployment: l1_genesis"):
        Deployment(sender, development_account(0), contracts, path).run(plan)


def test_deploy_without_account_off_local_chains_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    with Anvil(chain_id=1) as anvil:
        choice = nullcontext(SimpleNamespace(http_uri=anvil.url))
        monkeypatch.setattr(type(networks), "parse_network_choice", lambda *_: choice)
        result = CliRunner().invoke(cli, ["deploy", "--manifest", str(path)])
    assert result.exit_code == 2
    assert "--account" in result.output
    assert not path.exists()


@pytest.mark.parametrize("prefix", ["", "ethereum:local:"])
def test_deploy_on_a_node_by_its_address_writes_the_manifest(tmp_path: Path, prefix: str) -> None:
    path = tmp_path / "manifest.json"
    with Anvil() as anvil:
        result = CliRunner().invoke(cli, ["deploy", "--manifest", str(path), "--network", f"{prefix}{anvil.url}"])
    assert (result.exit_code, str(path) in result.output) == (0, True), (result.output, result.exception)
    assert load_manifest(path).complete


def test_deploy_on_a_chain_that_ends_with_it_keeps_nothing(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    result = CliRunner().invoke(cli, ["deploy", "--manifest", str(path)])
    assert (result.exit_code, "not kept, as its chain ended" in result.output) == (0, True), result.output
    assert not path.exists()


@pytest.mark.parametrize(("symbol", "decimals"), [("USDS", 18), ("USDX", 6)])
def test_run_token_that_is_another_is_refused(
    sender: Sender, contracts: Contracts, plan: Plan, tmp_path: Path, symbol: str, decimals: int
) -> None:
    account = development_account(0)
    created = contracts("DemoToken")("Demo Dollar", "USDS")
    token = str(sender.send("a token", None, bytes(created.data), account).contract)
    plan = replace(plan, tokens=[*plan.tokens, TokenOffer(symbol, decimals, token, 10**9)])
    with pytest.raises(DeploymentRefused, match=f"is USDS with 6 decimals, not {symbol} with {decimals} decimals"):
        Deployment(sender, account, contracts, tmp_path / "manifest.json").run(plan)


@pytest.mark.parametrize("alive", [4, 5])
def test_run_again_after_a_cap_was_lowered_leaves_it(
    sender: Sender, contracts: Contracts, plan: Plan, tmp_path: Path, alive: int
) -> None:
    path, account = tmp_path / "manifest.json", development_account(0)
    created = contracts("DemoToken")("Demo Dollar", "USDS")
    token = str(sender.send("a token", None, bytes(created.data), account).contract)
    plan = replace(plan, tokens=[*plan.tokens, TokenOffer("USDS", 6, token, 10**9)])
    with pytest.raises(CutOff):  # after addToken, or after setDepositCap
        Deployment(DyingSender(sender, alive), account, contracts, path).run(plan)
    manifest = Deployment(sender, account, contracts, path).run(plan)
    assert manifest.tokens[1].deposit_cap == 10**9
    governor = manifest.contracts["Governor"].address
    for token_id in (0, 1):
        sender.call("the cap", governor, "setDepositCap", ["uint16", "uint128"], [token_id, 1], account)
    again = Deployment(DyingSender(sender, 0), account, contracts, path).run(plan)
    assert [token.deposit_cap for token in again.tokens] == [1, 1]


@pytest.mark.parametrize("what", ["owner", "validator"])
def test_run_with_a_governor_of_somebody_else_is_refused(
    sender: Sender, contracts: Contracts, plan: Plan, tmp_path: Path, what: str
) -> None:
    path, account = tmp_path / "manifest.json", development_account(0)
    manifest = Deployment(sender, account, contracts, path).run(plan)
    owner, validators = (OWN, plan.validators) if what == "owner" else (str(account.address), [OWN])
    created = contracts("Governor")(to_checksum_address(owner), 1, [to_checksum_address(each) for each in validators])
    other = str(sender.send("another", None, bytes(created.data), account).contract)
    manifest.contracts["Governor"] = replace(manifest.contracts["Governor"], address=other)
    manifest.save(path)
    with pytest.raises(ManifestInvalid, match=f"Governor at {other}|owner of the Governor at {other}") as error:
        Deployment(sender, account, contracts, path).run(plan)
    assert what in error.value.reason


def test_run_with_other_code_at_the_address_is_refused(
    sender: Sender, contracts: Contracts, plan: Plan, tmp_path: Path
) -> None:
    path = tmp_path / "manifest.json"
    manifest = Deployment(sender, development_account(0), contracts, path).run(plan)
    sender.rpc("anvil_setCode", manifest.rollup, "0x00")
    with pytest.raises(ManifestInvalid, match="the code of Rollup"):
        Deployment(sender, development_account(0), contracts, path).run(plan)


class FakeRpc(JsonRpc):
    """A node of some kind on some chain."""

    def __init__(self, chain_id: int, node: str) -> None:
        super().__init__("http://fake")
        object.__setattr__(self, "_answers", {"eth_chainId": hex(chain_id), "web3_clientVersion": node})

    def __call__(self, method: str, *_: object) -> Any:
        return self._answers[method]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("chain_id", "node", "allowed", "is_refused"),
    [
        (31337, "anvil/v1.7.1", False, False),
        (1, "anvil/v1.7.1", False, True),
        (1, "anvil/v1.7.1", True, False),
        (1, "Geth/v1.16", True, True),
        (11155111, "Geth/v1.16", False, True),
        (11155111, "Geth/v1.16", True, False),
        (31337, "Geth/v1.16", False, True),
    ],
)
def test_check_plan_development_key_only_where_no_money_is(
    keys: Path, chain_id: int, node: str, allowed: bool, is_refused: bool
) -> None:
    key = KeyOffer(STEPS, 1, True, load_verification_key(STEPS, keys))
    plan = Plan([key], [TokenOffer("ETH", 18, None, ETHER)], [], allow_development_key=allowed)
    rpc = FakeRpc(chain_id, node)
    if is_refused:
        with pytest.raises(DeploymentRefused, match="anyone can forge proofs"):
            check_plan(plan, rpc, OWN)
    else:
        check_plan(plan, rpc, OWN)


@pytest.mark.parametrize(("chain_id", "node"), [(1, "Geth/v1.16"), (1, "anvil/v1.7.1"), (31337, "Geth/v1.16")])
@pytest.mark.parametrize(
    ("deployer", "validator", "option"), [(PUBLISHED, OWN, "--account"), (OWN, PUBLISHED.lower(), "--validator")]
)
def test_check_plan_account_of_the_test_mnemonic_off_local_chains_is_refused(
    chain_id: int, node: str, deployer: str, validator: str, option: str
) -> None:
    plan = Plan([], [TokenOffer("ETH", 18, None, ETHER)], [validator])
    with pytest.raises(DeploymentRefused, match=f"published test mnemonic.*on chain {chain_id} .*{option}"):
        check_plan(plan, FakeRpc(chain_id, node), deployer)
    check_plan(plan, FakeRpc(31337, "anvil/v1.7.1"), deployer)


@pytest.mark.parametrize("point", ["vk_gamma_2", "generator"])
def test_check_plan_skipped_phase_two_is_refused_everywhere(keys: Path, point: str) -> None:
    vkey = load_verification_key(STEPS, keys)
    # In a key of snarkjs gamma is the generator itself.
    vkey["vk_delta_2"] = vkey["vk_gamma_2"]
    if point == "generator":
        vkey["vk_gamma_2"] = vkey["vk_beta_2"]
    key = KeyOffer(STEPS, 1, False, vkey)
    with pytest.raises(VerifierKeyError, match="phase 2"):
        check_plan(Plan([key], [], [], allow_development_key=True), FakeRpc(31337, "anvil"), OWN)


def test_abi_of_the_reader_is_the_contracts(contracts: Contracts) -> None:
    entries = {entry.name: entry for entry in contracts("Rollup").contract_type.abi if getattr(entry, "name", None)}
    assert entries["commitBlocks"].selector == abi.signature("commitBlocks", abi.COMMIT_TYPES)
    assert entries["commitProveExecute"].selector == abi.signature("commitProveExecute", abi.COMMIT_PROVE_EXECUTE_TYPES)
    assert entries["BlockCommitted"].selector == abi.signature("BlockCommitted", ("uint64", *abi.BLOCK_COMMITTED_DATA))
    indexed = ("uint64", "address", "uint16")
    deposit, exit_ = (*indexed, *abi.DEPOSIT_QUEUED_DATA), (*indexed, *abi.FULL_EXIT_QUEUED_DATA)
    assert entries["DepositQueued"].selector == abi.signature("DepositQueued", deposit)
    assert entries["FullExitQueued"].selector == abi.signature("FullExitQueued", exit_)
    fields = [component.name for component in entries["genesisBlock"].outputs[0].components]
    assert [_snake(name) for name in fields] == list(abi.L1Block.__dataclass_fields__)
    fields = [component.name for component in entries["commitProveExecute"].inputs[1].components]
    assert [_snake(name) for name in fields] == list(abi.NewBlock.__dataclass_fields__)


def _snake(name: str) -> str:
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name)
