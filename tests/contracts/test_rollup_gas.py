"""Gas, printed, and held under the ceilings that the design sets."""

from dataclasses import astuple
from typing import Any

import pytest
from block_model import deposit_record, full_exit_record, stream, withdraw_record
from contract_rig import BASE_FEE_GWEI, ETHER, FEE, PROOF, TOYS, Rig, address

from rollup.core.constants import MAX_L1_OPERATIONS_PER_BLOCK
from rollup.l1.verifier_source import proof_words

EIP_7825_LIMIT = 2**24
RECORDS = MAX_L1_OPERATIONS_PER_BLOCK


def show(what: str, gas: float, ceiling: float) -> None:
    print(f"gas: {what}: {gas:,.0f} (ceiling {ceiling:,.0f})")
    assert gas <= ceiling


def execution_gas(rig: Rig, receipt: Any) -> int:
    """Gas of the execution alone: calldata has a floor price of its own (EIP-7623), which hides it."""
    options = {"disableStorage": True, "disableMemory": True, "disableStack": True}
    logs = rig.rpc("debug_traceTransaction", "0x" + receipt["transactionHash"].hex(), options)["structLogs"]
    return int(logs[0]["gas"]) - int(logs[-1]["gas"]) + int(logs[-1]["gasCost"])


def test_gas_of_users(rig: Rig) -> None:
    _, token_id = rig.token("PlainToken")
    key = (
        5299619240641551281634865583518297030282874472190772894086521144482721001553,
        16950150798460657717958625567821834550301663161624707787222815936182638968203,
    )
    show("first deposit of ETH", rig.deposit_eth(ETHER, key=key)["gasUsed"], 120_000)
    show("deposit of ETH with a key", rig.deposit_eth(ETHER, key=key)["gasUsed"], 80_000)
    rig.deposit_erc20(token_id, 500)
    show("deposit of an ERC-20", rig.deposit_erc20(token_id, 500)["gasUsed"], 110_000)
    args = (token_id, 500, rig.alice.address, 0, 0)
    receipt = rig.send(rig.rollup, "depositERC20", *args, sender=rig.alice, value=FEE + 1)
    show("deposit of an ERC-20, first excess fee", receipt["gasUsed"], 140_000)
    show("full exit request", rig.request_exit(1)["gasUsed"], 75_000)


def test_gas_of_withdrawals(rig: Rig) -> None:
    token, token_id = rig.token("PlainToken")
    rig.fund(rig.bob, 300)
    rig.fund(rig.bob, 300, token_id)
    receipt = rig.send(rig.rollup, "withdrawPending", rig.bob.address, 0, sender=rig.stranger)
    show("withdrawal of ETH", receipt["gasUsed"], 60_000)
    receipt = rig.send(rig.rollup, "withdrawPending", rig.bob.address, token_id, sender=rig.stranger)
    show("withdrawal of an ERC-20", receipt["gasUsed"], 90_000)
    assert token.balanceOf(rig.bob) == 300


def test_gas_of_commit(rig: Rig) -> None:
    costs = {}
    rig.commit(rig.new_block())  # the first one pays for the counters' slots
    for chunks in (0, 512, 4096):
        receipt = rig.commit(rig.new_block(l2=b"\xab" * 15 * chunks))
        costs[chunks] = execution_gas(rig, receipt)
        print(f"gas: commit of {chunks} chunks: {receipt['gasUsed']:,} in all, {costs[chunks]:,} of execution")
    show("commit, empty block, execution", costs[0], 110_000)
    show("commit, a chunk of the first 512, execution", (costs[512] - costs[0]) / 512, 60)
    show("commit, a chunk of 4,096, execution", (costs[4096] - costs[0]) / 4096, 60)


def test_gas_of_proof(rig: Rig) -> None:
    verifier = rig.owner.deploy(rig.project.BlockVerifier)
    toy = TOYS[0]
    inputs = [int(value) for value in toy["inputs"]]
    receipt = rig.send(verifier, "verify", toy["block_size"], list(proof_words(toy["proof"])), inputs, sender=rig.bob)
    show("verification of a proof, with its transaction", receipt["gasUsed"], 240_000)


def fresh(n: int) -> str:
    return f"0x{0xABCD << 140 | n:040x}"


def test_gas_of_executing_the_most_withdrawals(rig: Rig) -> None:
    receipt = rig.run_block(*(withdraw_record(fresh(n), 10**18 + n) for n in range(RECORDS)))
    show(f"execution of {RECORDS} withdrawals to new owners", receipt["gasUsed"], EIP_7825_LIMIT * 0.75)


@pytest.mark.slow
def test_gas_of_executing_the_most_queue_operations(rig: Rig) -> None:
    """Every entry pays somebody new: refused deposits for others, and the fees go to a new committer."""
    value = 10**9 + FEE
    deposits = [rig.data(rig.rollup, "depositETH", 10**9, fresh(n), 0, 0) for n in range(RECORDS)]
    rig.send_together(rig.rollup, deposits, sender=rig.alice, value=value, gas=150_000)
    assert rig.rollup.queueTotal() == RECORDS
    records = [deposit_record(fresh(n), 10**9, flags=2, fee=BASE_FEE_GWEI) for n in range(RECORDS)]
    l1 = stream(*records)
    receipt = rig.commit(rig.new_block(l1=l1))
    show(f"commit of {RECORDS} deposits", receipt["gasUsed"], EIP_7825_LIMIT * 0.75)
    rig.prove(rig.last)
    receipt = rig.execute(rig.last, l1)
    show(f"execution of {RECORDS} refused deposits of new owners", receipt["gasUsed"], EIP_7825_LIMIT * 0.75)


def test_gas_of_one_call(rig: Rig) -> None:
    rig.deposit_eth(ETHER)
    rig.request_exit(1)
    l1 = stream(
        deposit_record(address(rig.alice), ETHER, account=1, flags=1, fee=BASE_FEE_GWEI),
        full_exit_record(address(rig.alice), 1, amount=5, fee=BASE_FEE_GWEI),
    )
    new = rig.new_block(l2=b"\xab" * 15 * 100, l1=l1)
    arguments = [astuple(rig.last), new.arguments(), PROOF, b""]
    receipt = rig.send(rig.rollup, "commitProveExecute", *arguments, sender=rig.validator)
    show("commitProveExecute of 100 chunks and 2 queue operations, without the pairing", receipt["gasUsed"], 350_000)
