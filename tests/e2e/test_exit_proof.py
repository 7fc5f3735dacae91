"""Proofs of exits through the verifier that is generated for the real key, on anvil."""

from pathlib import Path

import pytest
from eth_abi.abi import encode

from rollup.circuits.keys import find_exit_kit
from rollup.core.account import Account
from rollup.core.constants import FIELD_MODULUS
from rollup.core.rules import Touch
from rollup.core.state import State
from rollup.demo.world import World
from rollup.exits.prover import ExitProver, ProvenExit
from rollup.l1.abi import selector
from rollup.l1.project import Contracts
from rollup.l1.rpc import RpcError

pytestmark = pytest.mark.slow

ACCOUNT_ID, TOKEN, OWNER, AMOUNT = 0o1234, 1, 0xA1CE, 10**20 + 1


@pytest.fixture(scope="module")
def prover(keys: Path) -> ExitProver:
    return ExitProver(find_exit_kit(keys))


@pytest.fixture(scope="module")
def proven(prover: ExitProver) -> ProvenExit:
    state = State()
    for account_id, address in ((0, 0xB0B), (ACCOUNT_ID, OWNER)):
        state.touch(Touch(account_id, TOKEN, Account((3, 4), address, 2), AMOUNT))
    return prover.prove(state, ACCOUNT_ID, TOKEN)


@pytest.fixture
def verifier(world: World, contracts: Contracts) -> str:
    """The address of a fresh ExitVerifier."""
    creation = bytes(contracts("ExitVerifier")().data)
    sent = world.sender.send("the deployment of ExitVerifier", None, creation, world.operator.account)
    return str(sent.contract)


def call(proof: tuple[int, ...], inputs: tuple[int, ...]) -> bytes:
    return selector("verify", ["uint256[8]", "uint256[3]"]) + encode(["uint256[8]", "uint256[3]"], [proof, inputs])


def accepts(world: World, verifier: str, proof: tuple[int, ...], inputs: tuple[int, ...]) -> bool:
    return bool(int.from_bytes(world.sender.rpc.call(verifier, call(proof, inputs)), "big"))


def changed(words: tuple[int, ...], position: int, change: int) -> tuple[int, ...]:
    return (*words[:position], words[position] + change, *words[position + 1 :])


def test_exit_proof_is_accepted_on_l1_for_its_claim_alone(world: World, verifier: str, proven: ProvenExit) -> None:
    inputs = proven.claim.public_inputs()
    assert accepts(world, verifier, proven.proof, inputs)
    for position, changes in enumerate([(1, -1), (1, 1 << 160, 1 << 172, 1 << 196), (1, -1, 1 << 128)]):
        for change in changes:
            assert not accepts(world, verifier, proven.proof, changed(inputs, position, change)), (position, change)
    for position in range(8):
        assert not accepts(world, verifier, changed(proven.proof, position, 1), inputs), position


def test_exit_proof_with_an_input_plus_r_reverts(world: World, verifier: str, proven: ProvenExit) -> None:
    inputs = proven.claim.public_inputs()
    for position in range(3):
        other = changed(inputs, position, FIELD_MODULUS)
        with pytest.raises(RpcError) as caught:
            world.sender.rpc.call(verifier, call(proven.proof, other))
        data = selector("InputNotInField", ["uint256", "uint256"]) + encode(
            ["uint256"] * 2, [position, other[position]]
        )
        assert caught.value.revert_data() == data


def test_exit_verifiers_key_is_the_kits(world: World, verifier: str, prover: ExitProver) -> None:
    assert world.sender.rpc.call(verifier, selector("keyHash", [])) == prover.kit.key_hash()


def test_exit_verification_costs_as_much_as_is_said(world: World, verifier: str, proven: ProvenExit) -> None:
    rpc, sender = world.sender.rpc, str(world.operator.account.address)
    data = call(proven.proof, proven.claim.public_inputs())
    # With ample gas: an estimate would find how little is enough to answer "no"
    transaction = {"from": sender, "to": verifier, "data": "0x" + data.hex(), "gas": hex(1_000_000)}
    sent = rpc("eth_sendTransaction", transaction)
    used = world.sender.provider.web3.eth.wait_for_transaction_receipt(sent, poll_latency=0.05)["gasUsed"]
    print(f"gas: verification of an exit proof, with its transaction: {used:,}")
    assert 200_000 < used <= 240_000
