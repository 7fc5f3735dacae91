"""A private anvil: own port, own process group, gone when its `with` block, or this process, ends."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import IO, Any, Final, Self

from rollup.l1.errors import AnvilDied, AnvilNotReady, NodeUnreachable, PortInUse
from rollup.l1.rpc import JsonRpc, RpcError
from rollup.toolchain import require_tool

HOST: Final = "127.0.0.1"
START_TIMEOUT_SECONDS: Final = 30
STOP_TIMEOUT_SECONDS: Final = 5
DEATH_GRACE_SECONDS: Final = 0.2
_PR_SET_PDEATHSIG: Final = 1


def free_port() -> int:
    """Return a TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise PortInUse(port) from error


def _die_with_parent(death_signal: signal.Signals) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal)


class Anvil:
    """A running anvil. Use as a context manager.

    Args:
        port: TCP port; None picks a free one.
        accounts: Number of funded accounts of the test mnemonic.
        chain_id: EIP-155 chain id.
        flags: Further anvil flags, such as ("--fork-url", url).
        death_signal: What it gets when the thread that started it ends without stopping it, as by kill -9; at SIGTERM
            it writes its state, if it has a file for that.

    Raises: PortInUse, AnvilNotReady, rollup.toolchain.ToolMissing.
    """

    def __init__(
        self,
        port: int | None = None,
        accounts: int = 10,
        chain_id: int = 31337,
        flags: Sequence[str] = (),
        death_signal: signal.Signals = signal.SIGKILL,
    ) -> None:
        if port is not None:
            _require_free(port)
        self.port = free_port() if port is None else port
        self.chain_id = chain_id
        self._rpc = JsonRpc(self.url)
        self._home = TemporaryDirectory(prefix="sluice-anvil-")
        self._log: IO[bytes] = (Path(self._home.name) / "log").open("wb")
        command = [str(require_tool("anvil")), "--host", HOST, "--port", str(self.port), "--accounts", str(accounts)]
        command += ["--chain-id", str(chain_id), "--hardfork", "osaka", "--enable-tx-gas-limit"]
        self._process = subprocess.Popen(
            [*command, *flags],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=lambda: _die_with_parent(death_signal),
            # A throw-away home: anvil caches what a fork's endpoint answered there.
            env={**os.environ, "HOME": self._home.name},
        )
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    @property
    def url(self) -> str:
        """JSON-RPC endpoint."""
        return f"http://{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """Process id of anvil, which leads its own process group."""
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def alive(self) -> bool:
        """Return whether the process still runs."""
        return self._process.poll() is None

    def require_alive(self) -> None:
        """Raise AnvilDied, with its last words, if anvil has ended, or is just ending."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(DEATH_GRACE_SECONDS)
            raise AnvilDied(self.port, self._process.returncode, self.last_lines())

    def rpc(self, method: str, *params: object) -> Any:
        """Call a JSON-RPC method and return its result.

        Raises: AnvilDied; AnvilNotReady if it answers with an error.
        """
        try:
            return self._rpc(method, *params)
        except NodeUnreachable:
            self.require_alive()
            raise
        except RpcError as error:
            raise AnvilNotReady(self.port, str(error)) from error

    def last_lines(self, count: int = 5) -> str:
        """Return the end of anvil's log, for error messages."""
        self._log.flush()
        with open(self._log.name, encoding="utf-8", errors="replace") as log:
            return "\n".join(line.rstrip() for line in deque((line for line in log if line.strip()), count))

    def stop(self) -> None:
        """End anvil and all it started. May be called twice."""
        if self.alive():
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(STOP_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        self._log.close()
        self._home.cleanup()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            try:
                if int(self.rpc("eth_chainId"), 16) == self.chain_id:
                    return
            except AnvilDied as error:
                if "in use" in error.last_lines.lower():
                    raise PortInUse(self.port) from error
                raise AnvilNotReady(self.port, error.last_lines) from error
            except NodeUnreachable:
                time.sleep(0.05)
        raise AnvilNotReady(self.port, f"no answer within {START_TIMEOUT_SECONDS} s")
