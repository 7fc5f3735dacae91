"""Proving on other machines: a pool over Dask, its scheduler and workers, and the certificates they know each other by.

    node: pool.py --lines of JSON--> its child: dispatcher.py --TLS--> scheduler.py --TLS--> worker.py: job.py

Dask unpickles what comes over a connection, so whoever may connect can run code where Dask runs: in the workers, in the
scheduler, and in the dispatcher, which is a process of its own for that reason. The node itself reads JSON, and
verifies every proof (docs/security.md).
"""

from rollup.proving.pool import DaskPool, open_pool
from rollup.proving.tls import Tls

__all__ = ["DaskPool", "Tls", "open_pool"]
