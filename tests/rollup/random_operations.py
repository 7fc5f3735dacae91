"""Operations for the random world: made to fit the reference model's accounts, and sometimes spoilt a little."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from core_users import ethereum_account, owner_signed
from model import Block, Consent, Model, key_change_fields, signed_fields

from rollup.core import (
    Batch,
    CancelOrder,
    ChangePubKey,
    Deposit,
    ForcedExit,
    FullExit,
    Order,
    Swap,
    Transfer,
    TransferToAddress,
    Withdraw,
    domain,
    key_change_digest,
    linked,
)
from rollup.core.amounts import floor_amount, floor_fee
from rollup.wallet.keys import L2Key

T = TypeVar("T")
HERE, ELSEWHERE = domain(31337, 0xC0FFEE), domain(31337, 0xC0FFEF)
KEYS = [L2Key.from_private_key(bytes([n + 1]) * 32) for n in range(12)]
KEY_OF = {key.public_key: key for key in KEYS}
OWNERS = [ethereum_account(n) for n in range(7)]
ADDRESSES = [int(owner.address, 16) for owner in OWNERS]
UNUSABLE_KEYS = [(0, 0), (0, 1), (5, 7), (0, 5)]
IDS = 20
"""Accounts are made below this id."""
CONTRACTS = [0xC0DE, 0xC0DE1, 0xC0DE2]
"""Addresses whose accounts mostly never get a key."""


class Choices(Protocol):
    """Where the world's choices come from."""

    def choose(self, options: Sequence[T]) -> T: ...

    def below(self, limit: int) -> int: ...


class Maker:
    """Makes operations of each kind, with who consents to them.

    The world brings `model`, `block`, `time` and the source of `choices`.
    """

    model: Model
    block: Block
    time: int
    choices: Choices

    def __init__(self) -> None:
        self.approvals: set[tuple[int, bytes]] = set()
        self.orders: list[tuple[Order, Consent]] = []
        self.past: list[tuple[Any, list[Consent]]] = []

    @property
    def first_order_slot(self) -> int:
        return self.model.first_order_slot

    @property
    def uncapped(self) -> int:
        """L1 caps deposits so that no balance reaches 2^128; this one token has no cap, and takes no fees."""
        return self.first_order_slot - 1

    def maybe(self, percent: int) -> bool:
        return self.choices.below(100) >= 100 - percent

    def account(self, with_key: bool = True) -> int:
        """Mostly an account with a key (or without one), sometimes any id."""
        ids = [i for i, a in self.model.accounts.items() if a.address and (a.key != (0, 0)) == with_key]
        return self.choices.choose(ids) if ids and not self.maybe(4) else self.choices.below(IDS)

    def token(self) -> int:
        if self.maybe(3):
            return self.choices.below(2 * self.first_order_slot)
        return self.choices.choose([0, 1, 2, 3, self.uncapped])

    def held_token(self, account_id: int) -> int:
        """Mostly a token that the account has."""
        held = [token for token, balance in self.model.accounts[account_id].balances.items() if balance]
        return self.choices.choose(held) if held and not self.maybe(5) else self.token()

    def slot(self) -> int:
        base = self.first_order_slot
        return self.choices.choose([base, base + 1, 2 * self.first_order_slot - 1] * 8 + [base - 1])

    def fee(self, token: int, balance: int) -> int:
        listed = token in self.block["fee_tokens"]
        return floor_fee(self.choices.choose([0, 1, balance // 7, 1999]) if listed or self.maybe(5) else 0)

    def part(self, balance: int) -> int:
        """Of what is there: some, all, nothing, too much."""
        return self.choices.choose([balance // 3, balance // 100, 1, balance // 9] * 3 + [balance, 0, balance + 1])

    def window(self) -> dict[str, int]:
        valid_from = self.choices.choose([0, self.time - 5, self.time] * 12 + [self.time + 1])
        return {
            "valid_from": valid_from,
            "valid_until": self.choices.choose([2**40 - 1, self.time] * 18 + [self.time - 1]),
        }

    def common(self, account_id: int) -> dict[str, int]:
        """Nonce and window."""
        return {"nonce": self.model.accounts[account_id].nonce + self.choices.choose([0] * 40 + [1]), **self.window()}

    def sign(self, operation: Any, account_id: int, batch: tuple[Any, ...] = ()) -> tuple[Any, Consent]:
        """Sign; sometimes with another key, for another rollup, for something else, or not at all."""
        if self.maybe(1):
            return operation, Consent(None, HERE, signed_fields(operation), batch)
        key = KEY_OF.get(self.model.accounts[account_id].key, KEYS[0])
        if self.maybe(2):
            key = self.choices.choose(KEYS)
        where = ELSEWHERE if self.maybe(1) else HERE
        meant = dataclasses.replace(operation, fee=operation.fee + 1) if self.maybe(1) else operation
        consent = Consent(key.public_key, where, signed_fields(meant), batch)
        return operation.signed(key.sign(meant, where).signature), consent

    # Operations

    def deposit(self) -> tuple[Any, list[Consent]]:
        n = self.choices.below(len(OWNERS))
        owner = self.choices.choose([ADDRESSES[n]] * 16 + [*CONTRACTS, 0])
        key = self.choices.choose([KEYS[n].public_key] * 5 + [(0, 0), (5, 7), KEYS[8].public_key])
        token = self.token()
        amount = self.choices.below(2 ** self.choices.choose([30, 80, 128] if token == self.uncapped else [30, 50, 80]))
        ids = [i for i, account in self.model.accounts.items() if account.address == owner]
        account_id = ids[0] if ids and not self.maybe(10) else self.choices.below(IDS)
        refused, own = self.maybe(5), owner in ADDRESSES and self.maybe(70)
        return Deposit(0 if refused else account_id, token, amount, owner, key, own, refused), []

    def full_exit(self) -> tuple[Any, list[Consent]]:
        account_id = self.account(with_key=not self.maybe(40))
        owner = self.model.accounts[account_id].address if not self.maybe(20) else self.choices.choose(ADDRESSES)
        return FullExit(account_id, self.held_token(account_id), owner), []

    def transfer(self) -> tuple[Any, list[Consent]]:
        return self._alone(self._transfer())

    def _transfer(self) -> tuple[Any, int]:
        from_id = self.account()
        to_id = from_id if self.maybe(8) else self.account(with_key=not self.maybe(30))
        token = self.held_token(from_id)
        balance = self.model.accounts[from_id].balances[token]
        fee = self.fee(token, balance)
        to_address = self.model.accounts[to_id].address if not self.maybe(4) else self.choices.choose([0, *ADDRESSES])
        amount = floor_amount(max(self.part(balance) - fee, 0))
        return Transfer(from_id, to_id, to_address, token, amount, fee, **self.common(from_id)), from_id

    def transfer_to_address(self) -> tuple[Any, list[Consent]]:
        return self._alone(self._transfer_to_address())

    def _transfer_to_address(self) -> tuple[Any, int]:
        from_id, token = self.account(), self.choices.choose([0, 1, 2])
        balance = self.model.accounts[from_id].balances[token]
        fee = self.fee(token, balance)
        address = self.choices.choose([*ADDRESSES, *CONTRACTS * 3, 0])
        empty = [i for i in range(IDS) if not self.model.accounts[i].address]
        owned = [i for i, account in self.model.accounts.items() if account.address == address]
        to_id = self.choices.choose((owned + empty[:1]) or [0]) if not self.maybe(5) else self.choices.below(IDS)
        amount = floor_amount(max(self.part(balance) - fee, 0))
        return TransferToAddress(from_id, to_id, address, token, amount, fee, **self.common(from_id)), from_id

    def withdraw(self) -> tuple[Any, list[Consent]]:
        return self._alone(self._withdraw())

    def _withdraw(self) -> tuple[Any, int]:
        from_id = self.account()
        token = self.held_token(from_id)
        balance = self.model.accounts[from_id].balances[token]
        fee = self.fee(token, balance)
        address = self.choices.choose([*ADDRESSES, *ADDRESSES, 0])
        amount = max(self.part(balance) - fee, 0)
        return Withdraw(from_id, address, token, amount, fee, **self.common(from_id)), from_id

    def forced_exit(self) -> tuple[Any, list[Consent]]:
        return self._alone(self._forced_exit())

    def _forced_exit(self) -> tuple[Any, int]:
        from_id, account_id = self.account(), self.account(with_key=self.maybe(10))
        fee_token = self.held_token(from_id)
        token = self.held_token(account_id)
        address = self.model.accounts[account_id].address if not self.maybe(5) else self.choices.choose([0, *ADDRESSES])
        amount = self.choices.choose([None] * 20 + [self.model.accounts[account_id].balances[token], 1])
        fee = self.fee(fee_token, self.model.accounts[from_id].balances[fee_token])
        common = self.common(from_id)
        return ForcedExit(from_id, account_id, address, token, fee_token, fee, amount=amount, **common), from_id

    def cancel_order(self) -> tuple[Any, list[Consent]]:
        return self._alone(self._cancel_order())

    def _cancel_order(self) -> tuple[Any, int]:
        account_id, slot = self.account(), self.slot()
        fee_token = self.held_token(account_id)
        latest = self.model.accounts[account_id].orders.get(slot, (0, 0))[0]
        first = max(latest + self.choices.choose([1, 1, 2, 5, 0, -1]), 0)
        fee = self.fee(fee_token, self.model.accounts[account_id].balances[fee_token])
        return CancelOrder(account_id, slot, first, fee_token, fee, **self.common(account_id)), account_id

    def change_pub_key(self) -> tuple[Any, list[Consent]]:
        people = [i for i, account in self.model.accounts.items() if account.address in ADDRESSES]
        account_id = self.choices.choose(people) if people and not self.maybe(4) else self.choices.below(IDS)
        account = self.model.accounts[account_id]
        owner = account.address if not self.maybe(5) else self.choices.choose([0, *ADDRESSES])
        token = self.held_token(account_id)
        key = self.choices.choose([each.public_key for each in KEYS] * 2 + UNUSABLE_KEYS)
        nonce = account.nonce + self.choices.choose([0] * 20 + [1])
        until = self.choices.choose([2**40 - 1, self.time] * 10 + [self.time - 1])
        operation = ChangePubKey(account_id, owner, key, nonce, token, self.fee(token, account.balances[token]), until)
        where = ELSEWHERE if self.maybe(3) else HERE
        authoriser = owner if not self.maybe(5) else self.choices.choose(ADDRESSES)
        if self.maybe(2) and authoriser in ADDRESSES:  # seldom: Ethereum's signatures are slow here
            signed = owner_signed(operation, OWNERS[ADDRESSES.index(authoriser)], where)
            return signed, [Consent(authoriser, where, key_change_fields(operation))]
        if not self.maybe(4):
            self.approvals.add((authoriser, key_change_digest(operation, where)))
        approved = (owner, key_change_digest(operation, HERE)) in self.approvals
        return operation, [Consent(owner if approved else None, HERE, key_change_fields(operation))]

    def batch(self) -> tuple[Any, list[Consent]]:
        makers = [self._transfer, self._withdraw, self._transfer_to_address, self._forced_exit, self._cancel_order]
        plain: list[Any] = []
        payers: list[int] = []
        for _ in range(self.choices.choose([2, 3, 4])):
            operation, payer = self.choices.choose(makers)()
            ahead = payers.count(payer)
            plain.append(dataclasses.replace(operation, nonce=operation.nonce + ahead))
            payers.append(payer)
        operations = list(linked(plain))
        together = tuple(signed_fields(operation) for operation in operations)
        signed = [self.sign(operation, payer, together) for operation, payer in zip(operations, payers, strict=True)]
        order = self.choices.choose(["as signed"] * 20 + ["swapped", "one left out", "one repeated", "one alone"])
        if order == "swapped":
            signed[0], signed[1] = signed[1], signed[0]
        elif order == "one left out" and len(signed) > 2:
            signed.pop()
        elif order == "one repeated":
            signed.append(signed[0])
        elif order == "one alone":
            return signed[0][0], [signed[0][1]]
        return Batch(tuple(operation for operation, _ in signed)), [consent for _, consent in signed]

    def _alone(self, made: tuple[Any, int]) -> tuple[Any, list[Consent]]:
        operation, consent = self.sign(*made)
        return operation, [consent]

    # Orders

    def new_order(self, account_id: int, sell: int, buy: int, sold: int, bought: int) -> tuple[Order, Consent]:
        slot = self.slot()
        latest = self.model.accounts[account_id].orders.get(slot, (0, 0))[0]
        order_id = max(latest + self.choices.choose([1, 1, 0, 3, -1]), 0)
        fee = floor_fee(self.choices.choose([0, sold // 50, 1999]) if sell in self.block["fee_tokens"] else 0)
        order = Order(account_id, slot, order_id, sell, buy, sold, bought, fee, **self.window())
        signed, consent = self.sign(order, account_id)
        self.orders = [*self.orders[-12:], (signed, consent)]
        return signed, consent

    def swap(self) -> tuple[Any, list[Consent]]:
        """A new or an earlier maker's order against one made to match it, or any two."""
        if self.maybe(80):
            self.orders = [(order, consent) for order, consent in self.orders if self.is_live(order)]
        if self.orders and self.maybe(50):
            maker, maker_consent = self.choices.choose(self.orders)
        else:
            account_id = self.account()
            sell = self.held_token(account_id)
            buy = self.held_token(self.account())
            balance = min(self.model.accounts[account_id].balances[sell], 2**119)
            sold = self.choices.choose([balance // 2 + 1, balance + 1, balance // 9 + 1, 100] * 6 + [0])
            bought = self.choices.choose([sold // 3, sold, 2 * sold, 0, 7])
            maker, maker_consent = self.new_order(account_id, sell, buy, sold, bought)
        other = maker.account_id if self.maybe(10) else self.account()
        latest, filled = self.model.accounts[maker.account_id].orders.get(maker.slot, (0, 0))
        rest = max(maker.sell_amount - (filled if latest == maker.order_id else 0), 0)
        x = floor_amount(self.choices.choose([rest // 2, rest, rest // 10, 1, 0]) + self.choices.choose([0] * 20 + [1]))
        exact = -(-x * maker.buy_amount // max(maker.sell_amount, 1))
        y = floor_amount(max(exact + self.choices.choose([0, 1, 50, 0, -1]), 0))
        matched = [(o, c) for o, c in self.orders if (o.sell_token, o.buy_token) == (maker.buy_token, maker.sell_token)]
        if matched and self.maybe(30):
            taker, taker_consent = self.choices.choose(matched)
        elif self.maybe(2) and self.orders:
            taker, taker_consent = self.choices.choose(self.orders)
        else:
            sold = y * self.choices.choose([1, 1, 2, 3]) or self.choices.choose([1] * 9 + [0])
            bought = x * self.choices.choose([1, 1, 1, 2])
            taker, taker_consent = self.new_order(other, maker.buy_token, maker.sell_token, sold, bought)
        fees = [self._fill_fee(maker, x), self._fill_fee(taker, y)]
        return Swap(maker, taker, x, y, *fees), [maker_consent, taker_consent]

    def is_live(self, order: Order) -> bool:
        latest, filled = self.model.accounts[order.account_id].orders.get(order.slot, (0, 0))
        return order.order_id > latest or (order.order_id == latest and filled < order.sell_amount)

    def _fill_fee(self, order: Order, sells: int) -> int:
        share = order.fee * sells // max(order.sell_amount, 1)
        return floor_fee(self.choices.choose([share, share, 0, share + 1] if self.maybe(20) else [share, 0]))

    def replay(self) -> tuple[Any, list[Consent]]:
        """Something that was accepted before, once more."""
        if not self.past:
            return self.transfer()
        return self.choices.choose(self.past)


KINDS = (
    *["transfer", "withdraw", "transfer_to_address", "deposit", "cancel_order"] * 2,
    *["swap"] * 5,
    *["batch"] * 3,
    *["forced_exit"] * 2,
    *["full_exit", "change_pub_key", "replay"],
)
"""What to attempt, as often as it stands here."""
