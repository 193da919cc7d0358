"""A network that loses, halves, doubles and delays at random, in front of a backend that can be killed."""

from __future__ import annotations

import contextlib
import json
import random
import re
import signal
import socket
import struct
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tests.e2e.proxy import Mode, Proxy
from tests.e2e.world import World, announce, eventually, posing, start_backend
from tests.support.terminal import PATIENCE


class Fate(StrEnum):
    """What becomes of one request."""

    WELL = "well"
    LATE = "late"
    """Request and answer both arrive, after a moment."""
    CUT = "cut"
    """The request breaks off on its way."""
    LOST = "lost"
    """The backend has all of it, and nobody hears the answer."""
    HALF = "half"
    """The answer breaks off on its way."""
    TWICE = "twice"
    """The same bytes arrive again after the first answer."""
    TWINS = "twins"
    """The same bytes arrive twice at the same time."""


WEIGHTS: Final = {
    Fate.WELL: 60,
    Fate.LATE: 8,
    Fate.CUT: 6,
    Fate.LOST: 8,
    Fate.HALF: 6,
    Fate.TWICE: 6,
    Fate.TWINS: 6,
}
LONGEST_DELAY: Final = 0.1
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Chaos(Proxy):
    """Gives each request a fate of its own, in a row that the seed decides; `healed` lets everything pass."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.healed = False
        self.fates: Counter[Fate] = Counter()
        self._dice = random.Random(seed)
        self._turn = threading.Lock()

    def _serve(self, client: socket.socket) -> None:
        # Each request has connections of its own, so that a fate befalls it alone.
        with contextlib.suppress(OSError), self._kept(client):
            request = _request(client)
            if not request:
                return
            fate, where = self._fate()
            if fate is Fate.LATE:
                time.sleep(where * LONGEST_DELAY)
            if fate is Fate.CUT:
                with self._kept(socket.create_connection(self.target)) as backend:
                    backend.sendall(request[: int(len(request) * where)])
                return
            if fate is Fate.TWINS:
                twin = threading.Thread(target=self._deliver, args=(request, None, 0.0), daemon=True)
                twin.start()
            if fate is Fate.TWICE:
                self._deliver(request, None, 0.0)
            if fate is Fate.LOST:
                self._deliver(request, None, 0.0)
            elif not self._deliver(request, client, where if fate is Fate.HALF else 1.0):
                # A reset instead of an end: nobody may take half an answer for a whole one.
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _fate(self) -> tuple[Fate, float]:
        with self._turn:
            fate = self._dice.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            where = self._dice.random()
            if self.healed:
                fate = Fate.WELL
            self.fates[fate] += 1
            return fate, where

    def _deliver(self, request: bytes, client: socket.socket | None, part: float) -> bool:
        """Hand a request to the backend and pass on that part of what comes; True when that is all of it."""
        with contextlib.suppress(OSError), self._kept(socket.create_connection(self.target)) as backend:
            backend.sendall(request)
            if client is None and request.startswith(b"GET"):
                return False  # it may be held for long, and nobody is there to hear the answer
            while data := backend.recv(1 << 16):
                if client is None:
                    continue
                client.sendall(data[: int(len(data) * part)])
                if part < 1.0:
                    return False
            return True
        return False


def _request(client: socket.socket) -> bytes:
    """Read a whole request, and have the backend close the connection behind its answer."""
    found = b""
    while b"\r\n\r\n" not in found:
        data = client.recv(1 << 16)
        if not data:
            return b""
        found += data
    head, _, body = found.partition(b"\r\n\r\n")
    length = _LENGTH.search(head)
    while length is not None and len(body) < int(length[1]):
        data = client.recv(1 << 16)
        if not data:
            return b""
        body += data
    head = re.sub(rb"\r\nconnection:[^\r]*", b"", head, flags=re.IGNORECASE)
    return head + b"\r\nConnection: close\r\n\r\n" + body


class Backend:
    """The backend's process, which can be killed and comes back at the same address with the same record."""

    def __init__(self, world: World, public_url: str) -> None:
        self._world = world
        self._public_url = public_url
        self._ready = world.home / "inner.json"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def start(self) -> None:
        """Start it; `wait` waits until it answers."""
        self._ready.unlink(missing_ok=True)
        self._process = start_backend(self._world, self._ready, self._public_url, self.port)
        announce(self._world, self._public_url, self._process.pid)

    def wait(self) -> str:
        """Wait until it answers and return its address."""
        process = self._process
        assert process is not None
        eventually(lambda: self._ready.exists() or process.poll() is not None, "the backend's address")
        log = self._world.profile / "backend" / "backend.log"
        assert process.poll() is None, log.read_text()
        url = str(json.loads(self._ready.read_text())["url"])
        self.port = urlsplit(url).port or 0
        return url

    def answers(self) -> bool:
        """Tell whether it has been started and is ready."""
        return self._ready.exists()

    def kill(self) -> None:
        """Kill it without a word."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(PATIENCE)

    def stop(self) -> None:
        """End it in good order."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(PATIENCE)


@contextlib.contextmanager
def chaotic_world(home: Path, seed: int) -> Iterator[tuple[World, Backend, Chaos]]:
    """A home, its backend, and a network between them that is whole until `healed` is taken away."""
    world, network = World(home), Chaos(seed)
    network.healed = True
    backend = Backend(world, network.url)
    with posing(world):
        try:
            backend.start()
            network.point_at(backend.wait())
            yield world, backend, network
        finally:
            network.close()
            backend.stop()


__all__ = ["Backend", "Chaos", "Fate", "Mode", "chaotic_world"]
