"""The driver of the sync: who leads, what waits for what, and nothing that decides.

In the leader loops run beside each other: `pulling` holds a poll open and stores what comes, `pushing` sends what is
due, `shipping` tells of views, `uploading` brings documents up. All decisions stand in `pull`, `push`, `ship` and
`upload`, as units of work that the simulator steps through without these modules.
An idle leader sends nothing but its one open poll.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from kelmu_tui.api.contract import ProblemCode
from kelmu_tui.platform.clock import Clock
from kelmu_tui.platform.ids import Ids
from kelmu_tui.platform.tasks import Tasks
from kelmu_tui.store.database import Changed
from kelmu_tui.store.errors import StoreError
from kelmu_tui.sync import backoff, pull, push, upload
from kelmu_tui.sync.leader import LeaderLock
from kelmu_tui.sync.line import Line
from kelmu_tui.sync.once import sync_once
from kelmu_tui.sync.pulling import Pulling
from kelmu_tui.sync.pushing import Pushing
from kelmu_tui.sync.seams import Api, Runner
from kelmu_tui.sync.shipping import Shipping
from kelmu_tui.sync.signals import Signal, end
from kelmu_tui.sync.status import Connection, SyncStatus, figures
from kelmu_tui.sync.uploading import Told, Uploading, upload_once

WATCH_SECONDS: Final = 0.25
"""How often the commits of other terminals are looked for."""
TAKEOVER_ROUNDS: Final = 4
"""Looks between two attempts to become the leader: one second."""
BEAT_ROUNDS: Final = 80


class Engine:
    """Keeps replica and backend together for as long as `run` runs.

    Args:
        thread: the store's thread.
        client: the backend.
        tasks: owner of the tasks; what fails unexpectedly is told there, and the loops start again.
        wait: stands for `asyncio.sleep` in tests.
    """

    def __init__(
        self,
        thread: Runner,
        client: Api,
        clock: Clock,
        ids: Ids,
        tasks: Tasks,
        *,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._line = Line(thread, client, clock, ids, tasks, wait)
        self._pulling = Pulling(self._line)
        self._pushing = Pushing(self._line)
        self._shipping = Shipping(self._line)
        self._uploading = Uploading(self._line)
        self._lock = LeaderLock(self._line.store.folder)
        self._dirty = Signal()

    # --- what the faces see ------------------------------------------------------------------------------------------

    @property
    def status(self) -> SyncStatus:
        """The status now."""
        return self._line.status

    @property
    def leading(self) -> bool:
        """Whether this terminal talks to the backend for all of the user's."""
        return self._lock.held

    def upload_rate(self) -> float | None:
        """Bytes a second at which documents go up just now; None while none does, or another terminal sends them."""
        return self._uploading.pace.rate(self._line.clock.monotonic())

    def listen(self, callback: Callable[[SyncStatus], None]) -> Callable[[], None]:
        """Call `callback` with each new status, on the event loop's thread; the result ends it."""
        return self._line.listen(callback)

    def poke(self) -> None:
        """Try everything now: the user asked, signed in again or chose another organisation."""
        if self._line.waits_for_somebody() or self.status.state is Connection.OFFLINE:
            self._line.show(state=Connection.CONNECTING, problem=None, request_id="")
        self._line.failures = 0
        self._pulling.poke()
        self._pushing.poke()
        self._shipping.poke()
        self._uploading.poke()

    async def _show_figures(self) -> None:
        self._line.show(**(await self._line.unit(figures))._asdict())

    # --- running -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Lead or follow until cancelled."""
        loop = asyncio.get_running_loop()
        line = self._line
        wakes = {"command": line.push_wake, "view_event": line.ship_wake, upload.TABLE: line.upload_wake}

        def heard(change: Changed) -> None:
            for table in change.tables & wakes.keys():
                loop.call_soon_threadsafe(wakes[table].set)
            loop.call_soon_threadsafe(self._dirty.set)

        stop = self._line.store.listen(heard)
        try:
            while True:
                try:
                    leads = self._lock.try_acquire()
                except StoreError as error:
                    await self._line.wait(self._line.disk_failed(error))
                    continue
                await (self._lead() if leads else self._follow())
        finally:
            stop()
            self._lock.release()

    async def _lead(self) -> None:
        """Run the loops until one of them falls over, which begins it all again after a moment."""
        line = self._line
        line.show(state=Connection.CONNECTING, problem=None, leader_silent=False)
        await line.stubborn(push.start)
        await line.stubborn(upload.start)
        await line.stubborn(pull.follow_up)
        loops: list[asyncio.Task[Any]] = [
            line.tasks.spawn("sync.pull", self._pulling.run()),
            line.tasks.spawn("sync.push", self._pushing.run()),
            line.tasks.spawn("sync.ship", self._shipping.run()),
            line.tasks.spawn("sync.upload", self._uploading.run()),
            line.tasks.spawn("sync.watch", self._watching()),
            line.tasks.spawn("sync.status", self._telling()),
        ]
        try:
            await asyncio.wait(loops, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end(loops)
        await line.wait(backoff.delay(3, line.ids))

    async def _follow(self) -> None:
        """Read along until the lead is free."""
        line = self._line
        for _ in range(TAKEOVER_ROUNDS):
            await line.quietly(line.thread.run(line.store.poll))
            await line.tell_disk()
            await line.quietly(self._show_figures())
            silent = self._lock.silent(line.clock.now())
            line.show(state=Connection.FOLLOWING, problem=None, leader_silent=silent)
            await line.wait(WATCH_SECONDS)

    async def _watching(self) -> None:
        """See what other terminals commit (their commands are ours to send), and show that we live."""
        line = self._line
        rounds = 0
        while True:
            if rounds % BEAT_ROUNDS == 0:
                self._lock.beat(line.clock.now())
            rounds += 1
            await line.quietly(line.thread.run(line.store.poll))
            await line.tell_disk()
            if line.store.clock.due():
                await line.quietly(line.unit(pull.keep_time))
            await line.wait(WATCH_SECONDS)

    async def _telling(self) -> None:
        while True:
            await self._line.quietly(self._show_figures())
            await self._dirty.wait()

    # --- once --------------------------------------------------------------------------------------------------------

    async def once(self) -> SyncStatus:
        """Send what waits and read to the head of the feed, then return; for the command line.

        When another terminal leads, it does the sending within a moment and nothing is done here.

        Raises:
            ApiError: the backend could not be reached or wants a sign-in; nothing is lost.
        """
        line = self._line
        if not self._lock.try_acquire():
            await self._show_figures()
            line.show(state=Connection.FOLLOWING)
            return self.status
        try:
            barred = await sync_once(line.thread, line.client)
            line.show(state=Connection.ONLINE, problem=ProblemCode.MANDATE_MISSING.value if barred else None)
        finally:
            await self._show_figures()
            self._lock.release()
        return self.status

    async def bring_up(self, told: Told | None = None, *, tries: int = 1) -> bool:
        """Bring up the documents that wait, for the command line; False when another terminal leads and does it.

        Raises:
            ApiError, StoreError: as `upload_once`; nothing is lost.
        """
        if not self._lock.try_acquire():
            return False
        try:
            await upload_once(self._line.thread, self._line.client, self._line.clock, told, tries=tries)
        finally:
            self._lock.release()
        return True
