"""The node's core with real proofs on the real contract: a receipt, money spent at once, a crash, finality."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from e2e_rig import ETHER, STEPS, deposit_three, l1_balance, rebuilt

from rollup.cli.receipt import receipt as receipt_command
from rollup.core.operations import Transfer, Withdraw
from rollup.core.receipt import Receipt, receipt_to_wire
from rollup.demo.world import Person, World
from rollup.l1.feed import Origin
from rollup.l1.lookup import Stage
from rollup.node.chain import RollupChain
from rollup.node.core import Node, Rollup
from rollup.node.database import Database
from rollup.node.journal import Journal
from rollup.node.policy import Policy
from rollup.node.provers import LocalPool
from rollup.node.signing import LocalSigner
from rollup.prover import BlockProver

pytestmark = pytest.mark.slow


class Running:
    """A node, stepped by hand."""

    def __init__(self, world: World, prover: BlockProver, folder: Path) -> None:
        manifest = world.manifest
        self.database = Database(f"sqlite:///{folder / 'node.db'}", Origin.of(manifest))
        journal = Journal(folder / "journal", manifest.domain)
        private_key = bytes.fromhex(world.operator.account.private_key[2:])  # type: ignore[attr-defined]
        self.node = Node(
            self.database, journal, Rollup(manifest.domain, manifest.fee_tokens, manifest.block_sizes),
            LocalSigner(private_key), RollupChain(world.client, manifest, world.operator.account),
            LocalPool(lambda block: prover.prove(block).proof), Policy(),
        )  # fmt: skip
        self.node.connect()

    def finish(self) -> None:
        self.node.sequencer.close()
        while self.node.pipeline.waiting:
            self.node.pipeline.step()
        while self.node.lander.step():
            pass


def account(world: World, running: Running, person: Person) -> int:
    (account_id,) = running.node.sequencer.ledger.state.find(int(person.address, 16))
    return account_id


def test_node_promises_proves_and_lands_across_a_crash(world: World, prover: BlockProver, tmp_path: Path) -> None:
    deposit_three(world)
    alice, bob = world.people[:2]
    running = Running(world, prover, tmp_path)
    running.finish()
    ids = account(world, running, alice), account(world, running, bob)
    assert alice.key is not None
    assert bob.key is not None
    payment = Transfer(*ids, int(bob.address, 16), 0, ETHER, 0, 0)
    # Bob spends what he has just got: a wei more than his own.
    spent = Withdraw(ids[1], 0xDD, 0, ETHER + 1, 0, 0)
    domain = world.manifest.domain
    operations = [alice.key.sign(payment, domain), bob.key.sign(spent, domain)]
    promised = running.node.sequencer.submit(operations)
    running.database.close()

    running = Running(world, prover, tmp_path)
    assert running.node.sequencer.submit(operations) == promised
    receipt = promised[1]
    assert isinstance(receipt, Receipt)
    file, manifest = tmp_path / "receipt.json", tmp_path / "manifest.json"
    file.write_text(json.dumps(receipt_to_wire(receipt)))
    world.manifest.save(manifest)
    arguments = ["verify", str(file), "--manifest", str(manifest), "--json", "--rpc", world.sender.rpc.url]
    before = CliRunner().invoke(receipt_command, arguments)
    assert json.loads(before.output)["stage"] == Stage.ABSENT
    running.finish()
    after = CliRunner().invoke(receipt_command, arguments)
    assert json.loads(after.output)["stage"] == Stage.EXECUTED, after.output

    assert [block.block.block_size for block in rebuilt(world).blocks] == [STEPS, STEPS]
    world.client.withdraw_pending(world.operator.account, f"0x{0xDD:040x}", 0)
    assert l1_balance(world, f"0x{0xDD:040x}", 0) == ETHER + 1
    running.database.close()
