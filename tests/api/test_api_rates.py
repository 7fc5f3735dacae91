"""The token bucket of each address."""

import pytest

from rollup.api.errors import RateExceeded
from rollup.api.limits import Limits
from rollup.api.rates import MOST_ADDRESSES, Rates, Shares


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_charge_up_to_the_burst_then_the_average() -> None:
    clock = Clock()
    rates = Rates(Limits(requests_per_second=10, request_burst=3), clock)
    for _ in range(3):
        rates.charge("a")
    with pytest.raises(RateExceeded) as caught:
        rates.charge("a")
    assert caught.value.values == {"per_second": 10, "retry_after": 0.1}
    rates.charge("b")
    clock.now += 0.1
    rates.charge("a")
    with pytest.raises(RateExceeded):
        rates.charge("a")
    clock.now += 1000
    for _ in range(3):
        rates.charge("a")
    with pytest.raises(RateExceeded):
        rates.charge("a")


def test_charge_refused_costs_nothing_and_more_than_the_burst_is_the_burst() -> None:
    clock = Clock()
    rates = Rates(Limits(requests_per_second=1, request_burst=4), clock)
    rates.charge("a", 2)
    with pytest.raises(RateExceeded) as caught:
        rates.charge("a", 100)
    assert caught.value.retry_after == 2.0
    rates.charge("a", 2)
    clock.now += 4
    rates.charge("a", 100)


def test_charge_without_a_rate_takes_all() -> None:
    rates = Rates(Limits(requests_per_second=0, request_burst=1), Clock())
    for _ in range(100):
        rates.charge("a", 50)


def test_charge_remembers_a_bounded_number_of_addresses() -> None:
    rates = Rates(Limits(requests_per_second=1, request_burst=1), Clock())
    for number in range(MOST_ADDRESSES + 10):
        rates.charge(str(number))
    assert len(rates._buckets) == MOST_ADDRESSES
    with pytest.raises(RateExceeded):
        rates.charge("10")
    rates.charge("0")


def test_charge_all_addresses_of_an_ipv6_network_are_one_client() -> None:
    rates = Rates(Limits(requests_per_second=1, request_burst=1), Clock())
    rates.charge("2001:db8:1:2::1")
    for same in ("2001:db8:1:2::2", "2001:db8:1:2:ffff:1:2:3"):
        with pytest.raises(RateExceeded):
            rates.charge(same)
    rates.charge("2001:db8:1:3::1")
    rates.charge("::ffff:192.0.2.1")
    rates.charge("192.0.2.2")
    with pytest.raises(RateExceeded):
        rates.charge("192.0.2.1")


def test_take_up_to_the_limit_of_each_network_until_one_is_given_back() -> None:
    shares = Shares(2)
    assert [shares.take(each) for each in ("a", "a", "a", "b", "2001:db8::1", "2001:db8::2", "2001:db8::3")] == [
        True, True, False, True, True, True, False,
    ]  # fmt: skip
    shares.give_back("a")
    assert [shares.take("a"), shares.take("a")] == [True, False]
    for address in ("a", "a", "b", "2001:db8::9", "2001:db8::9"):
        shares.give_back(address)
    assert not shares._held


def test_take_without_a_limit_gives_all() -> None:
    shares = Shares(0)
    assert all(shares.take("a") for _ in range(1_000))
