"""The app as it locks: at a key, after minutes without one, and before it is suspended.

Locked means that the picture is empty, that nobody is talked to, that the files are closed and that their keys are
dropped. What stands below the lock stays as it is, with what is being typed in it, and goes on when the files are open
again; what became of them meanwhile is looked at first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from textual import events
from textual.timer import Timer

from kelmu_tui.i18n.failures import incident_text, store_text
from kelmu_tui.screens.base import KeyedScreen
from kelmu_tui.screens.lock import Hindrance, LockScreen
from kelmu_tui.screens.mending import Mending
from kelmu_tui.services.context import Context, activate
from kelmu_tui.services.known import doors
from kelmu_tui.services.passphrase import opened_by
from kelmu_tui.services.session import SessionProblem, choose_keys
from kelmu_tui.store.database import Incident, Store
from kelmu_tui.store.errors import (
    KeysChanged,
    NoReplica,
    NotShown,
    StoreClosed,
    StoreError,
    StoreLocked,
    WrongPassphrase,
)
from kelmu_tui.store.thread import StoreThread
from kelmu_tui.sync.status import SyncStatus

SUSPEND_SECONDS: Final = 2.0
"""How long a suspension waits for the lock."""


class Locking(Mending):
    """The part of the app that locks it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Make the app; the arguments are those of `Entrance`."""
        super().__init__(*arguments, **options)
        self._lock_screen: LockScreen | None = None
        self._close_task: asyncio.Task[None] | None = None
        self._opened = asyncio.Event()
        self._idle_since = self.clock.monotonic()
        self._idle_timer: Timer | None = None

    @property
    def locked(self) -> bool:
        """Whether nothing is shown but the lock."""
        return self._lock_screen is not None

    @property
    def lockable(self) -> bool:
        """Whether there is something to lock, and no desk takes the place of another just now."""
        standing = isinstance(self.screen_stack[-1], KeyedScreen) if self.screen_stack else False
        return self._thread is not None and standing and not self.locked and not self._changing

    # --- without a key ----------------------------------------------------------------------------------------------

    @property
    def _idle_limit(self) -> float:
        return self.settings.lock_minutes * 60.0

    async def on_event(self, event: events.Event) -> None:
        """Note that somebody is there; the key that comes too late locks, and does nothing else."""
        if isinstance(event, events.InputEvent | events.Paste) and not event.is_forwarded:
            if self.look_idle():
                return
            self._idle_since = self.clock.monotonic()
        await super().on_event(event)

    def look_idle(self) -> bool:
        """Lock when there was no key for too long, and say whether that is so; the machine's sleep counts."""
        if not self.lockable or self.clock.monotonic() - self._idle_since < self._idle_limit:
            return False
        self.spawn("app.lock", self.lock(self.t("lock.idle", count=self.settings.lock_minutes)))
        return True

    def watch_idle(self) -> None:
        """Let one timer ring when the time without a key could be over."""
        left = self._idle_limit - (self.clock.monotonic() - self._idle_since)
        self._idle_timer = self.set_timer(left if left > 0 else self._idle_limit, self._look_again)

    def _look_again(self) -> None:
        if not self.look_idle():
            self.watch_idle()

    # --- locking ----------------------------------------------------------------------------------------------------

    async def action_app_lock(self) -> None:
        """Lock at once."""
        if self.lockable:
            await self.lock()
        else:
            self.say(self.t("lock.nothing"))

    async def lock(self, remark: str = "") -> None:
        """Take everything out of sight, then close the files; `remark` says why."""
        if self.locked:
            return
        self._opened.clear()
        if self._idle_timer is not None:
            self._idle_timer.stop()
        self._lock_screen = LockScreen(self._how, self.unlock, remark)
        self._close_task = self.tasks.spawn("app.close_up", self._close_up())
        await self.push_screen(self._lock_screen)

    def _how(self) -> str:
        return opened_by(self.where, self._store.folder) if self._store is not None else ""

    async def _close_up(self) -> None:
        if self.typing is not None:
            with suppress(StoreError):  # it stays in its field
                await self.typing.flush()
        await self.stop_engine()
        if self._thread is not None and self._store is not None:
            await self._thread.run(self._store.lock)

    async def unlock(self, typed: str) -> Hindrance | None:
        """Open the files with what was typed, or return what hinders it."""
        store, thread, closing = self._store, self._thread, self._close_task
        if store is None or thread is None or closing is None:
            return None
        await asyncio.wait([closing])
        try:
            keys = await asyncio.to_thread(choose_keys, self.where, store.folder, lambda _new: typed)
            known = len(store.incidents)
            await thread.run(store.unlock, keys)
        except StoreError as error:
            return Hindrance(store_text(self.t, error), isinstance(error, WrongPassphrase))
        await self._go_on(store, thread, store.incidents[known:])
        return None

    async def _go_on(self, store: Store, thread: StoreThread, incidents: Sequence[Incident]) -> None:
        """Let everything be as it was, unless the files or the mandates are not."""
        aside = bool(incidents)
        context = self._working
        fresh: Context | None = None
        try:
            if context is not None and not aside:
                own = context.active.organisation.business_id
                fresh = await thread.run(activate, self.where, store, own, self.ids, doors())
        except (SessionProblem, NotShown):
            aside = True
        screen, self._lock_screen = self._lock_screen, None
        self._idle_since = self.clock.monotonic()
        self.watch_idle()
        if aside:
            self.curtain.lower()  # what was shown may not be any more
            await self.enter(store)
            if incidents and self.desk is not None:  # at the door it has been said
                self.say(incident_text(self.t, incidents), role="alarm")
        elif fresh is not None and context is not None and fresh.active.capabilities != context.active.capabilities:
            self.curtain.lower()
            await self.open_desk(fresh)
            self.say(self.t("organisations.changed"), role="warn")
        else:
            while screen in self.screen_stack:
                await self.pop_screen()
            if context is not None:
                self.talk()
        self._opened.set()

    # --- what makes it necessary ------------------------------------------------------------------------------------

    async def ask_anew(self, why: KeysChanged) -> None:
        """Another terminal has changed what opens the files: lock, and wait until they are open again."""
        await self.lock(store_text(self.t, why))
        await self._opened.wait()

    def store_failed(self, failure: StoreError) -> None:
        """Say what is wrong; what comes too late for the open store, or for its organisation, has nothing to say."""
        if isinstance(failure, StoreLocked | StoreClosed | NoReplica):
            return
        if isinstance(failure, KeysChanged):
            self.spawn("app.lock", self.lock(store_text(self.t, failure)))
            return
        super().store_failed(failure)

    def _status_changed(self, status: SyncStatus) -> None:
        super()._status_changed(status)
        if status.problem == KeysChanged.code and not self.locked:
            self.store_failed(KeysChanged())

    def about_to_stop(self, stop: Callable[[], None]) -> None:
        """Lock before the process is suspended: who takes it up again need not be who laid it down."""
        self.spawn("app.suspend", self._suspend(stop))

    async def _suspend(self, stop: Callable[[], None]) -> None:
        if self.lockable:
            await self.lock()
        if self._close_task is not None:
            await asyncio.wait([self._close_task], timeout=SUSPEND_SECONDS)
        stop()
