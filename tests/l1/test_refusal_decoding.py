"""What a contract reverts with becomes an exception with its name, its data and the way out."""

import re

import pytest
from eth_abi.abi import encode

from rollup.l1.abi import selector
from rollup.l1.errors import ContractRefused, TransactionReverted
from rollup.l1.refusals import WAYS_OUT, Refusals
from rollup.toolchain import ROOT

ABI = [
    {"type": "function", "name": "f", "inputs": []},
    {
        "type": "error",
        "name": "BlockOutOfOrder",
        "inputs": [{"name": "expected", "type": "uint64"}, {"name": "got", "type": "uint64"}],
    },
]


def test_decode_known_error_has_name_data_and_way_out() -> None:
    data = selector("BlockOutOfOrder", ["uint64", "uint64"]) + encode(["uint64", "uint64"], [3, 1])
    error = Refusals(ABI).decode("the block", data)
    assert isinstance(error, ContractRefused)
    assert (error.error, error.data) == ("BlockOutOfOrder", {"expected": 3, "got": 1})
    assert str(error).startswith("the block was refused with BlockOutOfOrder(expected = 3, got = 1): ")
    assert error.way_out == WAYS_OUT["BlockOutOfOrder"]


@pytest.mark.parametrize(
    ("data", "text", "reason"),
    [
        (b"", "out of gas", "out of gas"),
        (b"", "", "no reason given"),
        (selector("Error", ["string"]) + encode(["string"], ["no"]), "", "no"),
        (selector("Panic", ["uint256"]) + encode(["uint256"], [0x11]), "", "panic 0x11"),
        (b"\1\2\3\4", "", "unknown error 0x01020304"),
        (selector("BlockOutOfOrder", ["uint64", "uint64"]) + b"\0", "", "unknown error"),
    ],
)
def test_decode_other_data_says_what_there_is(data: bytes, text: str, reason: str) -> None:
    error = Refusals(ABI).decode("the block", data, text)
    assert isinstance(error, TransactionReverted)
    assert reason in error.reason


def test_ways_out_name_every_error_of_the_interfaces_and_no_other() -> None:
    declared = set()
    for path in (ROOT / "contracts").rglob("*.sol"):
        if "mocks" not in path.parts:
            declared |= set(re.findall(r"^\s*error (\w+)\(", path.read_text(), re.MULTILINE))
    libraries = {name for name in WAYS_OUT if re.match(r"ERC20|SafeERC20|Ownable|Reentrancy", name)}
    assert set(WAYS_OUT) - libraries == declared
