"""What `sluice doctor` asks for is what package.json and pyproject.toml pin."""

import re
from importlib import metadata

from rollup.cli import doctor


def test_needed_tools_have_a_version_each() -> None:
    needed = doctor.needed_tools()
    assert set(needed) == {"node", "anvil", "solc", "circom2"}
    assert all(re.fullmatch(r"\d+(\.\d+)*", version) for version in needed.values())


def test_needed_packages_are_the_installed_ones() -> None:
    needed = doctor.needed_packages()
    assert set(needed) == {"eth-ape", "ape-solidity", "ape-foundry"}
    assert needed == {name: metadata.version(name) for name in needed}
