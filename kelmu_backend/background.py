"""What happens without a request: notices become visible when their time has come, follows end, polls of other
processes' commits are woken, old results and lists are forgotten, and in a demo notices arrive, lives go on and lists
come."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from kelmu_backend import commands, feed, notices, wakeups
from kelmu_backend.core import Core
from kelmu_backend.customers import following
from kelmu_backend.lists import making, publishing
from kelmu_tui.domain.lists import KelaList
from kelmu_tui.platform.tasks import Tasks

log = logging.getLogger("kelmu_backend")

SECOND: Final = 1.0
MINUTE: Final = 60.0
HOUR: Final = 3600.0

ARRIVAL_GAP: Final = 20.0
"""Seconds between two live notices of a demo, on the average."""

CROWD_PAUSE: Final = 0.05
"""Seconds between two steps of making a crowd."""


HAPPENING_GAP: Final = 60.0
"""Seconds between two changes in the lives of a demo's customers, on the average."""

KEPT_REMOVALS: Final = 1_000_000
"""Sequences for which the feed keeps its removals: months of work, so only a client long away starts anew."""


class Background:
    """The loops of one running backend."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._tasks = Tasks(self._failed)
        self._wakeups = wakeups.Wakeups(core)

    def start(self) -> None:
        """Start all loops in the running event loop."""
        self._tasks.spawn("publish", self._every(SECOND, self.publish))
        self._tasks.spawn("wake", self._every(SECOND, self._wakeups.look))
        self._tasks.spawn("forget", self._every(HOUR, self.forget))
        self._tasks.spawn("drop", self._every(HOUR, self.drop))
        self._tasks.spawn("end", self._every(MINUTE, self.end_by_time))
        self._tasks.spawn("over", self._every(HOUR, self.drop_lists))
        self._tasks.spawn("bar", self._every(HOUR, self.end_by_mandate))
        if self._core.config.demo:
            self._tasks.spawn("arrive", self._arrive())
            self._tasks.spawn("crowd", self._crowd())

            self._tasks.spawn("happen", self._happen())
        if self._core.config.lister is not None:
            self._tasks.spawn("list", self._list())
        for name, work in self._wakeups.hints():
            self._tasks.spawn(name, work)

    async def close(self) -> None:
        """End all loops."""
        await self._tasks.close()

    async def publish(self) -> int:
        """Make the notices visible whose time has come; return in how many steps."""
        core = self._core
        steps = 0
        while change := await core.run(self._publish):
            core.hub.committed(change)
            steps += 1
        return steps

    def _publish(self) -> feed.Change | None:
        core = self._core
        now = core.config.clock.now()
        # Looking needs no writer: most seconds nothing is due.
        with core.database.read() as connection:
            if not notices.due(connection, now):
                return None
        with core.database.write() as connection:
            return notices.publish_due(connection, now)

    async def drop(self) -> int:
        """Delete the notices that were handled long ago, and follows that ended long ago; return in how many steps."""
        return await self._in_steps(notices.drop_over) + await self._in_steps(following.drop_over)

    async def end_by_time(self) -> int:
        """End the follows whose time is up; return in how many steps."""
        core = self._core

        def due() -> bool:
            with core.database.read() as connection:
                return following.time_is_up(connection, core.config.clock.now())

        return await self._in_steps(following.end_by_time) if await core.run(due) else 0

    async def end_by_mandate(self) -> int:
        """End the follows of users who may no longer look anybody up; return of how many users."""
        core = self._core

        def concerned() -> list[tuple[str, str]]:
            with core.database.read() as connection:
                return following.without_mandate(connection, core.config.clock.now())

        users = await core.run(concerned)
        return sum([await self._in_steps(partial(_end_of, *one)) for one in users])

    async def _in_steps(self, step: Callable[[Connection, datetime], feed.Change | None]) -> int:
        """Do `step` in transactions of its own until it changes nothing more; return how often it did."""
        core = self._core
        steps = 0

        def work() -> feed.Change | None:
            with core.database.write() as connection:
                return step(connection, core.config.clock.now())

        while change := await core.run(work):
            core.hub.committed(change)
            steps += 1
        return steps

    async def _arrive(self) -> None:
        """Let a notice arrive every now and then, as long as the demo runs."""
        from kelmu_backend import population

        core = self._core
        source = population.arrivals(core.config.seed, core.config.clock.now())

        def work() -> feed.Change:
            with core.database.write() as connection:
                return population.arrive(connection, source, core.config.clock.now())

        async def deliver() -> None:
            await asyncio.sleep(core.config.ids.uniform(0, 2 * ARRIVAL_GAP))
            core.hub.committed(await core.run(work))

        await self._every(0, deliver)

    async def _crowd(self) -> None:
        """Make the customers who are still missing, with a pause after each step for whoever waits for the record."""
        from kelmu_backend import population

        left = True

        async def step() -> None:
            nonlocal left
            left = await self._core.run(population.advance, self._core.database) is not None

        while left:
            worked = await self._outlive(step)
            await asyncio.sleep(CROWD_PAUSE if worked else SECOND)

    async def drop_lists(self) -> int:
        """Delete the lists that can no longer be fetched; return how many."""

        def work() -> int:
            with self._core.database.write() as connection:
                return publishing.drop_over(connection, self._core.config.clock.now())

        return await self._core.run(work)

    async def _list(self) -> None:
        """Make the lists that have come for those with a mandate, before they ask; never in the first minute."""

        async def work() -> None:
            await asyncio.sleep(MINUTE)
            await self.make_lists()

        await self._every(0, work)

    async def make_lists(self) -> int:
        """Make the lists that have come and that somebody may fetch; return how many."""
        core = self._core
        lister = core.config.lister
        if lister is None:
            return 0
        made = 0
        for organisation, one in await core.run(self._due_lists):

            def work(connection: Connection, organisation: str = organisation, one: KelaList = one) -> int:
                return making.make(connection, lister, organisation, one, core.config.clock.now())

            async with core.making[organisation]:
                made += await core.run(core.database.insist, work)
            await asyncio.sleep(CROWD_PAUSE)
        return made

    def _due_lists(self) -> list[tuple[str, KelaList]]:
        with self._core.database.read() as connection:
            return making.due(connection, self._core.config.clock.now())

    async def _happen(self) -> None:
        """Let something happen to a customer every now and then, as long as the demo runs."""
        from kelmu_backend import population

        core = self._core
        source = population.Happenings(core.config.seed, core.config.clock.now())

        def work() -> feed.Change | None:
            with core.database.write() as connection:
                return source.next(connection, core.config.clock.now(), core.config.ids)

        async def happen() -> None:
            await asyncio.sleep(core.config.ids.uniform(HAPPENING_GAP / 2, HAPPENING_GAP * 3 / 2))
            if change := await core.run(work):
                core.hub.committed(change)

        await self._every(0, happen)

    async def forget(self) -> None:
        """Forget old results of commands and old removals of the feed."""

        def work() -> None:
            with self._core.database.write() as connection:
                commands.forget(connection, self._core.config.clock.now())
                feed.compact(connection, KEPT_REMOVALS)

        await self._core.run(work)

    async def _every(self, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
        while True:
            await self._outlive(work)
            await asyncio.sleep(seconds)

    async def _outlive(self, work: Callable[[], Awaitable[object]]) -> bool:
        """Do some work and return whether the record took it."""
        try:
            await work()
        except SQLAlchemyError as failure:
            # The record may be away for a while; the loop outlives that, and says so without any value.
            log.warning("background work failed: %s", type(failure).__name__)
            return False
        return True

    def _failed(self, name: str, failure: BaseException) -> None:
        log.error("background task %s ended: %s", name, type(failure).__name__)


def _end_of(user: str, organisation: str, connection: Connection, now: datetime) -> feed.Change | None:
    return following.end_by_mandate(connection, user, organisation, now)
