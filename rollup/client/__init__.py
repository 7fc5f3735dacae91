"""A user's side of a node's API: a client that believes nothing it can check, and a wallet on top; both twice, blocking
and with asyncio. `SluiceClient`, `Wallet`, `AsyncSluiceClient`, `AsyncWallet`.
"""

from rollup.client.client import AsyncSluiceClient, SluiceClient
from rollup.client.model import FINAL, AccountState, Confirmed, Page, Quote, Transaction
from rollup.client.payments import Payment
from rollup.client.trust import Deployment
from rollup.client.wallet import AsyncWallet, Wallet

__all__ = [
    "FINAL",
    "AccountState",
    "AsyncSluiceClient",
    "AsyncWallet",
    "Confirmed",
    "Deployment",
    "Page",
    "Payment",
    "Quote",
    "SluiceClient",
    "Transaction",
    "Wallet",
]
