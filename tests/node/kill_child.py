"""A node that kills itself with SIGKILL where it is told to, and a client that notes each receipt it got.

Started once, it forks a child for each line of JSON on its standard input, and answers with how the child ended: so a
run costs no start of the interpreter. Nothing of this is in the node: its methods are wrapped from here.
"""

import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from eth_account import Account as EthereumAccount

from rollup.core.operations import Transfer, domain
from rollup.core.receipt import Receipt, receipt_to_wire
from rollup.l1.client import RollupClient
from rollup.l1.errors import NodeUnreachable
from rollup.l1.feed import Origin
from rollup.l1.key_sender import KeySender
from rollup.l1.manifest import DeployedContract, Manifest
from rollup.l1.refusals import Refusals
from rollup.l1.rpc import JsonRpc
from rollup.l1.sending import Sending
from rollup.landing import signing as landing_signing
from rollup.landing.config import SenderConfig
from rollup.landing.endpoints import Endpoints
from rollup.landing.journal import Journal as LandingJournal
from rollup.landing.sender import L1Sender
from rollup.landing.sending import DurableSending
from rollup.node.chain import RollupChain
from rollup.node.core import Node, Rollup
from rollup.node.database import Database
from rollup.node.errors import BacklogError
from rollup.node.journal import Journal
from rollup.node.policy import Policy
from rollup.node.provers import LocalPool
from rollup.node.signing import LocalSigner
from rollup.wallet.keys import L2Key

PAYER_KEY, SIGNER_KEY = (
    bytes.fromhex(key)
    for key in (
        # The first two accounts of every anvil.
        "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
        "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    )
)
USERS = (2, 3, 4)
"""Anvil's accounts that pay each other; of each the L2 key is its number + 1."""
BLOCK_SIZE = 8
GROUP = 6
TIMEOUT_SECONDS = 120


def die(*_: Any, **__: Any) -> None:
    """The end, without any chance to tidy up."""
    os.kill(os.getpid(), signal.SIGKILL)


class Killer:
    """Wraps a method so that its `skip + 1`th call is the last thing the process does."""

    def __init__(self, skip: int, after: bool) -> None:
        self.left, self.after = skip, after

    def wrap(self, owner: Any, name: str) -> None:
        original: Callable[..., Any] = getattr(owner, name)

        def call(*args: Any, **values: Any) -> Any:
            self.left -= 1
            if self.left < 0 and not self.after:
                die()
            result = original(*args, **values)
            if self.left < 0:
                die()
            return result

        object.__setattr__(owner, name, call)


class Child:
    """One life of the node.

    Args:
        job: rollup, governor, deployed_at, l1_genesis, rpc, folder, database; payments: how many to make at least;
            point, skip, after: where to die; or seconds: when; or neither; pile_up: nothing lands before all is proven.
    """

    def __init__(self, job: dict[str, Any]) -> None:
        self.job, self.folder = job, Path(job["folder"])
        rpc = JsonRpc(job["rpc"])
        origin = Origin(31337, job["rollup"], job["deployed_at"], job["l1_genesis"])
        self.domain = domain(origin.chain_id, int(origin.rollup, 16))
        contracts = {"Governor": DeployedContract(job["governor"], job["deployed_at"], 0)}
        manifest = Manifest(origin.chain_id, origin.l1_genesis, job["governor"], 1_000, contracts)
        self.landing: LandingJournal | None = None
        self.sender: Sending = KeySender(rpc, Refusals(), pause=lambda seconds: time.sleep(min(seconds, 0.02)))
        if job.get("durable"):
            self.sender = self._durable(rpc)
        client = RollupClient(self.sender, origin.rollup, origin.deployed_at)
        self.chain = RollupChain(client, manifest, EthereumAccount.from_key(PAYER_KEY))
        self.database = Database(job["database"], origin)
        self.journal = Journal(self.folder / "journal", self.domain)
        self.pool = LocalPool(lambda block: self.prove(block), workers=2)
        rollup = Rollup(self.domain, tuple(range(8)), [BLOCK_SIZE])
        policy = Policy(max_age_seconds=3600)
        self.signer = LocalSigner(SIGNER_KEY)
        self.node = Node(self.database, self.journal, rollup, self.signer, self.chain, self.pool, policy, 0.01)
        self.receipts = os.open(self.folder / "receipts.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._arm()

    def _durable(self, rpc: JsonRpc) -> DurableSending:
        """The operator's sender, with a journal of its own."""
        self.landing = LandingJournal(self.folder / "landing.db", 31337)
        signer = landing_signing.LocalSigner(EthereumAccount.from_key(PAYER_KEY))
        sender = L1Sender(
            self.landing, Endpoints([rpc], 31337), signer, Refusals(), SenderConfig(has_finalized_tag=False)
        )
        threading.Thread(target=sender.run, args=(threading.Event(), 0.02), daemon=True).start()
        return DurableSending(rpc, Refusals(), sender)

    def prove(self, _: object) -> tuple[int, ...]:
        """A verifier that accepts all takes anything."""
        return (1,) * 8

    def noted(self) -> None:
        """The client has its receipt."""

    def _arm(self) -> None:
        if self.job.get("pile_up"):
            heads = self.chain.heads

            def held() -> Any:
                if self.node.pipeline.waiting or not self.closed:
                    raise NodeUnreachable("here", "held until all is proven")
                return heads()

            self.closed = False
            self.node.lander._chain = self.chain
            self._held = held
        if "seconds" in self.job:
            threading.Timer(self.job["seconds"], die).start()
        if "point" in self.job:
            owner, _, name = self.job["point"].partition(".")
            owners = {
                "child": self, "database": self.database, "journal": self.journal, "signer": self.signer,
                "sealer": self.node.pipeline._sealer, "sender": self.sender, "chain": self.chain,
                "pool": self.pool, "landing": self.landing,
            }  # fmt: skip
            Killer(self.job["skip"], self.job["after"]).wrap(owners[owner], name)

    def run(self) -> None:
        """Pay until there are enough payments, then until all of it is executed on L1."""
        self.node.start()
        if self.job.get("pile_up"):
            self.chain.heads = self._held  # type: ignore[method-assign]
        rng = random.Random(self.job.get("seed", 0))
        state = self.node.sequencer.ledger.state
        ids = {n: state.find(int(self.job["accounts"][n], 16))[0] for n in USERS}
        while sum(state.account(account_id).nonce for account_id in ids.values()) < self.job["payments"]:
            self._pay(rng, ids)
        self.node.sequencer.close()
        self.closed = True
        last = self.database.last_block()
        assert last is not None
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while self.node.lander.heads.executed < last.number:
            assert self.node.fault is None, str(self.node.fault)
            assert time.monotonic() < deadline, f"{self.node.lander.heads} {last.number} {self.node.l1_fault}"
            self.node._landing.set()
            time.sleep(0.005)
        self.node.stop()
        self.database.close()

    def _pay(self, rng: random.Random, ids: dict[int, int]) -> None:
        state, operations = self.node.sequencer.ledger.state, []
        used = {n: state.account(ids[n]).nonce for n in USERS}
        for _ in range(rng.randint(1, GROUP)):
            payer, payee = rng.sample(USERS, 2)
            nonce, address = used[payer], int(self.job["accounts"][payee], 16)
            used[payer] += 1
            # Of one payer no two payments have the same amount: each is known again on L1.
            payment = Transfer(ids[payer], ids[payee], address, 0, 1000 + nonce, 1, nonce)
            operations.append(L2Key.from_private_key((payer + 1).to_bytes(32, "big")).sign(payment, self.domain))
        for future in self.node.submit(operations):
            outcome = future.result(TIMEOUT_SECONDS)
            if isinstance(outcome, BacklogError):
                # Lives may be too short to land what those before them promised.
                time.sleep(0.005)
                return
            assert isinstance(outcome, Receipt), outcome
            os.write(self.receipts, json.dumps(receipt_to_wire(outcome)).encode() + b"\n")
            self.noted()


def main() -> None:
    """Fork a child for each job."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                Child(json.loads(line)).run()
            except BaseException as error:
                print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
