"""How often a client's address may ask, a token bucket each; and how much it may have at once."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from rollup.api.errors import RateExceeded
from rollup.api.limits import Limits

MOST_ADDRESSES: Final = 50_000
"""That are remembered; who did not ask for the longest time is forgotten, and then has a full bucket again."""

_ROUNDING: Final = 1e-6


@lru_cache(1 << 12)
def network_of(address: str) -> str:
    """Who a client's address belongs to: of IPv6 a network of 64 bits, as whoever has one address has all of it."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv4Address):
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(IPv6Address(int(found) >> 64 << 64))


class Shares:
    """How many of something clients have at once, by their networks. For the event loop alone.

    Args:
        limit: Of one; 0: as many as come.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._held: dict[str, int] = {}

    def take(self, address: str) -> bool:
        """Count one more of a client, if it may have it; whether it may."""
        network = network_of(address)
        held = self._held.get(network, 0)
        if self.limit and held >= self.limit:
            return False
        self._held[network] = held + 1
        return True

    def give_back(self, address: str) -> None:
        """One that was taken is gone."""
        network = network_of(address)
        self._held[network] -= 1
        if not self._held[network]:
            del self._held[network]


class Rates:
    """For the event loop alone.

    Args:
        limits: The rate, and what may come at once.
        clock: Seconds that only grow.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second, self._burst = limits.requests_per_second, float(limits.request_burst)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def charge(self, address: str, requests: int = 1) -> None:
        """Count requests of an address; more than the burst count as the burst.

        Raises: RateExceeded: then they do not count.
        """
        if not self._per_second:
            return
        address = network_of(address)
        now = self._clock()
        left, at = self._buckets.pop(address, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._per_second)
        wanted = min(float(requests), self._burst)
        # Who waits exactly as long as he was told is not refused for a rounding.
        is_enough = left >= wanted - _ROUNDING
        self._buckets[address] = (left - wanted if is_enough else left), now
        if len(self._buckets) > MOST_ADDRESSES:
            self._buckets.popitem(last=False)
        if not is_enough:
            raise RateExceeded(self._per_second, math.ceil((wanted - left) / self._per_second * 1000) / 1000)
