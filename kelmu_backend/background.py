"""What happens without a request: notices become visible when their time has come, follows end, polls of other
processes' commits are woken, old results, claims and lists are forgotten, and in a demo notices arrive, lives go on,
Kela's side handles claims and lists come; documents are taken, and those that nobody finished are destroyed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from kelmu_backend import commands, failures, feed, notices, wakeups
from kelmu_backend.claims import editing, record
from kelmu_backend.core import Core
from kelmu_backend.customers import following
from kelmu_backend.documents import taking
from kelmu_backend.documents.caring import Documents
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

CLAIMS_AT_ONCE: Final = 5
"""Claims to which Kela's side of a demo comes in a second: after a long break many wait."""

CLAIMS_SHARE: Final = 2.0
"""How many times as long as a step of making claims took it rests then: whoever uses the demo comes first."""

HAPPENING_GAP: Final = 60.0
"""Seconds between two changes in the lives of a demo's customers, on the average."""

KEPT_REMOVALS: Final = 1_000_000
"""Sequences for which the feed keeps its removals: months of work, so only a client long away starts anew."""


_OVER: Final = (notices.drop_over, following.drop_over, record.drop_over, taking.drop_over)
"""What deletes what is over, step by step."""


class Background:
    """The loops of one running backend."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._tasks = Tasks(self._failed)
        self._wakeups = wakeups.Wakeups(core)
        self._documents = Documents(core)

    def start(self) -> None:
        """Start all loops in the running event loop."""
        self._tasks.spawn("publish", self._every(SECOND, self.publish))
        self._tasks.spawn("wake", self._every(SECOND, self._wakeups.look))
        self._tasks.spawn("forget", self._every(HOUR, self.forget))
        self._tasks.spawn("drop", self._every(HOUR, self.drop))
        self._tasks.spawn("end", self._every(MINUTE, self.end_by_time))
        self._tasks.spawn("over", self._every(HOUR, self.drop_lists))
        self._tasks.spawn("expire", self._every(MINUTE, self._documents.expire))
        self._tasks.spawn("stray", self._every(HOUR, self._documents.sweep))
        self._tasks.spawn("take", self._every(SECOND, self._documents.take))
        self._tasks.spawn("bar", self._every(HOUR, self.end_by_mandate))
        if self._core.config.demo:
            self._tasks.spawn("arrive", self._arrive())
            self._tasks.spawn("crowd", self._crowd())
            self._tasks.spawn("happen", self._happen())
            self._tasks.spawn("kela", self._every(SECOND, self.handle_claims))
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
        """Delete what ended long ago: notices, follows, claims and receipts; return in how many steps."""
        return sum([await self._in_steps(over) for over in _OVER])

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

        await self._claims()
        left = True

        async def step() -> None:
            nonlocal left
            left = await self._core.run(population.advance, self._core.database) is not None

        while left:
            worked = await self._outlive(step)
            await asyncio.sleep(CROWD_PAUSE if worked else SECOND)

    async def _claims(self) -> None:
        """Make the claims that are still missing, a few people's at a time."""
        from kelmu_backend import population

        core = self._core
        left = True

        async def step() -> None:
            nonlocal left
            made = await core.run(population.advance_claims, core.database, core.config.ids)
            left = made.more
            if made.change is not None:
                core.hub.committed(made.change)

        while left:
            begun = core.config.clock.monotonic()
            worked = await self._outlive(step)
            took = core.config.clock.monotonic() - begun
            await asyncio.sleep(max(CROWD_PAUSE, CLAIMS_SHARE * took) if worked else SECOND)

    async def handle_claims(self) -> int:
        """Let Kela's side of a demo come to the claims whose time has come; return in how many steps."""
        from kelmu_backend import population

        core = self._core
        kela = population.Kela(core.config.seed, core.config.maker)

        def work() -> feed.Change | None:
            now = core.config.clock.now()
            # Looking needs no writer: most seconds nothing is due.
            with core.database.read() as connection:
                if not kela.is_due(connection, now):
                    return None
            with core.database.write() as connection:
                return kela.next(connection, now, core.config.ids)

        steps = 0
        while steps < CLAIMS_AT_ONCE and (change := await core.run(work)):
            core.hub.committed(change)
            steps += 1
        return steps

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
                editing.forget(connection, self._core.config.clock.now())

        await self._core.run(work)

    async def _every(self, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
        while True:
            await self._outlive(work)
            await asyncio.sleep(seconds)

    async def _outlive(self, work: Callable[[], Awaitable[object]]) -> bool:
        """Do some work and return whether the record took it."""
        try:
            await work()
        except (SQLAlchemyError, OSError) as failure:
            # The record or the disk may be away for a while; the loop outlives that, and says so without any value.
            log.warning("background work failed: %s", type(failure).__name__)
            return False
        except Exception as failure:  # noqa: BLE001 - one thing that cannot be done must not end all that come after
            log.error("background work failed: %s", failures.told(failure))
            await asyncio.sleep(MINUTE)
            return False
        return True

    def _failed(self, name: str, failure: BaseException) -> None:
        log.error("background task %s ended: %s", name, type(failure).__name__)


def _end_of(user: str, organisation: str, connection: Connection, now: datetime) -> feed.Change | None:
    return following.end_by_mandate(connection, user, organisation, now)
