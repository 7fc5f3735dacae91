"""Money in, around, and out again, every block with a real proof."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from e2e_rig import ETHER, STEPS, assigned, deposit_three, ignore_progress
from py_ecc.optimized_bn128 import FQ, FQ2, FQ12, add, curve_order, multiply, neg, pairing

from rollup.circuits.keys import load_verification_key
from rollup.cli.main import cli
from rollup.core.operations import Deposit, Transfer, Withdraw
from rollup.demo.checks import check_accounting, check_rebuild
from rollup.demo.tokens import TOKENS, USDS
from rollup.demo.world import Person, World
from rollup.l1.abi import Committed, L1Block, NewBlock
from rollup.l1.reader import Reader
from rollup.node.validator import Validator
from rollup.prover import ProvenBlock
from rollup.wallet.tokens import ETH

pytestmark = pytest.mark.slow


def account_of(validator: Validator, person: Person) -> int:
    account_id = validator.accounts.find(int(person.address, 16))
    assert account_id is not None
    return account_id


def transfer(validator: Validator, payer: Person, payee: Person, amount: int, fee: int, nonce: int) -> Transfer:
    assert payer.key is not None
    from_id, to_id = account_of(validator, payer), account_of(validator, payee)
    unsigned = Transfer(from_id, to_id, int(payee.address, 16), ETH.token_id, amount, fee, nonce)
    return payer.key.sign(unsigned, validator.manifest.domain)


def withdraw(validator: Validator, person: Person, amount: int, fee: int, nonce: int) -> Withdraw:
    assert person.key is not None
    unsigned = Withdraw(account_of(validator, person), int(person.address, 16), 0, amount, fee, nonce)
    return person.key.sign(unsigned, validator.manifest.domain)


def test_whole_life_of_money_ends_with_equal_books(world: World, validator: Validator) -> None:
    alice, bob, carol = world.people
    client = world.client
    deposit_three(world)
    validator.run(assigned(validator))

    # Transfer with a fee, to oneself, and out to L1
    fee = 10**15
    validator.run(
        [
            transfer(validator, alice, bob, ETHER // 4, fee, 0),
            transfer(validator, bob, bob, ETHER, 0, 0),
            withdraw(validator, alice, ETHER // 2 + 1, fee, 1),
        ]
    )
    assert client.pending(alice.address, 0) == ETHER // 2 + 1
    assert validator.state.balance(0, 0) == ETHER + 2 * fee

    # A deposit that the validator refuses, a forced exit, and a deposit without a key
    world.sender.call("mint", world.token, "mint", ["address", "uint256"], [carol.address, 7], carol.account)
    spender = [world.manifest.rollup, 7]
    world.sender.call("approve", world.token, "approve", ["address", "uint256"], spender, carol.account)
    client.deposit_erc20(carol.account, USDS.token_id, 7)
    client.request_full_exit(bob.account, account_of(validator, bob), 0)
    client.deposit_eth(alice.account, 5, owner=carol.address)
    refused, exit_, keyless = assigned(validator, 3)
    assert isinstance(refused, Deposit)
    validator.run([replace(refused, account_id=0, refused=True), exit_, keyless])
    assert client.pending(carol.address, USDS.token_id) == 7
    queue_fee = world.manifest.queue_fee_gwei * 10**9
    left = ETHER + ETHER // 4 + queue_fee  # he has sent twice the fee
    assert client.pending(bob.address, 0) == left
    assert client.executed_blocks() == 3

    # Out: the refund in tokens, the rest in ETH
    client.withdraw_pending(world.operator.account, carol.address, USDS.token_id)
    assert world.balance(carol.address) == 7
    before = int(world.sender.rpc("eth_getBalance", bob.address, "latest"), 16)
    client.withdraw_pending(world.operator.account, bob.address, 0)
    assert int(world.sender.rpc("eth_getBalance", bob.address, "latest"), 16) - before == left

    # An entry stays in the queue: it must be in the books too
    client.deposit_eth(alice.account, 11)
    rebuilt = check_rebuild(world, validator.state, ignore_progress)
    checked = check_accounting(world, rebuilt, TOKENS)
    assert checked.ledger[0].in_queue > 11
    assert [run.l1_block.number for run in validator.landed] == [1, 2, 3]


def test_commit_prove_execute_in_three_calls_equals_one_call(block_one: tuple[World, ProvenBlock]) -> None:
    world, proven = block_one
    client, account = world.client, world.operator.account
    sent = client.commit(account, L1Block.genesis(), [NewBlock.of(proven.block)])
    (published,) = Reader(client.sender.rpc, client.address, client.deployed_at).published(1)
    assert client.committed(sent)[0].hash == published.block.hash()
    assert (client.committed_blocks(), client.proven_blocks(), client.executed_blocks()) == (1, 0, 0)
    # Anyone may prove and execute.
    stranger = world.people[2].account
    client.prove(stranger, [published.block], [proven.proof])
    assert (client.proven_blocks(), client.executed_blocks()) == (1, 0)
    client.execute(stranger, [published.block], [proven.block.l1])
    assert client.executed_blocks() == 1
    assert client.verify_block(published.block)
    assert not client.verify_block(replace(published.block, new_root=1))


def test_sluice_rebuild_prints_the_state_that_l1_gives(block_one: tuple[World, ProvenBlock], tmp_path: Path) -> None:
    world, proven = block_one
    world.client.commit_prove_execute(
        world.operator.account, L1Block.genesis(), NewBlock.of(proven.block), proven.proof
    )
    world.manifest.save(tmp_path / "m.json")
    command = ["rebuild", "--manifest", str(tmp_path / "m.json"), "--rpc", world.sender.rpc.url, "--json"]
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 0, result.output
    values = json.loads(result.stdout)
    assert values["ok"] is True
    assert int(values["root"], 16) == proven.block.header.new_root
    assert [account["balances"] for account in values["accounts"]] == [{"0": str(ETHER)}] * 3
    assert int(values["accounts"][1]["address"], 16) == int(world.people[0].address, 16)


def test_py_ecc_accepts_the_proof_of_a_real_block(block_one: tuple[World, ProvenBlock], keys: Path) -> None:
    _, proven = block_one
    key = load_verification_key(STEPS, keys)
    block = proven.block
    inputs = [block.commitment, block.challenge, block.evaluation]
    assert groth16_holds(key, proven.proof_json, inputs)
    assert not groth16_holds(key, proven.proof_json, [inputs[0], inputs[1], (inputs[2] + 1) % curve_order])


def groth16_holds(key: dict[str, Any], proof: dict[str, Any], inputs: list[int]) -> bool:
    def g1(point: list[str]) -> tuple[FQ, FQ, FQ]:
        return FQ(int(point[0])), FQ(int(point[1])), FQ(1)

    def g2(point: list[list[str]]) -> tuple[FQ2, FQ2, FQ2]:
        (x0, x1), (y0, y1) = point[0], point[1]
        return FQ2([int(x0), int(x1)]), FQ2([int(y0), int(y1)]), FQ2([1, 0])

    total = g1(key["IC"][0])
    for value, point in zip(inputs, key["IC"][1:], strict=True):
        total = add(total, multiply(g1(point), value))
    product = pairing(g2(proof["pi_b"]), neg(g1(proof["pi_a"])))
    for first, second in (
        (key["vk_beta_2"], g1(key["vk_alpha_1"])),
        (key["vk_gamma_2"], total),
        (key["vk_delta_2"], g1(proof["pi_c"])),
    ):
        product = product * pairing(g2(first), second)
    return bool(product == FQ12.one())


def test_rebuild_after_two_blocks_in_one_commit_gives_both(world: World, validator: Validator) -> None:
    alice, bob, _ = world.people
    client, account = world.client, world.operator.account
    deposit_three(world)
    one = validator.seal(assigned(validator), STEPS)
    # When it will be committed is not known yet, nor needed to seal what follows.
    parent = validator.following(one, Committed(1, bytes(32), world.operator.address, bytes(32), committed_at=0))
    two = validator.seal([transfer(validator, alice, bob, 5, 0, 0)], STEPS, parent)
    client.commit(account, L1Block.genesis(), [NewBlock.of(one), NewBlock.of(two)])
    reader = Reader(client.sender.rpc, client.address, client.deployed_at)
    published = list(reader.published(2))
    assert [entry.block.number for entry in published] == [1, 2]
    assert published[1].header.words() == two.header.words()
    assert reader.rebuild().blocks == []  # neither is proven
