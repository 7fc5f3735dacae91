"""What the node's tests share: both kinds of database, PostgreSQL's server a real one."""

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a server's own database, where databases can be made."""
    import pgserver

    # Not below pytest's folder: the server runs as another user than root, who may not look in there.
    folder = Path(tempfile.mkdtemp(prefix="sluice-postgres-"))
    folder.chmod(0o755)
    server = pgserver.get_server(folder, cleanup_mode="delete")
    yield server.get_uri()
    # An immediate stop: its data is thrown away, and an orderly one takes long.
    os.kill(int((folder / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Makes the URL of a new, empty database."""
    made = 0

    def new() -> str:
        nonlocal made
        made += 1
        name = f"node{made}"
        if request.param == "sqlite":
            return f"sqlite:///{tmp_path / name}.db"
        return _create(request.getfixturevalue("postgres"), f"{tmp_path.name}_{name}".replace("-", "_").lower()[-60:])

    return new


@pytest.fixture
def url(new_database: Callable[[], str]) -> str:
    """A new, empty database."""
    return new_database()


def _create(server: str, name: str) -> str:
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}"')
        connection.execute(f'CREATE DATABASE "{name}"')
    before, _, after = server.partition("/postgres?")
    return f"{before}/{name}?{after}"
