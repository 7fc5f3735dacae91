"""Shared by all tests: the pinned tools are found from a plain `pytest` too."""

import pytest

from rollup.toolchain import use_tool_environment

use_tool_environment()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-gas", action="store_true", help="write tests/contracts/gas.json, not compare")
