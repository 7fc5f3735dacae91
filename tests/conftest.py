"""Shared by all tests: the pinned tools are found from a plain `pytest` too."""

from rollup.toolchain import use_tool_environment

use_tool_environment()
