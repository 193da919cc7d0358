"""How processes of one backend wake each other's polls: a look at the head each second, and NOTIFY as a hint.

The hint is sent after the commit and by a connection of its own: inside a transaction it would halve the throughput
and serialise all commits. Nothing depends on a hint arriving.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterator
from typing import Any, Final

from kelmu_backend import feed
from kelmu_backend.core import Core

log = logging.getLogger("kelmu_backend")

CHANNEL: Final = "kelmu_feed"

NOTIFY_GAP: Final = 0.05
"""Seconds between two hints: what is committed in between goes under one."""

RETRY: Final = 1.0
"""Seconds before a lost connection for hints is opened again."""


class Wakeups:
    """The wake-ups of one process."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def look(self) -> bool:
        """Read the head and wake the polls when another process has moved it; return whether one has."""

        def read() -> int:
            with self._core.database.read() as connection:
                return feed.head(connection)

        return self._core.hub.head(await self._core.run(read))

    def hints(self) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
        """Give the loops that send and hear hints; none where one process is alone with its file."""
        if self._core.config.hints and not self._core.database.is_sqlite:
            yield "listen", self._listen()
            yield "notify", self._notify()

    async def _listen(self) -> None:
        import psycopg

        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._dsn(), autocommit=True) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    async for _hint in connection.notifies():
                        await self.look()
            except psycopg.Error as failure:
                log.warning("no hints from the record: %s", type(failure).__name__)
            await asyncio.sleep(RETRY)

    async def _notify(self) -> None:
        import psycopg

        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._dsn(), autocommit=True) as connection:
                    while True:
                        await self._core.hub.own_commit()
                        await connection.execute(f"NOTIFY {CHANNEL}")
                        await asyncio.sleep(NOTIFY_GAP)
            except psycopg.Error as failure:
                log.warning("no hints to other processes: %s", type(failure).__name__)
            await asyncio.sleep(RETRY)

    def _dsn(self) -> str:
        url = self._core.database.url.set(drivername="postgresql")
        return url.render_as_string(hide_password=False)
