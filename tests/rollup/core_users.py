"""Users of the core's tests, and how they sign."""

from dataclasses import dataclass
from typing import Any

from rollup.core import Transfer, Withdraw, domain
from rollup.wallet.keys import L2Key

DOMAIN = domain(31337, 0xC0FFEE)
TIME = 1_800_000_000
FEE_TOKENS = tuple(range(8))


@dataclass(frozen=True)
class User:
    """An account of the state under test."""

    account_id: int
    address: int
    key: L2Key


def make_user(account_id: int) -> User:
    """User n: key of n + 1 repeated, address 0xA000 + n."""
    return User(account_id, 0xA000 + account_id, L2Key.from_private_key(bytes([account_id + 1]) * 32))


ALICE, BOB, CAROL = (make_user(n) for n in range(3))


def transfer(sender: User = ALICE, receiver: User = BOB, **changes: Any) -> Transfer:
    """A signed transfer of 100 with fee 1 of token 1 at nonce 0, with changes made before signing."""
    fields = {"token": 1, "amount": 100, "fee": 1, "nonce": 0, "to_id": receiver.account_id}
    fields |= {"to_address": receiver.address} | changes
    return sender.key.sign(Transfer(from_id=sender.account_id, **fields), DOMAIN)


def withdraw(sender: User = ALICE, **changes: Any) -> Withdraw:
    """A signed withdrawal of 100 with fee 1 of token 1 at nonce 0, with changes made before signing."""
    fields = {"token": 1, "amount": 100, "fee": 1, "nonce": 0, "address": 0xBEEF} | changes
    return sender.key.sign(Withdraw(from_id=sender.account_id, **fields), DOMAIN)
