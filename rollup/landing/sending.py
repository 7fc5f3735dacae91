"""The sender behind the interface of all that send (`rollup.l1.sending.Sending`), as `RollupClient` takes it."""

import hashlib
from typing import Final

from rollup.l1.errors import ContractRefused, GasLimitExceeded, L1Error, TransactionReverted
from rollup.l1.refusals import Refusals
from rollup.l1.rpc import JsonRpc
from rollup.l1.sending import Account, Sending, Sent, data_gas
from rollup.landing.calls import Call
from rollup.landing.errors import ActionUnknown, TransactionTooLarge
from rollup.landing.model import Action, Outcome, State
from rollup.landing.sender import L1Sender

WAIT_SECONDS: Final = 3_600.0
_REASONS: Final[dict[str, type[L1Error]]] = {
    error.code: error for error in (ContractRefused, TransactionReverted, GasLimitExceeded, TransactionTooLarge)
}


class DurableSending(Sending):
    """Lands calls through a sender that another thread runs.

    A call that is on its way already is not sent again: what asks for it anew, as after a crash, waits for the first.

    Args:
        rpc: The node for views.
        refusals: The errors to recognise.
        sender: Signs, sends, and waits.
        wait_seconds: How long a call may take; after that it goes on by itself.
    """

    def __init__(self, rpc: JsonRpc, refusals: Refusals, sender: L1Sender, wait_seconds: float = WAIT_SECONDS) -> None:
        super().__init__(rpc, refusals)
        self._sender = sender
        self._wait_seconds = wait_seconds

    def send(self, action: str, to: str | None, data: bytes, account: Account, wei: int = 0) -> Sent:
        """Send raw calldata, or creation code with `to` None; the sender estimates its gas when its turn comes.

        Raises: ContractRefused, TransactionReverted, GasLimitExceeded, TransactionTooLarge, ActionNotDone.
        """
        return self._land(action, to, data, account, wei, None)

    def _land(self, action: str, to: str | None, data: bytes, account: Account, wei: int, gas: int | None) -> Sent:
        if account.address != self._sender.signer.address:
            raise ValueError(f"the sender signs as {self._sender.signer.address}, not as {account.address}")
        key = self._key(action, f"{to} {wei} ".encode() + data)
        self._sender.submit(key, Call(action, to, data, wei, gas))
        done = self._sender.wait(key, State.MINED, self._wait_seconds)
        if done.place is None or done.place.outcome != Outcome.SUCCEEDED:
            raise _reason(done)
        place = done.place
        return Sent(place.transaction, place.l1_block, place.gas_used, data_gas(data, place.gas_used))

    def _key(self, action: str, content: bytes) -> str:
        """The key of the same call that is on its way or mined, else one that was not used."""
        name, number = f"{action}:{hashlib.sha256(content).hexdigest()[:32]}", 0
        while True:
            key = f"{name}/{number}"
            try:
                found = self._sender.status(key)
            except ActionUnknown:
                return key
            is_mined = found.place is not None and found.place.outcome in (Outcome.SUCCEEDED, Outcome.DISPLACED)
            if found.state in (State.QUEUED, State.PENDING) or (found.state == State.MINED and is_mined):
                return key
            number += 1


def _reason(action: Action) -> L1Error:
    """What an action did not succeed for."""
    kind = _REASONS.get(str(action.reason.get("code")))
    if kind is None:
        outcome = action.state if action.place is None else action.place.outcome
        return TransactionReverted(action.call.action, f"it is {outcome}: something else used its nonce")
    return kind(**action.reason["values"])
