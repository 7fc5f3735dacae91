"""A node with an L1 of its own and a prover that only counts: what is tested is promises, blocks and their order."""

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rollup._native import PlainTransfer, parse_transfer
from rollup.core.binding import challenge, evaluation
from rollup.core.block import SealedBlock
from rollup.core.constants import FEE_TOKENS, SLOT_BITS
from rollup.core.header import Header
from rollup.core.operations import Deposit, FullExit, Transfer, domain
from rollup.core.rebuild import apply_block_data
from rollup.core.receipt import Receipt
from rollup.core.rules import Touch
from rollup.core.state import State
from rollup.core.streams import decode_streams, l1_words, l2_chunks
from rollup.core.wire import dumps
from rollup.l1.abi import L1Block, NewBlock
from rollup.l1.client import Queued
from rollup.l1.errors import NodeUnreachable, ReaderError
from rollup.l1.feed import Origin
from rollup.l1.published import Published
from rollup.node.chain import Heads
from rollup.node.core import Node, Rollup
from rollup.node.database import Database
from rollup.node.journal import Journal
from rollup.node.policy import Policy
from rollup.node.provers import LocalPool, Proof
from rollup.node.sequencer import Outcome
from rollup.node.signing import LocalSigner
from rollup.wallet.keys import L2Key

CHAIN_ID, ADDRESS = 31337, "0x" + 20 * "c0"
DOMAIN = domain(CHAIN_ID, int(ADDRESS, 16))
ORIGIN = Origin(CHAIN_ID, ADDRESS, 3, "0x01")
TOKENS = tuple(range(FEE_TOKENS))
SIZES = [4, 8]
SIGNER = LocalSigner(bytes([7]) * 32)
VALIDATOR_SET = bytes(31) + b"\x05"
NOW = 1_800_000_000
ETHER = 10**18
WEEK = 7 * 24 * 3600


@dataclass(frozen=True)
class User:
    """Account n belongs to user n; the validator is user 0."""

    account_id: int
    address: int
    key: L2Key

    def pay(self, to: "User", nonce: int, amount: int = 100, **changes: Any) -> Transfer:
        fields = {"token": 0, "amount": amount, "fee": 1, "nonce": nonce} | changes
        return self.key.sign(Transfer(self.account_id, to.account_id, to.address, **fields), DOMAIN)


def user(n: int) -> User:
    address = SIGNER.address if n == 0 else 0xA000 + n
    return User(n, address, L2Key.from_private_key(bytes([n + 1]) * 32))


OPERATOR, ALICE, BOB, CAROL = (user(n) for n in range(4))


def as_plain(transfer: Transfer) -> PlainTransfer:
    """As the API hands it in."""
    plain = parse_transfer(dumps(transfer).encode())
    assert plain is not None
    return plain


def stored(database: Database) -> list[Touch]:
    """The state that a database holds; slot 0 where an account has nothing."""
    return [
        Touch(account_id, slot, account, leaf)
        for account_id, account, leaves in database.state()
        for slot, leaf in (leaves or {0: 0}).items()
    ]


def deposits(*owners: User, first: int = 0, amount: int = ETHER) -> list[Queued]:
    """The queue's entries of deposits with their owners' keys."""
    return [
        Queued(first + n, Deposit(0, 0, amount, owner.address, owner.key.public_key, True), NOW + WEEK)
        for n, owner in enumerate(owners)
    ]


class FakeChain:
    """The contract's rules about order and hashes, in memory; a test may make it fail."""

    def __init__(self) -> None:
        self.blocks = [L1Block.genesis()]
        self.data: list[NewBlock] = []
        self.proven = self.executed = 0
        self.entries: list[Queued] = []
        self.sent: list[str] = []
        self.down = False
        self.approved: set[tuple[str, bytes]] = set()
        self.before: Callable[[str], None] = lambda _: None
        self.lock = threading.RLock()

    def _check(self) -> None:
        if self.down:
            raise NodeUnreachable("http://fake", "down")

    def heads(self) -> Heads:
        self._check()
        return Heads(len(self.blocks) - 1, self.proven, self.executed)

    def find(self, number: int) -> Published:
        self._check()
        if number >= len(self.blocks):
            raise ReaderError(number, "absent")
        new = self.data[number - 1]
        block = self.blocks[number]
        return Published(block, block.hash(), self._header(number), new.l2, new.l1, "0x", 1)

    def commit(self, parent: L1Block, blocks: Sequence[NewBlock]) -> None:
        self._send("commit")
        for new in blocks:
            assert parent == self.blocks[-1]
            self.data.append(new)
            self.blocks.append(parent)
            header = self._header(len(self.blocks) - 1)
            commitment = int.from_bytes(new.commitment, "big")
            x = challenge(header, new.l2, new.l1, commitment)
            binding = commitment, x, evaluation(header, new.l2, new.l1, x)
            self.blocks[-1] = parent.following(header, new.l2, new.l1, binding, ADDRESS, VALIDATOR_SET, NOW)
            parent = self.blocks[-1]

    def prove(self, blocks: Sequence[L1Block], proofs: Sequence[Proof]) -> None:
        self._send("prove")
        for block, proof in zip(blocks, proofs, strict=True):
            assert block == self.blocks[self.proven + 1]
            assert proof == fake_proof(block.number)
            self.proven += 1

    def execute(self, blocks: Sequence[L1Block], l1_streams: Sequence[bytes]) -> None:
        self._send("execute")
        for block, stream in zip(blocks, l1_streams, strict=True):
            assert self.executed < self.proven
            assert block == self.blocks[self.executed + 1]
            assert stream == self.data[self.executed].l1
            self.executed += 1

    def commit_prove_execute(self, parent: L1Block, block: NewBlock, proof: Proof) -> None:
        self._send("all")
        self.sent.pop()
        before, self.before = self.before, lambda _: None
        self.commit(parent, [block])
        self.prove([self.blocks[-1]], [proof])
        self.execute([self.blocks[-1]], [block.l1])
        self.before = before
        self.sent[-3:] = ["all"]

    def queue(self, start: int) -> list[Queued]:
        self._check()
        return [entry for entry in self.entries if entry.index >= start]

    def validator_set(self) -> bytes:
        self._check()
        return VALIDATOR_SET

    def key_change_approved(self, owner: str, digest: bytes) -> bool:
        self._check()
        return (owner, digest) in self.approved

    def _send(self, what: str) -> None:
        self._check()
        self.before(what)
        self.sent.append(what)

    def _header(self, number: int) -> Header:
        new, parent = self.data[number - 1], self.blocks[number - 1]
        operations = decode_streams(new.l2, new.l1)
        return Header(
            domain=DOMAIN, block_size=new.block_size, block_number=number, timestamp=new.timestamp,
            queue_start=parent.queue_end,
            queue_count=sum(isinstance(each, Deposit | FullExit) for each in operations),
            l2_chunks=len(l2_chunks(new.l2)), l1_words=len(l1_words(new.l1)), old_root=parent.new_root,
            new_root=int.from_bytes(new.new_root, "big"), fee_account=new.fee_account,
            fee_tokens=tuple(new.fee_tokens >> SLOT_BITS * i & (1 << SLOT_BITS) - 1 for i in range(FEE_TOKENS)),
        )  # fmt: skip

    # What tests look at

    def state(self) -> State:
        """The state that the published data give, every root compared."""
        state = State()
        for number in range(1, len(self.blocks)):
            new = self.data[number - 1]
            apply_block_data(state, self._header(number), new.l2, new.l1)
        return state

    def check_kept(self, receipts: Iterable[Receipt]) -> None:
        """Every receipt is signed and kept, and no two are of one place."""
        places, different = set(), set(receipts)
        for receipt in different:
            assert receipt.signer() == SIGNER.address
            new = self.data[receipt.block_number - 1]
            receipt.check_kept(new.l2, new.l1)
            assert receipt.commit_by == new.timestamp + 86_400
            assert receipt.validator_set == VALIDATOR_SET
            places.add((receipt.block_number, receipt.chunk_position))
        assert len(places) == len(different)


def fake_proof(number: int) -> Proof:
    return (number,) * 8


def fake_prove(block: SealedBlock) -> Proof:
    """A stand-in for a prover, in tests alone: it says which block it was given."""
    assert block.witness is not None
    return fake_proof(block.header.block_number)


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


class HeldPool:
    """Proves when the test says so, in the order it says."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.jobs: dict[int, tuple[SealedBlock, Future[Proof]]] = {}
        self.seen: list[int] = []

    def submit(self, block: SealedBlock) -> Future[Proof]:
        future: Future[Proof] = Future()
        self.jobs[block.header.block_number] = block, future
        self.seen.append(block.header.block_number)
        return future

    def finish(self, number: int) -> None:
        block, future = self.jobs.pop(number)
        future.set_result(fake_prove(block))

    def fail(self, number: int) -> None:
        self.jobs.pop(number)[1].set_exception(RuntimeError("the prover died"))

    def close(self) -> None:
        pass


@dataclass
class Rig:
    """One L1 and one database; `restart` is a new process on the same. Without threads: `turn` does what they would."""

    folder: Path
    url: str
    policy: Policy = field(default_factory=lambda: Policy(max_age_seconds=60.0))
    chain: FakeChain = field(default_factory=FakeChain)
    clock: Clock = field(default_factory=Clock)
    pool: Any = None
    receipts: list[Receipt] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        self.database = Database(self.url, ORIGIN)
        self.journal = Journal(self.folder / "journal", DOMAIN)
        pool = self.pool or LocalPool(fake_prove)
        rollup = Rollup(DOMAIN, TOKENS, SIZES)
        self.node = Node(self.database, self.journal, rollup, SIGNER, self.chain, pool, self.policy, 0.02, self.clock)
        if not self.chain.down:
            self.node.connect()

    def crash(self) -> None:
        """All that is not on the disk is gone."""
        self.database.close()
        self.journal.close()

    def restart(self) -> None:
        self.crash()
        self.open()

    def deposit(self, *owners: User) -> None:
        self.chain.entries += deposits(*owners, first=len(self.chain.entries))
        self.node.look()

    def submit(self, *operations: Any) -> list[Outcome]:
        outcomes = self.node.sequencer.submit(operations)
        self.receipts += [outcome for outcome in outcomes if isinstance(outcome, Receipt)]
        return outcomes

    def promised(self, *operations: Any) -> list[Receipt]:
        """Submit what is all taken."""
        outcomes = self.submit(*operations)
        for outcome in outcomes:
            assert isinstance(outcome, Receipt), outcome
        return outcomes  # type: ignore[return-value]

    def prove(self) -> None:
        """Seal and prove all that is closed, with a pool that does it by itself."""
        while self.node.pipeline.waiting:
            self.node.pipeline.step()

    def land(self) -> None:
        while self.node.lander.step():
            pass

    def finish(self) -> None:
        """Close, prove, land."""
        self.node.sequencer.close()
        self.prove()
        self.land()

    def check(self) -> None:
        """Every promise is kept, and L1's data give the state of the open block."""
        self.chain.check_kept(self.receipts)
        expected, got = self.node.sequencer.ledger.state, self.chain.state()
        assert dict(got.accounts()) == dict(expected.accounts())
        for account_id, _ in got.accounts():
            assert got.balances(account_id) == expected.balances(account_id)
