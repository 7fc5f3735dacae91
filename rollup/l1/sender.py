"""Sends transactions through ape."""

from typing import Any

from ape.api import AccountAPI, ProviderAPI
from ape.exceptions import ApeException

from rollup.l1.errors import TransactionReverted
from rollup.l1.refusals import Refusals
from rollup.l1.rpc import JsonRpc
from rollup.l1.sending import Account, Sending, Sent, data_gas


class Sender(Sending):
    """Sends calls over one ape provider.

    Args:
        provider: A connected ape provider with an HTTP endpoint.
        refusals: The errors to recognise.
    """

    def __init__(self, provider: ProviderAPI, refusals: Refusals) -> None:
        super().__init__(JsonRpc(str(provider.http_uri)), refusals)
        self.provider = provider

    def _land(self, action: str, to: str | None, data: bytes, account: Account, wei: int, gas: int) -> Sent:
        if not isinstance(account, AccountAPI):
            raise TypeError(f"{type(account).__name__} is none of ape's accounts")
        values: dict[str, Any] = {"data": data, "value": wei, "gas_limit": gas, "sender": account.address}
        if to is not None:
            values["receiver"] = to
        transaction = self.provider.network.ecosystem.create_transaction(**values)
        try:
            receipt = account.call(transaction)
        except ApeException as error:
            raise TransactionReverted(action, str(error)) from error
        used = int(receipt.gas_used)
        contract = None if receipt.contract_address is None else str(receipt.contract_address)
        return Sent(str(receipt.txn_hash), int(receipt.block_number), used, data_gas(data, used), contract)
