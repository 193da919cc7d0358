"""The loop that tells the backend of views: at once after a start, else when enough wait or the first has waited a
while. `ship` decides.

It goes on when session and mandates have ended, and by itself shows nothing: nobody has to do anything about it.
"""

from __future__ import annotations

from typing import Final

from kelmu_tui.api.errors import ApiError, ProblemAnswer, SignInNeeded
from kelmu_tui.store.errors import StoreError
from kelmu_tui.store.troubles import Part
from kelmu_tui.sync import backoff, ship
from kelmu_tui.sync.line import YIELD_SECONDS, Line
from kelmu_tui.sync.once import send
from kelmu_tui.sync.signals import first_of
from kelmu_tui.sync.status import Connection

PATIENCE: Final = 30.0
"""Seconds that an event waits for others to go with it."""


class Shipping:
    """The part of an engine that tells of views."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._failures = 0
        self._due = 0.0
        self._since: float | None = None
        self._hasten = True

    def poke(self) -> None:
        """Tell everything that waits now."""
        self._failures = 0
        self._due = 0.0
        self._hasten = True
        self._line.ship_wake.set()

    async def run(self) -> None:
        """Tell of views until cancelled."""
        line = self._line
        self._hasten = True
        while True:
            line.ship_wake.clear()
            try:
                rest = await self._round()
            except StoreError as error:
                rest = line.disk_failed(error)
            timer = [] if rest is None else [line.wait(max(rest, YIELD_SECONDS))]
            await first_of(line.tasks, line.ship_wake.wait(), *timer)

    async def _round(self) -> float | None:
        """Send one thing if it is time; return seconds to rest, None until something happens."""
        line = self._line
        if line.status.state is Connection.OFFLINE and line.failures >= backoff.PROBE_AFTER:
            # The one probe speaks for all; when it gets through we are woken.
            self._failures, self._due = 0, 0.0
            return None
        waiting = await line.unit(ship.waiting)
        if not waiting.events:
            self._since, self._hasten = None, False
            return None
        if not waiting.known and line.waits_for_somebody():
            return None
        now = line.clock.monotonic()
        self._since = now if self._since is None else self._since
        at_once = self._hasten or not waiting.known or waiting.events >= ship.FULL
        rest = max(self._due - now, 0.0 if at_once else self._since + PATIENCE - now)
        return rest if rest > 0 else await self._send()

    async def _send(self) -> float | None:
        """Send the next step; return seconds to rest."""
        line = self._line
        step = await line.unit(ship.next_step)
        if step is None:
            return 0.0
        try:
            await send(line.thread, line.client, step)
        except ApiError as error:
            return await self._failed(step, error)
        self._failures = 0
        line.well(Part.SHIP)
        if isinstance(step, ship.Batch):
            # What is left came while this was under way, or did not fit in: it goes on at once.
            self._hasten = True
        return 0.0

    async def _failed(self, step: ship.Register | ship.Batch, error: ApiError) -> float | None:
        line = self._line
        if isinstance(error, SignInNeeded) and isinstance(step, ship.Register):
            line.paused(error)
            return None
        await line.note(Part.SHIP, error)
        self._failures += 1
        mended = isinstance(error, ProblemAnswer) and await line.unit(ship.refused, step, error)
        if mended and self._failures == 1:
            return 0.0
        pause = backoff.delay(self._failures, line.ids, retry_after=error.retry_after)
        self._due = line.clock.monotonic() + pause
        return pause
