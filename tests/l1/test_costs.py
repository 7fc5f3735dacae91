"""The node's figures for gas are those of gas.json, and bound what whole transactions were measured to cost."""

import json
from pathlib import Path

import pytest

from rollup.core.constants import CHUNK_BYTES, Op
from rollup.core.operations import (
    CancelOrderData,
    ChangePubKey,
    ChangePubKeyData,
    Deposit,
    FillData,
    ForcedExitData,
    FullExit,
    SettlementData,
    TransferData,
    TransferToAddressData,
    WithdrawData,
)
from rollup.l1 import costs
from rollup.l1.costs import EMPTY, OPERATIONS, BlockLoad, OperationGas, load_of

GAS = json.loads((Path(__file__).parents[1] / "contracts" / "gas.json").read_text())
CALLS = "commitBlocks", "proveBlocks", "executeBlocks"
TOGETHER = {n: [GAS[f"35 Transfers in each block, {n} at once: {call}"] for call in CALLS] for n in range(1, 9)}
ONE_CALL = GAS["35 Transfers, in one call"]
FULL = sum([load_of(Op.TRANSFER)] * 35, EMPTY)
KEY_CHANGE = ChangePubKey(0, 1, (0, 1), 0, 0, 0, 0)
RECORDS = {
    Op.DEPOSIT: "Deposit refused, new owner",
    Op.FULL_EXIT: "FullExit, new owner",
    Op.WITHDRAW: "Withdraw, new owner",
    Op.CHANGE_PUB_KEY: "ChangePubKey, signed",
    Op.FORCED_EXIT: "ForcedExit, new owner",
}


TRANSFERS = 35 * (CHUNK_BYTES * costs.BYTE_GAS + costs.CHUNK_GAS)


def test_figures_are_as_measured() -> None:
    one, most = TOGETHER[1], [max(TOGETHER[n + 1][call] - TOGETHER[n][call] for n in range(1, 8)) for call in range(3)]
    assert GAS["a Transfer in commitBlocks, execution alone"] == costs.CHUNK_GAS
    assert GAS["commitBlocks, one block of 512 chunks"] == costs.COMMIT_FLOOR_GAS + 512 * CHUNK_BYTES * 40
    most[1] = max(TOGETHER[n + 1][1] - TOGETHER[n][1] for n in range(2, 8))
    assert TOGETHER[2][1] - TOGETHER[1][1] == costs.PROVE_TOGETHER_GAS + costs.PROVE_BLOCK_GAS
    assert one == [costs.COMMIT_GAS + TRANSFERS, costs.PROVE_GAS, costs.EXECUTE_GAS]
    assert most == [costs.COMMIT_BLOCK_GAS + TRANSFERS, costs.PROVE_BLOCK_GAS, costs.EXECUTE_BLOCK_GAS]
    assert ONE_CALL == costs.ONE_CALL_GAS + TRANSFERS


@pytest.mark.parametrize(("code", "name"), RECORDS.items())
def test_records_are_as_measured(code: Op, name: str) -> None:
    alone = [GAS[f"{name}: {call}, execution alone"] for call in CALLS if call != "proveBlocks"]
    assert [OPERATIONS[code].commit, OPERATIONS[code].execute] == alone


def test_every_operation_has_its_size() -> None:
    fill = FillData(0, 0, 0, 1, 1, 1)
    published = {
        Op.DEPOSIT: [Deposit(0, 0, 1, 1)],
        Op.FULL_EXIT: [FullExit(0, 0, 1, 0)],
        Op.TRANSFER: [TransferData(0, 1, 0, 1, 1)],
        Op.TRANSFER_TO_ADDRESS: [TransferToAddressData(0, 1, 1, 0, 1, 1)],
        Op.WITHDRAW: [WithdrawData(0, 0, 1, 1, 1)],
        Op.CHANGE_PUB_KEY: [ChangePubKeyData(0, 1, (0, 1), 0, 0, 1)],
        Op.FORCED_EXIT: [ForcedExitData(0, 0, 0, 1, 1, 1, 0)],
        Op.SWAP: [fill, fill, SettlementData(fill, fill)],
        Op.CANCEL_ORDER: [CancelOrderData(0, 0, 1, 0, 1)],
    }
    assert set(OPERATIONS) == set(published) == set(Op) - {Op.NOOP}
    for code, steps in published.items():
        sizes = sum(len(step.chunks()) for step in steps), sum(len(step.record()) for step in steps)
        assert (OPERATIONS[code].chunks, OPERATIONS[code].words) == sizes, code
    assert OPERATIONS[Op.CHANGE_PUB_KEY].key_auth == len(KEY_CHANGE.key_auth())


@pytest.mark.parametrize("count", TOGETHER)
def test_bounds_are_above_what_was_measured_and_close(count: int) -> None:
    bounds = [costs.commit_gas([FULL] * count), costs.prove_gas(count), costs.execute_gas([EMPTY] * count)]
    for measured, bound in zip(TOGETHER[count], bounds, strict=True):
        assert measured <= bound <= 1.05 * measured


def test_bounds_of_much_data_follow_the_floor() -> None:
    for chunks in (0, 512, 4096):
        bound = costs.commit_gas([BlockLoad(data_bytes=chunks * CHUNK_BYTES, commit=chunks * costs.CHUNK_GAS)])
        measured = GAS[f"commitBlocks, one block of {chunks} chunks"]
        assert measured <= bound <= 1.01 * measured
    load = sum([load_of(Op.TRANSFER)] * 100 + [load_of(Op.DEPOSIT), load_of(Op.FULL_EXIT)], EMPTY)
    measured = GAS["commitProveExecute, 100 Transfers and 2 queue operations, without the proof"]
    assert measured + GAS["verify, execution alone"] <= costs.one_call_gas(load)


def test_blocks_cost_less_together_from_so_many_on() -> None:
    cheaper = [count for count, calls in TOGETHER.items() if sum(calls) < count * ONE_CALL]
    assert cheaper == list(range(costs.TOGETHER_FROM, 9))
    bounds = [costs.commit_gas([FULL] * n) + costs.prove_gas(n) + costs.execute_gas([FULL] * n) for n in TOGETHER]
    assert [n for n, bound in enumerate(bounds, 1) if bound < n * costs.one_call_gas(FULL)] == cheaper


def test_operation_tells_data_and_execution_apart() -> None:
    assert (OPERATIONS[Op.TRANSFER].data, OPERATIONS[Op.TRANSFER].execution) == (15 * 40, 46)
    withdraw = OPERATIONS[Op.WITHDRAW]
    assert withdraw.data_bytes == 15 + 64
    assert (withdraw.data, withdraw.execution) == (79 * 40 + 64 * 16, 769 + 25_155)
    assert OperationGas(2, 1, 5).data_bytes == 30 + 32 + 5


def test_load_of_streams_bounds_every_kind_of_record() -> None:
    for code, gas in OPERATIONS.items():
        exact, bound = load_of(code), costs.load_of_streams(gas.chunks, gas.words, 1 if gas.words else 0)
        for name in BlockLoad.__slots__:
            assert getattr(exact, name) <= getattr(bound, name)
        assert gas.words or exact == bound
