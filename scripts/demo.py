"""`ape run demo`: the same as `sluice demo`, on an anvil of its own."""

from rollup.cli.demo import demo as cli  # noqa: F401
