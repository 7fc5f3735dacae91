"""The demo's L1: ape on a private anvil, the contracts deployed, and everybody's L1 and L2 keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ape.api import AccountAPI, ProviderAPI
from eth_account import Account as EthereumAccount

from rollup.core.constants import DEPOSIT_CAP_BITS
from rollup.demo.tokens import USDS
from rollup.demo.users import User
from rollup.l1.abi import selector
from rollup.l1.client import RollupClient
from rollup.l1.deployment import Deployment, KeyOffer, Plan, TokenOffer
from rollup.l1.manifest import Manifest
from rollup.l1.project import Contracts, development_account, known_refusals
from rollup.l1.sender import Sender
from rollup.l1.sending import Account
from rollup.progress import Advance
from rollup.wallet.keys import L2Key, derive_local_key
from rollup.wallet.tokens import ETH

DEPOSIT_CAP: Final = (1 << DEPOSIT_CAP_BITS) - 1
"""The most there is: the demo's money is worth nothing."""


@dataclass(frozen=True, slots=True)
class Person:
    """A user with his first keys; `account` and `key` None for one who has only an address."""

    user: User
    address: str
    account: AccountAPI | None
    key: L2Key | None

    @property
    def signer(self) -> Account:
        """The account of one who has more than an address."""
        assert self.account is not None
        return self.account  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class World:
    """All there is on L1.

    Args:
        sender: How transactions go out.
        client: The rollup.
        manifest: Of the deployment.
        token: Address of the demo's ERC-20.
        operator: Validator, deployer, and owner of the account that gets the fees.
        people: The users, in the order of the file.
    """

    sender: Sender
    client: RollupClient
    manifest: Manifest
    token: str
    operator: Person
    people: Sequence[Person]

    def holdings(self, token_id: int) -> int:
        """Return what the rollup holds of a token."""
        if token_id == ETH.token_id:
            return int(self.sender.rpc("eth_getBalance", self.manifest.rollup, "latest"), 16)
        return self.balance(self.manifest.rollup)

    def balance(self, owner: str) -> int:
        """Return an L1 balance of the demo's ERC-20."""
        data = selector("balanceOf", ["address"]) + bytes(12) + bytes.fromhex(owner[2:])
        return int.from_bytes(self.sender.rpc.call(self.token, data), "big")


def build_world(
    provider: ProviderAPI,
    contracts: Contracts,
    users: Sequence[User],
    keys: Sequence[KeyOffer],
    manifest: Path,
    progress: Advance,
) -> World:
    """Deploy everything and give everybody keys."""
    sender = Sender(provider, known_refusals(contracts))
    operator = development_account(0)
    created = contracts("DemoToken")("Demo Dollar", USDS.symbol)
    sent = sender.send("the deployment of the demo's token", None, bytes(created.data), operator)
    token = str(sent.contract)
    tokens = [
        TokenOffer(ETH.symbol, ETH.decimals, None, DEPOSIT_CAP),
        TokenOffer(USDS.symbol, USDS.decimals, token, DEPOSIT_CAP),
    ]
    plan = Plan(keys, tokens, [str(operator.address)])
    deployed = Deployment(sender, operator, contracts, manifest, progress).run(plan)
    client = RollupClient(sender, deployed.rollup, deployed.deployed_at)
    people = []
    for index, user in enumerate(users):
        account = None if user.address else development_account(index + 1)
        people.append(_person(user, account, deployed))
    return World(sender, client, deployed, token, _person(User("operator", None, {}), operator, deployed), people)


def _person(user: User, account: AccountAPI | None, manifest: Manifest) -> Person:
    if account is None:
        return Person(user, str(user.address), None, None)
    local = EthereumAccount.from_key(account.private_key)
    key = derive_local_key(local, manifest.chain_id, int(manifest.rollup, 16))
    return Person(user, str(account.address), account, key)
