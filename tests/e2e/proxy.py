"""A network that misbehaves: a TCP proxy on a fixed port in front of the backend, switched from fault to fault."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit


class Mode(StrEnum):
    """What happens to a request."""

    PASS = "pass"
    AWAY = "away"
    """Nobody listens: connections are refused."""
    HTML = "html"
    """A sign-in page of somebody's network answers."""
    HALF = "half"
    """The answer breaks off in the middle of its body."""
    WRONG = "wrong"
    """JSON, but not of this service."""
    SWALLOW = "swallow"
    """A command reaches the backend, and its answer gets lost."""


_PAGE: Final = b"<!doctype html><title>Wifi</title><p>Please sign in"
ANSWERS: Final = {
    Mode.HTML: b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s" % (len(_PAGE), _PAGE),
    Mode.HALF: b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n\r\n{"schema": 1, "ro',
    Mode.WRONG: b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n{"surprise": [1]}',
}


class Proxy:
    """Listens on 127.0.0.1; `target` is where requests go while nothing is wrong."""

    def __init__(self) -> None:
        self.target = ("127.0.0.1", 0)
        self.mode = Mode.PASS
        self.swallowed = 0
        """Answers to commands that were lost."""
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        self._listener = self._listen(0)
        self.port: int = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        """The address that clients know."""
        return f"http://127.0.0.1:{self.port}"

    def point_at(self, url: str) -> None:
        """Say where the backend is."""
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self.target = (parts.hostname, parts.port)

    def switch(self, mode: Mode) -> None:
        """Misbehave in another way from now on; connections in use are cut, so that every client notices."""
        before, self.mode = self.mode, mode
        if mode is Mode.AWAY:
            _close(self._listener)
        elif before is Mode.AWAY:
            self._listener = self._listen(self.port)
        self._cut()

    def close(self) -> None:
        """Stop listening and cut everything."""
        _close(self._listener)
        self._cut()

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port), reuse_port=False)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), self._kept(client):
            answer = ANSWERS.get(self.mode)
            if answer is not None:
                client.recv(1 << 16)
                client.sendall(answer)
                return
            with self._kept(socket.create_connection(self.target)) as backend:
                threading.Thread(target=self._answers, args=(backend, client), daemon=True).start()
                while data := client.recv(1 << 16):
                    if self.mode is Mode.SWALLOW and data.startswith(b"POST /v1/notices/"):
                        self._swallow(_whole(data, client))
                        return
                    backend.sendall(data)

    def _swallow(self, request: bytes) -> None:
        """Let the backend answer a command, and throw the answer away."""
        with socket.create_connection(self.target) as aside:
            aside.sendall(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
            while aside.recv(1 << 16):
                pass
        self.swallowed += 1

    def _answers(self, backend: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := backend.recv(1 << 16):
                client.sendall(data)
        _close(client)

    @contextlib.contextmanager
    def _kept(self, connection: socket.socket) -> Iterator[socket.socket]:
        with self._guard:
            self._open.add(connection)
        try:
            yield connection
        finally:
            with self._guard:
                self._open.discard(connection)
            _close(connection)

    def _cut(self) -> None:
        with self._guard:
            connections = list(self._open)
        for connection in connections:
            # Linger zero sends a reset: what a dead peer looks like, without waiting for it.
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            _close(connection)


def _whole(request: bytes, client: socket.socket) -> bytes:
    """Read the rest of a request whose head, and perhaps not all of its body, has come."""
    while b"\r\n\r\n" not in request:
        request += client.recv(1 << 16)
    head, _, body = request.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while len(body) < int(lengths[0]):
        body += client.recv(1 << 16)
    return head + b"\r\n\r\n" + body


def _close(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        connection.close()
