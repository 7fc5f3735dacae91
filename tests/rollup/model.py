"""The reference model: protocol sections 2 and 4 in dictionaries and integers, written from the page.

It shares nothing with the state machine but the operations' field names: no tree, no plan, no rollback. A signature is
not computed but remembered: `Consent` says who signed what, for which domain.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from rollup._native import poseidon

LIMIT = 2**128


@dataclass
class Consent:
    """Who signed (the key), for which domain, and what: the operation's signed fields."""

    key: tuple[int, int]
    domain: int
    signed: tuple[Any, ...]


@dataclass
class ModelAccount:
    key: tuple[int, int] = (0, 0)
    address: int = 0
    nonce: int = 0
    balances: dict[int, int] = field(default_factory=lambda: defaultdict(int))


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

    # Transfer and Withdraw: which conditions fail

    def _payer_faults(self, op: Any, consent: Consent | None, block: dict[str, Any], code: int) -> set[str]:
        payer = self.accounts[op.from_id]
        faults = set()
        if op.token >= self.first_order_slot:
            faults.add("token_not_money")
        if payer.address == 0:
            faults.add("account_missing")
        if payer.key == (0, 0):
            faults.add("key_missing")
        if consent is None:
            faults.add("signature_missing")
        elif consent != Consent(payer.key, block["domain"], signed_fields(op, code)):
            faults.add("signature_invalid")
        if op.nonce != payer.nonce:
            faults.add("nonce_mismatch")
        if payer.nonce + 1 >= 2**32:
            faults.add("nonce_exhausted")
        if not (op.valid_from <= block["timestamp"] <= op.valid_until):
            faults.add("outside_validity")
        if payer.balances[op.token] < op.amount + op.fee:
            faults.add("balance_too_low")
        if op.fee > 0 and op.token not in block["fee_tokens"]:
            faults.add("fee_token_not_listed")
        return faults

    def transfer(self, op: Any, consent: Consent | None, block: dict[str, Any]) -> set[str]:
        faults = self._payer_faults(op, consent, block, 3)
        receiver = self.accounts[op.to_id]
        if receiver.address == 0:
            faults.add("account_missing")
        if op.to_address == 0:
            faults.add("address_zero")
        if receiver.address != op.to_address:
            faults.add("recipient_mismatch")
        held = receiver.balances[op.token]
        if op.from_id == op.to_id:
            held -= op.amount + op.fee
        if held + op.amount >= LIMIT:
            faults.add("balance_overflow")
        if not faults:
            payer = self.accounts[op.from_id]
            payer.balances[op.token] -= op.amount + op.fee
            payer.nonce += 1
            receiver.balances[op.token] += op.amount
            self.fees[op.token] += op.fee
        return faults

    def withdraw(self, op: Any, consent: Consent | None, block: dict[str, Any]) -> set[str]:
        faults = self._payer_faults(op, consent, block, 5)
        if op.address == 0:
            faults.add("address_zero")
        if not faults:
            payer = self.accounts[op.from_id]
            payer.balances[op.token] -= op.amount + op.fee
            payer.nonce += 1
            self.fees[op.token] += op.fee
            self.left[op.token] += op.amount
        return faults

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

    def end_of_block(self, fee_account: int, fee_tokens: tuple[int, ...]) -> None:
        for token in fee_tokens:
            self.accounts[fee_account].balances[token] += self.fees.pop(token, 0)
        assert not any(self.fees.values())

    def check_invariants(self) -> None:
        """I-01 and I-02."""
        totals: dict[int, int] = defaultdict(int)
        for account in self.accounts.values():
            if account.address == 0:
                assert account.key == (0, 0)
                assert account.nonce == 0
                assert not any(account.balances.values())
            for slot, balance in account.balances.items():
                assert 0 <= balance < LIMIT
                assert slot < self.first_order_slot or balance == 0
                totals[slot] += balance
        for slot in {*totals, *self.deposited, *self.left, *self.fees}:
            assert totals[slot] + self.fees[slot] == self.deposited[slot] - self.left[slot]

    def root(self) -> int:
        """The state root, from nothing: section 2 read as a recursion."""
        no_balances = node_at(self.balance_levels, 0, {}, 0)
        leaves = {}
        for account_id, account in self.accounts.items():
            balances = {slot: balance for slot, balance in account.balances.items() if balance}
            balances_root = node_at(self.balance_levels, 0, balances, 0)
            leaves[account_id] = poseidon([*account.key, account.address, account.nonce, balances_root])
        return node_at(self.account_levels, 0, leaves, poseidon([0, 0, 0, 0, no_balances]))


def node_at(level: int, position: int, leaves: dict[int, int], empty: int) -> int:
    """The node `level` levels above the leaves, `position` counted from the left."""
    if level == 0:
        return leaves.get(position, empty)
    if not leaves:
        return poseidon([node_at(level - 1, 0, {}, empty)] * 8)
    children = []
    for digit in range(8):
        child = 8 * position + digit
        below = {i: leaf for i, leaf in leaves.items() if i // 8 ** (level - 1) == child}
        children.append(node_at(level - 1, child, below, empty))
    return poseidon(children)


def signed_fields(op: Any, code: int) -> tuple[Any, ...]:
    """What the message binds."""
    common = (code, op.from_id, op.nonce, op.token, op.amount, op.fee, op.valid_from, op.valid_until)
    return (*common, op.to_id, op.to_address) if code == 3 else (*common, op.address)
