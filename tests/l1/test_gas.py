"""Telling a transaction's gas apart, without a node."""

from types import SimpleNamespace
from typing import Any

import pytest

from rollup.l1.gas import verification_gas
from rollup.l1.rpc import RpcError
from rollup.l1.sending import BASE_GAS

VERIFIER = "0x" + 20 * "Ab"


def node(answer: Any) -> Any:
    def rpc(method: str, *_: object) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return rpc


def sent(gas_used: int) -> Any:
    return SimpleNamespace(transaction="0x00", gas_used=gas_used)


def test_verification_gas_node_cannot_trace_is_zero() -> None:
    error = RpcError("debug_traceTransaction", "the method does not exist")
    assert verification_gas(node(error), VERIFIER, sent(1_000_000)) == 0


@pytest.mark.parametrize(("gas_used", "expected"), [(1_000_000, 0x3000), (BASE_GAS + 5, 5)])
def test_verification_gas_sums_calls_of_the_verifier_up_to_what_was_charged(gas_used: int, expected: int) -> None:
    inner = {"to": VERIFIER.lower(), "gasUsed": "0x1000", "calls": [{"to": "0x08", "gasUsed": "0x900"}]}
    outer = {"to": VERIFIER, "gasUsed": "0x2000"}
    trace = {"to": "0xcc", "gasUsed": "0xffff", "calls": [{"to": "0xdd", "gasUsed": "0x1", "calls": [inner]}, outer]}
    assert verification_gas(node(trace), VERIFIER, sent(gas_used)) == expected
