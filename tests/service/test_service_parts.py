"""The service's small parts alone: its clock, its logs, the record of stages."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rollup.core.constants import MAX_TIMESTAMP_AHEAD_SECONDS
from rollup.l1.feed import Origin
from rollup.node.chain import Heads
from rollup.node.database import Database
from rollup.service.clock import AHEAD_SECONDS, BEHIND_SECONDS, MOST_SECONDS, Clock
from rollup.service.logs import Event, log, log_values, set_up_logs
from rollup.service.stages import _TOPICS, Stage, Stages

NOW = 1_800_000_000
ROLLUP = "0x" + 20 * "c0"


class Hands:
    """A wall clock and a steady one, to be moved."""

    def __init__(self) -> None:
        self.wall, self.steady = float(NOW), 50.0

    def pass_by(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


def test_clock_that_passes_has_not_jumped_and_one_that_is_set_has() -> None:
    hands = Hands()
    clock = Clock(lambda: hands.wall, lambda: hands.steady)
    assert not clock.is_confirmed
    assert clock.compare(NOW - 12) == 0
    assert clock.is_confirmed
    hands.pass_by(100_000)
    assert clock.jumped() == 0
    hands.wall += MOST_SECONDS
    assert clock.jumped() == 0
    hands.wall += 1
    assert clock.jumped() == MOST_SECONDS + 1
    hands.wall -= 2 * MOST_SECONDS + 2
    assert clock.jumped() == -MOST_SECONDS - 1
    assert MOST_SECONDS < MAX_TIMESTAMP_AHEAD_SECONDS


def test_clock_that_l1_bears_out_is_believed_from_there() -> None:
    hands = Hands()
    clock = Clock(lambda: hands.wall, lambda: hands.steady)
    assert clock.compare(NOW) == 0
    hands.wall += 3_600
    assert clock.compare(NOW) == 3_600
    assert clock.jumped() == 3_600
    # It was L1's time that was right to begin with: an hour later by both.
    assert clock.compare(NOW + 3_600) == 0
    assert clock.jumped() == 0


@pytest.mark.parametrize(
    ("l1_at", "ahead"),
    [(NOW - AHEAD_SECONDS, 0), (NOW - AHEAD_SECONDS - 1, AHEAD_SECONDS + 1), (NOW + BEHIND_SECONDS, 0),
     (NOW + BEHIND_SECONDS + 1, -BEHIND_SECONDS - 1)],
)  # fmt: skip
def test_clock_is_held_to_l1_within_bounds(l1_at: int, ahead: int) -> None:
    clock = Clock(lambda: float(NOW), lambda: 0.0)
    assert clock.compare(l1_at) == ahead
    assert clock.is_confirmed == (ahead == 0)


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged, as JSON; how logs were before is put back."""
    root, ours = logging.getLogger(), logging.getLogger("sluice")
    before = list(root.handlers), root.level, ours.level
    stream = io.StringIO()
    set_up_logs("info", "json", stream)
    yield stream
    root.handlers[:], root.level, ours.level = before
    logging.captureWarnings(False)


def test_log_has_a_stable_name_and_fields_and_others_lines_too(lines: io.StringIO) -> None:
    log(Event.COMMITTED, block=7, transaction="0x01")
    log(Event.CLOSED, logging.DEBUG, block=8)
    logging.getLogger("uvicorn.error").error("it broke: %s", "here")
    try:
        raise KeyError("x")
    except KeyError:
        log_values(Event.CRASH, {"threads": ["api"]}, logging.ERROR, trace=True)
    first, second, third = (json.loads(line) for line in lines.getvalue().splitlines())
    at = first.pop("at")
    assert at.endswith("+00:00")
    assert first == {"level": "info", "event": "block.committed", "block": 7, "transaction": "0x01"}
    assert (second["event"], second["logger"], second["message"]) == ("server", "uvicorn.error", "it broke: here")
    assert third["threads"] == ["api"]
    assert "KeyError: 'x'" in third["trace"]


class Events:
    """An L1 whose events say how far blocks are: by block, the L1 block of each of its stages."""

    def __init__(self, places: dict[int, list[int]]) -> None:
        self.places = places
        self.asked = 0

    def __call__(self, method: str, *params: Any) -> Any:
        if method == "eth_blockNumber":
            return hex(1_000)
        if method == "eth_getBlockByNumber":
            return {"timestamp": hex(NOW + int(params[0], 16))}
        assert method == "eth_getLogs"
        self.asked += 1
        wanted = {int(topic, 16) for topic in params[0]["topics"][1]}
        return [
            {"blockNumber": hex(l1_block), "transactionHash": f"0x{l1_block:064x}",
             "topics": ["0x" + topic.hex(), f"0x{block:064x}"]}
            for block, numbers in self.places.items() if block in wanted
            for topic, l1_block in zip(_TOPICS, numbers, strict=False)
        ]  # fmt: skip


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database(f"sqlite:///{tmp_path}/node.db", Origin(1, ROLLUP, 3, "0x01")) as opened:
        yield opened


def look(stages: Stages, events: Events, *heads: int) -> None:
    stages.look(Heads(*heads), events, ROLLUP, 3)  # type: ignore[arg-type]


def test_stages_on_l1_are_read_from_its_events_once_and_kept(database: Database) -> None:
    events = Events({1: [10, 11, 12], 2: [10, 13]})
    stages = Stages(database, lambda: 5.0)
    stages.note(1, Stage.CLOSED)
    stages.note(1, Stage.CLOSED)
    look(stages, events, 2, 2, 1)
    assert [(each.stage, each.at, each.l1_block) for each in stages.of(1)] == [
        (Stage.CLOSED, 5.0, None), (Stage.COMMITTED, NOW + 10, 10), (Stage.PROVEN_ON_L1, NOW + 11, 11),
        (Stage.EXECUTED, NOW + 12, 12),
    ]  # fmt: skip
    assert [each.stage for each in stages.of(2)] == [Stage.COMMITTED, Stage.PROVEN_ON_L1]
    asked = events.asked
    look(stages, events, 2, 2, 1)
    assert events.asked == asked, "nothing is new"
    # Another process on the same database knows the same, and goes on.
    events.places[2].append(14)
    again = Stages(database)
    look(again, events, 2, 2, 2)
    assert again.of(2)[-1].l1_transaction == f"0x{14:064x}"


def test_stages_that_l1_took_back_are_forgotten_and_read_anew(database: Database) -> None:
    events = Events({1: [10, 11, 12], 2: [10, 13, 13]})
    stages = Stages(database)
    look(stages, events, 2, 2, 2)
    look(stages, events, 1, 1, 0)
    assert [each.stage for each in stages.of(1)] == [Stage.COMMITTED, Stage.PROVEN_ON_L1]
    assert stages.of(2) == []
    events.places[2] = [20, 21, 22]
    look(stages, events, 2, 2, 2)
    assert [each.l1_block for each in stages.of(2)] == [20, 21, 22]


def test_stages_that_the_disk_refuses_are_kept_for_later(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    from rollup.node.errors import DatabaseUnusable

    stages = Stages(database, lambda: 5.0)

    def full(*_: Any) -> None:
        raise DatabaseUnusable("x", "full")

    stages.note(1, Stage.CLOSED)
    with monkeypatch.context() as patch:
        patch.setattr(stages, "_write", full)
        with pytest.raises(DatabaseUnusable):
            stages.keep()
    stages.keep()
    assert [each.stage for each in Stages(database).of(1)] == [Stage.CLOSED]
