"""The same contracts on a fork of mainnet: a stand-in with a token at its mainnet address, and the real one where
MAINNET_RPC_URL names a node. Chain id 1 is in every signature and every header."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from ape import accounts, networks
from ape.api import AccountAPI
from e2e_rig import ETHER, STEPS, assigned, ignore_progress, validator_of
from eth_account import Account as EthereumAccount

from rollup.demo.checks import check_rebuild
from rollup.demo.users import User
from rollup.demo.world import Person, World
from rollup.l1.anvil import Anvil
from rollup.l1.client import RollupClient
from rollup.l1.deployment import Deployment, Plan, TokenOffer
from rollup.l1.errors import DeploymentRefused
from rollup.l1.project import Contracts, ape_on, built_keys, development_account, known_refusals
from rollup.l1.sender import Sender
from rollup.prover import BlockProver
from rollup.wallet.keys import derive_local_key

pytestmark = pytest.mark.slow
USDC = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"
MAINNET = 1
DOLLARS = 1_000_000
"""One dollar in units."""


@pytest.fixture(scope="module", params=["stand-in", "real"])
def mainnet(request: pytest.FixtureRequest, contracts: Contracts) -> Iterator[str]:
    """A node of chain 1."""
    if request.param == "real":
        url = os.environ.get("MAINNET_RPC_URL")
        if not url:
            pytest.skip("MAINNET_RPC_URL is not set")
        yield url
        return
    with Anvil(chain_id=MAINNET) as anvil, ape_on(anvil.url) as provider:
        # The demo's token, with its storage empty, where mainnet has USDC.
        sender = Sender(provider, known_refusals(contracts))
        created = contracts("DemoToken")("USD Coin", "USDC")
        sent = sender.send("a token", None, bytes(created.data), development_account(0))
        anvil.rpc("anvil_setCode", USDC, "0x" + sender.rpc.code(str(sent.contract)).hex())
        anvil.rpc("anvil_mine", "0x2")
        yield anvil.url


@pytest.fixture(scope="module")
def fork(mainnet: str) -> Iterator[Anvil]:
    """A fork of it, by ape's own settings for a fork, on a port of ours."""
    with Anvil(chain_id=MAINNET, flags=["--fork-url", mainnet, "--no-rate-limit"]) as anvil:
        yield anvil


@pytest.fixture(scope="module")
def sender(mainnet: str, fork: Anvil, contracts: Contracts) -> Iterator[Sender]:
    settings = {
        "host": fork.url,
        "manage_process": False,
        "fork": {"ethereum": {"mainnet": {"upstream_provider": mainnet}}},
    }
    network = networks.ethereum.mainnet_fork
    with network.use_provider("foundry", provider_settings=settings) as provider:
        yield Sender(provider, known_refusals(contracts))


@pytest.fixture(scope="module")
def owner(sender: Sender) -> AccountAPI:
    """An account with money that is not of the published test mnemonic."""
    local = EthereumAccount.from_key(b"an owner for forks of a mainnet.")
    sender.rpc("anvil_setBalance", local.address, hex(100 * ETHER))
    account: AccountAPI = accounts.test_accounts.containers["test"].init_test_account(
        0, local.address, "0x" + bytes(local.key).hex()
    )
    return account


def plan(owner: AccountAPI, keys: Path, allowed: bool) -> Plan:
    tokens = [TokenOffer("ETH", 18, None, 10 * ETHER), TokenOffer("USDC", 6, USDC, 100 * DOLLARS)]
    return Plan(built_keys(keys), tokens, [str(owner.address)], allow_development_key=allowed)


def test_deploy_on_a_fork_of_mainnet_without_the_flag_is_refused(
    sender: Sender, contracts: Contracts, owner: AccountAPI, keys: Path, tmp_path: Path
) -> None:
    path = tmp_path / "manifest.json"
    with pytest.raises(DeploymentRefused, match=r"on chain 1 .*--allow-development-key"):
        Deployment(sender, owner, contracts, path).run(plan(owner, keys, allowed=False))
    assert not path.exists()


def test_block_on_a_fork_of_mainnet_takes_usdc_in_and_is_rebuilt(
    sender: Sender, contracts: Contracts, owner: AccountAPI, keys: Path, prover: BlockProver, tmp_path: Path
) -> None:
    path = tmp_path / "manifest.json"
    manifest = Deployment(sender, owner, contracts, path).run(plan(owner, keys, allowed=True))
    assert (manifest.chain_id, manifest.tokens[1].address) == (MAINNET, USDC)
    key = derive_local_key(EthereumAccount.from_key(owner.private_key), MAINNET, int(manifest.rollup, 16))
    person = Person(User("operator", None, {}), str(owner.address), owner, key)
    client = RollupClient(sender, manifest.rollup, manifest.deployed_at)
    world = World(sender, client, manifest, USDC, person, [])

    sender.rpc("anvil_dealERC20", person.address, USDC, hex(5 * DOLLARS))
    sender.call("the approval", USDC, "approve", ["address", "uint256"], [manifest.rollup, 5 * DOLLARS], owner)
    client.deposit_eth(owner, ETHER, key=key.public_key)
    client.deposit_erc20(owner, 1, 5 * DOLLARS)
    validator = validator_of(world, prover)
    validator.run(assigned(validator))
    assert validator.landed[0].l1_block.block_size == STEPS

    rebuilt = check_rebuild(world, validator.state, ignore_progress)
    assert rebuilt.state.balances(0) == {0: ETHER, 1: 5 * DOLLARS}
    assert world.balance(manifest.rollup) == 5 * DOLLARS
