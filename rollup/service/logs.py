"""Logs: each line is an event with a stable name and fields, for people or as JSON. No line holds a secret: addresses
of nodes are logged without user, path and query, databases without passwords, keys never.
"""

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, TextIO

LOGGER: Final = logging.getLogger("sluice")


class Event(StrEnum):
    """What is logged, by name; docs/operations.md says what each means."""

    STARTING = "service.starting"
    LISTENING = "service.listening"
    READY = "service.ready"
    WAITING = "service.waiting"
    STOPPING = "service.stopping"
    STOPPED = "service.stopped"
    FAULT = "service.fault"
    CRASH = "service.crash"
    LOCAL_CHAIN = "local.chain"
    LOCAL_DEPLOYING = "local.deploying"
    LOCAL_DEPLOYED = "local.deployed"
    LOCAL_DEPOSIT = "local.deposit"
    CLOSED = "block.closed"
    PROVING = "block.proving"
    PROVEN = "block.proven"
    PROOF_FAILED = "block.proof_failed"
    COMMITTED = "block.committed"
    PROVEN_ON_L1 = "block.proven_on_l1"
    EXECUTED = "block.executed"
    TAKEN_BACK = "block.taken_back"
    NOTICE = "notice.begun"
    CLEARED = "notice.cleared"
    L1 = "l1.action"
    SERVER = "server"


class _Formatter(logging.Formatter):
    """One line an event."""

    def __init__(self, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        at = datetime.fromtimestamp(record.created, UTC)
        values: dict[str, Any] = getattr(record, "values", {})
        event = getattr(record, "event", Event.SERVER)
        message = "" if hasattr(record, "event") else record.getMessage()
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        if self._as_json:
            line = {"at": at.isoformat(timespec="milliseconds"), "level": record.levelname.lower(), "event": str(event)}
            line |= {"logger": record.name, "message": message} if message else {}
            line |= values | ({"trace": trace} if trace else {})
            return json.dumps(line, default=str)
        words = " ".join(f"{name}={_shown(value)}" for name, value in values.items())
        text = f"{at:%Y-%m-%d %H:%M:%S} {record.levelname:<7} {event} {message}{words}".rstrip()
        return f"{text}\n{trace}" if trace else text


def set_up_logs(level: str, form: str, stream: TextIO | None = None) -> None:
    """Send all logs of this process to a stream, by default stderr.

    Args:
        level: The least that is logged.
        form: "human" or "json".
        stream: Where to.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_Formatter(form == "json"))
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    LOGGER.setLevel(level.upper())
    logging.captureWarnings(True)


def log(event: Event, level: int = logging.INFO, **values: Any) -> None:
    """Log an event with its fields."""
    log_values(event, values, level)


def log_values(event: Event, values: Mapping[str, Any], level: int = logging.INFO, trace: bool = False) -> None:
    """The same; with `trace`, the exception that is being handled too."""
    LOGGER.log(level, event, extra={"event": event, "values": dict(values)}, exc_info=trace)


def _shown(value: Any) -> str:
    text = str(value)
    return json.dumps(text) if not text or any(c.isspace() or c in '"=' for c in text) else text
