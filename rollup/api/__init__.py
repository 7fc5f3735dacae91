"""The operator's API: HTTP and WebSocket over a running node. `create_app` makes it, `serve` has its settings."""

from rollup.api.app import Observe, create_app
from rollup.api.backend import Backend, L1Status
from rollup.api.limits import Limits

__all__ = ["Backend", "L1Status", "Limits", "Observe", "create_app"]
