"""The reference model: protocol sections 2 and 4 in dictionaries and integers, written from the page.

It shares nothing with the state machine but the operations' field names: no tree, no plan, no steps, no overlay. A
signature is not computed but remembered: `Consent` says who signed what, for which domain. What takes several steps is
done on the accounts themselves, which are put back as they were if a step fails.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from naive_tree import hashed, node_at

LIMIT = 2**128
CODES = {"Transfer": 3, "TransferToAddress": 4, "Withdraw": 5, "ForcedExit": 7, "Order": 8, "CancelOrder": 9}
Block = dict[str, Any]
"""domain, timestamp, fee_tokens"""


@dataclass(frozen=True)
class Consent:
    """Who signed (the L2 key; of a key change the Ethereum address; None: nobody), for which domain, and what.

    `batch` is what all operations of the batch say that it was signed as part of, () for none.
    """

    key: Any
    domain: int
    signed: tuple[Any, ...]
    batch: tuple[Any, ...] = ()


@dataclass
class ModelAccount:
    key: tuple[int, int] = (0, 0)
    address: int = 0
    nonce: int = 0
    balances: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    orders: dict[int, tuple[int, int]] = field(default_factory=dict)
    """slot: (order id, filled)"""


class Model:
    """What the page says, one sentence a line."""

    def __init__(self, account_levels: int, balance_levels: int) -> None:
        self.account_levels = account_levels
        self.balance_levels = balance_levels
        self.first_order_slot = 8**balance_levels // 2
        self.accounts: dict[int, ModelAccount] = defaultdict(ModelAccount)
        self.fees: dict[int, int] = defaultdict(int)
        self.deposited: dict[int, int] = defaultdict(int)
        self.left: dict[int, int] = defaultdict(int)

    def apply(self, op: Any, consents: Sequence[Consent], block: Block) -> set[str]:
        """Which conditions fail; if none does, the operation is done.

        Args:
            op: a Deposit, FullExit, ... or a Swap or Batch.
            consents: of the operation; of a Swap the maker's and the taker's; of a Batch one for each operation.
            block: what the header says.
        """
        match type(op).__name__:
            case "Deposit":
                return self.deposit(op)
            case "FullExit":
                self.full_exit(op)
                return set()
            case "ChangePubKey":
                return self.change_pub_key(op, consents[0], block)
            case "Swap":
                return self.swap(op, consents, block)
            case "Batch":
                return self.batch(op, consents, block)
        return self.signed(op, consents[0], block, ())

    def signed(self, op: Any, consent: Consent, block: Block, batch: tuple[Any, ...]) -> set[str]:
        """An operation that a nonce counts, as part of a batch or of none."""
        payer_id = op.account_id if type(op).__name__ == "CancelOrder" else op.from_id
        payer = self.accounts[payer_id]
        faults = self._consent_faults(payer, op, consent, block)
        if consent.batch != batch:
            faults.add("link_mismatch")
        if op.nonce != payer.nonce:
            faults.add("nonce_mismatch")
        if payer.nonce + 1 >= 2**32:
            faults.add("nonce_exhausted")
        match type(op).__name__:
            case "Transfer":
                return self._transfer(op, payer, faults, block)
            case "TransferToAddress":
                return self._transfer_to_address(op, payer, faults, block)
            case "Withdraw":
                return self._withdraw(op, payer, faults, block)
            case "ForcedExit":
                return self._forced_exit(op, payer, faults, block)
        return self._cancel_order(op, payer, faults, block)

    # Conditions that several have

    def _consent_faults(self, account: ModelAccount, op: Any, consent: Consent, block: Block) -> set[str]:
        faults = set()
        if account.address == 0:
            faults.add("account_missing")
        if account.key == (0, 0):
            faults.add("key_missing")
        if consent.key is None:
            faults.add("signature_missing")
        elif (consent.key, consent.domain, consent.signed) != (account.key, block["domain"], signed_fields(op)):
            faults.add("signature_invalid")
        if not (op.valid_from <= block["timestamp"] <= op.valid_until):
            faults.add("outside_validity")
        return faults

    def _pay_faults(self, account: ModelAccount, token: int, amount: int, fee: int, block: Block) -> set[str]:
        faults = set()
        if token >= self.first_order_slot:
            faults.add("token_not_money")
        if account.balances[token] < amount + fee:
            faults.add("balance_too_low")
        if fee > 0 and token not in block["fee_tokens"]:
            faults.add("fee_token_not_listed")
        return faults

    def _pay(self, account: ModelAccount, token: int, amount: int, fee: int) -> None:
        account.balances[token] -= amount + fee
        self.fees[token] += fee

    # Payments

    def _transfer(self, op: Any, payer: ModelAccount, faults: set[str], block: Block) -> set[str]:
        faults |= self._pay_faults(payer, op.token, op.amount, op.fee, block)
        receiver = self.accounts[op.to_id]
        if receiver.address == 0:
            faults.add("account_missing")
        if op.to_address == 0:
            faults.add("address_zero")
        if receiver.address != op.to_address:
            faults.add("recipient_mismatch")
        faults |= self._overflow(op, payer, receiver)
        if not faults:
            self._pay(payer, op.token, op.amount, op.fee)
            payer.nonce += 1
            receiver.balances[op.token] += op.amount
        return faults

    def _transfer_to_address(self, op: Any, payer: ModelAccount, faults: set[str], block: Block) -> set[str]:
        faults |= self._pay_faults(payer, op.token, op.amount, op.fee, block)
        receiver = self.accounts[op.to_id]
        if op.to_address == 0:
            faults.add("address_zero")
        if receiver.address not in (0, op.to_address):
            faults.add("account_taken")
        faults |= self._overflow(op, payer, receiver)
        if not faults:
            self._pay(payer, op.token, op.amount, op.fee)
            payer.nonce += 1
            receiver.address = op.to_address
            receiver.balances[op.token] += op.amount
        return faults

    def _overflow(self, op: Any, payer: ModelAccount, receiver: ModelAccount) -> set[str]:
        held = receiver.balances[op.token] - (op.amount + op.fee if receiver is payer else 0)
        return {"balance_overflow"} if held + op.amount >= LIMIT else set()

    def _withdraw(self, op: Any, payer: ModelAccount, faults: set[str], block: Block) -> set[str]:
        faults |= self._pay_faults(payer, op.token, op.amount, op.fee, block)
        if op.address == 0:
            faults.add("address_zero")
        if not faults:
            self._pay(payer, op.token, op.amount, op.fee)
            payer.nonce += 1
            self.left[op.token] += op.amount
        return faults

    def _forced_exit(self, op: Any, payer: ModelAccount, faults: set[str], block: Block) -> set[str]:
        faults |= self._pay_faults(payer, op.fee_token, 0, op.fee, block)
        if op.token >= self.first_order_slot:
            faults.add("token_not_money")
        account = self.accounts[op.account_id]
        if account.address == 0:
            faults.add("account_missing")
        if op.address == 0:
            faults.add("address_zero")
        if account.address != op.address:
            faults.add("owner_mismatch")
        if account.key != (0, 0):
            faults.add("key_present")
        amount = account.balances[op.token]
        if amount == 0:
            faults.add("nothing_to_exit")
        if op.amount not in (None, amount):
            faults.add("exit_amount")
        if not faults:
            self._pay(payer, op.fee_token, 0, op.fee)
            payer.nonce += 1
            account.balances[op.token] = 0
            self.left[op.token] += amount
        return faults

    # The queue

    def deposit(self, op: Any) -> set[str]:
        if op.refused:
            return set()
        account = self.accounts[op.account_id]
        faults = set()
        if op.token >= self.first_order_slot:
            faults.add("token_not_money")
        if op.owner == 0:
            faults.add("address_zero")
        if account.address not in (0, op.owner):
            faults.add("account_taken")
        if account.balances[op.token] + op.amount >= LIMIT:
            faults.add("balance_overflow")
        if not faults:
            account.address = op.owner
            account.balances[op.token] += op.amount
            if op.sender_is_owner and op.key != (0, 0) and account.key == (0, 0):
                account.key = op.key
            self.deposited[op.token] += op.amount
        return faults

    def full_exit(self, op: Any) -> int:
        """Never impossible; returns what leaves."""
        account = self.accounts[op.account_id]
        if account.address != op.owner or op.token >= self.first_order_slot:
            return 0
        amount = account.balances[op.token]
        account.balances[op.token] = 0
        self.left[op.token] += amount
        return amount

    # Keys

    def change_pub_key(self, op: Any, consent: Consent, block: Block) -> set[str]:
        account = self.accounts[op.account_id]
        faults = self._pay_faults(account, op.fee_token, 0, op.fee, block)
        if account.address == 0:
            faults.add("account_missing")
        if op.owner == 0:
            faults.add("address_zero")
        if account.address != op.owner:
            faults.add("owner_mismatch")
        if op.nonce != account.nonce:
            faults.add("nonce_mismatch")
        if account.nonce + 1 >= 2**32:
            faults.add("nonce_exhausted")
        if block["timestamp"] > op.valid_until:
            faults.add("outside_validity")
        if op.key not in block["usable_keys"]:
            faults.add("key_unusable")
        if consent != Consent(op.owner, block["domain"], key_change_fields(op)):
            faults.add("key_change_not_authorised")
        if not faults:
            self._pay(account, op.fee_token, 0, op.fee)
            account.nonce += 1
            account.key = op.key
        return faults

    # Orders

    def swap(self, op: Any, consents: Sequence[Consent], block: Block) -> set[str]:
        maker, taker = op.maker, op.taker
        if maker.sell_token != taker.buy_token or maker.buy_token != taker.sell_token:
            return {"swap_tokens"}
        before = self._saved()
        x, y = op.maker_amount, op.taker_amount
        faults = self._fill(maker, x, y, op.maker_fee, consents[0], block)
        faults = faults or self._fill(taker, y, x, op.taker_fee, consents[1], block)
        if not faults:
            for account_id, token, amount in (
                (maker.account_id, maker.buy_token, y),
                (taker.account_id, taker.buy_token, x),
            ):
                self.accounts[account_id].balances[token] += amount
                if self.accounts[account_id].balances[token] >= LIMIT:
                    faults = {"balance_overflow"}
        if faults:
            self._restore(before)
        return faults

    def _fill(self, order: Any, sells: int, gets: int, fee: int, consent: Consent, block: Block) -> set[str]:
        account = self.accounts[order.account_id]
        faults = self._consent_faults(account, order, consent, block)
        faults |= self._pay_faults(account, order.sell_token, sells, fee, block)
        if order.buy_token >= self.first_order_slot:
            faults.add("token_not_money")
        if order.slot < self.first_order_slot:
            faults.add("not_an_order_slot")
        if order.sell_amount == 0:
            faults.add("order_empty")
        latest, filled = account.orders.get(order.slot, (0, 0))
        if order.order_id < latest:
            faults.add("order_replaced")
        if order.order_id > latest:
            filled = 0
        if filled + sells > order.sell_amount:
            faults.add("order_overfilled")
        if gets * order.sell_amount < sells * order.buy_amount:
            faults.add("order_price")
        if fee * order.sell_amount > order.fee * sells:
            faults.add("order_fee")
        if not faults:
            self._pay(account, order.sell_token, sells, fee)
            account.orders[order.slot] = (order.order_id, filled + sells)
        return faults

    def _cancel_order(self, op: Any, payer: ModelAccount, faults: set[str], block: Block) -> set[str]:
        faults |= self._pay_faults(payer, op.fee_token, 0, op.fee, block)
        if op.slot < self.first_order_slot:
            faults.add("not_an_order_slot")
        latest, _ = payer.orders.get(op.slot, (0, 0))
        if op.first_valid_order_id <= latest:
            faults.add("cancel_too_low")
        if not faults:
            self._pay(payer, op.fee_token, 0, op.fee)
            payer.nonce += 1
            payer.orders[op.slot] = (op.first_valid_order_id, 0)
        return faults

    # Batches

    def batch(self, op: Any, consents: Sequence[Consent], block: Block) -> set[str]:
        together = tuple(signed_fields(one) for one in op.operations)
        before = self._saved()
        for one, consent in zip(op.operations, consents, strict=True):
            faults = self.signed(one, consent, block, together)
            if faults:
                self._restore(before)
                return faults
        return set()

    def _saved(self) -> tuple[Any, ...]:
        accounts = {i: (a.key, a.address, a.nonce, dict(a.balances), dict(a.orders)) for i, a in self.accounts.items()}
        return accounts, dict(self.fees), dict(self.left)

    def _restore(self, saved: tuple[Any, ...]) -> None:
        accounts, fees, left = saved
        self.accounts = defaultdict(ModelAccount)
        for i, (key, address, nonce, balances, orders) in accounts.items():
            self.accounts[i] = ModelAccount(key, address, nonce, defaultdict(int, balances), orders)
        self.fees, self.left = defaultdict(int, fees), defaultdict(int, left)

    # Blocks, invariants, root

    def end_of_block(self, fee_account: int, fee_tokens: tuple[int, ...]) -> None:
        for token in fee_tokens:
            self.accounts[fee_account].balances[token] += self.fees.pop(token, 0)
        assert not any(self.fees.values())

    def owed(self, token: int) -> int:
        """What the accounts must have together (I-02), but for the open block's fees."""
        return self.deposited[token] - self.left[token] - self.fees[token]

    def check_invariants(self) -> None:
        """I-01 and I-02."""
        totals: dict[int, int] = defaultdict(int)
        for account in self.accounts.values():
            if account.address == 0:
                assert account.key == (0, 0)
                assert account.nonce == 0
                assert not any(account.balances.values())
                assert not account.orders
            for token, balance in account.balances.items():
                assert 0 <= balance < LIMIT
                assert token < self.first_order_slot or balance == 0
                totals[token] += balance
        for token in {*totals, *self.deposited, *self.left, *self.fees}:
            assert totals[token] == self.owed(token)

    def root(self) -> int:
        """The state root, from nothing: section 2 read as a recursion."""
        no_balances = node_at(self.balance_levels, 0, {}, 0)
        leaves = {}
        for account_id, account in self.accounts.items():
            slots = {token: balance for token, balance in account.balances.items() if balance}
            slots |= {slot: order_id * 2**128 + filled for slot, (order_id, filled) in account.orders.items()}
            balances_root = node_at(self.balance_levels, 0, slots, 0)
            leaves[account_id] = hashed(*account.key, account.address, account.nonce, balances_root)
        return node_at(self.account_levels, 0, leaves, hashed(0, 0, 0, 0, no_balances))


def signed_fields(op: Any) -> tuple[Any, ...]:
    """What the message of an operation or order binds, but for its batch."""
    kind = type(op).__name__
    common = (CODES[kind], op.fee, op.valid_from, op.valid_until)
    match kind:
        case "Transfer":
            return (*common, op.from_id, op.nonce, op.token, op.amount, op.to_id, op.to_address)
        case "TransferToAddress":
            return (*common, op.from_id, op.nonce, op.token, op.amount, op.to_address)
        case "Withdraw":
            return (*common, op.from_id, op.nonce, op.token, op.amount, op.address)
        case "ForcedExit":
            return (*common, op.from_id, op.nonce, op.fee_token, op.token, op.account_id, op.address)
        case "CancelOrder":
            return (*common, op.account_id, op.nonce, op.fee_token, op.slot, op.first_valid_order_id)
    limits = (op.sell_token, op.buy_token, op.sell_amount, op.buy_amount)
    return (*common, op.account_id, op.slot, op.order_id, *limits)


def key_change_fields(op: Any) -> tuple[Any, ...]:
    """What the owner authorises."""
    return (op.account_id, op.nonce, op.key, op.fee_token, op.fee, op.valid_until)
