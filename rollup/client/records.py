"""What a wallet writes down: every operation before it is sent, every receipt before it is shown.

One append-only file of JSON lines, for its owner's eyes only. A receipt is evidence; an operation without one may have
been taken in, and must not be done again under another nonce.
"""

import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rollup.client.errors import RecordsUnusable
from rollup.core.constants import MAX_TIMESTAMP_BEHIND_SECONDS
from rollup.core.errors import SluiceError
from rollup.core.operations import Batch, Order, Swap
from rollup.core.receipt import Receipt, receipt_from_wire, receipt_to_wire
from rollup.core.wire import WireOperation, from_wire, to_wire

FILE_NAME: Final = "receipts.jsonl"
OTHERS: Final = 0o077


@dataclass(frozen=True, slots=True)
class Sent:
    """An operation that was sent, or an order that was handed over.

    Args:
        hash: Its name, 32 bytes in hex; of an order its message's.
        at: When, unix seconds.
        receipt: What came back; None: nothing that was believed.
    """

    hash: str
    at: float
    operation: WireOperation
    receipt: Receipt | None = None


class Records:
    """For any number of threads, and of processes.

    Args:
        folder: Where the file is; made if it is not there. None: all is kept in memory alone.
        clock: Unix seconds.

    Raises: RecordsUnusable.
    """

    def __init__(self, folder: Path | None, clock: Callable[[], float] = time.time) -> None:
        self._path = None if folder is None else folder / FILE_NAME
        self._clock, self._lock = clock, threading.Lock()
        self._sent: dict[str, Sent] = {}
        if folder is not None:
            try:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            except OSError as error:
                raise RecordsUnusable(str(folder), error.strerror or str(error)) from error
        self._read()

    def keep(self, operations: Iterable[tuple[str, WireOperation]]) -> None:
        """Write operations down that are about to be sent. Raises: RecordsUnusable; then they must not be."""
        kept = [Sent(name, self._clock(), operation) for name, operation in operations]
        self._append([{"sent": each.hash, "at": each.at, "operation": to_wire(each.operation)} for each in kept])
        with self._lock:
            # What is sent again keeps the receipt that it has.
            self._sent.update({each.hash: each for each in kept if each.hash not in self._sent})

    def answer(self, name: str, receipt: Receipt) -> None:
        """Write a receipt down that was checked. Raises: RecordsUnusable."""
        self._append([{"answered": name, "at": self._clock(), "receipt": receipt_to_wire(receipt)}])
        with self._lock:
            sent = self._sent[name]
            self._sent[name] = Sent(name, sent.at, sent.operation, receipt)

    def all(self) -> list[Sent]:
        """Everything, the oldest first."""
        with self._lock:
            return list(self._sent.values())

    def is_answered(self, name: str) -> bool:
        """Whether an operation has its receipt."""
        with self._lock:
            return name in self._sent and self._sent[name].receipt is not None

    def outstanding(self) -> list[Sent]:
        """What has no receipt and may still be included in a block: orders apart, which are meant to.

        Where another operation has a receipt for one of its nonces, only a provable breach of that could include it.
        """
        with self._lock:
            sent = list(self._sent.values())
        used = {each for kept in sent if kept.receipt is not None for each in payers_of(kept.operation)}
        return [
            each
            for each in sent
            if each.receipt is None
            and not isinstance(each.operation, Order)
            and used.isdisjoint(payers_of(each.operation))
            and self._may_come(each.operation)
        ]

    def standing_slots(self, account_id: int) -> set[int]:
        """Slots in which an order of the account's may still be filled."""
        return {
            order.slot
            for each in self.all()
            for order in _orders(each.operation)
            if order.account_id == account_id and self._may_come(order)
        }

    def next_order_id(self, account_id: int) -> int:
        """Greater than that of any order of the account's that was made here."""
        orders = [order for each in self.all() for order in _orders(each.operation)]
        return max((order.order_id + 1 for order in orders if order.account_id == account_id), default=1)

    def _may_come(self, operation: WireOperation) -> bool:
        # A block's time may lie so far behind L1's.
        return last_moment(operation) + MAX_TIMESTAMP_BEHIND_SECONDS >= self._clock()

    def _append(self, lines: list[dict[str, Any]]) -> None:
        if self._path is None:
            return
        text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode()
        try:
            with open(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b", buffering=0) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if _is_torn(file):
                    text = b"\n" + text
                written = file.write(text)
                if written != len(text):
                    raise OSError("the disk is full")
                os.fsync(file.fileno())
        except OSError as error:
            raise RecordsUnusable(str(self._path), error.strerror or str(error)) from error

    def _read(self) -> None:
        if self._path is None or not self._path.exists():
            return
        try:
            if self._path.stat().st_mode & OTHERS:
                way_out = f"others can read it, so they see what you pay: chmod 600 {self._path}"
                raise RecordsUnusable(str(self._path), way_out)
            lines = self._path.read_bytes().split(b"\n")
        except OSError as error:
            raise RecordsUnusable(str(self._path), error.strerror or str(error)) from error
        for number, line in enumerate(lines, 1):
            try:
                values = json.loads(line) if line else None
            except ValueError:
                # A crash cut it off as it was written: what it was about had not been sent, or is asked again.
                continue
            try:
                if values is not None:
                    self._take(values)
            except (ValueError, KeyError, TypeError, AttributeError, SluiceError) as error:
                raise RecordsUnusable(str(self._path), f"line {number} is no record: {error}") from error

    def _take(self, line: dict[str, Any]) -> None:
        if "sent" in line:
            name = line["sent"]
            self._sent.setdefault(name, Sent(name, line["at"], from_wire(line["operation"])))
        else:
            sent = self._sent[line["answered"]]
            self._sent[sent.hash] = Sent(sent.hash, sent.at, sent.operation, receipt_from_wire(line["receipt"]))


def last_moment(operation: WireOperation) -> int:
    """The last block time at which it can be included, unix seconds."""
    match operation:
        case Batch():
            return min(each.valid_until for each in operation.operations)
        case Swap():
            return min(operation.maker.valid_until, operation.taker.valid_until)
    return operation.valid_until


def nonces_of(operation: WireOperation, account_id: int) -> list[int]:
    """The nonces of an account that it uses."""
    return [nonce for payer, nonce in payers_of(operation) if payer == account_id]


def payers_of(operation: WireOperation) -> list[tuple[int, int]]:
    """Each account and nonce that it uses."""
    parts: tuple[Any, ...] = operation.operations if isinstance(operation, Batch) else (operation,)
    payers = [(getattr(each, "from_id", getattr(each, "account_id", None)), each) for each in parts]
    return [(payer, each.nonce) for payer, each in payers if payer is not None and hasattr(each, "nonce")]


def _orders(operation: WireOperation) -> Iterator[Order]:
    if isinstance(operation, Order):
        yield operation
    elif isinstance(operation, Swap):
        yield from (operation.maker, operation.taker)


def _is_torn(file: Any) -> bool:
    """Whether the last line has no end: a crash cut it off as it was written."""
    size = file.seek(0, os.SEEK_END)
    if not size:
        return False
    file.seek(size - 1)
    return bool(file.read(1) != b"\n")
