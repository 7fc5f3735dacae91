"""A sender on a simulated L1, and what the tests look at."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eth_account import Account

from bench.l1_simulator import CHAIN_ID, GWEI, Simulator, Transaction
from rollup.l1.refusals import Refusals
from rollup.l1.rpc import Rpc
from rollup.landing.calls import Call
from rollup.landing.config import SenderConfig
from rollup.landing.endpoints import Endpoints
from rollup.landing.journal import IN_MEMORY, Journal
from rollup.landing.model import Action, Kind, State
from rollup.landing.sender import L1Sender
from rollup.landing.signing import Fees, LocalSigner, Signer, Unsigned

ROLLUP = "0x" + 20 * "c0"
SIGNER = LocalSigner(Account.from_key(b"\1" * 32))
OTHER = LocalSigner(Account.from_key(b"\2" * 32))
SENDER = SIGNER.address.lower()


class Time:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Rig:
    """One L1, one journal, one sender; `restart` is a new process on the same journal."""

    def __init__(
        self,
        l1: Simulator | None = None,
        path: Path | str = IN_MEMORY,
        config: SenderConfig | None = None,
        nodes: Sequence[Rpc] = (),
        signer: Signer = SIGNER,
        retired: Sequence[Signer] = (),
    ) -> None:
        self.l1 = l1 or Simulator()
        self.path = path
        self.config = config or SenderConfig()
        self.nodes = nodes or (self.l1,)
        self.time = Time()
        self.journal = Journal(path, CHAIN_ID)
        self._begin(signer, retired)

    def _begin(self, signer: Signer, retired: Sequence[Signer]) -> None:
        self.endpoints = Endpoints(self.nodes, CHAIN_ID, self.time)
        self.sender = L1Sender(self.journal, self.endpoints, signer, Refusals(), self.config, retired, self.time)

    def restart(self, signer: Signer = SIGNER, retired: Sequence[Signer] = ()) -> None:
        self.journal.close()
        self.journal = Journal(self.path, CHAIN_ID)
        self._begin(signer, retired)

    def step(self, blocks: int = 0) -> None:
        """Let the sender act, then once more after each of so many new L1 blocks."""
        self._settle()
        for _ in range(blocks):
            self.l1.mine()
            self._settle()

    def _settle(self) -> None:
        for _ in range(60):
            self.sender.step()
            if not self.sender._work.is_set():
                return
        raise AssertionError("the sender does not come to rest")

    def state(self, key: str) -> State:
        return self.sender.status(key).state

    def pending(self, nonce: int = 0) -> Transaction:
        """The sender's transaction in the mempool."""
        return self.l1.mempool[SENDER, nonce]

    def landed(self) -> list[bytes]:
        """Calldata of the sender's transactions on the chain, in order."""
        return [each.data for each in self.l1.landed() if each.sender == SENDER]

    def told(self, key: str | None = None) -> list[Kind]:
        return [event.kind for event in self.sender.events() if event.key == key]

    def notices(self) -> dict[str, Any]:
        return {error.code: error for error in self.sender.notices.standing()}


def call(number: int = 0, **fields: Any) -> Call:
    """A call that can be told from others."""
    return Call(f"call {number}", ROLLUP, number.to_bytes(4, "big"), **fields)


def foreign(l1: Simulator, nonce: int, fees: Fees | None = None, signer: LocalSigner = SIGNER) -> str:
    """Send something else with a key; return its hash."""
    fees = fees or Fees(100 * GWEI, 5 * GWEI)
    signed = signer.sign(Unsigned(CHAIN_ID, nonce, Call("a foreign call", ROLLUP, b"foreign"), 30_000, fees))
    l1("eth_sendRawTransaction", "0x" + signed.raw.hex())
    return signed.hash


def fees_of(action: Action) -> list[tuple[int, int]]:
    return [(attempt.fees.max_fee, attempt.fees.tip) for attempt in action.attempts]
