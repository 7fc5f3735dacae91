"""Looks at L1, the disk and the clock now and then, and knows which notices stand."""

import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rollup.core.addresses import show_address
from rollup.core.constants import PROOF_DEADLINE_SECONDS
from rollup.core.errors.base import SluiceError
from rollup.l1.errors import L1Error
from rollup.l1.rpc import JsonRpc, RpcError
from rollup.node.core import Node
from rollup.node.errors import NotConnectedError
from rollup.service.clock import Clock
from rollup.service.logs import Event, log
from rollup.service.notices import (
    ClockAstray,
    DiskRunningLow,
    L1Unreachable,
    NodeFault,
    NoFeeAccount,
    ProofDeadlineNear,
    ProofsFailing,
    ProversMissing,
    RefusingWork,
    ServiceNotice,
    StorageFailing,
)
from rollup.service.sending import ServiceSender
from rollup.service.stages import Stage, Stages

LEAST_FREE_BYTES: Final = 512 << 20
PROOF_MARGIN_SECONDS: Final = 4 * 3600


@dataclass(frozen=True, slots=True)
class L1View:
    """L1 as last seen.

    Args:
        head: Number of its last block; None: it was never reached.
        head_at: That block's time, unix seconds.
        base_fee_wei: Of that block, per gas.
        balance_wei: The sender's.
        seen_at: When that was, unix seconds.
    """

    head: int | None = None
    head_at: int | None = None
    base_fee_wei: int | None = None
    balance_wei: int | None = None
    seen_at: int | None = None


class Observer:
    """May be used from any thread.

    Args:
        node, stages, sender, rpc: What is looked at.
        validator: Address that signs receipts.
        provers: What keeps them from proving.
        folders: Whose disks must not fill up.
        is_idle_chain: L1 makes blocks only when there is something to do, as a local one does.
        clock: The node's.
    """

    def __init__(
        self,
        node: Node,
        stages: Stages,
        sender: ServiceSender,
        rpc: JsonRpc,
        validator: int,
        provers: Callable[[], Sequence[str]],
        folders: Sequence[Path],
        is_idle_chain: bool,
        clock: Clock,
    ) -> None:
        self.l1 = L1View()
        self._node, self._stages, self._sender, self._rpc, self._validator = node, stages, sender, rpc, validator
        self._provers = provers
        self._folders, self._is_idle_chain, self._clock = folders, is_idle_chain, clock
        self._l1_reason: str | None = None
        self._ahead = 0
        self._own: dict[str, ServiceNotice] = {}
        self._lock, self._looking = threading.Lock(), threading.Lock()

    def notices(self) -> list[SluiceError]:
        """What stands now: the sender's and our own."""
        with self._lock:
            return [*self._sender.notices.standing(), *self._own.values()]

    def unreachable(self, reason: str | None) -> bool:
        """L1 could not be reached when the node wanted to, or could again; whether that is new."""
        is_new, self._l1_reason = (reason is None) != (self._l1_reason is None), reason
        return is_new

    def look(self) -> None:
        """Look at everything once. Nothing is raised."""
        with self._looking:
            self._look()

    def _look(self) -> None:
        try:
            self._look_at_l1()
            reason = None
        except (L1Error, RpcError) as error:
            reason = str(error)
        self._tell(
            [*self._of_l1(reason or self._node.l1_fault), *self._of_node(), *self._of_disks(), *self._of_clock()]
        )

    # What there is to say

    def _look_at_l1(self) -> None:
        block = self._rpc("eth_getBlockByNumber", "latest", False)
        # The next block of a chain that makes none by itself has its time of now.
        now = self._rpc("eth_getBlockByNumber", "pending", False) if self._is_idle_chain else block
        self._ahead = self._clock.compare(int(now["timestamp"], 16))
        balance = int(self._rpc("eth_getBalance", self._sender.signer.address, "latest"), 16)
        self.l1 = L1View(
            head=int(block["number"], 16),
            head_at=int(block["timestamp"], 16),
            base_fee_wei=int(block["baseFeePerGas"], 16),
            balance_wei=balance,
            seen_at=int(self._clock()),
        )

    @staticmethod
    def _of_l1(reason: str | None) -> list[ServiceNotice]:
        return [] if reason is None else [L1Unreachable(reason)]

    def _of_node(self) -> list[ServiceNotice]:
        node, found = self._node, list[ServiceNotice]()
        if node.fault is not None:
            found.append(NodeFault("the node", str(node.fault)))
        elif (reason := node.storage_fault or node.pipeline.storage_fault or self._sender.fault) is not None:
            found.append(StorageFailing(reason))
        if node.pipeline.fault is not None:
            found.append(ProofsFailing(node.pipeline.fault))
        if problems := self._provers():
            found.append(ProversMissing("; ".join(problems)))
        refusal, fee_account = node.sequencer.read(lambda _: (node.refusal(), node.sequencer.ledger.fee_account))
        if isinstance(refusal, NotConnectedError):
            # What there is to say then is said of L1 and of the clock; of accounts nothing is known.
            return found
        if refusal is not None and node.fault is None:
            found.append(RefusingWork(refusal.code, str(refusal)))
        if fee_account is None:
            found.append(NoFeeAccount(show_address(self._validator)))
        heads = node.lander.heads
        if heads.proven < heads.committed:
            found += self._of_deadline(heads.proven + 1)
        return found

    def _of_deadline(self, number: int) -> list[ServiceNotice]:
        at = next((each.at for each in self._stages.of(number) if each.stage == Stage.COMMITTED), None)
        left = None if at is None else int(at + PROOF_DEADLINE_SECONDS - self._clock())
        return [] if left is None or left > PROOF_MARGIN_SECONDS else [ProofDeadlineNear(number, left)]

    def _of_disks(self) -> list[ServiceNotice]:
        found: list[ServiceNotice] = []
        for folder in self._folders:
            try:
                disk = os.statvfs(folder)
            except OSError:
                continue
            free = disk.f_bavail * disk.f_frsize
            least = min(LEAST_FREE_BYTES, disk.f_blocks * disk.f_frsize // 10)
            if free < least:
                found.append(DiskRunningLow(str(folder), free, least))
        return found

    def _of_clock(self) -> list[ServiceNotice]:
        astray = self._ahead or self._clock.jumped()
        return [ClockAstray(astray)] if astray else []

    def _tell(self, notices: Sequence[ServiceNotice]) -> None:
        now = {_subject(notice): notice for notice in notices}
        with self._lock:
            before, self._own = self._own, now
        for subject in now.keys() - before.keys():
            tell_begun(now[subject])
        for subject in before.keys() - now.keys():
            log(Event.CLEARED, code=before[subject].code)


def tell_begun(notice: SluiceError) -> None:
    """Log that a notice stands from now on."""
    log(Event.NOTICE, logging.WARNING, code=notice.code, message=notice.message)


def _subject(notice: ServiceNotice) -> str:
    return f"{notice.code} {notice.values.get('path', '')}"
