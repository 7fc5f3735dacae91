"""What the client's tests share: a node as in tests/node, behind the real API, with users who have Ethereum keys."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), *(str(Path(__file__).parents[1] / name) for name in ("node", "api"))]


@pytest.fixture
def town(tmp_path: Path) -> Iterator["object"]:
    """A node with three users, behind a server that can be told to lie."""
    from client_rig import Town

    with Town(tmp_path) as town:
        yield town


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between attempts are short."""
    from rollup.client import retrying

    monkeypatch.setattr(retrying, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(retrying, "LONGEST_PAUSE_SECONDS", 0.02)
