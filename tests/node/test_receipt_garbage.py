"""Blocks that L1 took and that nobody can prove: every receipt for their numbers is judged all the same (I-30)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_account import Account as EthereumAccount
from kill_child import PAYER_KEY
from test_receipt_l1 import signed

from bench.accept_all import AcceptAll, creation_codes
from bench.restore import deposit_blocks
from bench.unsigned_chain import UnsignedChain
from rollup.core import TransferData, domain
from rollup.core.constants import PROOF_DEADLINE_SECONDS
from rollup.core.errors import ReceiptBrokenError
from rollup.core.receipt import Receipt
from rollup.l1.abi import BLOCK_TYPE, COMMIT, COMMIT_TYPES, NewBlock, selector
from rollup.l1.anvil import Anvil
from rollup.l1.errors import FalseBlock
from rollup.l1.lookup import Lookup, Stage
from rollup.l1.promises import Verdict, judge
from rollup.l1.rpc import JsonRpc

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("node-anvil")]
EVIL = EthereumAccount.from_key(PAYER_KEY)
DAY = 86_400
STREAMS = {"no_operations": b"\xff" * 15, "a_marker_without_its_record": b"\x50" + bytes(14)}
FEE_TOKENS = {"all_alike": 0, "order_slots": sum(2048 + slot << 12 * slot for slot in range(8))}


@dataclass
class World:
    """Block 1 proven. Of 2, what was promised is sealed; what is committed is garbage, with a block on it in the same
    transaction.
    """

    l1: AcceptAll
    chain: UnsignedChain

    def __post_init__(self) -> None:
        deposit_blocks(self.l1, self.chain, 2)
        self.seal(5)
        self.seal(6)

    @property
    def lookup(self) -> Lookup:
        return Lookup(self.l1.rpc, self.l1.rollup, self.l1.origin.deployed_at)

    def seal(self, amount: int) -> None:
        self.chain.seal([TransferData(0, 1, 0, amount, 1)], timestamp=self.l1.now, block_size=8)

    def commit(self, **garbage: Any) -> None:
        blocks = [NewBlock.of(sealed) for sealed in self.chain.sealed[2:4] if sealed is not None]
        new = [replace(blocks[0], **garbage).as_tuple(), blocks[1].as_tuple()]
        data = COMMIT + encode(COMMIT_TYPES, [self.chain.chain[1].as_tuple(), new, b""])
        self.l1.send(self.l1.validator, self.l1.rollup, data)

    def take_back(self) -> None:
        garbage = self.lookup.find(2).block
        self.l1.rpc("evm_setNextBlockTimestamp", garbage.committed_at + PROOF_DEADLINE_SECONDS)
        values = [self.chain.chain[1].as_tuple(), garbage.as_tuple()]
        self.l1.call(self.l1.accounts[2], self.l1.rollup, "revertBlocks", [BLOCK_TYPE, BLOCK_TYPE], values)

    def replace(self, amount: int) -> None:
        """Another validator's payment takes the place of what was taken back."""
        other = self.l1.accounts[1]
        self.l1.call(self.l1.validator, self.l1.governor, "setValidator", ["address", "bool"], [other, True])
        del self.chain.sealed[2:], self.chain.chain[2:]
        self.l1.validator = self.chain._committer = other
        self.chain._validator_set = self.l1.rpc.call(self.l1.governor, selector("validatorSet", []))
        self.seal(amount)
        self.l1.commit(self.chain, 2, 2)

    def receipt(self, number: int = 2, **changes: Any) -> Receipt:
        """By who did not commit the garbage."""
        sealed = self.chain.sealed[number]
        assert sealed is not None
        values: dict[str, Any] = {
            "domain": domain(self.l1.origin.chain_id, int(self.l1.rollup, 16)), "block_number": number,
            "chunk_position": 0, "chunks": sealed.l2, "word_position": 0, "record": b"",
            "operation_hash": bytes(32), "recipient": 0, "issued_at": sealed.header.timestamp,
            "commit_by": sealed.header.timestamp + 3 * DAY, "validator_set": bytes(32),
        }  # fmt: skip
        return signed(Receipt(**values | changes))


@pytest.fixture
def world() -> Iterator[World]:
    with Anvil(accounts=4) as anvil:
        l1 = AcceptAll(JsonRpc(anvil.url), creation_codes())
        yield World(l1, UnsignedChain(l1.origin.chain_id, l1.rollup, l1.validator, l1.validator_set))


@pytest.mark.parametrize("l2", STREAMS.values(), ids=STREAMS)
def test_judge_garbage_while_it_stands_is_a_breach_and_no_bar_to_what_is_above_it(world: World, l2: bytes) -> None:
    world.commit(l2=l2)
    with pytest.raises(ReceiptBrokenError):
        judge(world.receipt(2), world.lookup)
    assert judge(world.receipt(3), world.lookup).is_kept
    with pytest.raises(FalseBlock):
        world.lookup.find(2).decode()


@pytest.mark.parametrize("l2", STREAMS.values(), ids=STREAMS)
def test_judge_garbage_that_was_taken_back_is_no_keeping_and_no_bar(world: World, l2: bytes) -> None:
    world.commit(l2=l2)
    world.take_back()
    assert judge(world.receipt(2), world.lookup) == Verdict(Stage.ABSENT)
    above = judge(world.receipt(3), world.lookup)
    assert (above.committed_at is not None, above.reverted) == (True, next(world.lookup.revertings()))


def test_judge_another_block_in_the_place_of_garbage_is_a_breach_of_who_committed_it(world: World) -> None:
    world.commit(l2=STREAMS["no_operations"])
    world.take_back()
    promised = world.receipt(2)
    world.replace(7)
    assert judge(promised, world.lookup).reverted == next(world.lookup.revertings())
    with pytest.raises(ReceiptBrokenError):
        judge(replace(promised, signature=bytes(EVIL.unsafe_sign_hash(promised.digest).signature)), world.lookup)


@pytest.mark.parametrize("fee_tokens", FEE_TOKENS.values(), ids=FEE_TOKENS)
def test_judge_block_with_fee_tokens_that_no_proof_takes_goes_by_its_streams(world: World, fee_tokens: int) -> None:
    world.commit(fee_tokens=fee_tokens)
    assert judge(world.receipt(2), world.lookup).is_kept
    with pytest.raises(ReceiptBrokenError):
        judge(world.receipt(2, chunks=bytes(15)), world.lookup)
    with pytest.raises(FalseBlock):
        world.lookup.find(2).decode()
