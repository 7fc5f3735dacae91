"""Paying, taking out, changing the key, as flows of a wallet."""

from collections.abc import Sequence
from dataclasses import dataclass

from rollup.client.errors import Refused
from rollup.client.flow import Flow
from rollup.client.model import Confirmed, Listed
from rollup.client.wallet_core import WalletCore, in_units
from rollup.core.addresses import parse_address, show_address
from rollup.core.amounts import pack_amount
from rollup.core.errors import SluiceError
from rollup.core.operations import Batch, ChangePubKey, Transfer, TransferToAddress
from rollup.wallet.account import WalletAccount
from rollup.wallet.batches import make_batch
from rollup.wallet.key_change import authorise
from rollup.wallet.keys import local_signer
from rollup.wallet.tokens import ETH


@dataclass(frozen=True, slots=True)
class Payment:
    """One of several payments.

    Args:
        to: An L1 address as text, or an L2 account's id.
        amount: In smallest units, or in the token's units as text, such as "1.5".
        token: Its symbol.
        fee: In smallest units; None: what the node asks.
        max_fee: The most that it may be; None: a tenth of the amount.
    """

    to: str | int
    amount: int | str
    token: str = ETH.symbol
    fee: int | None = None
    max_fee: int | None = None


@dataclass(frozen=True, slots=True)
class _Ready:
    """A payment with its account, token and fee found."""

    to_address: int
    to_id: int | None
    token: Listed
    amount: int
    fee: int

    def make(self, account: WalletAccount) -> Transfer | TransferToAddress:
        return account.pay(self.to_address, self.to_id, self.token.token_id, self.amount, self.fee)


class Payments(WalletCore):
    """What moves or takes out money of the account's own."""

    def transfer(
        self,
        to: str | int,
        amount: int | str,
        token: str = ETH.symbol,
        fee: int | None = None,
        max_fee: int | None = None,
    ) -> Flow[Confirmed]:
        """Pay an L1 address, or an L2 account by its id.

        Args:
            to: The address as text (its checksum is checked), or the id.
            amount: In smallest units, or in the token's units as text, such as "1.5".
            token: Its symbol.
            fee: In smallest units; None: what the node asks.
            max_fee: The most that it may be; None: a tenth of the amount.

        Raises: AddressTextError, AmountTextError, AmountNotRepresentableError (with the nearest amounts),
            FeeAboveMaximum, and what `send` raises.
        """
        ready = yield from self._prepare(Payment(to, amount, token, fee, max_fee))
        release = ready.token.token_id, ready.fee
        return (yield from self.send(lambda account: account.sign(ready.make(account)), release))

    def pay_all(self, payments: Sequence[Payment], atomic: bool = False) -> Flow[list[Confirmed | SluiceError]]:
        """Pay several at once, each on its own; of each what became of it, in order.

        Args:
            atomic: All of them or none, as one batch; then there is one answer.
        """
        ready = []
        for payment in payments:
            ready.append((yield from self._prepare(payment)))
        release = (ready[0].token.token_id, ready[0].fee) if ready else None
        if atomic:
            return [(yield from self.send(lambda account: _batch(account, ready), release))]
        return (yield from self._send_all(ready))

    def _send_all(self, ready: Sequence[_Ready]) -> Flow[list[Confirmed | SluiceError]]:
        account, flight = yield from self._ready()
        operations = flight.sign(lambda account: [account.sign(each.make(account)) for each in ready])
        nonces = [operation.nonce for operation in operations]
        try:
            yield from self._check_outstanding(operations, account.account_id, flight)
            yield from self._keep_sent(*operations)
        except BaseException:
            flight.give_back(nonces)
            flight.land(nonces)
            raise
        results: list[Confirmed | SluiceError] = []
        try:
            while len(results) < len(operations):
                rest = operations[len(results) :]
                found = yield from self.core.submit_many(rest)
                # After the first that is refused the others come too early: they are sent again once its gap is closed.
                refused = next((i for i, each in enumerate(found) if isinstance(each, Refused)), len(found))
                for each in found[: refused + 1]:
                    if isinstance(each, Confirmed):
                        yield from self._keep(each)
                    results.append(each)
                if refused >= len(found) - 1:
                    break
                failed = operations[len(results) - 1]
                yield from self._close_gaps([failed.nonce], (failed.token, failed.fee), account, flight)
        finally:
            self._is_sure = all(isinstance(each, Confirmed) for each in results) and len(results) == len(operations)
            flight.land(nonces)
        return results

    def _prepare(self, payment: Payment) -> Flow[_Ready]:
        to_id: int | None
        token = yield from self.token(payment.token)
        amount = in_units(payment.amount, token)
        pack_amount(amount)
        if isinstance(payment.to, int):
            to = yield from self.core.account(payment.to)
            address, to_id = int(to.address, 16), to.account_id
        else:
            address = parse_address(payment.to)
            found = yield from self.core.accounts(show_address(address))
            to_id = found[0].account_id if found else None
        kind = "transfer" if to_id is not None else "transfer_to_address"
        fee = yield from self.fee(kind, payment.token, amount, payment.fee, payment.max_fee)
        return _Ready(address, to_id, token, amount, fee)

    def withdraw(
        self,
        amount: int | str,
        token: str = ETH.symbol,
        to: str | None = None,
        fee: int | None = None,
        max_fee: int | None = None,
    ) -> Flow[Confirmed]:
        """Take money out, to the owner's address on L1 or another: once it is final, L1 owes it (`claim`)."""
        listed = yield from self.token(token)
        units = in_units(amount, listed)
        address = int(self.owner.address, 16) if to is None else parse_address(to)
        pays = yield from self.fee("withdraw", token, units, fee, max_fee)
        return (
            yield from self.send(
                lambda account: account.sign(account.withdraw(listed.token_id, units, pays, address)),
                (listed.token_id, pays),
            )
        )

    def change_key(
        self, index: int, token: str = ETH.symbol, fee: int | None = None, max_fee: int | None = None
    ) -> Flow[Confirmed]:
        """Make L2 key number `index` the account's; the Ethereum account signs it, the old key is not needed."""
        key = yield from self.key(index)
        listed = yield from self.token(token)
        pays = yield from self.fee("change_pub_key", token, None, fee, max_fee)
        yield from self.open(key)

        def make(account: WalletAccount) -> ChangePubKey:
            change = account.change_key(key.public_key, listed.token_id, pays)
            return authorise(change, account.domain, local_signer(self.owner))

        try:
            confirmed = yield from self.send(make)
        finally:
            self._is_sure = False
        self._key_index = index
        return confirmed

    def cancel_orders(
        self, slot: int, token: str = ETH.symbol, fee: int | None = None, max_fee: int | None = None
    ) -> Flow[Confirmed]:
        """End every order that a slot has had, those of other devices too if they were made before this second."""
        listed = yield from self.token(token)
        pays = yield from self.fee("cancel_order", token, None, fee, max_fee)
        account, _ = yield from self._ready()
        account.next_order_id = max(account.next_order_id, int(self.core.clock()))
        return (
            yield from self.send(
                lambda account: account.sign(account.cancel_orders(listed.token_id, pays, slot)),
                (listed.token_id, pays),
            )
        )


def _batch(account: WalletAccount, ready: Sequence[_Ready]) -> Batch:
    return account.sign(make_batch([each.make(account) for each in ready]))
