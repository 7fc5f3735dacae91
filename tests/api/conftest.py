"""What the API's tests share: a node as in tests/node, behind a real server."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "node")]


@pytest.fixture(scope="module")
def still_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator["object"]:
    """One for tests that change nothing."""
    from api_rig import ApiRig

    with ApiRig(tmp_path_factory.mktemp("node")) as rig:
        yield rig


@pytest.fixture
def api(tmp_path: Path) -> Iterator["object"]:
    """A node with three users, behind a server on a port of its own."""
    from api_rig import ApiRig

    with ApiRig(tmp_path) as rig:
        yield rig
