"""A rollup with a past, an operator of it that can be killed, and what everybody must get out of it."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from e2e_rig import ETHER, assigned, deposit_three, local_account, rebuilt, validator_of, wallet_of
from operator_child import POOL

from rollup.cli.main import cli
from rollup.cli.options import KEY_VARIABLE
from rollup.core.wire import dumps
from rollup.demo.world import Person, World
from rollup.l1.abi import L1Block, NewBlock
from rollup.l1.project import development_account
from rollup.node.matching import match_orders
from rollup.prover import BlockProver, ProvenBlock
from rollup.toolchain import ROOT

FEE = 10**15
DOLLARS = 10**6
"""One dollar in units."""
RESCUER = 8
"""Index of an L1 account that has nothing to do with the rollup."""
POINTS = ("sealed", "committed", "proven", "executed")
"""Where the operator can be killed."""
PAST_ENTRIES = 4
"""Queue entries of the past."""


def queue_past(world: World) -> None:
    """What users did on L1: three deposits of ETH, one of dollars by bob."""
    deposit_three(world)
    bob = world.people[1]
    world.sender.call("mint", world.token, "mint", ["address", "uint256"], [bob.address, 9 * DOLLARS], bob.account)
    world.client.allow(bob.signer, world.token, 9 * DOLLARS)
    world.client.deposit_erc20(bob.signer, 1, 9 * DOLLARS)


def make_past(world: World, first: ProvenBlock, prover: BlockProver) -> list[ProvenBlock]:
    """Three blocks: deposits; payments, one to carol who has only an address; an order that is filled in part."""
    queue_past(world)
    world.client.commit_prove_execute(world.operator.account, L1Block.genesis(), NewBlock.of(first.block), first.proof)
    validator = validator_of(world, prover, rebuilt(world))
    alice, bob = (wallet_of(validator, person) for person in world.people[:2])
    to_bob = alice.sign(alice.pay(bob.address, bob.account_id, 0, ETHER // 4, FEE))
    to_carol = alice.sign(alice.pay(int(world.people[2].address, 16), None, 0, ETHER // 10))
    validator.run([*assigned(validator, 3), to_bob, validator.accounts.assign(to_carol)])
    maker = alice.sign(alice.order(0, 3 * ETHER // 10, 1, 3 * DOLLARS, 3 * FEE))
    taker = bob.sign(bob.order(1, DOLLARS, 0, ETHER // 10))
    validator.run([match_orders(maker, taker, ETHER // 10, DOLLARS)])
    return [first, *(landed.proven for landed in validator.landed)]


def replay(world: World, past: Sequence[ProvenBlock]) -> None:
    """Bring a new chain to the end of the past."""
    queue_past(world)
    for proven in past:
        parent = rebuilt(world).last
        new = NewBlock.of(proven.block)
        world.client.commit_prove_execute(world.operator.account, parent, new, proven.proof)


def owed(world: World, block_four: bool) -> Counter[tuple[str, int]]:
    """By person and token what everybody must get, of the past and of what came then.

    A block takes in bob's demand of his dollars, pays carol a hundredth ether and sends alice a twentieth; `block_four`
    says whether it counts. After it alice demands an exit and carol deposits a fifth, which no block takes in. Whoever
    demands has sent twice the fee.
    """
    queue_fee = world.manifest.queue_fee_gwei * 10**9
    books = Counter(
        {
            ("operator", 0): ETHER + 2 * FEE + PAST_ENTRIES * queue_fee,
            ("alice", 0): ETHER - ETHER // 4 - FEE - ETHER // 10 - ETHER // 10 - FEE,
            ("alice", 1): DOLLARS,
            ("bob", 0): ETHER + ETHER // 4 + ETHER // 10 + queue_fee,
            ("bob", 1): 8 * DOLLARS,
            ("carol", 0): ETHER // 10,
        }
    )
    if block_four:
        books += Counter({("operator", 0): FEE + queue_fee, ("carol", 0): ETHER // 100})
        books -= Counter({("alice", 0): FEE, ("bob", 0): ETHER // 100})
    else:
        books["bob", 0] += queue_fee
    books += Counter({("alice", 0): 2 * queue_fee, ("carol", 0): ETHER // 5 + queue_fee})
    return books


class OperatorProcess:
    """The operator, in a process of its own."""

    def __init__(self, world: World, keys: Path, folder: Path) -> None:
        self.database = folder / "operator"
        self.database.mkdir()
        manifest = folder / "operator.json"
        world.manifest.save(manifest)
        state = rebuilt(world).state
        validator = validator_of(world, None, rebuilt(world))  # type: ignore[arg-type]  # for the wallets alone
        alice, bob = (wallet_of(validator, person) for person in world.people[:2])
        carol = int(world.people[2].address, 16)
        (carols,) = state.find(carol)
        alice.nonce = state.account(alice.account_id).nonce
        signed = [
            alice.sign(alice.withdraw(0, ETHER // 20, FEE)),
            bob.sign(bob.pay(carol, carols, 0, ETHER // 100)),
        ]
        (self.database / POOL).write_text("".join(dumps(each) + "\n" for each in signed))
        command = [sys.executable, str(Path(__file__).with_name("operator_child.py")), world.sender.rpc.url]
        self._process = subprocess.Popen(
            [*command, str(manifest), str(keys), str(self.database)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self._say("0x" + bytes(local_account(world.operator).key).hex())

    def run_to(self, point: str) -> None:
        """Let it go on until it says that it is there."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.strip() == point:
                return
            assert line.strip() in POINTS
            self._say("")
        raise AssertionError(f"the operator ended before it was {point}")

    def kill(self) -> None:
        """As kill -9 does."""
        self._process.send_signal(signal.SIGKILL)
        assert self._process.wait() == -signal.SIGKILL
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()


@dataclass(frozen=True)
class Sluice:
    """Runs `sluice` with a node and a key alone, in a folder that has the manifest and the exit kit."""

    folder: Path
    url: str

    def __call__(self, *arguments: str, by: Person | None = None) -> Result:
        """Run a command, by the rescuer unless somebody is named."""
        key = bytes(local_account(by).key).hex() if by else rescuer_key()
        with chdir(self.folder):
            return CliRunner().invoke(cli, [*arguments, "--rpc", self.url], env={KEY_VARIABLE: key})

    def done(self, *arguments: str, by: Person | None = None) -> str:
        """Run a command that must succeed; return what it prints."""
        result = self(*arguments, by=by)
        assert result.exit_code == 0, (result.output, result.exception)
        return result.stdout


def rescuer_key() -> str:
    key: Any = development_account(RESCUER).private_key
    return str(key).removeprefix("0x")


def check_nothing_is_left(world: World) -> None:
    """Item by item: nothing is owed on L2, in the queue or pending, and the contract holds nothing."""
    for token in (0, 1):
        assert (world.client.accounted(token), world.holdings(token)) == (0, 0)
