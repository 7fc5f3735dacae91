"""The fixed congestion scenario: does a commit get into one of the next three L1 blocks when everybody wants to?

Half-full blocks at a base fee of 1 gwei; then it is set to 20 times that, and for 20 blocks there are rivals with gas
for two blocks at any time. Each has a value that it never pays more than, 10 gwei of tip a gas in the median. In every
block, after the sender has acted, four rivals of five see its offer and pay 12.5% more if they can; all that were left
out before raise theirs by as much. The commit needs a sixth of a block, and is submitted at any time from the last calm
block to the middle of it.

`python -m bench.congestion` prints the table that docs/decisions.md has.
"""

import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from eth_account import Account

from bench.l1_simulator import CHAIN_ID, GWEI, Simulator, Transaction
from rollup.l1.refusals import Refusals
from rollup.landing.calls import Call
from rollup.landing.config import SenderConfig
from rollup.landing.endpoints import Endpoints
from rollup.landing.fees import FeePolicy, Market
from rollup.landing.journal import IN_MEMORY, Journal
from rollup.landing.model import State
from rollup.landing.sender import L1Sender
from rollup.landing.signing import Fees, LocalSigner

TRIALS = 100
BLOCKS = 3
CALM_BLOCKS = 20
CONGESTED_BLOCKS = 20
BASE_FEE = GWEI
JUMP = 20
CALM_TIP = GWEI // 2
RIVAL_TIP = 10 * GWEI
RIVAL_GAS = 600_000
RIVAL_BLOCKS = 2
COMMIT_GAS = 6_000_000
ATTENTIVE = 0.8
SENDER = LocalSigner(Account.from_key(b"\5" * 32))


@dataclass
class Rival:
    """Somebody who wants to be in a block, at a tip up to `value`."""

    name: str
    value: int
    tip: int

    def bid(self, base_fee: int) -> Transaction:
        return Transaction(f"{self.name} {self.tip}", self.name, 0, 4 * base_fee + self.tip, self.tip, RIVAL_GAS)


@dataclass(frozen=True)
class Outcome:
    """What became of a commit: blocks it took, 0 if too many; its tip, the least one in its block; offers made."""

    blocks: int
    tip: int = 0
    least_tip: int = 0
    offers: int = 0


class Congestion:
    """One trial."""

    def __init__(self, seed: int, policy: FeePolicy) -> None:
        self.rng = random.Random(seed)
        self.l1 = Simulator(BASE_FEE)
        self.rivals: list[Rival] = []
        self.names = 0
        config = SenderConfig(policy, reserve_transactions=0)
        self.sender = L1Sender(Journal(IN_MEMORY, CHAIN_ID), Endpoints([self.l1], CHAIN_ID), SENDER, Refusals(), config)

    def run(self) -> Outcome:
        for _ in range(CALM_BLOCKS):
            self._calm_block()
        submitted_in = self.rng.randrange(CONGESTED_BLOCKS // 2)
        for number in range(CONGESTED_BLOCKS):
            if number == submitted_in:
                self.sender.submit("commit", Call("the commit", "0x" + 20 * "c0", b"\1", gas_limit=COMMIT_GAS))
                self._act()
            if number == 0:
                self.l1.next_base_fee = JUMP * self.l1.head.base_fee
            self._congested_block()
            self._act()
            if number >= submitted_in and self.sender.status("commit").state == State.MINED:
                return self._landed(number - submitted_in + 1)
            if number - submitted_in + 1 == BLOCKS:
                break
        return Outcome(0)

    def _act(self) -> None:
        self.sender.step()

    def _landed(self, blocks: int) -> Outcome:
        attempts = self.sender.status("commit").attempts
        base_fee = self.l1.head.base_fee
        tips = [each.pays(base_fee) for each in self.l1.head.transactions]
        return Outcome(blocks, attempts[-1].fees.tip, min(tips), len(attempts))

    def _calm_block(self) -> None:
        base_fee = self.l1.fee_of_next()
        for _ in range(self.l1.gas_limit // 2 // RIVAL_GAS):
            rival = self._rival(CALM_TIP, 0.7)
            self.l1.mempool[rival.name, 0] = rival.bid(base_fee)
        self.l1.mine()
        self.l1.mempool.clear()

    def _congested_block(self) -> None:
        base_fee = self.l1.fee_of_next()
        ours = [each.tip for each in self.l1.mempool.values() if each.sender == SENDER.address.lower()]
        for rival in self.rivals:
            rival.tip = min(rival.value, rival.tip * 9 // 8)
        while len(self.rivals) < RIVAL_BLOCKS * self.l1.gas_limit // RIVAL_GAS:
            self.rivals.append(self._rival(RIVAL_TIP, 1.0))
        for rival in self.rivals:
            if ours and rival.tip <= ours[0] and self.rng.random() < ATTENTIVE:
                rival.tip = max(rival.tip, min(rival.value, ours[0] * 9 // 8))
            self.l1.mempool[rival.name, 0] = rival.bid(base_fee)
        self.l1.mine()
        used = self.l1.head.used
        self.rivals = [rival for rival in self.rivals if rival.name not in used]

    def _rival(self, median: int, spread: float) -> Rival:
        self.names += 1
        value = int(median * self.rng.lognormvariate(0, spread))
        return Rival(f"rival {self.names}", value, int(value * self.rng.uniform(0.3, 1)))


class NeverReplaces(FeePolicy):
    """To compare: the first offer stands."""

    def replacement(self, old: Fees, market: Market, missed: int) -> Fees | None:
        return None


class IgnoresMarket(FeePolicy):
    """To compare: 12.5% more after each block, whatever others pay."""

    def replacement(self, old: Fees, market: Market, missed: int) -> Fees | None:
        return super().replacement(old, Market(0), missed)

    def is_stuck(self, offered: Fees, market: Market, waited: int) -> bool:
        return waited >= 1


def trials(policy: FeePolicy, seeds: Sequence[int] = range(TRIALS)) -> list[Outcome]:
    """The scenario once for each seed."""
    return [Congestion(seed, policy).run() for seed in seeds]


def main() -> None:
    """Print how often a commit was in one of the next blocks, under each policy."""
    for policy in (FeePolicy(), IgnoresMarket(), NeverReplaces()):
        start = time.perf_counter()
        outcomes = trials(policy)
        landed = [outcome for outcome in outcomes if outcome.blocks]
        by_block = [sum(outcome.blocks == number + 1 for outcome in landed) for number in range(BLOCKS)]
        print(f"{type(policy).__name__}: {len(landed)} of {len(outcomes)} in time, by block {by_block}", end="")
        if landed:
            tip = statistics.median(each.tip for each in landed) / GWEI
            least = statistics.median(each.least_tip for each in landed) / GWEI
            offers = statistics.mean(each.offers for each in landed)
            print(f"; median tip {tip:.1f} gwei, the block's least {least:.1f}; {offers:.1f} offers", end="")
        print(f"; {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
