"""A network that is cut after so many bytes of a document: a real TCP proxy in front of the backend."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from dataclasses import dataclass, field

from tests.e2e.proxy import Proxy

_PIECE = 1 << 14


@dataclass
class Counted:
    """What went through on behalf of documents.

    Attributes:
        bodies: bytes of bodies of requests that bring documents.
        requests: their methods, in order.
    """

    bodies: int = 0
    requests: list[str] = field(default_factory=list)


class Cutter(Proxy):
    """Cuts the line once so many bytes of documents have gone through since `cut_after` was called."""

    def __init__(self) -> None:
        self.counted = Counted()
        self.cuts = 0
        self.reached = threading.Event()
        """Set when the line is cut, or would have been: with `hold` it is kept open and nothing goes on."""
        self._left: int | None = None
        self._hold = False
        super().__init__()

    def cut_after(self, count: int, *, hold: bool = False) -> None:
        """Cut the next upload after `count` bytes of its body; or let it hang there."""
        self.reached.clear()
        self._left, self._hold = count, hold

    def _serve(self, client: socket.socket) -> None:
        with (
            contextlib.suppress(OSError),
            self._kept(client),
            self._kept(socket.create_connection(self.target)) as backend,
        ):
            threading.Thread(target=self._answers, args=(backend, client), daemon=True).start()
            self._pass_on(client, backend)

    def _pass_on(self, client: socket.socket, backend: socket.socket) -> None:
        rest = b""
        while True:
            while b"\r\n\r\n" not in rest:
                data = client.recv(_PIECE)
                if not data:
                    return
                rest += data
            head, _, rest = rest.partition(b"\r\n\r\n")
            backend.sendall(head + b"\r\n\r\n")
            first = head.split(b" ", 2)
            brings = first[1].startswith(b"/v1/uploads")
            if brings:
                self.counted.requests.append(first[0].decode())
            length = _length(head)
            while length:
                data, rest = (rest[:length], rest[length:]) if rest else (client.recv(min(_PIECE, length)), b"")
                if not data:
                    return
                length -= len(data)
                if brings:
                    data = self._spoilt(data, client)
                backend.sendall(data)

    def _spoilt(self, data: bytes, client: socket.socket) -> bytes:
        """Return the bytes that still go through; after them the line is dead."""
        if self._left is None:
            self.counted.bodies += len(data)
            return data
        part = data[: self._left]
        self._left -= len(part)
        self.counted.bodies += len(part)
        if self._left > 0 or len(part) == len(data):
            return data
        self._left = None
        self.cuts += 1
        self.reached.set()
        if self._hold:
            client.recv(1, socket.MSG_PEEK | socket.MSG_WAITALL)
            while client.recv(_PIECE):
                pass
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        raise OSError("cut")


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0
