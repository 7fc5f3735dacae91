"""Random operations that the page allows, all kinds of them, as steps of page_model."""

from __future__ import annotations

import random
from collections.abc import Callable

from page_model import Fill, Rollup, Step, round_decimal

TOKENS = (0, 1, 2, 7, 2047)  # the last is no fee token
FEE_TOKENS = tuple(range(8))
KEYS = [(1 + n, 2 + n) for n in range(5)]
SLOTS = (2048, 3000, 4095)


class RandomChain:
    """`steps` gives a block's; the first ones are deposits, so that there is something to spend."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.rollup = Rollup()
        self.kinds: list[Callable[[], list[Step]]] = [
            self.deposit, self.full_exit, self.transfer, self.transfer_to_address, self.withdraw,
            self.change_pub_key, self.forced_exit, self.swap, self.cancel_order,
        ]  # fmt: skip

    def open(self) -> list[Step]:
        """Deposits; account 5 is the fee account."""
        steps = []
        for n, index in enumerate((5, 6, 700, 8**8 - 1)):
            for token in TOKENS:
                amount = self.random.randrange(1, 10 ** self.random.choice((6, 18, 30)))
                steps.append(self.rollup.deposit(index, token, amount, 1000 + n, KEYS[n], flags=1))
        return steps

    def steps(self, count: int) -> list[Step]:
        """At least `count` steps; a Swap is never cut."""
        steps: list[Step] = []
        while len(steps) < count:
            steps += self.random.choice(self.kinds)()
        return steps

    def holding(self, *, key: bool) -> list[tuple[int, int]]:
        """(account, token) of what is there, in accounts with or without key."""
        return [
            (index, token)
            for index, account in self.rollup.accounts.items()
            if account.address and (account.key != (0, 0)) is key
            for token, balance in account.balances.items()
            if token < 2048 and balance > 0
        ]

    def payment(self) -> tuple[int, int, int, int]:
        """Payer, token, amount and fee that he has, all of it now and then."""
        index, token = self.random.choice(self.holding(key=True))
        balance = self.rollup.account(index).balances[token]
        fee = round_decimal(self.random.choice((0, balance // 50, balance // 3)), 11) if token in FEE_TOKENS else 0
        amount = self.random.choice((0, (balance - fee) // 7, balance - fee))
        return index, token, round_decimal(amount, 35), fee

    def somebody(self) -> int:
        return self.random.choice([index for index, account in self.rollup.accounts.items() if account.address])

    def place_for(self, address: int) -> int:
        """An account of the address's, or an empty one."""
        own = [index for index, account in self.rollup.accounts.items() if account.address == address]
        return self.random.choice([*own, self.random.randrange(8**8)])

    def deposit(self) -> list[Step]:
        address = self.random.randrange(1000, 1012)
        token, amount = self.random.choice(TOKENS), self.random.randrange(10**12)
        flags = self.random.randrange(4)
        key = self.random.choice(KEYS) if flags & 1 else (0, 0)
        index = 0 if flags & 2 else self.place_for(address)
        return [self.rollup.deposit(index, token, amount, address, key, flags)]

    def full_exit(self) -> list[Step]:
        index, token = self.somebody(), self.random.choice((*TOKENS, *SLOTS))
        account = self.rollup.account(index)
        owner = self.random.choice((account.address, account.address, 1003))
        amount = account.balances.get(token, 0) if owner == account.address and token < 2048 else 0
        return [self.rollup.full_exit(index, token, owner, amount)]

    def transfer(self) -> list[Step]:
        payer, token, amount, fee = self.payment()
        return [self.rollup.transfer(payer, self.somebody(), token, amount, fee)]

    def transfer_to_address(self) -> list[Step]:
        payer, token, amount, fee = self.payment()
        address = self.random.choice((self.random.randrange(1000, 1012), self.random.randrange(1, 2**160)))
        return [self.rollup.transfer_to_address(payer, self.place_for(address), token, amount, fee, address)]

    def withdraw(self) -> list[Step]:
        payer, token, amount, fee = self.payment()
        return [self.rollup.withdraw(payer, token, amount, fee, self.random.randrange(1, 2**160))]

    def change_pub_key(self) -> list[Step]:
        index, token = self.random.choice(self.holding(key=self.random.random() < 0.5) or self.holding(key=True))
        account = self.rollup.account(index)
        fee = round_decimal(account.balances[token] // 9, 11) if token in FEE_TOKENS else 0
        key = self.random.choice(KEYS)
        return [self.rollup.change_pub_key(index, account.address, key, token, fee)]

    def forced_exit(self) -> list[Step]:
        there = self.holding(key=False)
        if not there:
            return []
        payer, fee_token, _, fee = self.payment()
        return [self.rollup.forced_exit(payer, *self.random.choice(there), fee_token, fee)]

    def fill(self) -> Fill:
        index, token, amount, fee = self.payment()
        slot = self.random.choice(SLOTS)
        latest = self.rollup.account(index).balances.get(slot, 0) >> 128
        return Fill(index, slot, min(latest + self.random.randrange(3), 2**32 - 1), token, amount, fee)

    def swap(self) -> list[Step]:
        maker, taker = self.fill(), self.fill()
        if maker.account == taker.account:  # the second side may no longer have it
            taker.amount = taker.fee = 0
            taker.order_id = max(taker.order_id, maker.order_id)
        return self.rollup.swap(maker, taker)

    def cancel_order(self) -> list[Step]:
        payer, token, _, fee = self.payment()
        slot = self.random.choice(SLOTS)
        latest = self.rollup.account(payer).balances.get(slot, 0) >> 128
        if latest > 2**32 - 100:
            return []
        first = latest + self.random.choice((1, 2, 50))
        return [self.rollup.cancel_order(payer, slot, first, token, fee)]
