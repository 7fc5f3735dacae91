"""A token that rounds takes a unit more than some amounts: those are not paid out, and the refusal says what to do."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from eth_abi.abi import encode
from leaving_rig import RESCUER, Leaving, token_codes

from bench.accept_all import AcceptAll, creation_codes
from bench.unsigned_chain import UnsignedChain
from rollup.core import Deposit, WithdrawData
from rollup.l1.abi import selector
from rollup.l1.anvil import Anvil
from rollup.l1.client import RollupClient
from rollup.l1.errors import ContractRefused
from rollup.l1.key_sender import KeySender
from rollup.l1.manifest import DeployedToken
from rollup.l1.refusals import Refusals
from rollup.l1.rpc import JsonRpc

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("leaving")]
AMOUNT = 10**18
TOKEN = 1
RAY, INDEX = 10**27, 1_234_567_890_123_456_789_012_345_678
"""The token's own."""


@dataclass
class World:
    l1: AcceptAll
    token: str
    leaving: Leaving
    client: RollupClient

    def balance(self, who: str) -> int:
        call = selector("balanceOf", ["address"]) + encode(["address"], [who])
        return int.from_bytes(self.l1.rpc.call(self.token, call), "big")


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Somebody has withdrawn an amount of the token that it does not move exactly."""
    with Anvil(accounts=3) as anvil:
        l1 = AcceptAll(JsonRpc(anvil.url), creation_codes())
        owner, holder = l1.accounts[:2]
        token = l1.create(token_codes()["HalfUpToken"])
        l1.call(owner, l1.governor, "addToken", ["address"], [token])
        l1.call(owner, l1.governor, "setDepositCap", ["uint16", "uint128"], [TOKEN, 10 * AMOUNT])
        l1.deposit([0], 1)
        for name, to in (("mint", holder), ("approve", l1.rollup)):
            l1.call(holder, token, name, ["address", "uint256"], [to, 2 * AMOUNT])
        client = RollupClient(KeySender(l1.rpc, Refusals.of_contracts()), l1.rollup, l1.origin.deployed_at)
        types = ["uint16", "uint128", "address", "uint256", "uint256"]
        l1.call(holder, l1.rollup, "depositERC20", types, [TOKEN, AMOUNT, holder, 0, 0], client.queue_fee())
        leaving = Leaving(l1, tmp_path_factory.mktemp("mine"), [DeployedToken(TOKEN, "HALF", 0, token, 0)])
        chain = UnsignedChain(l1.origin.chain_id, l1.rollup, l1.validator, l1.validator_set)
        entries = [replace(entry, account_id=index) for index, entry in enumerate(l1.queue(0))]
        assert all(isinstance(entry, Deposit) for entry in entries)
        withdrawal = WithdrawData(1, TOKEN, _refused(), 0, int(RESCUER.address, 16))
        chain.seal([*entries, withdrawal], timestamp=l1.now, block_size=8, replay=False)
        l1.commit(chain, 1, 1)
        l1.prove(chain, 1, 1)
        l1.execute(chain, 1)
        yield World(l1, token, leaving, client)


def _refused() -> int:
    """An amount of which the vault would lose a unit more, and of the one below it not."""
    held = _scaled(AMOUNT)
    lost = {amount: _balance(held) - _balance(held - _scaled(amount)) for amount in range(10**6, 10**6 + 100)}
    return next(amount for amount in lost if lost[amount] > amount and lost.get(amount - 1) == amount - 1)


def _scaled(amount: int) -> int:
    return (amount * RAY + INDEX // 2) // INDEX


def _balance(scaled: int) -> int:
    return (scaled * INDEX + RAY // 2) // RAY


def test_withdraw_of_a_token_that_rounds_is_refused_then_paid_with_one_unit_less(world: World) -> None:
    owed, me = world.client.pending(RESCUER.address, TOKEN), RESCUER.address
    with pytest.raises(ContractRefused) as refused:
        world.client.withdraw_pending(RESCUER, me, TOKEN)
    assert refused.value.error == "OutflowExceedsAmount"
    assert refused.value.data == {"token": TOKEN, "amount": owed, "taken": owed + 1}
    assert "`sluice withdraw --to` with --amount" in refused.value.way_out
    world.leaving.sluice("withdraw", "--to", me, "--token", "HALF", "--amount", str(owed - 1))
    assert world.client.pending(me, TOKEN) == 1
    assert world.client.accounted(TOKEN) <= world.balance(world.l1.rollup)
