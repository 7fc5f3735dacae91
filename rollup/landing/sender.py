"""An operator's sender: submit a call under a key, and it lands, once.

    sender = L1Sender(journal, endpoints, signer, refusals)
    sender.submit("commit:17", Call.function("the commit", rollup, "commitBlocks", types, values))
    threading.Thread(target=sender.run, args=(stop,)).start()
    action = sender.wait("commit:17", State.FINAL, seconds=3600)

What happens is told by `events`, which a reader goes on reading from where it was after a crash of its own.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from rollup.l1.errors import NodeFaulty, NodeUnreachable
from rollup.l1.refusals import Refusals
from rollup.landing.calls import Call
from rollup.landing.config import SenderConfig
from rollup.landing.endpoints import Endpoint, Endpoints
from rollup.landing.errors import ActionNotDone, EndpointsDown
from rollup.landing.journal import Journal
from rollup.landing.look import Look
from rollup.landing.model import Action, Event, State
from rollup.landing.notices import Notices
from rollup.landing.push import Pusher
from rollup.landing.signing import Signer
from rollup.landing.watch import Watcher

POLL_SECONDS: Final = 2.0

_ORDER: Final = (State.QUEUED, State.PENDING, State.MINED, State.FINAL)


class L1Sender:
    """Lands calls. `submit`, `cancel`, `status`, `wait` and `events` may be called from any thread.

    Args:
        journal: Where everything is written before it is done.
        endpoints: L1's nodes.
        signer: Who signs and pays from now on.
        refusals: The contracts' errors to recognise.
        config: How to act.
        retired: Former signers: what they have in flight can be replaced.
        clock: Unix seconds, for events.
    """

    def __init__(
        self,
        journal: Journal,
        endpoints: Endpoints,
        signer: Signer,
        refusals: Refusals,
        config: SenderConfig | None = None,
        retired: Sequence[Signer] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.journal = journal
        self.endpoints = endpoints
        self.signer = signer
        self.config = config or SenderConfig()
        self.notices = Notices(journal, clock)
        self._clock = clock
        self._watcher = Watcher(journal, endpoints, refusals, self.config, self.notices, clock)
        self._pusher = Pusher(journal, endpoints, refusals, self.config, self.notices, clock, (signer, *retired))
        self._round_lock = threading.Lock()
        self._progress = threading.Condition()
        self._work = threading.Event()
        self._work.set()  # what an earlier process left
        self._seen = ("", "")

    # For callers

    def submit(self, key: str, call: Call) -> Action:
        """Take a call in, durably; it then lands by itself. The same call under the same key is taken once.

        Args:
            key: The caller's name for it, such as "commit:17". Never used for another call again.
            call: What is to happen. Calls get nonces in the order in which they were submitted.

        Raises: ActionDiffers, JournalUnusable.
        """
        action = self.journal.submit(key, call, int(self._clock()))
        self._work.set()
        return action

    def cancel(self, key: str) -> Action:
        """Say that an action is not wanted any more.

        If nothing was signed for it, it is withdrawn; else an empty transaction is sent in its place, which may come
        too late: its outcome says which of the two landed.

        Raises: ActionUnknown, ActionOver, JournalUnusable.
        """
        action = self.journal.cancel(key)
        self._work.set()
        return action

    def status(self, key: str) -> Action:
        """How far an action is.

        Raises: ActionUnknown.
        """
        return self.journal.action(key)

    def events(self, after: int = 0) -> list[Event]:
        """What happened after an event, by its sequence; in order, and the same for every reader and after a crash."""
        return self.journal.events(after)

    def wait(self, key: str, state: State, seconds: float) -> Action:
        """Wait until an action is at least so far, or refused or withdrawn, while another thread runs the sender.

        Args:
            key: Which action.
            state: MINED or FINAL.
            seconds: How long at most.

        Raises: ActionUnknown, ActionNotDone.
        """
        deadline = time.monotonic() + seconds
        with self._progress:
            while True:
                action = self.journal.action(key)
                if action.state not in _ORDER or _ORDER.index(action.state) >= _ORDER.index(state):
                    return action
                left = deadline - time.monotonic()
                if left <= 0:
                    raise ActionNotDone(key, action.state, state, seconds)
                self._progress.wait(left)

    # For who drives it

    def run(self, stop: threading.Event, poll_seconds: float = POLL_SECONDS) -> None:
        """Step until told to stop.

        Raises: JournalUnusable: the disk fails. Nothing is lost; start again when it is mended.
        """
        while not stop.is_set():
            self.step()
            self._work.wait(poll_seconds)

    def step(self) -> bool:
        """Look at L1, take note of what changed, and send what is to be sent. Returns whether a node could be used."""
        with self._round_lock:
            used = self._step()
        with self._progress:
            self._progress.notify_all()
        return used

    def _step(self) -> bool:
        reasons: dict[str, str] = {}
        for _ in range(len(self.endpoints.all)):
            try:
                endpoint = self.endpoints.best()
                self._work_at(endpoint)
            except EndpointsDown as error:
                reasons = {**error.reasons, **reasons}
                break
            except (NodeUnreachable, NodeFaulty) as error:
                reasons[error.url] = error.reason
                continue
            self.endpoints.did_well(endpoint)
            self.notices.clear(EndpointsDown.code)
            return True
        self._work.clear()
        self._seen = ("", "")
        self.notices.add(EndpointsDown(reasons))
        return False

    def _work_at(self, endpoint: Endpoint) -> None:
        assert endpoint.head is not None
        seen = endpoint.name, endpoint.head.hash
        has_work = self._work.is_set()
        self._work.clear()
        if seen == self._seen and not has_work:
            return
        self._seen = ("", "")
        look = Look(self.endpoints, endpoint)
        with self.notices.round():
            self._watcher.watch(look)
            if self._pusher.push(look):
                self._work.set()
        self._seen = seen
