"""What the loops of an engine share: the store's thread, the backend, how the connection goes, and who hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

from kelmu_tui.api.errors import ApiError, BadAnswer, ProblemAnswer, SignInNeeded, UpdateNeeded
from kelmu_tui.platform.clock import Clock
from kelmu_tui.platform.ids import Ids
from kelmu_tui.platform.tasks import Tasks
from kelmu_tui.store import troubles
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import StoreError
from kelmu_tui.store.troubles import Part, Trouble
from kelmu_tui.sync import backoff
from kelmu_tui.sync.seams import Api, Result, Runner
from kelmu_tui.sync.signals import Signal
from kelmu_tui.sync.status import Connection, SyncStatus

YIELD_SECONDS: Final = 0.005
"""Pause between two transactions of a long piece of work: SQLite's lock is not fair, and other terminals want to write
too."""
NOTED_AGAIN: Final = timedelta(minutes=5)
"""A trouble that goes on is written down again after this long, not at each try."""


class Line:
    """The line to the backend: one for an engine, used by its loops.

    Attributes:
        pull_wake, push_wake, ship_wake, upload_wake: somebody wants the loop to look again now.
        hurry: the next question to the feed is answered at once instead of being held.
        hasten, hasten_uploads: commands, and documents, that wait are to go out now.
        failures: network failures in a row, of whatever loop; from `backoff.PROBE_AFTER` on one probe speaks for all.
    """

    def __init__(
        self,
        thread: Runner,
        client: Api,
        clock: Clock,
        ids: Ids,
        tasks: Tasks,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.thread = thread
        self.store: Store = thread.store
        self.client = client
        self.clock = clock
        self.ids = ids
        self.tasks = tasks
        self.wait = wait
        self.status = SyncStatus()
        self.pull_wake = Signal()
        self.push_wake = Signal()
        self.ship_wake = Signal()
        self.upload_wake = Signal()
        self.hurry = False
        self.hasten = self.hasten_uploads = False
        self.failures = 0
        self._listeners: list[Callable[[SyncStatus], None]] = []
        self._noted: dict[Part, Trouble] = {}
        self._unwritten: StoreError | None = None

    # --- the status --------------------------------------------------------------------------------------------------

    def listen(self, callback: Callable[[SyncStatus], None]) -> Callable[[], None]:
        """Call `callback` with each new status, on the event loop's thread; the result ends it."""
        self._listeners.append(callback)

        def stop() -> None:
            if callback in self._listeners:
                self._listeners.remove(callback)

        return stop

    def show(self, **changes: Any) -> None:
        """Change the status and tell the listeners, if it differs."""
        status = self.status._replace(**changes)
        if status != self.status:
            self.status = status
            for callback in list(self._listeners):
                callback(status)

    def waits_for_somebody(self) -> bool:
        """Whether nothing can be sent before the user signs in or updates."""
        return self.status.state in (Connection.SIGNED_OUT, Connection.UPDATE_NEEDED)

    # --- how it goes -------------------------------------------------------------------------------------------------

    def paused(self, error: ApiError) -> bool:
        """Tell whether an error stops everything until somebody acts, and show that it does."""
        if not isinstance(error, SignInNeeded | UpdateNeeded):
            return False
        state = Connection.SIGNED_OUT if isinstance(error, SignInNeeded) else Connection.UPDATE_NEEDED
        self.show(state=state, problem=error.code, request_id=error.request_id)
        return True

    def lost(self) -> None:
        """Count a call that reached nobody."""
        self.failures += 1

    def reached(self) -> bool:
        """Note that the backend answers; True when it had been away, so that what waited need not wait longer."""
        was_away = self.failures >= backoff.PROBE_AFTER
        self.failures = 0
        if was_away:
            self.hasten = self.hasten_uploads = True
            self.push_wake.set()
            self.ship_wake.set()
            self.upload_wake.set()
        return was_away

    async def note(self, part: Part, error: ApiError | StoreError) -> None:
        """Write down what went wrong, for the diagnostics; the same again is written after a while only.

        That nobody is signed in, or the program too old, is the session's trouble, whichever loop met it.
        """
        if isinstance(error, SignInNeeded | UpdateNeeded):
            part = Part.SESSION
        status = error.status if isinstance(error, BadAnswer | ProblemAnswer) else None
        request_id = error.request_id if isinstance(error, ApiError) else ""
        trouble = Trouble(part, error.code, status, request_id, self.clock.now())
        last = self._noted.get(part)
        if last is not None and last.same(trouble) and trouble.at - last.at < NOTED_AGAIN:
            return
        self._noted[part] = trouble
        await self.quietly(self.unit(troubles.note, trouble))

    def well(self, part: Part) -> None:
        """Note that a part works again, and so does the session: what fails next is news."""
        self._noted.pop(part, None)
        self._noted.pop(Part.SESSION, None)

    # --- units of work -----------------------------------------------------------------------------------------------

    async def unit(self, function: Callable[..., Result], *args: Any) -> Result:
        """Run a unit of work over the store on its thread."""
        return await self.thread.run(function, self.store, *args)

    def disk_failed(self, error: StoreError) -> float:
        """Show that the store cannot be used and return seconds to rest; it is written down once the store works."""
        self._unwritten = error
        self.show(problem=error.code)
        return backoff.delay(3, self.ids)

    async def tell_disk(self) -> None:
        """Write down how the disk failed, if it did and now takes it."""
        error, self._unwritten = self._unwritten, None
        if error is not None:
            await self.note(Part.STORE, error)

    async def stubborn(self, function: Callable[..., Result], *args: Any) -> Result:
        """Run a unit of work that must not be skipped: a full disk or a busy file is waited out."""
        while True:
            try:
                return await self.unit(function, *args)
            except StoreError as error:
                await self.wait(self.disk_failed(error))

    async def quietly(self, work: Awaitable[Any]) -> None:
        """Await work that may be skipped when the store can't be used just now."""
        try:
            await work
        except StoreError as error:
            self.disk_failed(error)
