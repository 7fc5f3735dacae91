"""What to pay for gas: pure functions of what L1's last blocks paid. All fees in wei a gas."""

from dataclasses import dataclass
from typing import Any, Final, Self

from rollup.l1.node import quantity
from rollup.landing.signing import Fees

GWEI: Final = 10**9
HISTORY_BLOCKS: Final = 20
PERCENTILES: Final = (60, 90, 99)
"""Of the tips in a block, weighed by gas: what counts for a transaction that missed at most one block, two, three."""
RECENT_BLOCKS: Final = 3
"""How far back one looks who is in a hurry."""
BUMP_NUMERATOR, BUMP_DENOMINATOR = 9, 8
"""A replacement pays 12.5% more at least, of both fees: the strictest of the nodes' rules."""
PATIENCE_BLOCKS: Final = 3
"""Blocks after which a transaction is replaced although the market is not above it."""
HURRY_BLOCKS: Final = 10
"""After so many missed blocks the offer grows no faster."""
STEPS_KEPT: Final = 5
"""A first offer stays below the ceiling by so many eighths, so that there is room to replace it."""


@dataclass(frozen=True, slots=True)
class Market:
    """What gas costs.

    Args:
        base_fee: The next block's.
        tips: For each of the last blocks that had transactions, oldest first, the tips at PERCENTILES.
    """

    base_fee: int
    tips: tuple[tuple[int, ...], ...] = ()

    @classmethod
    def of(cls, history: Any) -> Self:
        """The answer of eth_feeHistory(HISTORY_BLOCKS, "latest", PERCENTILES).

        Raises: ValueError, TypeError, KeyError, IndexError: it is none.
        """
        base_fee = quantity(history["baseFeePerGas"][-1])
        ratios = history["gasUsedRatio"]
        rewards = history.get("reward") or [[]] * len(ratios)
        tips = tuple(
            tuple(quantity(tip) for tip in block)
            for block, ratio in zip(rewards, ratios, strict=True)
            if ratio > 0 and block
        )
        if any(len(block) != len(PERCENTILES) for block in tips):
            raise ValueError(f"it gives other tips than at the percentiles {PERCENTILES}")
        return cls(base_fee, tips)

    def tip(self, missed: int) -> int:
        """What gets a transaction into the next block.

        Args:
            missed: Blocks that it could have been in and was not. With none, somewhat more than the average counts;
                with the first, the dearest of the last blocks, then their dearer transactions, then ever more.
        """
        if not self.tips:
            return 0
        if missed == 0:
            usual = [block[0] for block in self.tips]
            return -(-sum(usual) * BUMP_NUMERATOR // (len(usual) * BUMP_DENOMINATOR))
        level = min(missed, len(PERCENTILES)) - 1
        dearest = max(block[level] for block in self.tips[-RECENT_BLOCKS:])
        hurry: int = min(max(missed - len(PERCENTILES), 0), HURRY_BLOCKS)
        return int(dearest * BUMP_NUMERATOR * 3**hurry // (BUMP_DENOMINATOR * 2**hurry))

    @property
    def last_tip(self) -> int:
        """What the transactions of the last block that were in no hurry paid."""
        return self.tips[-1][0] if self.tips else 0


DEFAULT_CEILING: Final = Fees(500 * GWEI, 50 * GWEI)


@dataclass(frozen=True, slots=True)
class FeePolicy:
    """What an operator is ready to pay.

    Args:
        ceiling: The most, of both fees.
        least_tip: What nodes ask for at least.
        patience_blocks: See PATIENCE_BLOCKS; at least 1.
    """

    ceiling: Fees = DEFAULT_CEILING
    least_tip: int = GWEI // 10
    patience_blocks: int = PATIENCE_BLOCKS

    def first(self, market: Market) -> Fees | None:
        """Return a first offer, above what the network pays on average; None if that is above the ceiling."""
        tip = min(max(market.tip(0), self.least_tip), self.ceiling.tip)
        if market.base_fee + tip > self.ceiling.max_fee:
            return None
        return Fees(self._max_fee(market, tip), tip)

    def replacement(self, old: Fees, market: Market, missed: int) -> Fees | None:
        """Return the next offer, higher than the old one by what nodes ask for; None if that is above the ceiling.

        Args:
            old: What was offered.
            market: What gas costs now.
            missed: Blocks that have gone by since the first offer.
        """
        least = Fees(bump(old.max_fee), bump(old.tip))
        if least.max_fee > self.ceiling.max_fee or least.tip > self.ceiling.tip:
            return None
        tip = min(max(market.tip(missed), self.least_tip, least.tip), self.ceiling.tip)
        max_fee = min(max(self._max_fee(market, tip), least.max_fee), self.ceiling.max_fee)
        return Fees(max_fee, min(tip, max_fee))

    def is_stuck(self, offered: Fees, market: Market, waited: int) -> bool:
        """Whether an offer is to be replaced.

        Args:
            offered: What it pays.
            market: What gas costs now.
            waited: Blocks since it was made.
        """
        if waited < 1:
            return False
        is_outbid = market.base_fee + market.tip(0) > offered.max_fee or market.last_tip > offered.tip
        return is_outbid or waited >= self.patience_blocks

    def _max_fee(self, market: Market, tip: int) -> int:
        """Twice the base fee outlasts six full blocks; near the ceiling less, so that it can still be raised."""
        roomy, tight = 2 * market.base_fee + tip, market.base_fee * BUMP_NUMERATOR // BUMP_DENOMINATOR + tip
        return min(roomy, max(tight, self.ceiling.max_fee * STEPS_KEPT // 8), self.ceiling.max_fee)


def bump(fee: int) -> int:
    """The least that replaces a fee."""
    return max(-(-fee * BUMP_NUMERATOR // BUMP_DENOMINATOR), fee + 1)
