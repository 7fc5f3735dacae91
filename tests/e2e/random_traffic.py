"""Valid operations of every kind, at random, signed by real wallets, with L1's queue; and what they must lead to."""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from e2e_rig import ETHER, local_account
from model import Consent, Model, key_change_fields, signed_fields

from rollup.core.addresses import show_address
from rollup.core.amounts import floor_amount, floor_fee
from rollup.core.constants import FIRST_ORDER_SLOT
from rollup.core.operations import Batch, Deposit, Operation, Order, steps_of
from rollup.demo.world import Person, World
from rollup.node.matching import fill_fee, match_orders
from rollup.node.validator import Validator
from rollup.wallet.account import WalletAccount
from rollup.wallet.batches import make_batch, signer_of
from rollup.wallet.key_change import authorise
from rollup.wallet.keys import derive_local_key, local_signer

TOKENS = (0, 1)
STRANGERS = [0x5AFE0000 + n for n in range(4)]
"""L1 addresses without keys, for payments and forced exits."""
SINGLE = ("transfer", "transfer_to_address", "withdraw", "forced_exit", "cancel_order")
KINDS = (*SINGLE * 3, *("swap", "fill") * 2, *("batch",) * 4, *("deposit", "full_exit", "change_key") * 2)
ALL_KINDS = 9
"""Transfer, TransferToAddress, Withdraw, ForcedExit, CancelOrder, Swap, ChangePubKey, Deposit, FullExit."""
GWEI = 10**9


class Nothing(Exception):
    """This kind has nothing to act on at the moment."""


class Traffic:
    """Makes operations one after the other, each possible after those before, and tells the reference model.

    Args:
        world: L1, and people with keys.
        validator: Gives accounts out.
        rng: All choices.
    """

    def __init__(self, world: World, validator: Validator, rng: random.Random) -> None:
        self.world = world
        self.validator = validator
        self.rng = rng
        self.model = Model(8, 4)
        self.pending: Counter[tuple[int, int]] = Counter()
        """What L1 owes by address and token once all blocks so far are executed."""
        self.made: Counter[str] = Counter()
        """Operations by kind, those of batches each."""
        self.batches = 0
        self.people = {int(person.address, 16): person for person in (world.operator, *world.people)}
        self.wallets: dict[int, WalletAccount] = {}
        self.offers: list[tuple[Order, Consent]] = []
        self.indices: Counter[int] = Counter()
        self.queued = 0
        self.usable_keys: set[tuple[int, int]] = set()

    @property
    def block(self) -> dict[str, Any]:
        """The model's view of the header."""
        return {
            "domain": self.world.manifest.domain,
            "timestamp": int(time.time()),
            "fee_tokens": self.world.manifest.fee_tokens,
            "usable_keys": self.usable_keys,
        }

    def make(self, steps: int) -> list[Operation]:
        """Make operations of so many steps in all."""
        operations: list[Operation] = []
        left = steps
        while left:
            kind = self.rng.choice(KINDS)
            if {"swap": 3, "fill": 3, "batch": 2}.get(kind, 1) > left:
                kind = self.rng.choice(SINGLE)
            try:
                operation, consents = getattr(self, kind)(left)
            except Nothing:
                continue
            left -= len(steps_of(operation))
            operations.append(self._take(operation, consents))
        return operations

    def open(self) -> list[Operation]:
        """Everybody's first deposits, the validator's before all; the last of the people gets no key."""
        operations = [self._take(self._deposit(self.world.operator, 0, ETHER, True), [])]
        *keyed, keyless = self.world.people
        for person in keyed:
            for token in TOKENS:
                operations.append(self._take(self._deposit(person, token, ETHER, True), []))
        operations.append(self._take(self._deposit(keyless, 0, ETHER // 10, False), []))
        return operations

    def _take(self, operation: Any, consents: Sequence[Consent]) -> Operation:
        before = self.model.left.copy()
        faults = self.model.apply(operation, consents, self.block)
        assert not faults, (operation, faults)
        if not isinstance(operation, Batch):  # whose payouts are known already
            self._note_payout(operation, before)
        self.batches += isinstance(operation, Batch)
        for each in operation.operations if isinstance(operation, Batch) else (operation,):
            self.made[type(each).__name__] += 1
        return operation

    def _note_payout(self, operation: Any, left_before: dict[int, int]) -> None:
        """What L1 will owe by an operation that the model has just done."""
        kind = type(operation).__name__
        if kind in ("Withdraw", "ForcedExit", "FullExit"):
            address = operation.owner if kind == "FullExit" else operation.address
            self.pending[address, operation.token] += self.model.left[operation.token] - left_before[operation.token]
        if kind == "Deposit" and operation.refused:
            self.pending[operation.owner, operation.token] += operation.amount
        if kind in ("Deposit", "FullExit"):
            self.pending[int(self.world.operator.address, 16), 0] += operation.queue_fee_gwei * GWEI

    # Who and how much

    def wallet(self, token: int | None = None) -> WalletAccount:
        """Somebody who can sign, and who has some of the token."""
        able = [
            address
            for address, wallet in self.wallets.items()
            if token is None or self.model.accounts[wallet.account_id].balances[token] > 1000
        ]
        if not able:
            raise Nothing
        return self.wallets[self.rng.choice(able)]

    def part(self, wallet: WalletAccount, token: int) -> tuple[int, int]:
        """Some of what he has, and a fee."""
        balance = self.model.accounts[wallet.account_id].balances[token]
        fee = floor_fee(balance // self.rng.choice([1000, 10_000, 10**30]))
        return floor_amount((balance - fee) // self.rng.choice([2, 5, 20, 100])), fee

    def keyless(self) -> tuple[int, int]:
        """An account without a key that has something, and a token of its own."""
        found = [
            (account_id, token)
            for account_id, account in self.model.accounts.items()
            if account.address and account.key == (0, 0)
            for token in TOKENS
            if account.balances[token]
        ]
        if not found:
            raise Nothing
        return self.rng.choice(found)

    # Operations that a nonce counts. `alone` False leaves them unsigned, for a batch.

    def transfer(self, _: int, alone: bool = True) -> Any:
        token = self.rng.choice(TOKENS)
        payer = self.wallet(token)
        existing = [(n, account.address) for n, account in self.model.accounts.items() if account.address]
        to_id, address = self.rng.choice(existing)
        return self._finish(payer, payer.pay(address, to_id, token, *self.part(payer, token)), alone)

    def transfer_to_address(self, _: int, alone: bool = True) -> Any:
        token = self.rng.choice(TOKENS)
        payer = self.wallet(token)
        address = self.rng.choice([*STRANGERS, *self.people])
        operation = payer.pay(address, None, token, *self.part(payer, token))
        return self._finish(payer, self.validator.accounts.assign(operation), alone)

    def withdraw(self, _: int, alone: bool = True) -> Any:
        token = self.rng.choice(TOKENS)
        payer = self.wallet(token)
        address = self.rng.choice([payer.address, STRANGERS[0]])
        return self._finish(payer, payer.withdraw(token, *self.part(payer, token), address), alone)

    def forced_exit(self, _: int, alone: bool = True) -> Any:
        fee_token = self.rng.choice(TOKENS)
        payer, (account_id, token) = self.wallet(fee_token), self.keyless()
        fee = self.part(payer, fee_token)[1]
        address = self.model.accounts[account_id].address
        return self._finish(payer, payer.force_exit(account_id, address, token, fee_token, fee), alone)

    def cancel_order(self, _: int, alone: bool = True) -> Any:
        token = self.rng.choice(TOKENS)
        payer = self.wallet(token)
        slot = FIRST_ORDER_SLOT + self.rng.randrange(3)
        self.offers = [(o, c) for o, c in self.offers if (o.account_id, o.slot) != (payer.account_id, slot)]
        return self._finish(payer, payer.cancel_orders(token, self.part(payer, token)[1], slot), alone)

    def _finish(self, payer: WalletAccount, operation: Any, alone: bool) -> Any:
        if not alone:
            return operation
        return payer.sign(operation), [self._consent(payer, operation)]

    def _consent(self, payer: WalletAccount, operation: Any, batch: tuple[Any, ...] = ()) -> Consent:
        return Consent(payer.key.public_key, payer.domain, signed_fields(operation), batch)

    def batch(self, left: int) -> Any:
        """Of several signers mostly. What is planned on the balances of before is done on a copy of the model."""
        count = self.rng.randint(2, min(4, left))
        before = self.model._saved()
        operations = []
        for _ in range(count):
            operation = self._possible(lambda: getattr(self, self.rng.choice(SINGLE))(left, alone=False))
            payer = self.wallets[self.model.accounts[signer_of(operation)].address]
            left_before = self.model.left.copy()
            faults = self.model.signed(operation, self._consent(payer, operation), self.block, ())
            assert not faults, (operation, faults)
            self._note_payout(operation, left_before)
            operations.append(operation)
        self.model._restore(before)
        batch = make_batch(operations)
        together = tuple(signed_fields(operation) for operation in operations)
        consents = []
        for operation in operations:
            payer = self.wallets[self.model.accounts[signer_of(operation)].address]
            batch = payer.sign(batch)
            consents.append(self._consent(payer, operation, together))
        return batch, consents

    def _possible(self, make: Callable[[], Any]) -> Any:
        while True:
            try:
                return make()
            except Nothing:
                continue

    # Orders

    def swap(self, _: int) -> Any:
        """A new offer, filled in part by somebody's order of just that."""
        sell, buy = self.rng.sample(TOKENS, 2)
        maker = self.wallet(sell)
        balance = self.model.accounts[maker.account_id].balances[sell]
        sold = balance // self.rng.choice([2, 10])
        bought = sold * self.rng.choice([1, 2, 3]) // self.rng.choice([2, 3, 7]) + self.rng.randrange(3)
        slot = FIRST_ORDER_SLOT + self.rng.randrange(3)
        if not sold or not bought:
            raise Nothing
        self.offers = [(o, c) for o, c in self.offers if (o.account_id, o.slot) != (maker.account_id, slot)]
        offer = maker.sign(maker.order(sell, sold, buy, bought, floor_fee(sold // 1000), slot, replacing=True))
        self.offers.append((offer, self._consent(maker, offer)))
        return self._fill(*self.offers[-1])

    def fill(self, _: int) -> Any:
        """One more part of an offer that stands."""
        if not self.offers:
            raise Nothing
        return self._fill(*self.rng.choice(self.offers))

    def _fill(self, offer: Order, consent: Consent) -> Any:
        latest, filled = self.model.accounts[offer.account_id].orders.get(offer.slot, (0, 0))
        rest = offer.sell_amount - (filled if latest == offer.order_id else 0)
        x = floor_amount(rest // self.rng.choice([2, 3]))
        y = _ceil_amount(-(-x * offer.buy_amount // offer.sell_amount))
        taker = self.wallet(offer.buy_token)
        held = self.model.accounts[taker.account_id].balances[offer.buy_token]
        if not x or not y or held < 2 * y:
            raise Nothing
        fee = fill_fee(offer.fee, x, offer.sell_amount)
        if self.model.accounts[offer.account_id].balances[offer.sell_token] < x + fee:
            raise Nothing
        order = taker.sign(
            taker.order(
                offer.buy_token, y, offer.sell_token, x, floor_fee(y // 1000), FIRST_ORDER_SLOT + 9, replacing=True
            )
        )
        return match_orders(offer, order, x, y), [consent, self._consent(taker, order)]

    # Keys and the queue

    def change_key(self, _: int) -> Any:
        """The next key of somebody's Ethereum account; also of one who has no key yet."""
        able = [
            address
            for address in self.people
            if (account_id := self.validator.accounts.find(address)) is not None
            and self.model.accounts[account_id].address == address
        ]
        address = self.rng.choice(able)
        wallet = self.wallets.get(address) or self._new_wallet(address)
        person, manifest = self.people[address], self.world.manifest
        self.indices[address] += 1
        local = local_account(person)
        key = derive_local_key(local, manifest.chain_id, int(manifest.rollup, 16), self.indices[address])
        self.usable_keys.add(key.public_key)
        token = self.rng.choice(TOKENS)
        change = wallet.change_key(key.public_key, token, self.part(wallet, token)[1])
        if self.rng.random() < 0.5:
            change = authorise(change, manifest.domain, local_signer(local))
        else:
            self.world.client.approve_key_change(person.account, change)
        wallet.key = key
        self.wallets[address] = wallet
        self.offers = [(o, c) for o, c in self.offers if o.account_id != wallet.account_id]
        return change, [Consent(address, manifest.domain, key_change_fields(change))]

    def deposit(self, _: int) -> Any:
        person = self.rng.choice([self.world.operator, *self.world.people])
        token = self.rng.choice(TOKENS)
        return self._deposit(person, token, self.rng.randrange(1, ETHER), self.rng.random() < 0.5), []

    def _deposit(self, person: Person, token: int, amount: int, with_key: bool) -> Any:
        client, address = self.world.client, int(person.address, 16)
        assert person.key is not None
        key = person.key.public_key if with_key else (0, 0)
        if token == 0:
            client.deposit_eth(person.account, amount, key=key)
        else:
            values = [person.address, amount]
            self.world.sender.call("mint", self.world.token, "mint", ["address", "uint256"], values, person.account)
            client.allow(person.account, self.world.token, amount)
            client.deposit_erc20(person.account, token, amount, key=key)
        deposit = self._next_queued()
        assert isinstance(deposit, Deposit)
        if self.made and self.rng.random() < 0.1:
            return replace(deposit, account_id=0, refused=True)
        if with_key and address not in self.wallets:
            account = self.model.accounts[deposit.account_id]
            if account.key == (0, 0):
                self.usable_keys.add(key)
                self.wallets[address] = self._new_wallet(address, deposit.account_id)
        return deposit

    def full_exit(self, _: int) -> Any:
        """By the owner, mostly of his own account; of another's it takes nothing."""
        wallet = self.wallet()
        account_id = wallet.account_id if self.rng.random() < 0.8 else self.wallet().account_id
        person = self.people[wallet.address]
        self.world.client.request_full_exit(person.account, account_id, self.rng.choice(TOKENS))
        demanded = self._next_queued()
        self.pending[wallet.address, 0] += demanded.queue_fee_gwei * GWEI  # twice the fee was sent
        return demanded, []

    def _next_queued(self) -> Any:
        (entry,) = self.world.client.queue(self.queued)
        self.queued += 1
        return self.validator.accounts.assign(entry.operation)

    def _new_wallet(self, address: int, account_id: int | None = None) -> WalletAccount:
        person = self.people[address]
        assert person.key is not None
        found = self.validator.accounts.find(address) if account_id is None else account_id
        assert found is not None
        return WalletAccount(found, address, person.key, self.world.manifest.domain)

    # What must hold after a block

    def compare(self) -> None:
        """The model, the validator's state and L1 agree."""
        self.model.end_of_block(0, self.world.manifest.fee_tokens)
        self.model.check_invariants()
        state = self.validator.state
        assert state.root == self.model.root()
        for account_id, account in self.model.accounts.items():
            assert state.balances(account_id) == {token: held for token, held in account.balances.items() if held}
        for (address, token), amount in self.pending.items():
            assert self.world.client.pending(show_address(address), token) == amount, (show_address(address), token)

    def pay_out(self) -> None:
        """Push one pending balance to its owner, at random."""
        owed = [key for key, amount in self.pending.items() if amount]
        if not owed:
            return
        address, token = self.rng.choice(owed)
        account = self.world.operator.account
        self.world.client.withdraw_pending(account, show_address(address), token)
        self.pending[address, token] = 0


def _ceil_amount(value: int) -> int:
    """A representable amount, at least `value`."""
    floor = floor_amount(value)
    step = 1
    while floor < value:
        step *= 10
        floor = floor_amount(value + step)
    return floor
