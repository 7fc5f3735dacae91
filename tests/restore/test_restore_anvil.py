"""`restore` from the real contract on anvil, with a verifier that accepts all. Elsewhere `fake_l1.py` stands for it."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from operator_model import KINDS, Operator, assert_same_state

from bench.accept_all import AcceptAll, creation_codes
from bench.restore import deposit_blocks, transfer_blocks
from bench.unsigned_chain import UnsignedChain
from rollup.core import Deposit, PublishedOperation
from rollup.l1.anvil import Anvil
from rollup.l1.errors import FalseBlock
from rollup.l1.feed import REORG_DEPTH, Feed
from rollup.l1.node import Node
from rollup.l1.rpc import JsonRpc
from rollup.restore import restore
from rollup.store import Store

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("restore-anvil")]
USERS = 8
QUEUED = ("deposit", "full_exit", "change_pub_key")
"""Kinds that L1 takes from its queue or with an owner's signature only."""


@pytest.fixture(scope="module")
def codes() -> dict[str, bytes]:
    return creation_codes()


@pytest.fixture
def anvil() -> Iterator[Anvil]:
    with Anvil(accounts=USERS) as running:
        yield running


class Chain:
    """A deployment, an operator on it, and a store."""

    def __init__(self, anvil: Anvil, codes: dict[str, bytes], path: Path) -> None:
        self.rpc = JsonRpc(anvil.url)
        self.l1 = AcceptAll(self.rpc, codes)
        self.path = path
        origin = self.l1.origin
        self.operator = Operator(1, origin.chain_id, origin.rollup, self.l1.validator, self.l1.validator_set)
        self.operator.kinds = {kind: weight for kind, weight in KINDS.items() if kind not in QUEUED}

    def take_queue(self) -> None:
        """Seal a block of all that is queued: a deposit into the account of the same number as the user."""
        owners = {int(account, 16): index for index, account in enumerate(self.l1.accounts)}
        state, taken = self.operator.state.copy(), []
        for entry in self.l1.queue(self.operator.chain[-1].queue_end):
            operation: PublishedOperation = entry
            if isinstance(entry, Deposit):
                operation = replace(entry, account_id=owners[entry.owner])
            else:
                operation = replace(entry, amount=None)
            taken.append(state.apply_published(operation, range(8)).operation)  # type: ignore[arg-type]
        self.operator.seal(taken, timestamp=self.l1.now, block_size=64)

    def blocks(self, count: int) -> None:
        """Seal blocks of random operations."""
        for _ in range(count):
            self.operator.block(5, timestamp=self.l1.now, block_size=64)

    def commit(self, first: int, last: int, prove: bool = True) -> None:
        self.l1.commit(self.operator, first, last)
        if prove:
            self.l1.prove(self.operator, first, last)

    def restore(self) -> int:
        """Restore; return the number of the last block."""
        with Store(self.path, self.l1.origin) as store:
            restored = restore(store, Feed(Node(self.rpc), self.l1.origin))
            number = restored.tip.number
            assert restored.tip == self.operator.chain[number]
            assert_same_state(store.load(), self.operator.states[number])
            return number


@pytest.fixture
def chain(anvil: Anvil, codes: dict[str, bytes], tmp_path: Path) -> Chain:
    return Chain(anvil, codes, tmp_path / "store.db")


def test_restore_real_contract_gives_the_operators_state(chain: Chain) -> None:
    assert chain.restore() == 0
    chain.l1.deposit(range(USERS), 10**18)
    chain.take_queue()
    chain.blocks(6)
    chain.l1.request_exits([(2, 2), (3, 5)])
    chain.take_queue()
    chain.commit(1, 1)
    chain.commit(2, 4)
    chain.commit(5, 8)
    chain.blocks(2)
    chain.commit(9, 10, prove=False)
    assert chain.restore() == 8
    chain.l1.mine(2 * REORG_DEPTH)
    chain.l1.prove(chain.operator, 9, 10)
    assert chain.restore() == 10


@pytest.mark.parametrize("depth", [1, 5, 40])
def test_restore_real_node_reorganised_gives_the_new_chain(chain: Chain, depth: int) -> None:
    chain.l1.deposit(range(USERS), 10**18)
    chain.take_queue()
    chain.commit(1, 1)
    chain.l1.mine(30)
    snapshots = {}
    for number in range(2, 12):
        chain.blocks(1)
        snapshots[int(chain.rpc("eth_blockNumber"), 16)] = number - 1, chain.rpc("evm_snapshot")
        chain.commit(number, number)
    assert chain.restore() == 11
    head = int(chain.rpc("eth_blockNumber"), 16)
    target = max((at for at in snapshots if at <= head - depth), default=min(snapshots))
    number, snapshot = snapshots[target]
    assert chain.rpc("evm_revert", snapshot)
    chain.operator.go_back(number)
    chain.rpc("evm_increaseTime", "0x11")  # other blocks than before
    chain.l1.mine(3)
    chain.blocks(3)
    chain.commit(number + 1, number + 3)
    assert chain.restore() == number + 3


def test_restore_false_block_that_was_accepted_is_named(chain: Chain) -> None:
    """What a forged proof would do."""
    chain.l1.deposit(range(USERS), 10**18)
    chain.take_queue()
    chain.operator.seal([], timestamp=chain.l1.now, new_root=5)
    chain.commit(1, 2)
    with pytest.raises(FalseBlock) as error:
        chain.restore()
    assert error.value.block_number == 2


@pytest.mark.long
def test_restore_chain_of_100_000_operations_gives_the_operators_state(codes: dict[str, bytes], tmp_path: Path) -> None:
    users = 500
    with Anvil(accounts=users) as anvil:
        l1 = AcceptAll(JsonRpc(anvil.url), codes)
        chain = UnsignedChain(l1.origin.chain_id, l1.rollup, l1.validator, l1.validator_set)
        deposit_blocks(l1, chain, users)
        transfer_blocks(l1, chain, users, 100_000, 153)
        with Store(tmp_path / "store.db", l1.origin) as store:
            restored = restore(store, Feed(Node(JsonRpc(anvil.url)), l1.origin))
            assert restored.operations >= 100_000 + users
            assert_same_state(restored.state, chain.state)
            assert_same_state(store.load(), chain.state)
    print(f"{restored.operations} operations, {restored.tip.number} blocks", file=sys.stderr)
