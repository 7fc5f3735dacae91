"""The rollup on L1, typed: what users, validators and anyone can ask of the contract (IRollup.sol).

Every refusal is an exception of ours with the contract's data and the way out (`refusals.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from eth_abi.abi import decode, encode

from rollup.core.checks import unpack
from rollup.core.constants import (
    AUX_BITS,
    BALANCE_BITS,
    FLAG_SENDER_IS_OWNER,
)
from rollup.core.errors.base import hex_address
from rollup.core.operations import NO_KEY, ChangePubKey, Deposit, FullExit, Key, QueueOperation
from rollup.core.operations.base import read_record_head
from rollup.core.queue import requested
from rollup.exits.claim import ExitClaim
from rollup.l1.abi import (
    BLOCK_COMMITTED,
    BLOCK_TYPE,
    COMMIT_PROVE_EXECUTE_TYPES,
    COMMIT_TYPES,
    DEPOSIT_QUEUED,
    DEPOSIT_QUEUED_DATA,
    FULL_EXIT_QUEUED,
    FULL_EXIT_QUEUED_DATA,
    KEY_CHANGE_TYPE,
    Committed,
    L1Block,
    NewBlock,
    key_change_tuple,
    selector,
)
from rollup.l1.sending import Account, Sending, Sent

Proof = Sequence[int]
"""The eight words of IVerifier.verify."""
_MOST_FEES: Final = 2
"""L1 takes up to so many times the queue fee for an entry; what is over the fee it owes the sender at once."""


@dataclass(frozen=True, slots=True)
class Queued:
    """An entry of the queue as requested: the operator's part is blank. `expiry` in unix seconds; `l1_block` has it."""

    index: int
    operation: QueueOperation
    expiry: int
    l1_block: int = 0


class RollupClient:
    """One deployed rollup.

    Args:
        sender: How transactions go out.
        address: The rollup.
        deployed_at: L1 block to read events from.
    """

    def __init__(self, sender: Sending, address: str, deployed_at: int) -> None:
        self.sender = sender
        self.address = address
        self.deployed_at = deployed_at

    # Users

    def deposit_eth(
        self,
        account: Account,
        amount: int,
        owner: str | None = None,
        key: Key = NO_KEY,
        double_fee: bool = False,
    ) -> Sent:
        """Deposit `amount` wei; the queue fee is paid on top.

        Args:
            account: Who pays.
            owner: Whose it becomes; by default the payer's.
            key: The owner's L2 key, only in a deposit of his own.
            double_fee: Send twice the queue fee of now: it may rise until the deposit is in an L1 block. What is over
                it is the payer's, pending at once. Without it a fee that has risen refuses the deposit.
        """
        types, values = ["uint128", "address", "uint256", "uint256"], [amount, owner or account.address, *key]
        return self._send("the deposit", "depositETH", types, values, account, amount + self._fee(double_fee))

    def deposit_erc20(
        self,
        account: Account,
        token: int,
        amount: int,
        owner: str | None = None,
        key: Key = NO_KEY,
        double_fee: bool = False,
    ) -> Sent:
        """Deposit units of a listed token that the rollup was approved for; the queue fee is paid in ETH."""
        values = [token, amount, owner or account.address, *key]
        types = ["uint16", "uint128", "address", "uint256", "uint256"]
        return self._send("the deposit", "depositERC20", types, values, account, self._fee(double_fee))

    def allow(self, account: Account, token_address: str, amount: int) -> Sent | None:
        """Let the rollup take `amount` units of an ERC-20 of the account's; None if it may already."""
        holder = [str(account.address), self.address]
        data = selector("allowance", ["address", "address"]) + encode(["address", "address"], holder)
        if int.from_bytes(self.sender.rpc.call(token_address, data), "big") >= amount:
            return None
        types, values = ["address", "uint256"], [self.address, amount]
        return self.sender.call("the approval", token_address, "approve", types, values, account)

    def request_full_exit(self, account: Account, account_id: int, token: int, double_fee: bool = True) -> Sent:
        """Demand the account's whole balance of a token back on L1.

        Args:
            double_fee: As for a deposit; by default, as a few entries of a stranger's are not to refuse an exit.
        """
        types, wei = ["uint32", "uint16"], self._fee(double_fee)
        return self._send("the full exit", "requestFullExit", types, [account_id, token], account, wei)

    def withdraw_pending(self, account: Account, owner: str, token: int) -> Sent:
        """Push a pending balance to its owner; anyone may."""
        return self._send("the withdrawal", "withdrawPending", ["address", "uint16"], [owner, token], account)

    def withdraw_pending_to(self, account: Account, token: int, to: str, amount: int | None = None) -> Sent:
        """Have `amount` of the account's own pending balance paid to an address of its choice; by default all of it."""
        if amount is None:
            amount = self.pending(str(account.address), token)
        types = ["uint16", "address", "uint128"]
        return self._send("the withdrawal", "withdrawPendingTo", types, [token, to, amount], account)

    def approve_key_change(self, account: Account, operation: ChangePubKey) -> Sent:
        """Authorise a key change of an account of the sender's, for good: nothing takes it back.

        Args:
            account: Who owns the account, and pays.
            operation: The key change; an authorisation in it plays no part.
        """
        values = [key_change_tuple(operation)]
        return self._send("the approval", "approveKeyChange", [KEY_CHANGE_TYPE], values, account)

    # Blocks

    def commit(self, account: Account, parent: L1Block, blocks: Sequence[NewBlock]) -> Sent:
        """Publish blocks on top of the last committed one."""
        values = [parent.as_tuple(), [block.as_tuple() for block in blocks], b""]
        return self._send("the commit", "commitBlocks", COMMIT_TYPES, values, account)

    def prove(self, account: Account, blocks: Sequence[L1Block], proofs: Sequence[Proof]) -> Sent:
        """Hand in the proofs of committed blocks."""
        types = [f"{BLOCK_TYPE}[]", "uint256[8][]"]
        return self._send("the proof", "proveBlocks", types, [_tuples(blocks), [list(p) for p in proofs]], account)

    def execute(self, account: Account, blocks: Sequence[L1Block], l1_streams: Sequence[bytes]) -> Sent:
        """Credit what proven blocks pay out."""
        types = [f"{BLOCK_TYPE}[]", "bytes[]"]
        return self._send("the execution", "executeBlocks", types, [_tuples(blocks), list(l1_streams)], account)

    def commit_prove_execute(self, account: Account, parent: L1Block, block: NewBlock, proof: Proof) -> Sent:
        """Commit, prove and execute one block at once."""
        values = [parent.as_tuple(), block.as_tuple(), list(proof), b""]
        return self._send("the block", "commitProveExecute", COMMIT_PROVE_EXECUTE_TYPES, values, account)

    def revert_blocks(self, account: Account, last_proven: L1Block, first_unproven: L1Block) -> Sent:
        """Take back all unproven blocks, once the first of them is overdue; its committer is suspended for good,
        unless he still has grace (protocol 14)."""
        values = [last_proven.as_tuple(), first_unproven.as_tuple()]
        return self._send("the reverting", "revertBlocks", [BLOCK_TYPE, BLOCK_TYPE], values, account)

    # Exodus

    def activate_exodus(self, account: Account, last_proven: L1Block) -> Sent:
        """Begin exodus, for good, once the oldest queue entry that no proven block serves is overdue."""
        return self._send("exodus", "activateExodus", [BLOCK_TYPE], [last_proven.as_tuple()], account)

    def exit_exodus(self, account: Account, claim: ExitClaim, proof: Proof) -> Sent:
        """Have a balance of the exodus root credited to its owner's pending balance; anyone may.

        Args:
            account: Who pays the gas.
            claim: What is proven.
            proof: Of the claim.
        """
        types = ["uint32", "uint16", "address", "uint128", "uint256[8]"]
        values = [claim.account_id, claim.token, hex_address(claim.owner), claim.amount, list(proof)]
        return self._send("the exit", "exitExodus", types, values, account)

    def refund_queued(self, account: Account, entry: Queued) -> Sent:
        """Give a queue entry that no proven block serves back to its owner in exodus; anyone may."""
        values = [entry.index, requested(entry.operation).record()]
        return self._send("the refund", "refundQueued", ["uint64", "uint256[]"], values, account)

    def committed(self, sent: Sent) -> list[Committed]:
        """The blocks that a transaction of ours committed, as its events tell."""
        logs = self.sender.rpc("eth_getTransactionReceipt", sent.transaction)["logs"]
        topic = "0x" + BLOCK_COMMITTED.hex()
        ours = [log for log in logs if int(log["address"], 16) == int(self.address, 16)]
        return [Committed.of_json(log) for log in ours if log["topics"][0] == topic]

    # Views

    def queue_fee(self) -> int:
        """What the next queue entry costs, in wei."""
        return int(self._view("queueFee", [], [], "uint256"))

    def pending(self, owner: str, token: int) -> int:
        """What an owner can withdraw."""
        return int(self._view("pending", ["address", "uint16"], [owner, token], "uint128"))

    def accounted(self, token: int) -> int:
        """All that the contract owes in a token."""
        return int(self._view("accounted", ["uint16"], [token], "uint256"))

    def key_change_approved(self, owner: str, digest: bytes) -> bool:
        """Whether the owner has approved the key change of this digest on L1."""
        return bool(self._view("keyChangeApproved", ["address", "bytes32"], [owner, digest], "bool"))

    def block_hash(self, number: int) -> bytes:
        """Hash of a committed block, zeros if there is none."""
        return bytes(self._view("blockHash", ["uint64"], [number], "bytes32"))

    def verify_block(self, block: L1Block) -> bool:
        """Whether the contract knows exactly this block."""
        return bool(self._view("verifyBlock", [BLOCK_TYPE], [block.as_tuple()], "bool"))

    def committed_blocks(self) -> int:
        """Number of the last committed block."""
        return int(self._view("committedBlocks", [], [], "uint64"))

    def proven_blocks(self) -> int:
        """Number of the last proven block."""
        return int(self._view("provenBlocks", [], [], "uint64"))

    def proven_at(self) -> int:
        """When the last proven block was proven, in unix seconds; 0 if none is."""
        return int(self._view("provenAt", [], [], "uint40"))

    def turn_began_at(self) -> int:
        """When the last block below that one which is another committer's was proven; 0 if there is none."""
        return int(self._view("turnBeganAt", [], [], "uint40"))

    def executed_blocks(self) -> int:
        """Number of the last executed block."""
        return int(self._view("executedBlocks", [], [], "uint64"))

    def suspended(self, committer: str) -> bool:
        """Whether a block of this address's was reverted, so that it may not commit any more."""
        return bool(self._view("suspended", ["address"], [committer], "bool"))

    def exodus_root(self) -> int:
        """The state root that everything leaves from, 0 if this is no exodus."""
        return int(self._view("exodusRoot", [], [], "uint256"))

    def exited(self, account_id: int, token: int) -> bool:
        """Whether this balance has left in exodus."""
        return bool(self._view("exited", ["uint32", "uint16"], [account_id, token], "bool"))

    def is_queued(self, index: int) -> bool:
        """Whether a queue entry is neither executed nor refunded."""
        answer = self.sender.rpc.call(self.address, selector("queueEntry", ["uint64"]) + encode(["uint64"], [index]))
        return any(answer)

    def exit_key_hash(self) -> bytes:
        """Hash of the key that proofs of exits are verified under."""
        verifier = str(self._view("exitVerifier", [], [], "address"))
        return self.sender.rpc.call(verifier, selector("keyHash", []))

    def queue(self, start: int = 0, since: int = 0) -> list[Queued]:
        """The queue's entries from index `start` on, executed ones too, as events from L1 block `since` on tell."""
        first = max(since, self.deployed_at)
        logs = self.sender.rpc.logs(self.address, [DEPOSIT_QUEUED, FULL_EXIT_QUEUED], first)
        entries = sorted((_queued(log) for log in logs), key=lambda entry: entry.index)
        return [entry for entry in entries if entry.index >= start]

    def _fee(self, double: bool) -> int:
        return self.queue_fee() * (_MOST_FEES if double else 1)

    def _send(
        self, action: str, name: str, types: Sequence[str], values: Sequence[Any], account: Account, wei: int = 0
    ) -> Sent:
        return self.sender.call(action, self.address, name, types, values, account, wei)

    def _view(self, name: str, types: Sequence[str], values: Sequence[Any], returns: str) -> Any:
        answer = self.sender.rpc.call(self.address, selector(name, types) + encode(list(types), list(values)))
        return decode([returns], answer)[0]


def _tuples(blocks: Sequence[L1Block]) -> list[tuple[Any, ...]]:
    return [block.as_tuple() for block in blocks]


def _queued(log: dict[str, Any]) -> Queued:
    is_deposit = log["topics"][0] == "0x" + DEPOSIT_QUEUED.hex()
    *_, expiry, record = decode(
        DEPOSIT_QUEUED_DATA if is_deposit else FULL_EXIT_QUEUED_DATA, bytes.fromhex(log["data"][2:])
    )
    _, _, flags, account_id, token, owner = read_record_head(record[0])
    _, fee_gwei, amount = unpack(record[1], AUX_BITS, BALANCE_BITS)
    operation: QueueOperation
    if is_deposit:
        is_owner = bool(flags & FLAG_SENDER_IS_OWNER)
        operation = Deposit(0, token, amount, owner, (record[2], record[3]), is_owner, queue_fee_gwei=fee_gwei)
    else:
        operation = FullExit(account_id, token, owner, None, fee_gwei)
    return Queued(int(log["topics"][1], 16), operation, expiry, int(log["blockNumber"], 16))
