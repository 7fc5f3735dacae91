"""A rollup behind a verifier that accepts all, for tests of what the service does with blocks and proofs."""

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.accept_all import AcceptAll, creation_codes
from rollup.l1.anvil import Anvil
from rollup.l1.rpc import JsonRpc

if TYPE_CHECKING:
    from service_rig import L1, Zygote

HERE = Path(__file__).parent
sys.path.append(str(HERE))
sys.path.append(str(HERE.parent / "restore"))  # rpc_server


@pytest.fixture(scope="session")
def codes() -> dict[str, bytes]:
    return creation_codes()


@pytest.fixture
def l1(codes: dict[str, bytes]) -> Iterator["L1"]:
    from service_rig import L1

    with Anvil(accounts=5) as anvil:
        yield L1(anvil, AcceptAll(JsonRpc(anvil.url), codes))


@pytest.fixture(scope="module")
def zygote() -> Iterator["Zygote"]:
    from service_rig import Zygote

    with Zygote() as made:
        yield made


@pytest.fixture
def postgres() -> Iterator[str]:
    """The URL of a database of a real server."""
    import pgserver

    # Not below pytest's folder: the server runs as another user than root, who may not look in there.
    folder = Path(tempfile.mkdtemp(prefix="sluice-postgres-"))
    folder.chmod(0o755)
    server = pgserver.get_server(folder, cleanup_mode="delete")
    yield server.get_uri()
    os.kill(int((folder / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
    server.cleanup()
