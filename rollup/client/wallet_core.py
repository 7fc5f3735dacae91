"""A user's account on a rollup, as flows: signs, sends, and keeps what it is promised.

In doubt it refuses: what was signed, has no receipt and may still be included stands in the way of anything that would
use another nonce.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from eth_account.signers.local import LocalAccount

from rollup.client.convoy import Convoy
from rollup.client.core import Core
from rollup.client.errors import (
    AccountUnknown,
    ClientError,
    FeeAboveMaximum,
    KeyNotOurs,
    NodeNotAnswering,
    NonceMissing,
    NonceTaken,
    OutstandingOperation,
    QuoteExpired,
    Refused,
    SentBefore,
    TokenUnknown,
)
from rollup.client.flight import Flight, expected_nonce
from rollup.client.flow import Flow, Pause, Work
from rollup.client.l1 import L1Account
from rollup.client.model import AccountState, Confirmed, Listed, Page, Transaction
from rollup.client.records import Records, Sent, nonces_of
from rollup.client.trust import Deployment
from rollup.core.amounts import pack_fee
from rollup.core.errors import ReceiptError, SluiceError
from rollup.core.operations import (
    Batch,
    CancelOrder,
    ChangePubKey,
    ForcedExit,
    Order,
    Swap,
    Transfer,
    TransferToAddress,
    Withdraw,
)
from rollup.core.receipt import operation_hash
from rollup.core.wire import WireOperation
from rollup.wallet.account import WalletAccount
from rollup.wallet.keys import L2Key, derive_local_key
from rollup.wallet.tokens import parse_amount

KEYS_TRIED: Final = 8
"""Of an Ethereum account, to find the one that its L2 account has."""
FEE_SHARE: Final = 10
"""Without a word of the user's, a fee is at most this part of the amount."""
EARLY_SECONDS: Final = 0.02
"""Between two attempts of what came before its turn."""


class WalletCore:
    """One Ethereum account's account on a rollup.

    Args:
        core: The node.
        owner: The Ethereum account; its L2 key is derived from it.
        records: Where operations and receipts are written down.
        key_index: Number of the L2 key; None: the one of the first KEYS_TRIED that the account has.
        despite_outstanding: Sign although something unanswered may still be included: it may pay twice.
    """

    def __init__(
        self,
        core: Core,
        owner: LocalAccount,
        records: Records,
        key_index: int | None = None,
        despite_outstanding: bool = False,
    ) -> None:
        self.core, self.owner, self.records = core, owner, records
        self._key_index, self._despite_outstanding = key_index, despite_outstanding
        self._account: WalletAccount | None = None
        self._flight: Flight | None = None
        self._is_sure = False
        self._l1: L1Account | None = None
        self._convoy = Convoy(core)

    # Who it is

    def open(self, key: L2Key | None = None) -> Flow[AccountState]:
        """Find the account, its nonce and its key; or, with a `key` that it is to get, whatever key it has.

        Raises: AccountUnknown, KeyNotOurs.
        """
        before = None if self._flight is None else (self._flight, self._flight.mark())
        if key is None:
            state, key = yield from self._found()
        else:
            state = (yield from self._states())[0]
        deployment = yield from self.core.known()
        if self._account is None or self._flight is None or self._account.account_id != state.account_id:
            address = int(self.owner.address, 16)
            self._account = WalletAccount(state.account_id, address, key, deployment.domain, state.confirmed.nonce)
            self._flight = Flight(self._account)
        self._account.key = key
        if before is not None and before[0] is self._flight:
            self._flight.reset(state.confirmed.nonce, before[1])
        self._is_sure = True
        # The time too: an order of another device's, which is in no block yet, is ended by a later one.
        self._account.next_order_id = max(
            self._account.next_order_id,
            int(self.core.clock()),
            self.records.next_order_id(state.account_id),
            *(1 + each for each in state.confirmed.orders.values()),
        )
        return state

    def state(self) -> Flow[AccountState]:
        """Balances and nonce, confirmed and final.

        Raises: AccountUnknown.
        """
        return (yield from self._states())[0]

    def key(self, index: int) -> Flow[L2Key]:
        """L2 key number `index`."""
        deployment = yield from self.core.known()
        key: L2Key = yield Work(lambda: self._derive(deployment, index))
        return key

    def token(self, symbol: str) -> Flow[Listed]:
        """A token of the rollup.

        Raises: TokenUnknown.
        """
        deployment = yield from self.core.known()
        for token in deployment.tokens:
            if token.symbol == symbol:
                return token
        raise TokenUnknown(symbol, tuple(token.symbol for token in deployment.tokens))

    def history(self, cursor: str | None = None, limit: int = 50) -> Flow[Page[Transaction]]:
        """What the account paid and got, newest first."""
        states = yield from self._states()
        return (yield from self.core.history(states[0].account_id, cursor, limit))

    def _states(self) -> Flow[tuple[AccountState, ...]]:
        found = yield from self.core.accounts(str(self.owner.address))
        if not found:
            raise AccountUnknown(str(self.owner.address))
        if self._account is not None:
            found = tuple(each for each in found if each.account_id == self._account.account_id) or found
        return found

    def _found(self) -> Flow[tuple[AccountState, L2Key]]:
        states = yield from self._states()
        indices = range(KEYS_TRIED) if self._key_index is None else [self._key_index]
        for index in indices:
            key = yield from self.key(index)
            for state in states:
                if state.key == key.public_key:
                    return state, key
        raise KeyNotOurs(states[0].account_id, states[0].key is not None, len(indices))

    def _derive(self, deployment: Deployment, index: int) -> L2Key:
        return derive_local_key(self.owner, deployment.chain_id, int(deployment.rollup, 16), index)

    def _ready(self) -> Flow[tuple[WalletAccount, Flight]]:
        if not self._is_sure:
            yield from self.open()
        assert self._account is not None
        assert self._flight is not None
        return self._account, self._flight

    # What was sent before

    def settle(self) -> Flow[list[Sent]]:
        """Ask what became of operations without a receipt; those that were taken in get theirs.

        Returns: Them.
        """
        settled = []
        for sent in self.records.outstanding():
            found = yield from self.core.find(sent.operation)
            if found is not None:
                yield from self._keep(found)
                settled.append(replace(sent, receipt=found.receipt))
        return settled

    def resend(self, sent: Sent) -> Flow[Confirmed]:
        """Submit an operation again that has no receipt, as it was signed.

        Raises: What `Core.submit` raises.
        """
        yield from self._ready()
        confirmed = yield from self.core.submit(sent.operation)
        yield from self._keep(confirmed)
        self._is_sure = False
        return confirmed

    def _check_outstanding(self, operations: Sequence[WireOperation], account_id: int, flight: Flight) -> Flow[None]:
        """Nothing unanswered may be included beside these."""
        names = {self._name(each) for each in operations}
        nonces = {nonce for each in operations for nonce in nonces_of(each, account_id)}
        for sent in self.records.outstanding():
            theirs = nonces_of(sent.operation, account_id)
            if sent.hash in names or nonces.intersection(theirs) or any(map(flight.is_flying, theirs)):
                continue
            if self.records.is_answered(sent.hash):
                continue  # it landed meanwhile
            found = yield from self.core.find(sent.operation)
            if found is not None:
                yield from self._keep(found)
                if any(wish(each) == wish(sent.operation) for each in operations):
                    raise SentBefore(sent.hash, f"this {type(sent.operation).__name__}")
            elif theirs and not self._despite_outstanding:
                raise OutstandingOperation(sent.hash, theirs[0], min(nonces, default=0))

    # Fees

    def fee(
        self, kind: str, token: str, amount: int | None, fee: int | None = None, max_fee: int | None = None
    ) -> Flow[int]:
        """What an operation pays: `fee`, or what the node asks, if it is not more than `max_fee`.

        Args:
            amount: Of what is paid; without a `max_fee` a FEE_SHAREth of it is the most. None: then it is 0.

        Raises: FeeAboveMaximum, QuoteExpired; AmountNotRepresentableError: `fee` cannot be published.
        """
        if fee is None:
            quote = yield from self.core.quote(kind, token)
            if quote.valid_until < self.core.clock():
                raise QuoteExpired(quote.valid_until, int(self.core.clock()))
            fee = quote.fee
            max_fee = (amount or 0) // FEE_SHARE if max_fee is None else max_fee
        if max_fee is not None and fee > max_fee:
            listed = yield from self.token(token)
            raise FeeAboveMaximum(fee, max_fee, token, listed.decimals)
        pack_fee(fee)
        return fee

    # Sending

    def send(
        self, make: Callable[[WalletAccount], WireOperation], release: tuple[int, int] | None = None
    ) -> Flow[Confirmed]:
        """Sign an operation, write it down, submit it, keep the receipt.

        Args:
            make: Gives the signed operation; the nonces it takes are its.
            release: Token and fee of the payments of nothing that stand in for it if it is refused and others wait.

        Raises: What `Core.submit` raises; NonceTaken, NonceMissing; OutstandingOperation, SentBefore; RecordsUnusable.
        """
        account, flight = yield from self._ready()
        operation = flight.sign(make)
        nonces = nonces_of(operation, account.account_id)
        is_sent = False
        try:
            yield from self._check_outstanding([operation], account.account_id, flight)
            yield from self._keep_sent(operation)
            is_sent = True
            confirmed = yield from self._deliver(operation, nonces, account, flight)
            yield from self._keep(confirmed)
            return confirmed
        except (Refused, NodeNotAnswering):
            yield from self._close_gaps(nonces, release, account, flight)
            raise
        except SluiceError:
            if not is_sent:
                yield from self._close_gaps(nonces, release, account, flight)
            # Else it may have been taken in, or not: the node says which nonce is next.
            self._is_sure = not is_sent
            raise
        except BaseException:
            self._is_sure = False
            raise
        finally:
            flight.land(nonces)

    def _deliver(
        self, operation: WireOperation, nonces: Sequence[int], account: WalletAccount, flight: Flight
    ) -> Flow[Confirmed]:
        is_alone = False
        while True:
            try:
                return (yield from self._convoy.submit(operation, nonces[0] if nonces else 0))
            except Refused as refusal:
                expected = expected_nonce(refusal, account.account_id)
                if expected is None or not nonces or expected == nonces[0]:
                    raise
                if expected > nonces[0]:
                    raise NonceTaken(account.account_id, nonces[0], expected) from refusal
                # Those before it may have landed since the node said so: once more, and then it is missing.
                if is_alone:
                    raise NonceMissing(account.account_id, nonces[0], expected) from refusal
                is_alone = not flight.is_before(expected, nonces[0])
                yield Pause(EARLY_SECONDS)

    def _close_gaps(
        self, nonces: Sequence[int], release: tuple[int, int] | None, account: WalletAccount, flight: Flight
    ) -> Flow[None]:
        """Give refused nonces back; where later operations wait for them, put payments of nothing in their place."""
        token, fee = release or (0, 0)
        for nonce in flight.give_back(nonces):
            try:
                filler = account.sign(account.release_nonce(nonce, token, fee))
                yield from self._keep_sent(filler)
                yield from self._keep((yield from self._deliver(filler, [nonce], account, flight)))
            except (ClientError, ReceiptError):
                return
            finally:
                flight.land([nonce])

    def _keep_sent(self, *operations: WireOperation) -> Flow[None]:
        yield Work(lambda: self.records.keep([(self._name(each), each) for each in operations]))

    def _keep(self, confirmed: Confirmed) -> Flow[None]:
        yield Work(lambda: self.records.answer(confirmed.hash, confirmed.receipt))

    def _name(self, operation: WireOperation) -> str:
        assert self._account is not None
        if isinstance(operation, Order):
            return f"0x{operation.message_hash(self._account.domain):064x}"
        return "0x" + operation_hash(operation, self._account.domain).hex()


def wish(operation: WireOperation) -> tuple[Any, ...]:
    """What somebody wants who makes an operation: the same for one that would do it a second time."""
    match operation:
        case Transfer() | TransferToAddress():
            return "pay", operation.to_address, operation.token, operation.amount
        case Withdraw():
            return "withdraw", operation.address, operation.token, operation.amount
        case ForcedExit():
            return "forced exit", operation.account_id, operation.token
        case ChangePubKey():
            return "new key", operation.key
        case CancelOrder():
            return "cancel", operation.slot
        case Swap():
            return "swap", wish(operation.maker), wish(operation.taker)
        case Batch():
            return "batch", *map(wish, operation.operations)
    return "order", operation.account_id, operation.sell_token, operation.sell_amount, operation.buy_amount


def in_units(amount: int | str, token: Listed) -> int:
    """An amount in smallest units.

    Raises: AmountTextError.
    """
    return parse_amount(amount, token) if isinstance(amount, str) else amount
