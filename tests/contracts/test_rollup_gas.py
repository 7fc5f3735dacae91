"""Gas: every number as committed in gas.json, and the limits that the design sets.

`make gas` writes the file anew; what has changed is then in the diff.
"""

import json
from pathlib import Path

import pytest
from block_model import deposit_record, stream, withdraw_record
from contract_rig import BASE_FEE_GWEI, FEE, Rig
from gas_costs import fresh, measure

from rollup.core.constants import MAX_L1_OPERATIONS_PER_BLOCK

SNAPSHOT = Path(__file__).parent / "gas.json"
EIP_7825_LIMIT = 2**24
RECORDS = MAX_L1_OPERATIONS_PER_BLOCK
LIMITS = {
    "depositETH": 80_000,
    "depositETH with a key": 80_000,
    "depositERC20": 110_000,
    "depositERC20 with a key": 110_000,
    "requestFullExit": 80_000,
    # Both are whole transactions, so the sum counts 21,000 and the proof's calldata twice.
    "exitExodus, without the proof + verify an exit, a transaction": 350_000,
    "revertBlocks, 32 committed": 90_000,
    "activateExodus": 130_000,
    "refundQueued, a deposit of an ERC-20": 110_000,
    "a Transfer in commitBlocks, execution alone": 130,
    # A deposit with a key, so the longest, in a block of deposits alone; calldata of both calls and L2 marker included.
    "Deposit: commitBlocks + Deposit: executeBlocks": 10_000,
}


def show(what: str, gas: float, ceiling: float) -> None:
    print(f"gas: {what}: {gas:,.0f} (ceiling {ceiling:,.0f})")
    assert gas <= ceiling


@pytest.mark.slow
def test_gas_is_as_committed(rig: Rig, pytestconfig: pytest.Config) -> None:
    measured = measure(rig)
    if pytestconfig.getoption("write_gas"):
        SNAPSHOT.write_text(json.dumps(measured, indent=2) + "\n")
    committed = json.loads(SNAPSHOT.read_text())
    for name, gas in measured.items():
        print(f"gas: {name}: {gas:,} (committed {committed.get(name, 0):,})")
    assert measured == committed, "see the numbers above; if they are as wanted, `make gas` commits to them"


def test_gas_limits_hold() -> None:
    committed = json.loads(SNAPSHOT.read_text())
    for name, limit in LIMITS.items():
        show(name, sum(committed[part] for part in name.split(" + ")), limit)


def test_gas_of_reverting_does_not_depend_on_how_much_was_committed() -> None:
    committed = json.loads(SNAPSHOT.read_text())
    # The second block's number and queue end may have a zero byte more or less.
    assert abs(committed["revertBlocks, 32 committed"] - committed["revertBlocks, 1 committed"]) < 100


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
