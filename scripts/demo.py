"""`ape run demo`: the same as `sluice demo`, on an anvil of its own."""

from rollup.cli.demo import demo as cli  # noqa: F401
from rollup.toolchain import use_tool_environment

use_tool_environment()
