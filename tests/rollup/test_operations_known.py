"""Adding an operation: the tables that must know it. Where one is forgotten, this fails."""

from dataclasses import fields
from typing import get_args

import pytest
from test_core_wire import EXAMPLES

from rollup.core import wire
from rollup.core.constants import Op
from rollup.core.operations import (
    ChangePubKeyData,
    Deposit,
    ForcedExitData,
    FullExit,
    Noop,
    Published,
    PublishedOperation,
    PublishedStep,
    StepOperation,
    SwapData,
    WithdrawData,
)
from rollup.core.step_signals import _KINDS
from rollup.core.streams import _DECODERS
from rollup.core.wire import WireOperation
from rollup.l1.constants_source import render

RECORDED: tuple[Published, ...] = (
    Deposit(1, 2, 3, 4),
    FullExit(1, 2, 3, 4),
    WithdrawData(1, 2, 3, 4, 5),
    ForcedExitData(1, 2, 3, 4, 5, 6, 7),
    ChangePubKeyData(1, 2, (3, 4), 5, 6, 7),
)


def test_every_operation_is_known_everywhere() -> None:
    codes = set(Op) - {Op.NOOP}
    published = set(get_args(PublishedStep))
    assert {kind.OP for kind in published - {Noop}} == codes
    assert set(_DECODERS) == codes
    assert set(_KINDS) == set(get_args(StepOperation))
    assert set(wire.TYPES.values()) == set(get_args(WireOperation))
    assert {type(example) for example in EXAMPLES} == set(get_args(WireOperation))
    # A swap is three steps, and so no step itself.
    assert set(get_args(PublishedOperation)) - {SwapData} < published


def test_every_operation_with_a_record_is_named_to_the_contracts() -> None:
    with_record = {kind for kind in get_args(PublishedStep) if kind.RECORD_WORDS}
    assert {type(operation) for operation in RECORDED} == with_record
    constants = render()
    for op in Op:
        assert (f"constant OP_{op.name} = {int(op)};" in constants) == (op in {kind.OP for kind in with_record})


@pytest.mark.parametrize("operation", RECORDED, ids=lambda operation: type(operation).__name__)
def test_record_has_the_words_that_its_class_says(operation: Published) -> None:
    assert len(operation.record()) == operation.RECORD_WORDS


def test_every_field_of_an_operation_as_json_has_a_form() -> None:
    known = {
        field.name
        for kind in get_args(WireOperation)
        for field in fields(kind)
        if field.name not in wire.VALIDATORS_PART.get(kind, {})
    }
    assert set(wire._CODECS) == known
