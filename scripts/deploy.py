"""`ape run deploy --network ethereum:local:foundry`: the same as `sluice deploy`; see `rollup.l1.deployment`."""

from rollup.cli.chain import deploy as cli  # noqa: F401
from rollup.toolchain import use_tool_environment

# For a plain shell: before ape looks for anvil and solc.
use_tool_environment()
