"""Random operations of every kind: nearly all acceptable or, with `wrong`, each field going wrong at times."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from circuit_world import ACCOUNTS, ALICE, BOB, CAROL, DOMAIN, NOBODY, NOW, OPERATOR, User, World, user

from rollup._native import eddsa_public_key, eddsa_sign
from rollup.core.account import OrderSlot
from rollup.core.amounts import floor_amount, floor_fee
from rollup.core.operations import (
    Batch,
    CancelOrder,
    ChangePubKey,
    Deposit,
    ForcedExit,
    FullExit,
    Operation,
    Order,
    Signature,
    SignedOperation,
    Swap,
    Transfer,
    TransferToAddress,
    Withdraw,
    linked,
)

_Signable = TypeVar("_Signable", Order, Transfer, TransferToAddress, Withdraw, ForcedExit, CancelOrder)

USERS = (OPERATOR, ALICE, BOB, CAROL, NOBODY, user(33))
STRANGERS = tuple(user(account_id) for account_id in range(52, 60))
"""They get money and never a key."""
TOKENS = (0, 0, 5, 5, 9)
NEW_SECRETS = tuple(bytes([0x40 + index]) * 32 for index in range(4))
SECRETS = {eddsa_public_key(secret): secret for secret in (*(who.secret for who in USERS), *NEW_SECRETS)}


@dataclass
class Chooser:
    """Draws operations that can come next. `wrong` is the chance that a field is not what it should be."""

    rng: random.Random
    world: World
    wrong: float = 0.0

    def operation(self) -> Operation:
        kinds: list[Callable[[], Operation]] = [
            self._deposit, self._full_exit, self._change_key, self._swap, self._swap, self._batch,
            *[lambda: self._sign(self._signed(self.rng.choice(USERS), 0))] * 6,
        ]  # fmt: skip
        return self.rng.choice(kinds)()

    def _goes_wrong(self) -> bool:
        return self.rng.random() < self.wrong

    def _token(self) -> int:
        return self.rng.choice((3, 31, self.world.order_slot)) if self._goes_wrong() else self.rng.choice(TOKENS)

    def _amount(self, who: User, token: int) -> int:
        """Up to a third of the balance, so that fees and a second operation find some too."""
        balance = self.world.state.leaf(who.account_id, token) % (1 << 127)  # an order slot holds more
        return balance + 1 if self._goes_wrong() else balance // self.rng.choice((3, 4, 7, 100, balance + 1))

    def _fee(self, amount: int) -> int:
        return floor_fee(self.rng.choice((0, 1, amount // 1000)))

    def _window(self) -> dict[str, int]:
        late, early = self._goes_wrong(), self._goes_wrong()
        return {"valid_from": NOW + late, "valid_until": NOW - early}

    def _deposit(self) -> Deposit:
        who, token = self.rng.choice(USERS * 2 + STRANGERS), self._token()
        account_id = self.rng.randrange(ACCOUNTS) if self._goes_wrong() else who.account_id
        refused = self.rng.random() < 0.1
        amount, key = self.rng.randrange(10**18), self.rng.choice((who.key, (0, 0), (1, 2)))
        sends = who in USERS and self.rng.random() < 0.6
        return Deposit(account_id * (not refused), token, amount, who.address, key, sends, refused)

    def _full_exit(self) -> FullExit:
        who, owner = self.rng.choice(USERS), self.rng.choice(USERS)
        return FullExit(who.account_id, self._token(), self.rng.choice((who, who, owner)).address)

    def _change_key(self) -> ChangePubKey:
        who, token = self.rng.choice(USERS), self._token()
        key = eddsa_public_key(self.rng.choice((who.secret, *NEW_SECRETS)))
        nonce = self.world.nonce(who) + self._goes_wrong()
        owner = self.rng.choice(USERS) if self._goes_wrong() else who
        return ChangePubKey(who.account_id, owner.address, key, nonce, token, self._fee(self._amount(who, token)), NOW)

    def _forced_exit(self, who: User, nonce: int) -> ForcedExit:
        of = self.rng.choice(USERS if self._goes_wrong() else STRANGERS)
        held = [token for token in TOKENS if self.world.state.leaf(of.account_id, token)]
        token = self.rng.choice(held) if held and not self._goes_wrong() else self._token()
        fee_token = self._token()
        fee, address = self._fee(self._amount(who, fee_token)), 5 if self._goes_wrong() else of.address
        return ForcedExit(who.account_id, of.account_id, address, token, fee_token, fee, nonce, **self._window())

    def _signed(self, who: User, later: int) -> SignedOperation:
        """Unsigned yet; `later` operations of the same account come before it."""
        to, token = self.rng.choice(USERS * 2 + STRANGERS), self._token()
        nonce = self.world.nonce(who) + later + self._goes_wrong()
        amount = self._amount(who, token)
        address = self.rng.choice((0, 5)) if self._goes_wrong() else to.address
        payment = (token, floor_amount(amount), self._fee(amount), nonce)
        match self.rng.randrange(5):
            case 0:
                return Transfer(who.account_id, to.account_id, address, *payment, **self._window())
            case 1:
                return TransferToAddress(who.account_id, to.account_id, address, *payment, **self._window())
            case 2:
                return Withdraw(who.account_id, address, token, amount, self._fee(amount), nonce, **self._window())
            case 3:
                return self._forced_exit(who, nonce)
            case _:
                slot, held = self._slot(who)
                first = held.order_id + (0 if self._goes_wrong() else self.rng.choice((1, 9)))
                return CancelOrder(who.account_id, slot, first, token, self._fee(amount), nonce, **self._window())

    def _slot(self, who: User) -> tuple[int, OrderSlot]:
        slot = 4 if self._goes_wrong() else self.world.order_slot + self.rng.randrange(3)
        return slot, OrderSlot.of_leaf(self.world.state.leaf(who.account_id, slot) % (1 << 160))

    def _batch(self) -> Batch:
        payers = [self.rng.choice(USERS) for _ in range(self.rng.choice((2, 2, 3)))]
        operations = [self._signed(who, payers[:index].count(who)) for index, who in enumerate(payers)]
        joined = list(linked(operations))
        if self._goes_wrong():
            joined[-1] = replace(joined[-1], link=joined[-1].link ^ 1)
        if self._goes_wrong():
            joined.reverse()
        return Batch(tuple(self._sign(operation) for operation in joined))  # type: ignore[misc]

    def _swap(self) -> Swap:
        maker, taker, token = self.rng.choice(USERS), self.rng.choice(USERS), self._token()
        other = self.rng.choice([9, 5, 0] if self._goes_wrong() else [found for found in (9, 5, 0) if found != token])
        x, y = floor_amount(self._amount(maker, token)), floor_amount(self._amount(taker, other))
        first, fee = self._order(maker, token, other, x, y)
        second, other_fee = self._order(taker, other, token, y, x)
        return Swap(first, second, x, y, fee, other_fee)

    def _order(self, who: User, sell_token: int, buy_token: int, sells: int, gets: int) -> tuple[Order, int]:
        """An order that takes this fill, and the fee of the fill."""
        slot, held = self._slot(who)
        order_id = max(0, held.order_id + (-1 if self._goes_wrong() else self.rng.choice((0, 0, 1, 7))))
        filled = held.filled if order_id == held.order_id else 0
        sell_amount = filled + sells + (-1 if self._goes_wrong() else self.rng.choice((0, 1, sells)))
        sell_amount = min(max(sell_amount, 1), (1 << 120) - 1)
        buy_amount = gets * sell_amount // sells if sells else 0
        buy_amount = min(buy_amount + self._goes_wrong(), (1 << 120) - 1)
        max_fee = self._fee(sell_amount)
        fee = floor_fee(max_fee * sells // sell_amount) + self._goes_wrong()
        order = Order(
            who.account_id, slot, order_id, sell_token, buy_token, sell_amount, buy_amount, max_fee, **self._window()
        )
        return self._sign(order), floor_fee(fee)

    def _sign(self, operation: _Signable) -> _Signable:
        account_id = operation.account_id if isinstance(operation, CancelOrder | Order) else operation.from_id
        key = self.world.state.account(account_id).key
        secret = self.rng.choice(NEW_SECRETS) if self._goes_wrong() else SECRETS.get(key, NEW_SECRETS[0])
        return operation.signed(Signature(*eddsa_sign(secret, operation.message_hash(DOMAIN))))
