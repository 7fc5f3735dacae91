"""`circuits/generated/constants.circom` is what `rollup.core.constants` says."""

import re
from pathlib import Path

from rollup.circuits.constants import constants_path, constants_source, write_constants
from rollup.core import constants
from rollup.core.constants import Op
from rollup.toolchain import ROOT


def test_committed_constants_are_fresh() -> None:
    assert constants_path(ROOT).read_text() == constants_source(), "run `.venv/bin/sluice build constants`"


def test_constants_read_back_are_the_protocols() -> None:
    written = re.findall(r"function (\w+)\(\) \{ return (\d+); \}", constants_source())
    values = {name: int(value) for name, value in written}
    assert values["ACCOUNT_LEVELS"] == constants.ACCOUNT_LEVELS
    assert {name: value for name, value in values.items() if name.startswith("OP_") and name != "OP_BITS"} == {
        f"OP_{op.name}": int(op) for op in Op
    }


def test_write_constants_writes_stale_ones_only(tmp_path: Path) -> None:
    assert write_constants(tmp_path)
    assert not write_constants(tmp_path)
    constants_path(tmp_path).write_text("stale")
    assert write_constants(tmp_path)
    assert constants_path(tmp_path).read_text() == constants_source()
