"""Holds the journal to L1: what is mined, taken back, final, or lost to a foreign transaction."""

from collections.abc import Callable
from typing import Any

from rollup.l1.errors import NodeFaulty, NodeUnreachable
from rollup.l1.refusals import Refusals
from rollup.l1.sending import failure
from rollup.landing.config import SenderConfig
from rollup.landing.endpoints import Endpoints
from rollup.landing.errors import EndpointsDisagree, FinalTakenBack, ForeignTransaction
from rollup.landing.journal import Journal
from rollup.landing.look import Look
from rollup.landing.model import Action, Outcome, Place, State
from rollup.landing.notices import Notices


class Watcher:
    """See L1Sender for the arguments."""

    def __init__(
        self,
        journal: Journal,
        endpoints: Endpoints,
        refusals: Refusals,
        config: SenderConfig,
        notices: Notices,
        clock: Callable[[], float],
    ) -> None:
        self._journal = journal
        self._endpoints = endpoints
        self._refusals = refusals
        self._config = config
        self._notices = notices
        self._clock = clock

    def watch(self, look: Look) -> None:
        """Bring the journal up to date. All is asked first and written after, if L1 was the same to the end.

        Raises: NodeUnreachable, NodeFaulty; then nothing is written.
        """
        actions = [action for action in self._journal.unfinished() if action.state != State.QUEUED]
        for address in sorted({action.address for action in actions if action.address is not None}):
            self._require_final(look, address)
        if not actions:
            return
        found = [(action, self._found(look, action)) for action in actions]
        last_final = look.final_number(self._config.finality_blocks, self._config.has_finalized_tag)
        look.require_same_head()
        for action, place in found:
            self._write(look, action, place)
        for action in self._journal.unfinished():
            if action.state == State.MINED and action.place is not None and action.place.l1_block <= last_final:
                self._finish(look, action, action.place)

    def _require_final(self, look: Look, address: str) -> None:
        """See that the node knows all transactions that are final."""
        nonce = self._journal.final_nonce(address)
        if look.count(address) <= nonce:
            known = look.count(address)
            self._notices.add(FinalTakenBack(address, nonce, look.endpoint.name, known))
            reason = f"it knows {known} transactions of {address}"
            raise self._endpoints.faulty(look.endpoint, "eth_getTransactionCount", reason)

    def _found(self, look: Look, action: Action) -> Place | None:
        """Where it is now; None if it is nowhere. The place known so far if the node does not reach it."""
        if action.place is not None and look.is_there(action.place) is not False:
            return action.place
        return look.place(action)

    def _write(self, look: Look, action: Action, place: Place | None) -> None:
        now = int(self._clock())
        if place is not None and place.outcome == Outcome.DISPLACED:
            assert action.address is not None
            assert action.nonce is not None
            self._notices.add(ForeignTransaction(action.address, action.nonce, place.transaction))
        if place == action.place:
            return
        if action.place is not None:
            action = self._journal.take_back(action, now)
        if place is not None:
            self._journal.place(action, place, self._reason(look, action, place), now)

    def _reason(self, look: Look, action: Action, place: Place) -> dict[str, Any]:
        if place.outcome != Outcome.FAILED:
            return {}
        assert action.address is not None
        receipt = {"blockNumber": hex(place.l1_block), "transactionHash": place.transaction}
        request = action.call.request(action.address)
        error = failure(look.rpc, self._refusals, action.call.action, request, receipt)
        return {"code": error.code, "message": error.message, "values": error.values}

    def _finish(self, look: Look, action: Action, place: Place) -> None:
        """Take a block as final, unless one of the other nodes has another one there."""
        if look.is_there(place) is not True:
            return
        for other in self._endpoints.others(look.endpoint):
            try:
                header = self._endpoints.header(other, place.l1_block)
            except (NodeUnreachable, NodeFaulty):
                continue
            if header is not None and header.hash != place.l1_hash:
                names = look.endpoint.name, place.l1_hash, other.name, header.hash
                self._notices.add(EndpointsDisagree(place.l1_block, *names))
                return
        if place.outcome == Outcome.DISPLACED and not action.cancelling:
            self._journal.requeue(action, int(self._clock()))
        else:
            self._journal.finish(action, int(self._clock()))
