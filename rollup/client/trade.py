"""Orders and swaps, as flows of a wallet."""

from dataclasses import replace
from typing import Final

from rollup._native import eddsa_verify
from rollup.client.errors import OrderUnfit
from rollup.client.flow import Flow
from rollup.client.model import Confirmed, Listed
from rollup.client.wallet_core import WalletCore, in_units
from rollup.core.amounts import pack_amount
from rollup.core.checks import check_uint
from rollup.core.constants import FIRST_ORDER_SLOT, ORDER_AMOUNT_BITS, SLOT_BITS
from rollup.core.errors import AmountNotRepresentableError, FieldRuleError
from rollup.core.operations import Order
from rollup.node.matching import match_orders
from rollup.wallet.account import WalletAccount

ORDER_SECONDS: Final = 3600
"""How long an order stands if nothing else is said."""


class Trade(WalletCore):
    """Orders, to be handed over and to be filled."""

    def offer(
        self,
        sell: int | str,
        sell_token: str,
        buy: int | str,
        buy_token: str,
        fee: int = 0,
        seconds: int = ORDER_SECONDS,
    ) -> Flow[Order]:
        """A signed order to hand over: sells `sell` for `buy` or better, whole or in parts, until its time ends.

        Whoever has it can fill it, so it is written down like what is sent. It gets an order slot of its own.

        Args:
            sell, buy: In smallest units, or in the tokens' units as text.
            fee: In smallest units of what is sold, at most, for all of it.
            seconds: How long it stands. Only `cancel_orders` of its slot ends it before.
        """
        sold, bought = (yield from self.token(sell_token)), (yield from self.token(buy_token))
        if sold == bought:
            raise FieldRuleError("buy_token", buy_token, "it is what is sold: name two tokens")
        sells, buys = in_units(sell, sold), in_units(buy, bought)
        for units in (sells, buys):
            pack_amount(check_uint("amount", units, ORDER_AMOUNT_BITS))
        return (yield from self._order(sold.token_id, sells, bought.token_id, buys, fee, seconds))

    def take(self, order: Order, fee: int | None = None, max_fee: int | None = None) -> Flow[Confirmed]:
        """Fill an order whole: pay what it buys, get what it sells. See `terms` for what that is.

        Raises: OrderUnfit; and what `send` raises.
        """
        sold, bought = yield from self.terms(order)
        pays = yield from self.fee("swap", bought.symbol, order.buy_amount, fee, max_fee)
        seconds = max(0, order.valid_until - int(self.core.clock()))
        mine = yield from self._order(
            bought.token_id, order.buy_amount, sold.token_id, order.sell_amount, pays, min(seconds, ORDER_SECONDS)
        )
        swap = match_orders(order, mine, order.sell_amount, mine.sell_amount)
        return (yield from self.send(lambda _: swap))

    def terms(self, order: Order) -> Flow[tuple[Listed, Listed]]:
        """Check an order that was handed over; what it sells and what it buys.

        Raises: OrderUnfit.
        """
        deployment = yield from self.core.known()
        tokens = {token.token_id: token for token in deployment.tokens}
        if order.sell_token not in tokens or order.buy_token not in tokens or order.sell_token == order.buy_token:
            raise OrderUnfit("it does not trade two tokens of this rollup")
        if not order.sell_amount or not order.buy_amount:
            raise OrderUnfit("it sells nothing, or for nothing")
        for amount in (order.sell_amount, order.buy_amount):
            try:
                pack_amount(amount)
            except AmountNotRepresentableError as error:
                raise OrderUnfit(f"it cannot be filled whole: {error.message}") from error
        if order.valid_until <= self.core.clock():
            raise OrderUnfit(f"it ended at {order.valid_until}")
        maker = yield from self.core.account(order.account_id)
        signature = order.signature
        if signature is None or maker.key is None:
            raise OrderUnfit("it is not signed, or its account has no key")
        if not eddsa_verify(maker.key, order.message_hash(deployment.domain), signature.as_tuple()):
            raise OrderUnfit(f"its signature is not of account {order.account_id} on this rollup")
        return tokens[order.sell_token], tokens[order.buy_token]

    def _order(self, sells: int, sold: int, buys: int, bought: int, fee: int, seconds: int) -> Flow[Order]:
        _, flight = yield from self._ready()
        until = int(self.core.clock()) + seconds

        def make(account: WalletAccount) -> Order:
            taken = self.records.standing_slots(account.account_id)
            slot = next(slot for slot in range(FIRST_ORDER_SLOT, 1 << SLOT_BITS) if slot not in taken)
            order = account.order(sells, sold, buys, bought, fee, slot, replacing=True)
            return account.sign(replace(order, valid_until=until))

        order = flight.sign(make)
        yield from self._keep_sent(order)
        return order
