"""What is offered for gas, as pure functions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.landing.fees import GWEI, PERCENTILES, FeePolicy, Market, bump
from rollup.landing.signing import Fees

fees = st.integers(0, 2_000 * GWEI)
tips = st.lists(st.tuples(fees, fees, fees).map(sorted).map(tuple), max_size=20).map(tuple)
markets = st.builds(Market, fees, tips)
ceilings = st.builds(lambda tip, more: Fees(tip + more, tip), st.integers(GWEI, 100 * GWEI), st.integers(GWEI, 10**12))
policies = st.builds(FeePolicy, ceilings)
CALM = Market(GWEI, ((GWEI, 2 * GWEI, 3 * GWEI),) * 20)


def test_first_offer_is_above_the_average() -> None:
    market = Market(GWEI, tuple((tip * GWEI, 50 * GWEI, 50 * GWEI) for tip in range(20)))
    offer = FeePolicy().first(market)
    assert offer is not None
    assert offer.tip > 9.5 * GWEI
    assert offer.max_fee == 2 * GWEI + offer.tip


def test_first_offer_of_a_quiet_chain_is_what_nodes_ask_for() -> None:
    assert FeePolicy().first(Market(7)) == Fees(14 + GWEI // 10, GWEI // 10)


@given(policies, markets)
def test_first_offer_can_be_in_the_next_block_and_is_within_the_ceiling(policy: FeePolicy, market: Market) -> None:
    offer = policy.first(market)
    if offer is None:
        assert market.base_fee + min(max(market.tip(0), policy.least_tip), policy.ceiling.tip) > policy.ceiling.max_fee
    else:
        assert offer.tip <= policy.ceiling.tip
        assert market.base_fee + offer.tip <= offer.max_fee <= policy.ceiling.max_fee


@given(policies, markets, st.integers(1, 100 * GWEI), fees, st.integers(0, 10**6))
def test_replacement_is_higher_by_an_eighth_and_within_the_ceiling(
    policy: FeePolicy, market: Market, tip: int, more: int, missed: int
) -> None:
    old = Fees(tip + more, tip)
    new = policy.replacement(old, market, missed)
    if new is None:
        assert bump(old.max_fee) > policy.ceiling.max_fee or bump(old.tip) > policy.ceiling.tip
        return
    assert 8 * new.max_fee >= 9 * old.max_fee
    assert 8 * new.tip >= 9 * old.tip
    assert new.tip <= new.max_fee <= policy.ceiling.max_fee
    assert new.tip <= policy.ceiling.tip


@given(policies, markets)
def test_first_offer_near_the_ceiling_leaves_room_to_replace(policy: FeePolicy, market: Market) -> None:
    offer = policy.first(market)
    if offer is not None and offer.max_fee > market.base_fee * 9 // 8 + offer.tip:
        assert offer.max_fee <= max(policy.ceiling.max_fee * 5 // 8, 2 * market.base_fee + offer.tip)
        assert offer.max_fee * 9 // 8 <= policy.ceiling.max_fee


@given(markets)
def test_tip_grows_with_the_blocks_missed(market: Market) -> None:
    asked = [market.tip(missed) for missed in range(1, 20)]
    assert asked == sorted(asked)


def test_tip_after_missed_blocks_follows_the_dearest_of_the_last() -> None:
    blocks = ((9, 9, 9), (100, 200, 300), (400, 500, 600), (8, 80, 800))
    market = Market(0, tuple(tuple(tip * GWEI for tip in block) for block in blocks))
    assert [market.tip(missed) for missed in (1, 2, 3, 4)] == [450 * GWEI, 562_500_000_000, 900 * GWEI, 1_350 * GWEI]


@pytest.mark.parametrize(
    ("offered", "market", "waited", "stuck"),
    [
        (Fees(4 * GWEI, 2 * GWEI), CALM, 0, False),
        (Fees(4 * GWEI, 2 * GWEI), CALM, 1, False),
        (Fees(4 * GWEI, 2 * GWEI), CALM, 2, False),
        (Fees(4 * GWEI, 2 * GWEI), CALM, 3, True),
        (Fees(4 * GWEI, 2 * GWEI), Market(20 * GWEI, CALM.tips), 1, True),
        (Fees(4 * GWEI, 2 * GWEI), Market(20 * GWEI, CALM.tips), 0, False),
        (Fees(4 * GWEI, 2 * GWEI), Market(GWEI, (*CALM.tips, (3 * GWEI,) * 3)), 1, True),
    ],
)
def test_is_stuck_when_outbid_or_out_of_patience(offered: Fees, market: Market, waited: int, stuck: bool) -> None:
    assert FeePolicy().is_stuck(offered, market, waited) is stuck


def test_history_of_empty_blocks_counts_no_tips() -> None:
    history = {
        "baseFeePerGas": ["0x1", "0x2", "0x3"],
        "gasUsedRatio": [0.0, 0.5],
        "reward": [["0x0"] * 3, ["0x5", "0x6", "0x7"]],
    }
    assert Market.of(history) == Market(3, ((5, 6, 7),))


@pytest.mark.parametrize(
    "history",
    [
        None,
        {},
        {"baseFeePerGas": [], "gasUsedRatio": []},
        {"baseFeePerGas": ["0x1"], "gasUsedRatio": [0.5], "reward": [["0x1"]]},
        {"baseFeePerGas": ["0x1"], "gasUsedRatio": [0.5, 0.5], "reward": [["0x1"] * len(PERCENTILES)]},
        {"baseFeePerGas": [1], "gasUsedRatio": [0.5], "reward": [["0x1"] * len(PERCENTILES)]},
    ],
)
def test_history_that_is_none_is_refused(history: object) -> None:
    with pytest.raises((ValueError, TypeError, KeyError, IndexError)):
        Market.of(history)
