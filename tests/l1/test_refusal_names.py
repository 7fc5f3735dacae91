"""What a contract reverts with becomes an exception with its name, its data and the way out."""

import re
from pathlib import Path

import pytest
from eth_abi.abi import encode

from rollup.l1.abi import selector
from rollup.l1.contract_errors import DECLARATIONS
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
        (selector("Error", ["string"]) + encode(["uint256", "uint256"], [32, 2**63]), "", "unknown error 0x08c379a0"),
        (selector("Error", ["string"]) + encode(["bytes"], [b"\xff"]), "", "unknown error 0x08c379a0"),
        (selector("BlockOutOfOrder", ["uint64", "uint64"]) + b"\0", "", "unknown error"),
    ],
)
def test_decode_other_data_says_what_there_is(data: bytes, text: str, reason: str) -> None:
    error = Refusals(ABI).decode("the block", data, text)
    assert isinstance(error, TransactionReverted)
    assert reason in error.reason


LIBRARY = re.compile(r"ERC20|SafeERC20|Ownable|Reentrancy")


def declared(folder: Path) -> set[str]:
    """What errors the sources in a folder declare, as `DECLARATIONS` writes them."""
    found: set[str] = set()
    for path in folder.rglob("*.sol"):
        # `.cache` is where ape copies OpenZeppelin to
        if not {"mocks", ".cache"} & set(path.parts):
            for name, fields in re.findall(r"^\s*error (\w+)\(([^)]*)\)", path.read_text(), re.MULTILINE):
                found.add(f"{name}({' '.join(fields.split())})")
    return found


def test_ways_out_name_every_error_of_the_interfaces_and_no_other() -> None:
    libraries = {name for name in WAYS_OUT if LIBRARY.match(name)}
    assert set(WAYS_OUT) - libraries == {text.partition("(")[0] for text in declared(ROOT / "contracts")}


def test_declarations_are_those_of_the_sources() -> None:
    """If this fails after a change of the contracts: write what is missing into rollup/l1/contract_errors.py."""
    written = set(DECLARATIONS.split("\n")) - {""}
    libraries = {line for line in written if LIBRARY.match(line)}
    assert written - libraries == declared(ROOT / "contracts")
    assert libraries <= declared(ROOT / "node_modules" / "@openzeppelin" / "contracts")
    assert {line.partition("(")[0] for line in libraries} == {name for name in WAYS_OUT if LIBRARY.match(name)}


def test_decode_without_the_contracts_knows_every_error_with_its_data() -> None:
    refusals = Refusals.of_contracts()
    assert refusals.names() == set(WAYS_OUT)
    types = ["address", "uint256", "uint256"]
    data = selector("ERC20InsufficientBalance", types) + encode(types, ["0x" + 40 * "1", 2, 3])
    error = refusals.decode("the deposit", data)
    assert isinstance(error, ContractRefused)
    assert error.data == {"sender": "0x" + 40 * "1", "balance": 2, "needed": 3}
