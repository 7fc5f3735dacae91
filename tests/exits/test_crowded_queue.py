"""A queue that others fill: between the reading of its fee and the sending, a stranger's entry makes the fee rise."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from leaving_rig import RESCUER, Leaving

from bench.accept_all import QUEUE_FEE_GWEI, AcceptAll, creation_codes
from rollup.client.l1 import L1Account
from rollup.client.model import Listed
from rollup.client.trust import Deployment
from rollup.core.constants import MAX_L1_OPERATIONS_PER_BLOCK
from rollup.l1.anvil import Anvil
from rollup.l1.client import RollupClient
from rollup.l1.errors import ContractRefused
from rollup.l1.key_sender import KeySender
from rollup.l1.patient import PatientRpc
from rollup.l1.refusals import Refusals
from rollup.l1.rpc import JsonRpc
from rollup.l1.sending import Sent

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("leaving")]
FEE = QUEUE_FEE_GWEI * 10**9
ETH = Listed(0, "ETH", 18, "0x" + 40 * "0")


@dataclass
class World:
    l1: AcceptAll
    leaving: Leaving
    client: RollupClient

    @property
    def account(self) -> L1Account:
        """RESCUER's, as a wallet has it."""
        origin = self.l1.origin
        deployment = Deployment(origin.chain_id, origin.rollup, (ETH,), (), deployed_at=origin.deployed_at)
        return L1Account(PatientRpc(self.l1.rpc.url), deployment, RESCUER)

    @property
    def pending(self) -> int:
        return self.client.pending(RESCUER.address, 0)

    @property
    def last_fee(self) -> int:
        return self.client.queue()[-1].operation.queue_fee_gwei * 10**9


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One entry is missing until the fee rises."""
    with Anvil(accounts=3) as anvil:
        l1 = AcceptAll(JsonRpc(anvil.url), creation_codes())
        l1.deposit([1], 1)
        l1.request_exits([(1, 1)] * (MAX_L1_OPERATIONS_PER_BLOCK - 2))
        client = RollupClient(KeySender(l1.rpc, Refusals.of_contracts()), l1.rollup, l1.origin.deployed_at)
        yield World(l1, Leaving(l1, tmp_path_factory.mktemp("mine")), client)


@pytest.fixture
def world(filled: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A stranger is quicker than whoever reads the fee."""
    snapshot = filled.l1.rpc("evm_snapshot")
    read = RollupClient.queue_fee

    def raised(client: RollupClient) -> int:
        fee = read(client)
        filled.l1.request_exits([(2, 1)])
        return fee

    assert read(filled.client) == FEE
    monkeypatch.setattr(RollupClient, "queue_fee", raised)
    yield filled
    filled.l1.rpc("evm_revert", snapshot)


Request = Callable[[World], object]
EXITS: dict[str, Request] = {
    "client": lambda world: world.client.request_full_exit(RESCUER, 1, 0),
    "account": lambda world: world.account.request_exit(1, ETH),
    "command": lambda world: world.leaving.sluice("exit", "request", "--id", "1", "--token", "ETH"),
}
DEPOSITS: dict[str, Request] = {
    "client": lambda world: world.client.deposit_eth(RESCUER, 7, double_fee=True),
    "account": lambda world: world.account.deposit(ETH, 7, double_fee=True),
    "command": lambda world: world.leaving.sluice("deposit", "--amount", "0.1:ETH", "--double-fee"),
}


@pytest.mark.parametrize("name", EXITS)
def test_request_exit_behind_a_strangers_entry_that_raised_the_fee_is_queued(world: World, name: str) -> None:
    EXITS[name](world)
    assert (world.last_fee, world.pending) == (2 * FEE, 0)


@pytest.mark.parametrize("name", DEPOSITS)
def test_deposit_with_double_fee_behind_a_strangers_entry_is_queued(world: World, name: str) -> None:
    DEPOSITS[name](world)
    assert (world.last_fee, world.pending) == (2 * FEE, 0)


@pytest.mark.parametrize(
    "send",
    [
        lambda client: client.deposit_eth(RESCUER, 7),
        lambda client: client.request_full_exit(RESCUER, 1, 0, double_fee=False),
    ],
    ids=["deposit", "exit"],
)
def test_exact_fee_behind_a_strangers_entry_is_refused_and_the_way_out_named(
    world: World, send: Callable[[RollupClient], Sent]
) -> None:
    with pytest.raises(ContractRefused) as refused:
        send(world.client)
    assert (refused.value.error, refused.value.data) == ("QueueFeeNotPaid", {"requiredWei": 2 * FEE, "sentWei": FEE})
    assert "--double-fee" in refused.value.way_out


def test_request_exit_whose_fee_did_not_rise_leaves_what_is_over_it_pending(filled: World) -> None:
    snapshot = filled.l1.rpc("evm_snapshot")
    filled.leaving.sluice("exit", "request", "--id", "1", "--token", "ETH")
    assert (filled.last_fee, filled.pending) == (FEE, FEE)
    filled.leaving.sluice("withdraw", "--owner", RESCUER.address, "--token", "ETH")
    assert filled.pending == 0
    filled.l1.rpc("evm_revert", snapshot)
