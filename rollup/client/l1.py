"""What a user does on L1 himself: deposits, exits through the queue, what he is owed. All of it blocks."""

from dataclasses import dataclass
from typing import Any, Final

from eth_account.signers.local import LocalAccount

from rollup.client.model import Listed
from rollup.client.trust import Deployment, check_chain
from rollup.l1.abi import DEPOSIT_QUEUED, FULL_EXIT_QUEUED
from rollup.l1.client import RollupClient
from rollup.l1.errors import ReaderError
from rollup.l1.key_sender import KeySender
from rollup.l1.patient import PatientRpc
from rollup.l1.refusals import Refusals
from rollup.l1.sending import Sent

ETH_ID: Final = 0


@dataclass(frozen=True, slots=True)
class QueuedOnL1:
    """A transaction that put an entry into L1's queue, and the entry's index."""

    sent: Sent
    index: int

    @property
    def name(self) -> str:
        """What the API calls the entry."""
        return f"queue:{self.index}"


class L1Account:
    """An Ethereum account in front of the rollup's contract.

    Args:
        rpc: A node of L1.
        deployment: Whose contract.
        owner: Who signs and pays.

    Raises: WrongChain, WrongContract, NodeUnreachable, RpcError.
    """

    def __init__(self, rpc: PatientRpc, deployment: Deployment, owner: LocalAccount) -> None:
        self.owner, self.rpc = owner, rpc
        check_chain(rpc, deployment)
        self._client = RollupClient(KeySender(rpc, Refusals.of_contracts()), deployment.rollup, deployment.deployed_at)

    def deposit(
        self,
        token: Listed,
        amount: int,
        to: str | None = None,
        key: tuple[int, int] | None = None,
        double_fee: bool = False,
    ) -> QueuedOnL1:
        """Deposit smallest units; the queue fee is paid on top, in ETH. An ERC-20 is approved as needed.

        Args:
            to: The L2 account's owner; None: the account itself.
            key: Its L2 key, set with the deposit if it has none; only in a deposit of one's own.
            double_fee: See `RollupClient.deposit_eth`.
        """
        arguments: dict[str, Any] = {"owner": to, "double_fee": double_fee} | ({} if key is None else {"key": key})
        if token.token_id == ETH_ID:
            return self._queued(self._client.deposit_eth(self.owner, amount, **arguments))
        self._client.allow(self.owner, token.address, amount)
        return self._queued(self._client.deposit_erc20(self.owner, token.token_id, amount, **arguments))

    def request_exit(self, account_id: int, token: Listed, double_fee: bool = True) -> QueuedOnL1:
        """Demand all that an account of the owner's has of a token back, whatever a validator wants."""
        return self._queued(self._client.request_full_exit(self.owner, account_id, token.token_id, double_fee))

    def pending(self, token: Listed, of: str | None = None) -> int:
        """What L1 owes the account, or another address, in smallest units."""
        return self._client.pending(of or str(self.owner.address), token.token_id)

    def claim(self, token: Listed, to: str | None = None, of: str | None = None) -> Sent:
        """Have what is pending paid out: the account's own to it or elsewhere, or another's to him."""
        if to is None:
            return self._client.withdraw_pending(self.owner, of or str(self.owner.address), token.token_id)
        return self._client.withdraw_pending_to(self.owner, token.token_id, to)

    def wei(self) -> int:
        """What ETH the account has on L1."""
        return int(self.rpc("eth_getBalance", self.owner.address, "latest"), 16)

    def _queued(self, sent: Sent) -> QueuedOnL1:
        receipt = self.rpc("eth_getTransactionReceipt", sent.transaction)
        topics = ["0x" + event.hex() for event in (DEPOSIT_QUEUED, FULL_EXIT_QUEUED)]
        for log in receipt["logs"]:
            if int(log["address"], 16) == int(self._client.address, 16) and log["topics"][0] in topics:
                return QueuedOnL1(sent, int(log["topics"][1], 16))
        raise ReaderError(sent.l1_block, f"transaction {sent.transaction} has no event of an entry of the queue")
