"""The operator's own arithmetic, without a node."""

from types import SimpleNamespace
from typing import Any

import pytest

from rollup.core.operations import Deposit, domain
from rollup.demo.errors import DemoFailed
from rollup.demo.operator import Operator, verification_gas
from rollup.l1.rpc import RpcError
from rollup.l1.sender import BASE_GAS
from rollup.progress import Bars

VERIFIER = "0x" + 20 * "Ab"


def world(answer: Any) -> Any:
    def rpc(method: str, *_: object) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    contracts = {"BlockVerifier": SimpleNamespace(address=VERIFIER)}
    return SimpleNamespace(sender=SimpleNamespace(rpc=rpc), manifest=SimpleNamespace(contracts=contracts))


def sent(gas_used: int) -> Any:
    return SimpleNamespace(transaction="0x00", gas_used=gas_used)


def test_verification_gas_node_cannot_trace_is_zero() -> None:
    error = RpcError("debug_traceTransaction", "the method does not exist")
    assert verification_gas(world(error), sent(1_000_000)) == 0


@pytest.mark.parametrize(("gas_used", "expected"), [(1_000_000, 0x3000), (BASE_GAS + 5, 5)])
def test_verification_gas_sums_calls_of_the_verifier_up_to_what_was_charged(gas_used: int, expected: int) -> None:
    inner = {"to": VERIFIER.lower(), "gasUsed": "0x1000", "calls": [{"to": "0x08", "gasUsed": "0x900"}]}
    outer = {"to": VERIFIER, "gasUsed": "0x2000"}
    trace = {"to": "0xcc", "gasUsed": "0xffff", "calls": [{"to": "0xdd", "gasUsed": "0x1", "calls": [inner]}, outer]}
    assert verification_gas(world(trace), sent(gas_used)) == expected


OPERATOR, STRANGER = 0xAA, 0xBB


def operator() -> Operator:
    manifest = SimpleNamespace(fee_tokens=tuple(range(8)))
    person = SimpleNamespace(address=f"{OPERATOR:#042x}")
    rollup: Any = SimpleNamespace(domain=domain(1, 1), manifest=manifest, operator=person)
    prover: Any = None
    return Operator(rollup, prover, Bars(quiet=True))


def deposit(owner: int) -> Deposit:
    return Deposit(account_id=0, owner=owner, token=0, amount=1)


def test_seal_operators_deposit_behind_a_strangers_fees_go_to_the_operator() -> None:
    ours = operator()
    sealed = ours.seal([ours.assign(deposit(STRANGER)), ours.assign(deposit(OPERATOR))], 2)
    assert sealed.header.fee_account == 1
    assert ours.state.account(1).address == OPERATOR


def test_seal_operator_without_a_deposit_is_refused() -> None:
    ours = operator()
    with pytest.raises(DemoFailed, match="must deposit first"):
        ours.seal([ours.assign(deposit(STRANGER))], 2)


def test_seal_operators_deposit_not_in_the_block_yet_is_refused() -> None:
    ours = operator()
    first, _ = ours.assign(deposit(STRANGER)), ours.assign(deposit(OPERATOR))
    with pytest.raises(DemoFailed, match="account 1 is to get the fees"):
        ours.seal([first], 2)
    assert not list(ours.state.accounts())
