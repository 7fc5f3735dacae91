"""What clients of the WebSocket that do not read can make the node keep: one text for all of them."""

import json
import tracemalloc
from typing import cast

from rollup.api.hub import Hub
from rollup.api.limits import Limits
from rollup.api.subscribe import Socket


def test_tell_many_sockets_that_do_not_read_keeps_one_text() -> None:
    sockets = [Socket(Limits(), cast(Hub, None)) for _ in range(200)]
    tracemalloc.start()
    for number in range(50):
        body = json.dumps({"type": "transaction", "transaction": f"{number}" * 1_000})
        for socket in sockets:
            socket.tell(1, body)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 200 * 50 * 150, "10,000 unread messages of some 2,000 bytes"
