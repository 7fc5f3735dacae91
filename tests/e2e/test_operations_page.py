"""docs/operations.md for users, typed as it stands into a plain installation of the wheel: no ape, no checkout."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e_rig import ETHER, STEPS, jump, l1_balance, local_account, rebuilt, validator_of, wallet_of
from exodus_rig import DOLLARS, check_nothing_is_left, replay
from plain_install import install

from rollup.circuits.keys import find_exit_kit
from rollup.demo.world import World
from rollup.exits.status import read_status
from rollup.l1.abi import NewBlock
from rollup.prover import BlockProver, ProvenBlock
from rollup.toolchain import ROOT

pytestmark = pytest.mark.slow
SAFE = "0x5aFE000000000000000000000000000000000001"


def commands() -> list[str]:
    """What the page says to type when the operator is gone."""
    _, *sections = (ROOT / "docs" / "operations.md").read_text().split("\n## ")
    (section,) = (text for text in sections if text.startswith("The operator is gone"))
    blocks = re.findall(r"```console\n(.*?)```", section, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert all(line.startswith("$ sluice ") for line in lines)
    return [line.removeprefix("$ ") for line in lines]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`sluice` of the wheel."""
    return install(tmp_path_factory.mktemp("plain"))


class Shell:
    """A user's shell: his files, the node's address, and nothing of ours on the path but the installed `sluice`."""

    def __init__(self, world: World, folder: Path, sluice: Path, keys: Path) -> None:
        me, friend = world.people[0], world.people[1]
        world.manifest.save(folder / "deployment.json")
        shutil.copy(find_exit_kit(keys), folder / "exit.kit")
        (folder / "key.txt").write_text(bytes(local_account(me).key).hex())
        (folder / "key.txt").chmod(0o600)
        self.folder = folder
        self._environment = {
            "PATH": f"{sluice.parent}:{os.defpath}",
            "HOME": str(folder),
            "RPC": world.sender.rpc.url,
            "ME": me.address,
            "FRIEND": friend.address,
            "SAFE": SAFE,
        }

    def type(self, command: str) -> str:
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env=self._environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout


@pytest.fixture
def left_alone(world: World, past: list[ProvenBlock], prover: BlockProver) -> Iterator[World]:
    """A chain that owes alice something already, with a block that nobody proves and a deposit that nobody takes in."""
    replay(world, past)
    validator = validator_of(world, prover, rebuilt(world))
    alice = wallet_of(validator, world.people[0])
    validator.run([alice.sign(alice.withdraw(0, 7)), alice.sign(alice.withdraw(1, 3))])
    unproven = validator.seal([alice.sign(alice.withdraw(0, ETHER // 100))], STEPS)
    world.client.commit(world.operator.signer, rebuilt(world).last, [NewBlock.of(unproven)])
    world.client.deposit_eth(world.people[1].signer, ETHER // 3)
    return world


def test_page_typed_as_it_stands_gets_everybody_out(
    left_alone: World, tmp_path: Path, installed: Path, keys: Path
) -> None:
    world, (alice, bob, carol) = left_alone, left_alone.people
    shell = Shell(world, tmp_path, installed, keys)
    said: dict[str, str] = {}
    for command in commands():
        status = read_status(world.client)
        if " revert " in command:
            assert status.revert_due is not None
            jump(world, status.revert_due)
        if " activate " in command:
            assert status.exodus_due is not None
            jump(world, status.exodus_due)
        said[command] = shell.type(command)
    assert l1_balance(world, SAFE, 1) == 3
    assert l1_balance(world, alice.address, 1) == DOLLARS - 3
    assert l1_balance(world, bob.address, 1) == 8 * DOLLARS
    assert read_status(world.client).waiting[0].operation.owner == int(bob.address, 16)
    assert not world.client.is_queued(4)
    check_nothing_is_left(world)
    assert any("blocks 5 to 5 are void" in text for text in said.values())
    assert any(f"of {carol.address} paid out" in text for text in said.values())
