"""Gets transactions into L1's blocks: signs them, hands them to the nodes, and replaces those that are stuck."""

from collections.abc import Callable, Sequence
from typing import Final

from rollup.l1.errors import (
    ContractRefused,
    GasLimitExceeded,
    L1Error,
    NodeFaulty,
    NodeUnreachable,
    TransactionReverted,
)
from rollup.l1.refusals import Refusals
from rollup.l1.rpc import RpcError
from rollup.landing.answers import Verdict, verdict
from rollup.landing.calls import Call
from rollup.landing.config import SenderConfig
from rollup.landing.endpoints import Endpoint, Endpoints
from rollup.landing.errors import (
    FeesAboveCeiling,
    ForeignTransaction,
    FundsRunningLow,
    FundsTooLow,
    KeyMissing,
    SendingRefused,
    SignerDeviates,
    SignerRefused,
    TransactionTooLarge,
)
from rollup.landing.fees import FeePolicy
from rollup.landing.journal import Journal
from rollup.landing.look import Look
from rollup.landing.model import Action, Attempt, State
from rollup.landing.notices import Notices
from rollup.landing.signing import TRANSACTION_BYTES, Signer, Unsigned

CANCEL_GAS: Final = 21_000
_WOULD_FAIL: Final = (ContractRefused, TransactionReverted, GasLimitExceeded)


class Pusher:
    """See L1Sender for the arguments. The first of `signers` signs what is new."""

    def __init__(
        self,
        journal: Journal,
        endpoints: Endpoints,
        refusals: Refusals,
        config: SenderConfig,
        notices: Notices,
        clock: Callable[[], float],
        signers: Sequence[Signer],
    ) -> None:
        self._journal = journal
        self._endpoints = endpoints
        self._refusals = refusals
        self._config = config
        self._notices = notices
        self._clock = clock
        self._signer = signers[0]
        self._signers = {signer.address: signer for signer in reversed(signers)}
        self._outbid: set[int] = set()
        self._fronts: dict[str, tuple[int, int]] = {}
        self._foreign_since: int | None = None

    @property
    def _fees(self) -> FeePolicy:
        return self._config.fees

    def push(self, look: Look) -> bool:
        """Send what is to be sent. Returns whether to come again before L1 has a new block.

        Raises: NodeUnreachable, NodeFaulty: what was signed is in the journal and is sent the next time.
        """
        actions = self._journal.unfinished()
        pending = sorted((action for action in actions if action.state == State.PENDING), key=_nonce)
        again = False
        for action in pending:
            again |= self._push(look, action, self._waited(look, action, pending))
        for action in actions:
            if action.state == State.QUEUED:
                if action.cancelling:
                    self._journal.withdraw(action, int(self._clock()))
                elif (goes_on := self._start(look, action)) is None:
                    break
                else:
                    again |= goes_on
        self._check_reserve(look)
        return again

    # What is signed already

    def _waited(self, look: Look, action: Action, pending: Sequence[Action]) -> int:
        """L1 blocks that could have had an action and did not; 0 while others have to go before it."""
        assert action.address is not None
        if action is not next(each for each in pending if each.address == action.address):
            return 0
        number, since = self._fronts.get(action.address, (-1, 0))
        if number != action.id:
            since = look.head.number if number >= 0 else 0
            self._fronts[action.address] = action.id, since
        return look.head.number - max(since, action.attempts[-1].head)

    def _push(self, look: Look, action: Action, waited: int) -> bool:
        last = action.attempts[-1]
        is_to_cancel = action.cancelling and not last.cancels
        is_stuck = self._fees.is_stuck(last.fees, look.market, waited)
        if is_to_cancel or is_stuck or action.id in self._outbid:
            replacement = self._replacement(look, action, is_to_cancel or last.cancels)
            if replacement is not None:
                return self._hand_in(action, replacement)
            self._hand_in(action, last)
            return False
        return not look.has(last.hash) and self._hand_in(action, last)

    def _replacement(self, look: Look, action: Action, cancels: bool) -> Attempt | None:
        """Sign and journal a dearer transaction; None if that cannot be."""
        assert action.address is not None
        assert action.nonce is not None
        assert action.gas_limit is not None
        signer = self._signers.get(action.address)
        if signer is None:
            self._notices.add(KeyMissing(action.key, action.address, action.nonce))
            return None
        last = action.attempts[-1]
        missed = look.head.number - max(action.attempts[0].head, self._fronts[action.address][1])
        fees = self._fees.replacement(last.fees, look.market, missed)
        if fees is None:
            needed = max(look.market.base_fee + look.market.tip(0), last.fees.max_fee + 1)
            self._notices.add(FeesAboveCeiling(action.key, needed, self._fees.ceiling.max_fee))
            return None
        call, gas = (_nothing(action, signer), CANCEL_GAS) if cancels else (action.call, action.gas_limit)
        if not self._can_pay(look, action.key, signer.address, gas * fees.max_fee + call.wei):
            return None
        transaction = Unsigned(self._journal.chain_id, action.nonce, call, gas, fees)
        attempt = self._signed(signer, transaction, look.head.number, cancels)
        if attempt is not None:
            self._journal.replace(action, attempt, int(self._clock()))
        return attempt

    # What is not

    def _start(self, look: Look, action: Action) -> bool | None:
        """Give a queued action a nonce, sign and send it. Returns as `push`; None if it and all after it must wait."""
        address = self._signer.address
        unfinished = self._journal.unfinished()
        pending = [each for each in unfinished if each.state == State.PENDING and each.address == address]
        if len(pending) >= self._config.most_in_flight:
            return None
        nonce = self._free_nonce(look, address)
        if nonce is None:
            return None
        try:
            gas = self._gas(look, action.call, address)
        except _WOULD_FAIL as error:
            if pending:  # it may build on them
                return None
            self._refuse(action, error)
            return False
        fees = self._fees.first(look.market)
        if fees is None:
            needed = look.market.base_fee + self._fees.least_tip
            self._notices.add(FeesAboveCeiling(action.key, needed, self._fees.ceiling.max_fee))
            return None
        if not self._can_pay(look, action.key, address, gas * fees.max_fee + action.call.wei + _committed(pending)):
            return None
        transaction = Unsigned(self._journal.chain_id, nonce, action.call, gas, fees)
        attempt = self._signed(self._signer, transaction, look.head.number, cancels=False)
        if attempt is None:
            return None
        if len(attempt.raw) > TRANSACTION_BYTES:
            self._refuse(action, TransactionTooLarge(action.call.action, len(attempt.raw), TRANSACTION_BYTES))
            return False
        if not pending:
            self._fronts[address] = action.id, look.head.number
        action = self._journal.sign(action, address, nonce, gas, attempt, int(self._clock()))
        return self._hand_in(action, attempt)

    def _free_nonce(self, look: Look, address: str) -> int | None:
        """The next nonce; None while a foreign transaction that waits for it goes first."""
        used, ours = look.count(address), self._journal.next_nonce(address)
        if 0 < ours < used:
            self._notices.add(ForeignTransaction(address, ours, look.foreign(address, ours)))
        nonce = max(used, ours)
        if look.count_waiting(address) <= nonce:
            self._foreign_since = None
            return nonce
        self._notices.add(ForeignTransaction(address, nonce, look.foreign_waiting(address, nonce)))
        if self._foreign_since is None:
            self._foreign_since = look.head.number
        is_patient = look.head.number - self._foreign_since < self._config.foreign_patience_blocks
        return None if is_patient else nonce

    def _gas(self, look: Look, call: Call, address: str) -> int:
        """The gas to allow; a refusal counts if every node refuses, as one may be behind.

        Raises: as `Look.gas_limit`.
        """
        try:
            return look.gas_limit(self._refusals, call, address)
        except _WOULD_FAIL:
            for other in self._endpoints.others(look.endpoint):
                try:
                    return Look(self._endpoints, other).gas_limit(self._refusals, call, address)
                except (*_WOULD_FAIL, NodeUnreachable, NodeFaulty):
                    continue
            raise

    def _refuse(self, action: Action, error: L1Error) -> None:
        reason = {"code": error.code, "message": error.message, "values": error.values}
        self._journal.refuse(action, reason, int(self._clock()))

    # Both

    def _signed(self, signer: Signer, transaction: Unsigned, head: int, cancels: bool) -> Attempt | None:
        """A signed transaction, not sent yet; None if the signer does not sign."""
        try:
            signed = signer.sign(transaction)
        except (SignerRefused, SignerDeviates) as error:
            self._notices.add(error)
            return None
        return Attempt(signed.hash, signed.raw, transaction.fees, head, cancels)

    def _can_pay(self, look: Look, key: str, address: str, needed: int) -> bool:
        balance = look.balance(address)
        if balance < needed:
            self._notices.add(FundsTooLow(key, address, balance, needed))
        return balance >= needed

    def _hand_in(self, action: Action, attempt: Attempt) -> bool:
        """Give a signed transaction to every node. Returns whether to come again at once."""
        said = {endpoint.name: self._said(endpoint, attempt.raw) for endpoint in self._endpoints.available()}
        found = {each for each, _ in said.values()}
        self._outbid.discard(action.id)
        if found & {Verdict.TAKEN, Verdict.USED}:
            return False
        if Verdict.OUTBID in found:
            self._outbid.add(action.id)
            return True
        if Verdict.SILENT not in found:
            assert action.nonce is not None
            reasons = {name: text for name, (_, text) in said.items()}
            self._notices.add(SendingRefused(action.key, action.nonce, reasons))
        return Verdict.SILENT in found

    def _said(self, endpoint: Endpoint, raw: bytes) -> tuple[Verdict, str]:
        try:
            self._endpoints.call(endpoint, "eth_sendRawTransaction", "0x" + raw.hex())
        except RpcError as error:
            return verdict(error.text), error.text
        except (NodeUnreachable, NodeFaulty) as error:
            said = verdict(error.reason)
            return (Verdict.SILENT if said is Verdict.REFUSED else said), error.reason
        return Verdict.TAKEN, ""

    def _check_reserve(self, look: Look) -> None:
        """Tell early that money runs out."""
        gas = max((action.gas_limit or 0 for action in self._journal.unfinished()), default=0)
        price = look.market.base_fee + look.market.tip(0)
        reserve = max(self._config.reserve_wei, self._config.reserve_transactions * gas * price)
        address = self._signer.address
        balance = look.balance(address)
        if balance < reserve:
            self._notices.add(FundsRunningLow(address, balance, reserve))


def _nonce(action: Action) -> tuple[str, int]:
    assert action.address is not None
    assert action.nonce is not None
    return action.address, action.nonce


def _nothing(action: Action, signer: Signer) -> Call:
    return Call(f"the end of {action.key}", signer.address)


def _committed(pending: Sequence[Action]) -> int:
    """What transactions may cost at most that are signed and not mined."""
    return sum((each.gas_limit or 0) * each.attempts[-1].fees.max_fee + each.call.wei for each in pending)
