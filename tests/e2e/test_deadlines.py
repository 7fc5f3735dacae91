"""What bounds an operator's power to stall: blocks must be proven in time, and the queue served, whoever is in it."""

import json
import time
from types import SimpleNamespace

import pytest
from e2e_rig import (
    ETHER,
    STEPS,
    assigned,
    data_of,
    jump,
    l1_balance,
    l1_time,
    rebuilt,
    snapshot,
    validator_of,
    wallet_of,
)
from eth_abi.abi import decode, encode
from exodus_rig import DOLLARS, Sluice

from rollup.demo.world import World
from rollup.exits.errors import NotDueError
from rollup.l1.abi import L1Block, NewBlock, selector
from rollup.l1.errors import ContractRefused
from rollup.l1.lookup import Lookup
from rollup.node.validator import Validator
from rollup.progress import Bars
from rollup.prover import BlockProver

pytestmark = pytest.mark.slow
BOBS_EXIT = 4
"""The place in the queue of what bob demands in `grown`."""


@pytest.fixture
def by_l1s_clock(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Validators go by L1's clock, as if the time that is jumped over had passed here too."""
    clock = SimpleNamespace(time=lambda: l1_time(world), perf_counter=time.perf_counter)
    monkeypatch.setattr("rollup.node.validator.time", clock)


def queue_entry(world: World, index: int) -> tuple[bytes, int]:
    """Hash and expiry of a queue entry."""
    call = selector("queueEntry", ["uint64"]) + encode(["uint64"], [index])
    hash_, expiry = decode(["bytes27", "uint40"], world.sender.rpc.call(world.manifest.rollup, call))
    return hash_, expiry


def queue_committed(world: World) -> int:
    return int.from_bytes(world.sender.rpc.call(world.manifest.rollup, selector("queueCommitted", [])), "big")


def block(world: World, number: int) -> L1Block:
    return Lookup(world.sender.rpc, world.manifest.rollup, world.manifest.deployed_at).find(number).block


@pytest.mark.usefixtures("by_l1s_clock")
def test_revert_overdue_blocks_returns_the_queue_and_another_validator_goes_on(
    grown: World, sluice: Sluice, prover: BlockProver
) -> None:
    world, (alice, bob, carol) = grown, grown.people
    client, operator = world.client, validator_of(world, prover, rebuilt(world))
    before = queue_entry(world, BOBS_EXIT)
    one = operator.seal(assigned(operator, BOBS_EXIT), STEPS)
    client.commit(world.operator.signer, rebuilt(world).last, [NewBlock.of(one)])
    payer = wallet_of(operator, alice)
    two = operator.seal([payer.sign(payer.withdraw(0, 5))], STEPS, block(world, 4))
    client.commit(world.operator.signer, block(world, 4), [NewBlock.of(two)])
    assert (client.committed_blocks(), queue_committed(world)) == (5, BOBS_EXIT + 1)

    due = json.loads(sluice.done("exodus", "status", "--json"))["revert_due"]
    jump(world, due - 60)
    early = sluice("revert")
    assert isinstance(early.exception, NotDueError)
    assert early.exception.due == due
    jump(world, due)
    assert "block 4 can be taken back now" in sluice.done("exodus", "status")
    assert "blocks 4 to 5 are void" in sluice.done("revert")
    assert "nothing to take back" in sluice.done("revert")
    assert (client.committed_blocks(), client.proven_blocks(), queue_committed(world)) == (3, 3, BOBS_EXIT)
    assert queue_entry(world, BOBS_EXIT) == before

    with pytest.raises(ContractRefused) as suspended:
        client.commit(world.operator.signer, rebuilt(world).last, [NewBlock.of(one)])
    assert data_of(suspended) == ("CommitterSuspended", {"committer": world.operator.address.lower()})

    governor, allowed = world.manifest.contracts["Governor"].address, [carol.address, True]
    world.sender.call("naming", governor, "setValidator", ["address", "bool"], allowed, world.operator.signer)
    successor = Validator(client, world.manifest, carol.account, prover, Bars(quiet=True), rebuilt(world))
    friend = wallet_of(successor, bob)
    friend.valid_until = l1_time(world) + 3600
    successor.run([friend.sign(friend.pay(payer.address, payer.account_id, 0, 9)), *assigned(successor, BOBS_EXIT)])
    assert (client.executed_blocks(), queue_committed(world)) == (4, BOBS_EXIT + 1)
    assert block(world, 4).committer == carol.address.lower()
    assert client.pending(bob.address, 1) == 8 * DOLLARS
    restored = json.loads(sluice.done("restore", "--json"))
    assert (restored["blocks"], int(restored["root"], 16)) == (4, successor.state.root)


@pytest.mark.usefixtures("by_l1s_clock")
def test_censored_user_is_served_from_the_queue_or_exodus_begins(
    grown: World, sluice: Sluice, prover: BlockProver
) -> None:
    """The operator leaves out whatever alice signs."""
    world, (alice, bob, _) = grown, grown.people
    client, operator = world.client, validator_of(world, prover, rebuilt(world))
    friend = wallet_of(operator, bob)
    alices, fee = operator.state.balance(1, 0), world.manifest.queue_fee_gwei * 10**9
    sluice.done("exit", "request", "--id", "1", "--token", "ETH", by=alice)
    client.deposit_eth(bob.signer, 3)
    demanded, her_demand, later = assigned(operator, BOBS_EXIT)

    # He can leave the queue alone, but not pass her over
    passing_over = operator.seal([demanded, later], STEPS)
    with pytest.raises(ContractRefused) as refused:
        client.commit(world.operator.signer, rebuilt(world).last, [NewBlock.of(passing_over)])
    assert data_of(refused)[0] == "QueueEntryMismatch"
    assert data_of(refused)[1]["index"] == BOBS_EXIT + 1

    with snapshot(world):
        operator = validator_of(world, prover, rebuilt(world))
        operator.run([demanded, her_demand, later])
        assert client.pending(alice.address, 0) == alices + fee

    operator = validator_of(world, prover, rebuilt(world))
    operator.run([demanded, friend.sign(friend.pay(friend.address, friend.account_id, 0, 1))])
    due = json.loads(sluice.done("exodus", "status", "--json"))["exodus_due"]
    assert due == queue_entry(world, BOBS_EXIT + 1)[1]
    jump(world, due)
    sluice.done("exodus", "activate")
    before = l1_balance(world, alice.address, 0)
    sluice.done("exodus", "exit", "--all", "--owner", alice.address)
    assert l1_balance(world, alice.address, 0) - before == alices + 2 * fee
    more = operator.seal([], STEPS)
    with pytest.raises(ContractRefused) as over:
        client.commit(world.operator.signer, rebuilt(world).last, [NewBlock.of(more)])
    assert data_of(over) == ("ExodusIsActive", {})
    assert alices > ETHER // 2
