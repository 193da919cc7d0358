"""Lists on their way here: what is being fetched at a desk, how far it is, and why a fetch did not end well.

A fetch goes on while the user looks at something else. One that was stopped or broke off is begun again where it ended,
as far as its rows are still kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from kelmu_tui.api.errors import ApiError
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.lists import NotHere
from kelmu_tui.store.errors import NotShown, StoreError
from kelmu_tui.store.list_fetch import Overtaken

if TYPE_CHECKING:
    from kelmu_tui.screens.desk import Desk
    from kelmu_tui.screens.face import Face

FRESH: Final = timedelta(minutes=10)
"""What is published is not asked for again, unless the user does, until this long after it was."""

Which = tuple[str, str]
"""A list and a period."""


class Progress(NamedTuple):
    """How many rows of a fetch are here, of how many."""

    done: int
    total: int

    @property
    def percent(self) -> int:
        """The same in whole per cent; only what is whole is 100."""
        return 100 if self.done >= self.total else 100 * self.done // self.total


class Fetches:
    """The fetches of one desk.

    Attributes:
        told: is called whenever one of them looks different; with True when one is over, and other rows are here.
    """

    def __init__(self, face: Face, desk: Desk) -> None:
        self.desk = desk
        self.told: Callable[[bool], None] = _nobody
        self._face = face
        self._tasks: dict[Which, asyncio.Task[None]] = {}
        self._progress: dict[Which, Progress] = {}
        self._problems: dict[Which, str] = {}
        self._asking: asyncio.Task[None] | None = None
        self._asked_at: datetime | None = None

    def progress(self, which: Which) -> Progress | None:
        """Return how far a fetch is, None when there is none under way."""
        return self._progress.get(which)

    def problem(self, which: Which) -> str:
        """Return the code of what the last fetch failed at, empty when it did not."""
        return self._problems.get(which, "")

    def begin(self, which: Which, *, done: int, total: int) -> None:
        """Fetch, unless that is under way; `done` rows are here already."""
        if which in self._tasks:
            return
        self._problems.pop(which, None)
        self._progress[which] = Progress(done, total)
        task = self._face.tasks.spawn("lists.fetch", self._fetch(which))
        # Not in the coroutine: one that is cancelled before it began never runs.
        task.add_done_callback(lambda _: self._ended(which))
        self._tasks[which] = task
        self.told(False)

    def cancel(self, which: Which) -> bool:
        """Stop a fetch; False when there is none."""
        task = self._tasks.get(which)
        if task is None:
            return False
        task.cancel()
        return True

    async def stop(self) -> None:
        """Stop everything that talks to the backend, and wait until it has ended; what came is kept for going on."""
        running = [*self._tasks.values(), *([] if self._asking is None else [self._asking])]
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)

    async def _fetch(self, which: Which) -> None:
        def hear(done: int, total: int) -> None:
            before, self._progress[which] = self._progress.get(which), Progress(done, total)
            if before is None or before.percent != self._progress[which].percent:
                self.told(False)

        try:
            await self.desk.fetch_list(*which, hear)
        except ApiError as error:
            self._problems[which] = error.code
            self._say(error.code)
        except NotAllowed:
            self._face.say(self._face.t("lists.not_any_more"), role="warn")
        except NotHere:
            self._face.say(self._face.t("lists.not_published"), role="warn")
        except Overtaken:
            self._face.say(self._face.t("lists.overtaken"), role="warn")
        except StoreError as error:
            self._problems[which] = "" if isinstance(error, NotShown) else "store"
            self._face.store_failed(error)
        else:
            self._face.say(self._face.t("lists.fetched"), role="good")

    def _ended(self, which: Which) -> None:
        self._tasks.pop(which, None)
        self._progress.pop(which, None)
        self.told(True)

    @property
    def refreshing(self) -> bool:
        """Whether the backend is being asked what is published."""
        return self._asking is not None

    def refresh(self) -> None:
        """Ask the backend what is published and billed, unless it is being asked."""
        if self._asking is None:
            self._asked_at = self._face.now()
            self._asking = self._face.tasks.spawn("lists.refresh", self._refresh())
            self._asking.add_done_callback(self._asked)
            self.told(False)

    def freshen(self, known_at: datetime | None = None) -> None:
        """Ask when there is somebody to ask, unless that was done, or answered (`known_at`), a moment ago."""
        now = self._face.now()
        lately = any(at is not None and timedelta(0) <= now - at <= FRESH for at in (self._asked_at, known_at))
        if self._face.online and not lately:
            self.refresh()

    async def _refresh(self) -> None:
        try:
            await self.desk.refresh_lists()
            await self.desk.refresh_invoices()
        except ApiError as error:
            self._say(error.code)
        except NotAllowed:
            self._face.say(self._face.t("lists.not_any_more"), role="warn")

    def _asked(self, task: asyncio.Task[None]) -> None:
        del task
        self._asking = None
        self.told(True)

    def _say(self, code: str) -> None:
        t = self._face.t
        self._face.say(t.choice("errors.api", code, t("errors.api.internal")), role="alarm")


def _nobody(over: bool) -> None:
    """Hear it where no screen shows it."""
    del over
