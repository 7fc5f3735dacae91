"""Sends transactions with a private key and a node alone, one after the other: what a user needs to leave.

EIP-1559 fees are offered once, high enough for six full L1 blocks in a row; nothing is replaced.
"""

import time
from collections.abc import Callable
from typing import Any, Final

from eth_account.signers.local import LocalAccount

from rollup.l1.errors import NodeUnreachable, TransactionNotMined, TransactionNotTaken
from rollup.l1.refusals import Refusals
from rollup.l1.rpc import JsonRpc, RpcError
from rollup.l1.sending import Account, Sending, Sent, data_gas, failure, request

MINE_SECONDS: Final = 600
"""How long to wait for a transaction to be in an L1 block."""
FIRST_POLL_SECONDS: Final = 0.05
LONGEST_POLL_SECONDS: Final = 4.0
SEND_ATTEMPTS: Final = 4
TIP_WEI: Final = 10**9
"""What is offered the block's builder if the node has no word on it."""
BASE_FEES: Final = 2
"""Offered: this many times the base fee of now, which rises by an eighth a block at most."""


class KeySender(Sending):
    """Sends calls over JSON-RPC; the account that signs is eth-account's LocalAccount.

    Args:
        rpc: The node.
        refusals: The errors to recognise.
        mine_seconds: How long to wait for a transaction.
        pause: Waits so many seconds.
    """

    def __init__(
        self,
        rpc: JsonRpc,
        refusals: Refusals,
        mine_seconds: float = MINE_SECONDS,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(rpc, refusals)
        self._mine_seconds = mine_seconds
        self._pause = pause
        self._chain_id: int | None = None

    def _land(self, action: str, to: str | None, data: bytes, account: Account, wei: int, gas: int) -> Sent:
        if not isinstance(account, LocalAccount):
            raise TypeError(f"{type(account).__name__} holds no key to sign with")
        if self._chain_id is None:
            self._chain_id = self.rpc.chain_id()
        tip = self._tip()
        base_fee = int(self.rpc("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16)
        transaction: dict[str, Any] = {
            "type": 2,
            "chainId": self._chain_id,
            "nonce": int(self.rpc("eth_getTransactionCount", account.address, "pending"), 16),
            "to": bytes.fromhex(to[2:]) if to else b"",
            "data": data,
            "value": wei,
            "gas": gas,
            "maxPriorityFeePerGas": tip,
            "maxFeePerGas": BASE_FEES * base_fee + tip,
        }
        signed = account.sign_transaction(transaction)
        name = "0x" + bytes(signed.hash).hex()
        self._hand_in(action, name, bytes(signed.raw_transaction))
        receipt = self._wait(action, name)
        used = int(receipt["gasUsed"], 16)
        if receipt["status"] != "0x1":
            raise failure(self.rpc, self.refusals, action, request(account.address, to, data, wei), receipt)
        contract = None if receipt.get("contractAddress") is None else str(receipt["contractAddress"])
        return Sent(name, int(receipt["blockNumber"], 16), used, data_gas(data, used), contract)

    def _tip(self) -> int:
        try:
            return int(self.rpc("eth_maxPriorityFeePerGas"), 16)
        except RpcError:
            return TIP_WEI

    def _hand_in(self, action: str, name: str, raw: bytes) -> None:
        """Give it to the node. The bytes are the same each time, so handing it in again cannot send it twice."""
        for attempt in range(SEND_ATTEMPTS):
            try:
                self.rpc("eth_sendRawTransaction", "0x" + raw.hex())
                return
            except NodeUnreachable:
                if attempt + 1 == SEND_ATTEMPTS:
                    raise
            except RpcError as error:
                # It may be there already: an earlier attempt's answer was lost, or the node says "already known".
                if self.rpc("eth_getTransactionByHash", name) is None:
                    raise TransactionNotTaken(action, error.text) from error
                return
            self._pause(FIRST_POLL_SECONDS * 2**attempt)

    def _wait(self, action: str, name: str) -> dict[str, Any]:
        deadline, pause = time.monotonic() + self._mine_seconds, FIRST_POLL_SECONDS
        while True:
            try:
                receipt: dict[str, Any] | None = self.rpc("eth_getTransactionReceipt", name)
            except (NodeUnreachable, RpcError):
                receipt = None
            if receipt is not None:
                return receipt
            if time.monotonic() > deadline:
                raise TransactionNotMined(action, name, self._mine_seconds)
            self._pause(pause)
            pause = min(2 * pause, LONGEST_POLL_SECONDS)
