"""What L1 must refuse of a real block: each with the error's name and data, and nothing changed."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from e2e_rig import data_of

from rollup.core.constants import FIELD_MODULUS
from rollup.demo.world import World
from rollup.l1.abi import L1Block, NewBlock
from rollup.l1.errors import ContractRefused
from rollup.prover import ProvenBlock

pytestmark = pytest.mark.slow
Case = tuple[World, ProvenBlock]


def send(case: Case, parent: L1Block, block: NewBlock, proof: tuple[int, ...]) -> None:
    world, _ = case
    world.client.commit_prove_execute(world.operator.account, parent, block, proof)


@pytest.mark.parametrize("index", range(8))
def test_commit_prove_execute_tampered_proof_is_refused(block_one: Case, index: int) -> None:
    world, proven = block_one
    proof = list(proven.proof)
    proof[index] ^= 1
    with pytest.raises(ContractRefused, match="prove these again") as error:
        send(block_one, L1Block.genesis(), NewBlock.of(proven.block), tuple(proof))
    assert data_of(error) == ("InvalidProof", {"first": 1, "last": 1})
    assert world.client.committed_blocks() == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda block: replace(block, new_root=(int.from_bytes(block.new_root, "big") ^ 1).to_bytes(32, "big")),
        lambda block: replace(block, commitment=(int.from_bytes(block.commitment, "big") ^ 1).to_bytes(32, "big")),
        lambda block: replace(block, timestamp=block.timestamp + 1),
        lambda block: replace(block, fee_account=block.fee_account + 1),
        lambda block: replace(block, fee_tokens=block.fee_tokens ^ (8 ^ 7) << 84),
        lambda block: replace(block, l2=bytes([block.l2[0], block.l2[1] ^ 1]) + block.l2[2:]),
        lambda block: replace(block, l2=block.l2 + bytes(15)),
        lambda block: replace(block, l2=block.l2[:-15]),
        # The account of a deposit is the operator's to choose, so the queue does not hold it: the proof does.
        lambda block: replace(block, l1=block.l1[:9] + bytes([block.l1[9] ^ 1]) + block.l1[10:]),
    ],
    ids=["root", "commitment", "time", "fee_account", "fee_tokens", "l2_byte", "l2_longer", "l2_shorter", "l1_account"],
)
def test_commit_prove_execute_other_data_than_proven_is_refused(
    block_one: Case, change: Callable[[NewBlock], NewBlock]
) -> None:
    _, proven = block_one
    with pytest.raises(ContractRefused) as error:
        send(block_one, L1Block.genesis(), change(NewBlock.of(proven.block)), proven.proof)
    assert data_of(error) == ("InvalidProof", {"first": 1, "last": 1})


def test_commit_prove_execute_root_plus_r_is_refused(block_one: Case) -> None:
    _, proven = block_one
    aliased = proven.block.header.new_root + FIELD_MODULUS
    block = replace(NewBlock.of(proven.block), new_root=aliased.to_bytes(32, "big"))
    with pytest.raises(ContractRefused) as error:
        send(block_one, L1Block.genesis(), block, proven.proof)
    assert data_of(error) == ("NotAWord", {"value": aliased})


def test_commit_prove_execute_wrong_parent_is_refused(block_one: Case) -> None:
    _, proven = block_one
    parent = replace(L1Block.genesis(), new_root=1)
    with pytest.raises(ContractRefused, match="as it was committed") as error:
        send(block_one, parent, NewBlock.of(proven.block), proven.proof)
    assert data_of(error)[0] == "BlockHashMismatch"


def test_commit_prove_execute_replayed_block_is_refused(block_one: Case) -> None:
    world, proven = block_one
    send(block_one, L1Block.genesis(), NewBlock.of(proven.block), proven.proof)
    with pytest.raises(ContractRefused, match="somebody was faster") as error:
        send(block_one, L1Block.genesis(), NewBlock.of(proven.block), proven.proof)
    assert data_of(error) == ("BlockOutOfOrder", {"expected": 1, "got": 0})
    assert world.client.executed_blocks() == 1


def test_commit_prove_execute_changed_deposit_is_refused_by_the_queue(block_one: Case) -> None:
    _, proven = block_one
    block = NewBlock.of(proven.block)
    richer = replace(block, l1=block.l1[:63] + bytes([block.l1[63] ^ 1]) + block.l1[64:])
    with pytest.raises(ContractRefused, match="in order") as error:
        send(block_one, L1Block.genesis(), richer, proven.proof)
    assert data_of(error)[0] == "QueueEntryMismatch"


def test_commit_prove_execute_by_a_stranger_is_refused(block_one: Case) -> None:
    world, proven = block_one
    stranger = world.people[0]
    with pytest.raises(ContractRefused, match="allow-list") as error:
        world.client.commit_prove_execute(stranger.account, L1Block.genesis(), NewBlock.of(proven.block), proven.proof)
    assert data_of(error) == ("NotAValidator", {"committer": stranger.address.lower()})


def test_deposit_key_for_another_owner_is_refused(block_one: Case) -> None:
    world, _ = block_one
    alice, bob, _ = world.people
    assert alice.key is not None
    with pytest.raises(ContractRefused, match="without a key") as error:
        world.client.deposit_eth(alice.account, 1, owner=bob.address, key=alice.key.public_key)
    assert data_of(error)[0] == "KeyNotByOwner"


def test_withdraw_pending_of_nothing_is_refused(block_one: Case) -> None:
    world, _ = block_one
    with pytest.raises(ContractRefused, match="wait until") as error:
        world.client.withdraw_pending(world.operator.account, world.people[2].address, 0)
    assert data_of(error)[0] == "NothingPending"
