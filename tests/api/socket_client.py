"""A WebSocket client that is a socket and a few bytes: a thousand of them fit into a test."""

import json
import os
import socket
import struct
from types import TracebackType
from typing import Any, Self

SECONDS = 30.0


class SocketClient:
    """Says and hears JSON texts."""

    def __init__(self, port: int, path: str = "/v1/subscribe") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), SECONDS)
        key = "dGhlIHNhbXBsZSBub25jZQ=="
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self.socket.sendall(f"{head}Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        self._buffer = b""
        self.status = int(self._until(b"\r\n\r\n").split(b" ")[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def say(self, values: Any) -> None:
        self.send(1, values if isinstance(values, bytes) else json.dumps(values).encode())

    def send(self, opcode: int, data: bytes) -> None:
        mask = os.urandom(4)
        size = struct.pack("!BB", 0x80 | opcode, 0x80 | len(data)) if len(data) < 126 else b""
        if not size:
            size = struct.pack("!BBQ", 0x80 | opcode, 0xFF, len(data))
        self.socket.sendall(size + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(data)))

    def hear(self) -> Any:
        """The next text; of a closing frame its code."""
        while True:
            opcode, data = self._frame()
            if opcode == 1:
                return json.loads(data)
            if opcode == 8:
                return struct.unpack("!H", data[:2])[0]
            self.send(10, data)

    def ask(self, values: Any) -> Any:
        """Say something and return the answer; events that come before it are dropped."""
        self.say(values)
        while "id" not in (answer := self.hear()):
            pass
        return answer

    def rest(self) -> bytes:
        """All that comes until the connection is closed."""
        data = self._buffer
        while part := self.socket.recv(1 << 16):
            data += part
        return data

    def _frame(self) -> tuple[int, bytes]:
        first, second = self._take(2)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", self._take(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self._take(8))
        return first & 0x0F, self._take(size)

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._receive()
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    def _until(self, end: bytes) -> bytes:
        while end not in self._buffer:
            self._receive()
        data, _, self._buffer = self._buffer.partition(end)
        return data

    def _receive(self) -> None:
        part = self.socket.recv(1 << 16)
        if not part:
            raise ConnectionError(f"closed after {self._buffer!r}")
        self._buffer += part
