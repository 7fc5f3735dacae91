"""The pinned set works together: ape, its plugins, our solc and anvil, offline."""

import os
from pathlib import Path

import pytest

from rollup.toolchain import ROOT, ToolMissing, require_tool, tool_environment

PROBE = """// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
contract Probe is ERC20 { constructor() ERC20("Probe", "P") { _mint(msg.sender, 7); } }
"""


def test_tool_environment_applied_twice_changes_nothing_more() -> None:
    once = tool_environment({"PATH": "/bin"})
    assert tool_environment(once) == once
    assert once["PATH"].endswith(os.pathsep + "/bin")


def test_require_tool_unknown_names_it_and_the_way_out() -> None:
    with pytest.raises(ToolMissing, match=r"no-such-tool: .*make setup"):
        require_tool("no-such-tool")


@pytest.mark.slow
def test_ape_compiles_openzeppelin_and_deploys_on_anvil(tmp_path: Path) -> None:
    ape = pytest.importorskip("ape")
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "Probe.sol").write_text(PROBE)
    # The real configuration, so that it is what the test proves; npm dependencies are looked up beside it.
    (tmp_path / "ape-config.yaml").write_text((ROOT / "ape-config.yaml").read_text())
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    project = ape.Project(tmp_path)
    with ape.networks.ethereum.local.use_provider("foundry") as provider:
        owner = ape.accounts.test_accounts[0]
        probe = owner.deploy(project.Probe)
        assert probe.balanceOf(owner) == 7
        assert "anvil" in provider.web3.client_version
