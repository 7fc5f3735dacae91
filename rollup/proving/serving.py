"""The scheduler and the workers, as `sluice prover scheduler` and `sluice prover worker` run them."""

import asyncio
import logging
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import dask.config

from rollup.circuits.keys import KEYS
from rollup.proving import job
from rollup.proving.errors import SchedulerUnusable
from rollup.proving.facts import STATED_AS, Facts, facts
from rollup.proving.pool import check_address
from rollup.proving.tls import Tls

CONNECT_SECONDS: Final = 20
RETRY_SECONDS: Final = 1.0

_SETTINGS: Final = {
    # No pages over plain HTTP, and jobs stay where they were given.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.scheduler.work-stealing": False,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.admin.tick.limit": "1h",
}
_LOCAL: Final = "127.0.0.1:0"

Say = Callable[[str], None]


def run_scheduler(tls: Tls, host: str, port: int, say: Say) -> None:
    """Serve until stopped (SIGTERM, SIGINT).

    Args:
        host, port: Where to listen.
        say: Gets a line for people.

    Raises: CertificateUnusable. SchedulerUnusable: the port cannot be had.
    """
    ends = tls.check()
    _configure()
    asyncio.run(
        _schedule(tls, host, port, lambda address: say(f"scheduler at {address}, certificate until {ends:%Y-%m-%d}"))
    )


async def _schedule(tls: Tls, host: str, port: int, ready: Say) -> None:
    from distributed import Scheduler

    try:
        scheduler = await Scheduler(
            host=host, port=port, protocol="tls", security=tls.security(), dashboard=False, dashboard_address=_LOCAL
        )
    except OSError as error:
        raise SchedulerUnusable(f"tls://{host}:{port}", str(error.strerror or error)) from error
    _on_stop(lambda: scheduler.close(reason="stopped"))
    ready(scheduler.address)
    await scheduler.finished()


def run_worker(
    scheduler: str,
    tls: Tls,
    *,
    keys: Path = KEYS,
    jobs: int = 1,
    name: str | None = None,
    host: str | None = None,
    port: int = 0,
    say: Say = print,
    work: job.Work | None = None,
    stated: Facts | None = None,
) -> None:
    """Prove until stopped. When the scheduler is gone, begin again from nothing, as often as it takes.

    Args:
        scheduler: tls://host:port.
        keys: Folder of the proving keys.
        jobs: Blocks at once; each takes all cores and the memory of a proof, so one is best but on large machines.
        name: By default the machine's and the process's; a worker that gave a wrong proof is known by it.
        host, port: Where the scheduler reaches it; 0: any port.
        say: Gets a line for people.
        work, stated: What it does and says it has instead of proving with the keys.

    Raises: CertificateUnusable, SchedulerUnusable.
    """
    check_address(scheduler)
    tls.check()
    _configure()
    job.install(work or (lambda each: job.prove_job(each, keys)))
    found = facts(keys) if stated is None else stated
    name = name or f"{socket.gethostname()}-{os.getpid()}"
    options: dict[str, Any] = {"nthreads": jobs, "name": name, "host": host, "port": port}
    say(f"worker {name}: {', '.join(each for each in found if each.startswith('key ')) or 'no keys'}")
    stopped = asyncio.run(_work(scheduler, tls, found, options, say))
    if not stopped:
        # A proof that has begun cannot be stopped within a process.
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606
    os._exit(0)


async def _work(scheduler: str, tls: Tls, found: Facts, options: dict[str, Any], say: Say) -> bool:
    """Serve one connection; whether it was stopped, not lost."""
    from distributed import Worker

    stopped = False
    while not stopped:
        with tempfile.TemporaryDirectory(prefix="sluice-worker-") as folder:
            worker: Any = Worker(
                scheduler, protocol="tls", security=tls.security(), memory_limit=0, local_directory=folder,
                dashboard=False, dashboard_address=_LOCAL, death_timeout=CONNECT_SECONDS,
                startup_information={STATED_AS: lambda _: found}, **options,
            )  # fmt: skip

            async def stop(worker: Any = worker) -> None:
                nonlocal stopped
                stopped = True
                await worker.close(executor_wait=False, reason="stopped")

            _on_stop(stop)
            try:
                await worker
            except (OSError, TimeoutError, RuntimeError) as error:
                say(f"the scheduler {scheduler} cannot be reached: {error}")
                await asyncio.sleep(RETRY_SECONDS)
                continue
            say(f"worker {options['name']} at {worker.address} serves {scheduler}")
            await worker.finished()
            return stopped
    return stopped


def _configure() -> None:
    dask.config.set(_SETTINGS)
    logging.disable(logging.CRITICAL)  # Dask tells every connection; what matters `say` tells


def _on_stop(close: Callable[[], Any]) -> None:
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, lambda: asyncio.ensure_future(close()))
