"""Nonces in flight: taken one after the other, given back where nothing was sent, and no gap left behind."""

import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from rollup.client.errors import Refused
from rollup.wallet.account import WalletAccount

T = TypeVar("T")


class Flight:
    """Of one account. Nothing here waits.

    Args:
        account: Whose nonces.
    """

    def __init__(self, account: WalletAccount) -> None:
        self._account, self._lock = account, threading.Lock()
        self._flying: set[int] = set()
        self._signed = 0

    @property
    def next_nonce(self) -> int:
        """Of the next operation."""
        return self._account.nonce

    def sign(self, make: Callable[[WalletAccount], T]) -> T:
        """Make operations; the nonces that they took are in flight. If making fails, none is taken."""
        with self._lock:
            first = self._account.nonce
            try:
                made = make(self._account)
            except BaseException:
                self._account.nonce = first
                raise
            self._flying.update(range(first, self._account.nonce))
            self._signed += 1
            return made

    def is_before(self, expected: int, nonce: int) -> bool:
        """Whether one that a node expects before `nonce` is on its way."""
        with self._lock:
            return any(expected <= each < nonce for each in self._flying)

    def is_flying(self, nonce: int) -> bool:
        """Whether an operation with this nonce is on its way."""
        with self._lock:
            return nonce in self._flying

    def land(self, nonces: Sequence[int]) -> None:
        """They are used up, or nobody knows."""
        with self._lock:
            self._flying.difference_update(nonces)

    def give_back(self, nonces: Sequence[int]) -> list[int]:
        """They were refused. Returns those that leave a gap before later ones, to be filled; they stay in flight."""
        with self._lock:
            later = [each for each in self._flying if each > max(nonces, default=-1)]
            if later and nonces:
                return sorted(nonces)
            self._flying.difference_update(nonces)
            if nonces:
                self._account.nonce = min(*nonces, self._account.nonce)
            return []

    def mark(self) -> int:
        """Before a node is asked which nonce is next; for `reset`."""
        with self._lock:
            return self._signed

    def reset(self, nonce: int, mark: int) -> None:
        """What a node says is next; if nothing is on its way, nor was since `mark`."""
        with self._lock:
            if not self._flying and mark == self._signed:
                self._account.nonce = nonce


def expected_nonce(error: Exception, account_id: int) -> int | None:
    """The nonce that a node expects of an account, if that is why it refused."""
    if not isinstance(error, Refused) or error.code != "nonce_mismatch":
        return None
    detail: Any = error.detail
    expected, whose = detail.get("expected"), detail.get("account_id")
    is_number = isinstance(expected, int) and not isinstance(expected, bool) and expected >= 0
    return expected if is_number and whose == account_id else None
