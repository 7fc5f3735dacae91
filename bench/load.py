"""Load on a node's API: signed Transfers at a fixed rate over many connections, each kept alive and with one request.

A process of its own, `python -m bench.load URL-PORT RATE SECONDS BATCH`: raw sockets, as little CPU as it goes, because
it shares the cores with the node. Requests are made before the clock starts. Request k is due at k / RATE whether
those before it are answered or not, and its latency counts from then: what waits for a free connection counts too.
"""

import json
import random
import select
import socket
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from bench.workload import DOMAIN, ETH, account_address, account_key
from rollup._native import eddsa_sign
from rollup.core import Signature, Transfer
from rollup.core.receipt import receipt_from_wire
from rollup.core.wire import dumps

USERS = 512
"""Accounts that pay in turn; each is one connection's, as its nonces have an order."""
FIRST_ID = 1
"""Account of the first; before it stands the validator's."""
CHECKED_RECEIPTS = 200


@dataclass
class Connection:
    """One socket, its requests to come, and when each of them was due."""

    socket: socket.socket
    requests: deque[bytes]
    due: deque[float] = field(default_factory=deque)
    is_busy: bool = False
    received: bytearray = field(default_factory=bytearray)


def signed_text(payer: int, nonce: int) -> str:
    """The JSON of a signed Transfer."""
    payee = (payer + 7) % USERS
    amount = (1 + (payer * 31 + nonce) % 1000) * 10**9
    transfer = Transfer(FIRST_ID + payer, FIRST_ID + payee, account_address(payee), ETH, amount, 10**9, nonce)
    signature = eddsa_sign(account_key(payer), transfer.message_hash(DOMAIN))
    return dumps(transfer.signed(Signature(*signature)))


def request(path: str, body: str) -> bytes:
    """One HTTP request."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: node\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()


def singles(count: int) -> list[deque[bytes]]:
    """Of each connection its requests of one Transfer."""
    made: list[deque[bytes]] = [deque() for _ in range(USERS)]
    for number in range(count):
        payer, nonce = number % USERS, number // USERS
        made[payer].append(request("/v1/transactions", signed_text(payer, nonce)))
    return made


def batches(count: int, size: int, connections: int) -> list[deque[bytes]]:
    """Of each connection its requests of `size` Transfers, by payers of its own."""
    made: list[deque[bytes]] = [deque() for _ in range(connections)]
    nonces = [0] * USERS
    own = USERS // connections
    for number in range(count):
        place = number % connections
        texts = []
        for position in range(size):
            payer = place * own + position % own
            texts.append(signed_text(payer, nonces[payer]))
            nonces[payer] += 1
        made[place].append(request("/v1/transactions/batch", '{"operations": [' + ",".join(texts) + "]}"))
    return made


class Load:
    """Args:
    port: The node's.
    requests: Of each connection.
    rate: Requests a second, all together.
    """

    def __init__(self, port: int, requests: list[deque[bytes]], rate: float) -> None:
        self._rate = rate
        self._poll = select.epoll()
        self._connections: dict[int, Connection] = {}
        for own in requests:
            made = socket.create_connection(("127.0.0.1", port))
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            made.setblocking(False)
            self._connections[made.fileno()] = Connection(made, own)
            self._poll.register(made.fileno(), select.EPOLLIN)
        self.latencies: list[float] = []
        self.bodies: list[bytes] = []
        self.failures: list[bytes] = []

    def run(self) -> float:
        """Send everything; the seconds until the last answer."""
        order = list(self._connections.values())
        total = sum(len(each.requests) for each in order)
        start, cpu = time.perf_counter(), time.process_time()
        sent = 0
        while len(self.latencies) + len(self.failures) < total:
            now = time.perf_counter()
            due = min(total, int((now - start) * self._rate) + 1)
            for number in range(sent, due):
                connection = order[number % len(order)]
                connection.due.append(start + number / self._rate)
                if not connection.is_busy:
                    self._send(connection)
            sent = due
            next_due = start + sent / self._rate
            wait = 1.0 if sent == total else max(0.001, next_due - time.perf_counter())
            for descriptor, _ in self._poll.poll(wait):
                self._read(self._connections[descriptor])
        self.cpu_seconds = time.process_time() - cpu
        return time.perf_counter() - start

    def _send(self, connection: Connection) -> None:
        connection.is_busy = True
        data = connection.requests.popleft()
        written = connection.socket.send(data)
        if written < len(data):
            connection.socket.setblocking(True)
            connection.socket.sendall(data[written:])
            connection.socket.setblocking(False)

    def _read(self, connection: Connection) -> None:
        try:
            data = connection.socket.recv(1 << 18)
        except BlockingIOError:
            return
        if not data:
            raise SystemExit("the node closed a connection")
        received = connection.received
        received += data
        end = received.find(b"\r\n\r\n")
        if end < 0:
            return
        at = received.find(b"content-length: ") + 16
        length = int(received[at : received.find(b"\r\n", at)])
        if len(received) < end + 4 + length:
            return
        body = bytes(received[end + 4 :])
        is_good = received.startswith(b"HTTP/1.1 200") and b'"error"' not in body
        received.clear()
        connection.is_busy = False
        due = connection.due.popleft()
        if is_good:
            self.latencies.append(time.perf_counter() - due)
            self.bodies.append(body)
        else:
            self.failures.append(body)
        if connection.due:
            self._send(connection)


def check_receipts(bodies: list[bytes], signer: int) -> int:
    """How many receipts there are; some of them are held to their signature."""
    count = 0
    for body in random.sample(bodies, min(len(bodies), CHECKED_RECEIPTS)):
        values = json.loads(body)
        for value in [random.choice(values["results"])] if "results" in values else [values]:
            if receipt_from_wire(value["receipt"]).signer() != signer:
                raise SystemExit(f"a receipt without the validator's signature: {value}")
    for body in bodies:
        count += body.count(b'"receipt":')
    return count


def main() -> None:
    """Prepare, say so, wait for a line, run."""
    port, rate, seconds, size, signer = sys.argv[1:]
    rate_asked, batch = float(rate), int(size)
    count = int(rate_asked * float(seconds))
    if batch == 1:
        made, pace = singles(count), rate_asked
    else:
        made, pace = batches(count // batch, batch, 16), rate_asked / batch
    load = Load(int(port), made, pace)
    print("ready", flush=True)
    sys.stdin.readline()
    elapsed = load.run()
    receipts = check_receipts(load.bodies, int(signer, 16))
    latencies = sorted(load.latencies) or [0.0]
    result: dict[str, Any] = {
        "receipts": receipts,
        "failures": len(load.failures),
        "operations_per_second": round(receipts / elapsed),
        "asked_per_second": rate_asked,
        "seconds": round(elapsed, 1),
        "batch": batch,
        "p50_ms": round(1000 * latencies[len(latencies) // 2], 1),
        "p99_ms": round(1000 * latencies[len(latencies) * 99 // 100], 1),
        "max_ms": round(1000 * latencies[-1], 1),
        "load_cpu_ms": round(1000 * load.cpu_seconds / max(1, receipts), 4),
    }
    if load.failures:
        result["first_failure"] = load.failures[0].decode()[:300]
    print(json.dumps(result))


if __name__ == "__main__":
    main()
