"""Wallet and AsyncWallet: an account of one's own, with blocking calls or with asyncio; the same in all else."""

from pathlib import Path
from typing import Any

from eth_account.signers.local import LocalAccount

from rollup.client.awaiting import awaiting
from rollup.client.blocking import blocking
from rollup.client.client import AsyncSluiceClient, SluiceClient
from rollup.client.records import Records
from rollup.client.wallet_flows import WalletFlows


def _flows(wallet: Any) -> WalletFlows:
    return wallet.flows  # type: ignore[no-any-return]  # of the two classes below


class Wallet:
    """One Ethereum account's account on a rollup; for any number of threads, and operations in flight.

    Args:
        client: The node.
        owner: The Ethereum account, eth-account's; its L2 key is derived from it.
        folder: Where operations and receipts are written down, before they are sent and shown. None: in memory alone,
            so that a receipt is lost with the process.
        key_index: Number of the L2 key; None: the one of the first eight that the account has.
        despite_outstanding: Sign although something unanswered may still be included beside it.
    """

    def __init__(
        self,
        client: SluiceClient,
        owner: LocalAccount,
        folder: Path | None = None,
        key_index: int | None = None,
        despite_outstanding: bool = False,
    ) -> None:
        self.client, self.shell, self.owner = client, client.shell, owner
        self.records = Records(folder, client.core.clock)
        self.flows = WalletFlows(client.core, owner, self.records, key_index, despite_outstanding)

    open = blocking(WalletFlows.open, _flows)
    state = blocking(WalletFlows.state, _flows)
    key = blocking(WalletFlows.key, _flows)
    token = blocking(WalletFlows.token, _flows)
    history = blocking(WalletFlows.history, _flows)
    settle = blocking(WalletFlows.settle, _flows)
    resend = blocking(WalletFlows.resend, _flows)
    fee = blocking(WalletFlows.fee, _flows)
    transfer = blocking(WalletFlows.transfer, _flows)
    pay_all = blocking(WalletFlows.pay_all, _flows)
    withdraw = blocking(WalletFlows.withdraw, _flows)
    change_key = blocking(WalletFlows.change_key, _flows)
    cancel_orders = blocking(WalletFlows.cancel_orders, _flows)
    offer = blocking(WalletFlows.offer, _flows)
    take = blocking(WalletFlows.take, _flows)
    terms = blocking(WalletFlows.terms, _flows)
    deposit = blocking(WalletFlows.deposit, _flows)
    request_exit = blocking(WalletFlows.request_exit, _flows)
    pending = blocking(WalletFlows.pending, _flows)
    claim = blocking(WalletFlows.claim, _flows)


class AsyncWallet:
    """As Wallet, with asyncio; for any number of tasks of one event loop."""

    def __init__(
        self,
        client: AsyncSluiceClient,
        owner: LocalAccount,
        folder: Path | None = None,
        key_index: int | None = None,
        despite_outstanding: bool = False,
    ) -> None:
        self.client, self.shell, self.owner = client, client.shell, owner
        self.records = Records(folder, client.core.clock)
        self.flows = WalletFlows(client.core, owner, self.records, key_index, despite_outstanding)

    open = awaiting(WalletFlows.open, _flows)
    state = awaiting(WalletFlows.state, _flows)
    key = awaiting(WalletFlows.key, _flows)
    token = awaiting(WalletFlows.token, _flows)
    history = awaiting(WalletFlows.history, _flows)
    settle = awaiting(WalletFlows.settle, _flows)
    resend = awaiting(WalletFlows.resend, _flows)
    fee = awaiting(WalletFlows.fee, _flows)
    transfer = awaiting(WalletFlows.transfer, _flows)
    pay_all = awaiting(WalletFlows.pay_all, _flows)
    withdraw = awaiting(WalletFlows.withdraw, _flows)
    change_key = awaiting(WalletFlows.change_key, _flows)
    cancel_orders = awaiting(WalletFlows.cancel_orders, _flows)
    offer = awaiting(WalletFlows.offer, _flows)
    take = awaiting(WalletFlows.take, _flows)
    terms = awaiting(WalletFlows.terms, _flows)
    deposit = awaiting(WalletFlows.deposit, _flows)
    request_exit = awaiting(WalletFlows.request_exit, _flows)
    pending = awaiting(WalletFlows.pending, _flows)
    claim = awaiting(WalletFlows.claim, _flows)
