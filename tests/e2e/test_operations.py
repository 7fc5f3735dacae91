"""Key changes, orders, batches and forced exits, through real proofs and L1."""

import time
from dataclasses import replace

import pytest
from e2e_rig import ETHER, STEPS, assigned, data_of, deposit_three, l1_balance, local_account, rebuilt, wallet_of

from rollup.core.errors import KeyChangeNotAuthorisedError, OrderReplacedError, SignatureInvalidError
from rollup.core.key_change import key_change_digest, key_change_typed_data
from rollup.core.operations import ChangePubKey, ForcedExit, OwnerSignature, TransferToAddress
from rollup.demo.world import World
from rollup.l1.abi import L1Block, NewBlock
from rollup.l1.errors import ContractRefused
from rollup.node.matching import match_orders
from rollup.node.validator import Validator
from rollup.wallet.batches import make_batch
from rollup.wallet.key_change import authorise
from rollup.wallet.keys import derive_local_key, local_signer

pytestmark = pytest.mark.slow
Started = tuple[World, Validator]
NEW = "0xFA11000000000000000000000000000000C0FFee"


def test_key_changes_by_signature_and_by_approval_end_the_old_keys(started: Started) -> None:
    world, validator = started
    (alice_person, bob_person), manifest = world.people[:2], world.manifest
    alice, bob = wallet_of(validator, alice_person), wallet_of(validator, bob_person)
    new = [
        derive_local_key(local_account(person), manifest.chain_id, int(manifest.rollup, 16), index=1)
        for person in (alice_person, bob_person)
    ]
    standing = alice.sign(alice.order(0, 100, 1, 100))
    signed = authorise(
        alice.change_key(new[0].public_key, 0, 10), alice.domain, local_signer(local_account(alice_person))
    )
    approved = bob.change_key(new[1].public_key, 0)
    with pytest.raises(KeyChangeNotAuthorisedError):
        validator.seal([signed, approved], STEPS)
    world.client.approve_key_change(bob_person.account, approved)

    alice.key = new[0]
    validator.run([signed, approved, alice.sign(alice.pay(bob.address, bob.account_id, 0, 5))])
    assert [validator.state.account(wallet.account_id).key for wallet in (alice, bob)] == [k.public_key for k in new]

    # Bob signs with his old key; Alice's standing order was signed with hers
    with pytest.raises(SignatureInvalidError):
        validator.seal([bob.sign(bob.withdraw(0, 1))], STEPS)
    bob.key = new[1]
    taker = bob.sign(bob.order(1, 1, 0, 1))
    with pytest.raises(SignatureInvalidError):
        validator.seal([match_orders(standing, taker, 0, 0)], STEPS)
    assert rebuilt(world).state.root == validator.state.root


def test_swap_fills_an_order_in_parts_until_it_is_cancelled(started: Started) -> None:
    world, validator = started
    alice, bob = (wallet_of(validator, person) for person in world.people[:2])
    usds = world.people[1]
    world.sender.call("mint", world.token, "mint", ["address", "uint256"], [usds.address, 900], usds.account)
    world.client.allow(usds.account, world.token, 900)
    world.client.deposit_erc20(usds.account, 1, 900)
    (deposit,) = assigned(validator, 3)
    offer = alice.sign(alice.order(0, 1000, 1, 600, fee=100))
    parts = ((240, 400), (301, 500), (60, 100))
    takers = [bob.sign(bob.order(1, sells, 0, gets, fee=2, replacing=True)) for sells, gets in parts]

    validator.run([deposit])
    validator.run([match_orders(offer, takers[0], 400, 240)])  # a block of three steps has room for nothing else
    after = validator.state
    assert [after.balance(alice.account_id, token) for token in (0, 1)] == [ETHER - 400 - 40, 240]
    assert [after.balance(bob.account_id, token) for token in (0, 1)] == [ETHER + 400, 900 - 240 - 2]
    assert after.order_slots(alice.account_id)[offer.slot].filled == 400
    assert after.account(alice.account_id).nonce == 0
    validator.run([match_orders(offer, takers[1], 500, 301)])
    assert [after.balance(alice.account_id, token) for token in (0, 1)] == [ETHER - 900 - 90, 541]
    assert after.order_slots(alice.account_id)[offer.slot].filled == 900

    validator.run([alice.sign(alice.cancel_orders(0))])
    with pytest.raises(OrderReplacedError):
        validator.seal([match_orders(offer, takers[2], 100, 60)], STEPS)
    assert [landed.l1_block.number for landed in validator.landed] == [2, 3, 4, 5]
    assert rebuilt(world).state.root == after.root


def test_batch_makes_an_account_and_forces_it_out_to_l1(started: Started) -> None:
    world, validator = started
    alice, bob = (wallet_of(validator, person) for person in world.people[:2])
    account_id, address = 3, int(NEW, 16)
    batch = make_batch(
        [
            alice.pay(address, validator.accounts.find(address), 0, 12345, 7),
            bob.pay(alice.address, alice.account_id, 0, 10**9),
            bob.force_exit(account_id, address, 0, 0, 11),
        ]
    )
    validator.run([validator.accounts.assign(bob.sign(alice.sign(batch)))])
    made, _, left = validator.landed[0].proven.block.operations
    assert isinstance(made, TransferToAddress)
    assert isinstance(left, ForcedExit)
    assert (made.to_id, left.amount) == (account_id, 12345)
    assert validator.state.account(account_id).address == address
    assert validator.state.balances(account_id) == {}
    assert validator.state.balance(0, 0) == ETHER + 18

    assert world.client.pending(NEW, 0) == 12345
    before = l1_balance(world, NEW, 0)
    world.client.withdraw_pending(world.operator.account, NEW, 0)
    assert l1_balance(world, NEW, 0) - before == 12345
    assert rebuilt(world).state.root == validator.state.root


@pytest.fixture
def change(world: World, validator: Validator) -> tuple[ChangePubKey, NewBlock, L1Block]:
    """Alice's signed key change in block 2 on top of a committed block 1; nothing is proven."""
    deposit_three(world)
    account, person = world.operator.account, world.people[0]
    one = validator.seal(assigned(validator), STEPS)
    sent = world.client.commit(account, L1Block.genesis(), [NewBlock.of(one)])
    (event,) = world.client.committed(sent)
    parent = validator.following(one, event)
    alice = wallet_of(validator, person)
    new = derive_local_key(local_account(person), world.manifest.chain_id, int(world.manifest.rollup, 16), index=1)
    alice.valid_until = int(time.time()) + 1000
    signed = authorise(alice.change_key(new.public_key, 0), alice.domain, local_signer(local_account(person)))
    return signed, NewBlock.of(validator.seal([signed], STEPS, parent)), parent


def refused(world: World, parent: L1Block, block: NewBlock) -> tuple[str, dict[str, object]]:
    with pytest.raises(ContractRefused) as error:
        world.client.commit(world.operator.account, parent, [block])
    return data_of(error)


def test_commit_key_change_with_the_owners_signature_is_accepted(
    world: World, change: tuple[ChangePubKey, NewBlock, L1Block]
) -> None:
    _, block, parent = change
    world.client.commit(world.operator.account, parent, [block])
    assert world.client.committed_blocks() == 2


def test_commit_key_change_wrong_or_missing_authorisation_is_refused(
    world: World, change: tuple[ChangePubKey, NewBlock, L1Block]
) -> None:
    signed, block, parent = change
    owner, bob = world.people[0].address.lower(), world.people[1]
    digest = key_change_digest(signed, world.manifest.domain)
    data_to_sign = key_change_typed_data(signed, world.manifest.domain)
    bobs = OwnerSignature.from_bytes(local_signer(local_account(bob))(data_to_sign))
    late = replace(signed, valid_until=block.timestamp - 1)
    not_approved = {"owner": owner, "digest": digest}
    expired = {"accountId": 1, "validUntil": block.timestamp - 1, "timestamp": block.timestamp}
    for key_auth, error, data in (
        (b"", "KeyAuthLength", {"expected": 70, "got": 0}),
        (block.key_auth * 2, "KeyAuthLength", {"expected": 70, "got": 140}),
        (replace(signed, authorisation=None).key_auth(), "KeyChangeNotApproved", not_approved),
        (
            replace(signed, authorisation=bobs).key_auth(),
            "KeyChangeNotSigned",
            {"owner": owner, "signer": bob.address.lower(), "digest": digest},
        ),
        (late.key_auth(), "KeyChangeExpired", expired),
    ):
        assert refused(world, parent, replace(block, key_auth=key_auth)) == (error, data)
    assert world.client.committed_blocks() == 1
