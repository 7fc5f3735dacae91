"""kill -9 at every boundary and at random, against the real contract: no receipt is lost or contradicted, no operation
is done twice, and the node comes back by itself. The verifier accepts all, and the prover is a stand-in: what is tested
is what a node does with proofs, not the proofs.
"""

import json
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account as EthereumAccount
from kill_child import SIGNER_KEY, USERS

from bench.accept_all import AcceptAll, creation_codes
from rollup.core import TransferData, domain
from rollup.core.receipt import receipt_from_wire
from rollup.l1.abi import selector
from rollup.l1.anvil import Anvil
from rollup.l1.reader import Reader
from rollup.l1.rpc import JsonRpc
from rollup.node.database import Database
from rollup.node.rebuilding import rebuild

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("node-anvil")]
HERE = Path(__file__).parent
PAYMENTS_A_LIFE = 9
LIVES = 10
DEPOSIT = 10**18
SIGNER = EthereumAccount.from_key(SIGNER_KEY).address
KILLED = -signal.SIGKILL

POINTS = [
    # (where, before or after it, whether blocks pile up first so that they are committed, proven and executed apart)
    ("database.accept", False, False),
    ("database.accept", True, False),
    ("journal.append", True, False),
    ("signer.sign", True, False),
    ("child.noted", True, False),
    ("sealer.seal", False, False),
    ("sealer.seal", True, False),
    ("database.set_block", True, False),
    ("child.prove", False, False),
    ("child.prove", True, False),
    ("pool.submit", True, False),
    ("database.set_proven", False, False),
    ("database.set_proven", True, False),
    ("sender._hand_in", False, False),
    ("sender._hand_in", True, False),
    ("chain.commit_prove_execute", True, False),
    ("chain.commit", True, True),
    ("chain.prove", False, True),
    ("chain.prove", True, True),
    ("chain.execute", True, True),
]


class World:
    """A deployment, one node's folder, and the process whose children are its lives."""

    def __init__(self, l1: AcceptAll, governor: str, url: str, folder: Path, zygote: "subprocess.Popen[str]") -> None:
        self.l1, self.folder, self.zygote = l1, folder, zygote
        self.payments = 0
        self.job: dict[str, Any] = {
            "rollup": l1.rollup, "governor": governor, "deployed_at": l1.origin.deployed_at,
            "l1_genesis": l1.origin.l1_genesis, "rpc": url, "folder": str(folder),
            "database": f"sqlite:///{folder / 'node.db'}", "accounts": l1.accounts,
        }  # fmt: skip

    def live(self, **job: Any) -> int:
        """One life, that makes some more payments; how it ended."""
        self.payments += PAYMENTS_A_LIFE
        assert self.zygote.stdin is not None
        assert self.zygote.stdout is not None
        print(json.dumps(self.job | {"payments": self.payments} | job), file=self.zygote.stdin, flush=True)
        return int(self.zygote.stdout.readline())

    def check(self) -> None:
        """One more life without a kill ends well; then L1 has everything that was promised, once."""
        assert self.live() == 0
        rpc = JsonRpc(self.job["rpc"])
        rebuilt = Reader(rpc, self.l1.rollup, self.l1.origin.deployed_at).rebuild()
        streams = {block.block.number: (block.l2, block.l1) for block in rebuilt.blocks}
        lines = (self.folder / "receipts.jsonl").read_text().splitlines()
        receipts = {receipt_from_wire(json.loads(line)) for line in lines}
        rollup_domain = domain(31337, int(self.l1.rollup, 16))
        for receipt in receipts:
            receipt.check_signer(rollup_domain, (SIGNER,))
            receipt.check_kept(*streams[receipt.block_number])
        # An operation has one receipt, a place has one operation.
        assert len({receipt.operation_hash for receipt in receipts}) == len(receipts)
        assert len({(receipt.block_number, receipt.chunk_position) for receipt in receipts}) == len(receipts)
        paid = [each for operations in rebuilt.operations for each in operations if isinstance(each, TransferData)]
        times = Counter((payment.from_id, payment.amount) for payment in paid)
        assert set(times.values()) == {1}
        state = rebuilt.state
        nonces = sum(state.account(state.find(int(self.l1.accounts[n], 16))[0]).nonce for n in USERS)
        assert nonces == len(paid) >= self.payments
        held = sum(state.balance(account_id, 0) for account_id, _ in state.accounts())
        assert held == (len(USERS) + 1) * DEPOSIT


@pytest.fixture(scope="module")
def zygote() -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, str(HERE / "kill_child.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture(scope="module")
def codes() -> dict[str, bytes]:
    return creation_codes()


@pytest.fixture
def world(tmp_path: Path, zygote: "subprocess.Popen[str]", codes: dict[str, bytes]) -> Iterator[World]:
    with Anvil(accounts=max(USERS) + 1) as anvil:
        l1 = AcceptAll(JsonRpc(anvil.url), codes)
        l1.deposit([1, *USERS], DEPOSIT)
        yield World(l1, l1.governor, anvil.url, tmp_path, zygote)


def test_kill_at_every_boundary_keeps_every_receipt(world: World) -> None:
    for point, after, pile_up in POINTS:
        _kill_at(world, point, after, pile_up)
    world.check()


def test_kill_with_the_operators_sender_keeps_every_receipt(world: World) -> None:
    """Signed and not sent, sent and not seen, seen and not told; then at random."""
    world.job["durable"] = True
    for point, after in (("landing.submit", True), ("landing.sign", True), ("landing.place", False)):
        _kill_at(world, point, after, pile_up=False)
    rng = random.Random(1)
    killed = sum(world.live(seconds=rng.uniform(0.2, 1.0), seed=seed) == KILLED for seed in range(8))
    assert killed > 0
    world.check()


def _kill_at(world: World, point: str, after: bool, pile_up: bool) -> None:
    # How blocks fall together is chance, so some lives do not come to the point.
    lives = (world.live(point=point, skip=0, after=after, pile_up=pile_up, seed=seed) for seed in range(LIVES))
    ended = list(takewhile(lambda code: code != KILLED, lives))
    assert ended == [0] * len(ended)
    assert len(ended) < LIVES, (point, after)


@pytest.mark.parametrize("kills", [30, pytest.param(1_000, marks=pytest.mark.long)])
def test_kill_at_random_keeps_every_receipt(world: World, kills: int) -> None:
    rng = random.Random(kills)
    killed = 0
    for seed in range(20 * kills):
        ended = world.live(seconds=rng.uniform(0.02, 0.6), seed=seed, pile_up=seed % 3 == 0)
        assert ended in (0, KILLED), f"life {seed} ended with {ended}"
        killed += ended == KILLED
        if killed == kills:
            break
    assert killed == kills
    world.check()


def test_life_without_a_kill_ends_well(world: World) -> None:
    for _ in range(3):
        assert world.live() == 0
    world.check()


def test_life_after_the_database_was_lost_keeps_what_was_promised(world: World, tmp_path: Path) -> None:
    """From the journal alone if it is whole; else the state from L1, and what was not there yet from the journal."""
    assert world.live(point="child.noted", skip=4, after=True) == KILLED
    _lose_database(tmp_path)
    assert world.live() == 0
    assert world.live(point="child.noted", skip=4, after=True) == KILLED
    _lose_database(tmp_path)
    rpc, origin = JsonRpc(world.job["rpc"]), world.l1.origin
    proven = int.from_bytes(rpc.call(origin.rollup, selector("provenBlocks", [])), "big")
    for path in tmp_path.glob("journal/*.jsonl"):
        if int(path.stem) <= proven:
            path.unlink()
    assert world.live() == 1, "L1 has blocks that an empty database does not know"
    with Database(world.job["database"], origin) as database:
        assert rebuild(database, rpc, origin) == proven
        assert rebuild(database, rpc, origin) == proven
    world.check()


def _lose_database(folder: Path) -> None:
    for path in folder.glob("node.db*"):
        path.unlink()
