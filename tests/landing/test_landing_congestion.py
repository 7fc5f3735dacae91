"""The fixed congestion scenario: the commit is in one of the next three L1 blocks in at least 95 of 100 trials."""

import pytest

from bench.congestion import TRIALS, NeverReplaces, trials
from rollup.landing.fees import FeePolicy


@pytest.mark.slow
def test_commit_in_congestion_is_in_one_of_the_next_three_blocks() -> None:
    outcomes = trials(FeePolicy())
    assert len(outcomes) == TRIALS == 100
    assert sum(outcome.blocks > 0 for outcome in outcomes) >= 95


def test_commit_in_congestion_at_its_first_offer_mostly_is_not() -> None:
    """The scenario is one: who does not replace is left out."""
    assert sum(outcome.blocks > 0 for outcome in trials(NeverReplaces(), range(20))) < 12
