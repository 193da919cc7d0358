"""The server process: bind, get the record ready, serve, say where, and end when nobody needs it any more."""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Final

import uvicorn
from fastapi import FastAPI
from sqlalchemy import select

from kelmu_backend import failures
from kelmu_backend.app import create_app
from kelmu_backend.config import Config
from kelmu_backend.database import tables
from kelmu_backend.database.engine import Database
from kelmu_tui.platform.clock import Clock
from kelmu_tui.platform.paths import private_folder, write_private
from kelmu_tui.platform.tasks import Tasks

log = logging.getLogger("kelmu_backend")

FAREWELL: Final = 5
"""Seconds that requests get to finish when the server ends."""

LOOK: Final = 1.0
"""Seconds between two looks at the lifeline."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Population:
    """Shape of the made-up world of a demo; None stands for the default size."""

    seed: int
    people: int | None
    notices: int | None


def database_url(folder: Path) -> str:
    """Return the URL of the record in a data folder, made private."""
    return f"sqlite:///{private_folder(folder.absolute()) / 'kelmu.db'}"


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that is bound but does not listen yet; port 0 asks for a free one.

    Raises:
        OSError: the address is taken or is not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio switches Nagle's delay off only then: 40 ms on every answer.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
    except OSError:
        found.close()
        raise
    return found


def address(bound: socket.socket) -> str:
    """Return the URL of a bound socket."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def prepare(url: str, shape: Population | None, clock: Clock, progress: Progress) -> None:
    """Migrate the record, and fill it with `shape` when it is empty."""
    database = Database(url)
    try:
        database.migrate()
        if shape is None:
            return
        with database.read() as connection:
            if connection.execute(select(tables.organisation.c.business_id).limit(1)).first() is not None:
                return
        populate(database, shape, clock, progress)
    finally:
        database.dispose()


def populate(database: Database, shape: Population, clock: Clock, progress: Progress) -> None:
    """Fill an empty record with the world of `shape`, but for the crowd that a running demo makes by itself.

    Raises:
        AlreadyFilled: the record is not empty.
    """
    from kelmu_backend import population

    people = population.PEOPLE if shape.people is None else shape.people
    notices = population.NOTICES if shape.notices is None else shape.notices
    progress("generate", 0, people + notices)
    world = population.generate(shape.seed, clock.now(), people, notices)
    population.fill(database, world, progress)


class Server(uvicorn.Server):
    """A server that tells when it is ready, wakes its waiting polls before it ends, and follows a lifeline."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, ready: Callable[[], None], lifeline: Path | None) -> None:
        super().__init__(config)
        self._hub = app.state.core.hub
        self._ready = ready
        self._lifeline = lifeline
        self._tasks = Tasks(lambda name, failure: log.error("task %s ended: %s", name, type(failure).__name__))

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, then tell so."""
        await super().startup(sockets=sockets)
        if self.started:
            self._ready()
            if self._lifeline is not None:
                self._tasks.spawn("lifeline", self._follow(self._lifeline))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End, the tasks first."""
        await self._tasks.close()
        await super().shutdown(sockets=sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal: waiting polls answer now, or they would keep the server for as long as they wait."""
        self._hub.close()
        super().handle_exit(sig, frame)

    async def _follow(self, lifeline: Path) -> None:
        handle = os.open(lifeline, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        seen = False
        try:
            while True:
                alone = _alone(handle)
                if alone and seen:
                    self.handle_exit(signal.SIGTERM, None)
                    return
                if alone:
                    fcntl.flock(handle, fcntl.LOCK_UN)
                else:
                    seen = True
                await asyncio.sleep(LOOK)
        finally:
            if not self.should_exit:
                os.close(handle)
            # Else the lock stays until the process has ended: nobody may join a server on its way out.


def _alone(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def run(config: Config, bound: socket.socket, ready_file: Path | None, lifeline: Path | None) -> bool:
    """Serve until a signal or the end of the lifeline; return whether the server had started."""
    app = create_app(config)

    def ready() -> None:
        if ready_file is not None:
            text = json.dumps({"url": address(bound), "pid": os.getpid()})
            write_private(ready_file, text.encode())
        log.info("serving at %s", address(bound))

    settings = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=not config.demo,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=FAREWELL,
        backlog=2048,
    )
    server = Server(settings, app, ready, lifeline)
    server.run(sockets=[bound])
    return server.started


class Lines(logging.Formatter):
    """Log lines without values: of an exception only its type and where it came from."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatException(  # noqa: N802 - the library's name
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        """Return type and places of an exception; messages of drivers repeat what they were given."""
        kind, _, trace = ei
        return failures.told_of(kind, trace)


def configure_logging() -> None:
    """Send our lines and the server's to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    log.setLevel(logging.INFO)
