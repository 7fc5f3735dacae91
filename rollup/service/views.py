"""What the node reads of L1: asked of the first of several nodes that answers and keeps up."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rollup.l1.errors import NodeFaulty, NodeUnreachable
from rollup.l1.rpc import JsonRpc
from rollup.landing.endpoints import Endpoint, Endpoints
from rollup.landing.errors import EndpointsDown

CHOICE_SECONDS: Final = 5.0
"""For so long a chosen node is asked without comparing it with the others again."""


@dataclass
class _Choice:
    endpoint: Endpoint | None = None
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class ManyRpc(JsonRpc):
    """As JsonRpc, over several nodes of one chain; who fails is left alone for a while (`Endpoints`).

    Args:
        url: Not asked.
        endpoints: The nodes.
    """

    endpoints: Endpoints | None = None
    _choice: _Choice = field(default_factory=_Choice, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The node that is asked now."""
        endpoint = self._choice.endpoint
        return "L1" if endpoint is None else endpoint.name

    def __call__(self, method: str, *params: object) -> Any:
        """Return the result of a method.

        Raises: EndpointsDown; RpcError if a node answers with an error.
        """
        assert self.endpoints is not None
        for _ in self.endpoints.all:
            endpoint = self._chosen()
            try:
                return self.endpoints.call(endpoint, method, *params)
            except (NodeUnreachable, NodeFaulty):
                self._choice.until = 0.0
        raise EndpointsDown({each.name: each.reason for each in self.endpoints.all})

    def _chosen(self) -> Endpoint:
        assert self.endpoints is not None
        now = time.monotonic()
        if self._choice.endpoint is None or now >= self._choice.until:
            self._choice.endpoint = self.endpoints.best()
            self._choice.until = now + CHOICE_SECONDS
        return self._choice.endpoint


def views_of(urls: Sequence[str], chain_id: int, timeout_seconds: float) -> ManyRpc:
    """The nodes of these addresses as one."""
    nodes = [JsonRpc(url, timeout_seconds) for url in urls]
    return ManyRpc(urls[0], timeout_seconds, Endpoints(nodes, chain_id))
