"""A user's account: makes its operations with the right nonces and signs them. Nothing is sent from here."""

import time
from dataclasses import dataclass, field
from typing import TypeVar

from rollup.core.constants import FIRST_ORDER_SLOT, SLOT_BITS
from rollup.core.errors import FieldRuleError
from rollup.core.operations import (
    Batch,
    CancelOrder,
    ChangePubKey,
    ForcedExit,
    Key,
    Order,
    SignedOperation,
    Transfer,
    TransferToAddress,
    Withdraw,
)
from rollup.wallet.batches import sign_batch
from rollup.wallet.keys import L2Key
from rollup.wallet.lifetimes import KEY_CHANGE_LIFETIME_SECONDS, LIFETIME_SECONDS

_Signed = TypeVar("_Signed", bound=SignedOperation | Order | Batch)


@dataclass(slots=True)
class WalletAccount:
    """One L2 account as its owner sees it.

    What makes an operation takes the next nonce and leaves it unsigned, so that it can be put into a batch; `sign` does
    the rest. Amounts and fees are in tokens' smallest units. What no block could take in whatever the state, and an
    order that gives its tokens away, is refused with FieldRuleError.

    Args:
        account_id: Its id on the rollup.
        address: Its owner on L1.
        key: What it signs with; replace it when a key change is in a block.
        domain: Which rollup on which chain, `operations.domain(chain_id, rollup_address)`.
        nonce: Of the next operation.
        valid_until: Until when what it makes from now on can be included, unix seconds; None for LIFETIME_SECONDS
            from then on (of a key change KEY_CHANGE_LIFETIME_SECONDS). Until it ends only an inclusion stops it: a
            validator may ignore what was meant to cancel it.
        next_order_id: Of the next order; greater than of any before.
    """

    account_id: int
    address: int
    key: L2Key
    domain: int
    nonce: int = 0
    valid_until: int | None = None
    next_order_id: int = 1
    _standing: dict[int, int] = field(default_factory=dict)
    """By slot, when its latest order ends."""

    def pay(
        self, to_address: int, to_id: int | None, token: int, amount: int, fee: int = 0
    ) -> Transfer | TransferToAddress:
        """A payment to an L1 address, not 0: by its account id if the rollup knows one, else an account is made.

        Args:
            to_address: Whom.
            to_id: The address's account; None if it has none, which costs 30 bytes of data more.
            token, amount, fee: What; both must be representable.
        """
        _require_owner("to_address", to_address)
        if to_id is None:
            return TransferToAddress(
                self.account_id, 0, to_address, token, amount, fee, self._take_nonce(), valid_until=self._until()
            )
        return Transfer(
            self.account_id, to_id, to_address, token, amount, fee, self._take_nonce(), valid_until=self._until()
        )

    def withdraw(self, token: int, amount: int, fee: int = 0, to_address: int | None = None) -> Withdraw:
        """Money out to an L1 address, not 0, by default the owner's."""
        address = self.address if to_address is None else to_address
        _require_owner("address", address)
        return Withdraw(self.account_id, address, token, amount, fee, self._take_nonce(), valid_until=self._until())

    def force_exit(self, account_id: int, address: int, token: int, fee_token: int, fee: int = 0) -> ForcedExit:
        """All that another account, without key, has of a token, out to its address; this account pays the fee."""
        _require_owner("address", address)
        if account_id == self.account_id:
            rule = "an account that signs has a key, and leaves by Withdraw or by a full exit through L1"
            raise FieldRuleError("account_id", account_id, rule)
        return ForcedExit(
            self.account_id, account_id, address, token, fee_token, fee, self._take_nonce(),
            valid_until=self._until(),
        )  # fmt: skip

    def order(
        self,
        sell_token: int,
        sell_amount: int,
        buy_token: int,
        buy_amount: int,
        fee: int = 0,
        slot: int = FIRST_ORDER_SLOT,
        replacing: bool = False,
    ) -> Order:
        """An offer to sell up to `sell_amount` for at least `buy_amount`, or the same price for a part of it.

        `fee`, of the sold token, is the most that all its parts pay. An earlier order of the slot can still be filled
        until a part of this one, or a CancelOrder, is in a block: see `replace_order`.

        Raises:
            FieldRuleError: it sells nothing, or for nothing, or the slot is a token's; or an order of this wallet's
                stands in the slot, and `replacing` is not said.
        """
        _require_order(sell_amount, buy_amount, slot)
        if self._standing.get(slot, 0) >= time.time() and not replacing:
            rule = "an order of yours stands there: use another slot or replace_order, or both may be filled"
            raise FieldRuleError("slot", slot, rule)
        order_id, self.next_order_id = self.next_order_id, self.next_order_id + 1
        order = Order(
            self.account_id, slot, order_id, sell_token, buy_token, sell_amount, buy_amount, fee,
            valid_until=self._until(),
        )  # fmt: skip
        self._standing[slot] = order.valid_until
        return order

    def replace_order(
        self,
        sell_token: int,
        sell_amount: int,
        buy_token: int,
        buy_amount: int,
        fee: int = 0,
        slot: int = FIRST_ORDER_SLOT,
        cancel_fee: int = 0,
    ) -> tuple[CancelOrder, Order]:
        """The end of the slot's orders, its fee of the sold token too, and the order that comes instead.

        The new order can be filled at once; the old ones are dead only when either of the two is in a block. If that is
        the new order, the cancellation is refused for good and its nonce is missing before later ones: `release_nonce`.
        """
        _require_order(sell_amount, buy_amount, slot)
        cancel = CancelOrder(
            self.account_id, slot, self.next_order_id, sell_token, cancel_fee, self._take_nonce(),
            valid_until=self._until(),
        )  # fmt: skip
        return cancel, self.order(sell_token, sell_amount, buy_token, buy_amount, fee, slot, replacing=True)

    def release_nonce(self, nonce: int, token: int, fee: int = 0) -> Transfer:
        """A payment of nothing to oneself, in the place of an operation that can no longer be included.

        Whichever of the two is in a block first ends the other.
        """
        return Transfer(self.account_id, self.account_id, self.address, token, 0, fee, nonce, valid_until=self._until())

    def cancel_orders(self, fee_token: int, fee: int = 0, slot: int = FIRST_ORDER_SLOT) -> CancelOrder:
        """The end of every order that this slot has had, once it is in a block."""
        _require_order_slot(slot)
        first_valid, self.next_order_id = self.next_order_id, self.next_order_id + 1
        return CancelOrder(
            self.account_id, slot, first_valid, fee_token, fee, self._take_nonce(), valid_until=self._until()
        )

    def change_key(self, new_key: Key, fee_token: int, fee: int = 0) -> ChangePubKey:
        """A new key; the owner's Ethereum account has to agree: `key_change.authorise`, or `approveKeyChange` on L1."""
        return ChangePubKey(
            self.account_id, self.address, new_key, self._take_nonce(), fee_token, fee,
            self._until(KEY_CHANGE_LIFETIME_SECONDS),
        )  # fmt: skip

    def sign(self, operation: _Signed) -> _Signed:
        """The operation with this account's signature; of a batch, all of this account's operations."""
        if isinstance(operation, Batch):
            return sign_batch(operation, self.account_id, self.key, self.domain)  # type: ignore[return-value]  # a Batch
        return self.key.sign(operation, self.domain)

    def _until(self, lifetime: int = LIFETIME_SECONDS) -> int:
        now = int(time.time())
        if self.valid_until is not None and self.valid_until < now:
            raise FieldRuleError("valid_until", self.valid_until, f"it is {now} already: no block can take it in")
        return now + lifetime if self.valid_until is None else self.valid_until

    def _take_nonce(self) -> int:
        nonce, self.nonce = self.nonce, self.nonce + 1
        return nonce


def _require_owner(field: str, address: int) -> None:
    if not address:
        raise FieldRuleError(field, address, "the zero address can own nothing: name a real one")


def _require_order(sell_amount: int, buy_amount: int, slot: int) -> None:
    if not sell_amount:
        raise FieldRuleError("sell_amount", sell_amount, "an order sells something, or it has no price")
    if not buy_amount:
        raise FieldRuleError("buy_amount", buy_amount, "an order for nothing gives its tokens away: pay instead")
    _require_order_slot(slot)


def _require_order_slot(slot: int) -> None:
    if not FIRST_ORDER_SLOT <= slot < 1 << SLOT_BITS:
        raise FieldRuleError("slot", slot, f"order slots are {FIRST_ORDER_SLOT} to {(1 << SLOT_BITS) - 1}")
