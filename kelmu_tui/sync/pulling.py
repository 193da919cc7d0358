"""The loop that reads: fills what is new, then holds one poll open and stores what comes. `pull` decides."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import aclosing
from typing import Any, Final

from kelmu_tui.api.answers import SnapshotPart
from kelmu_tui.api.contract import MAX_WAIT, Changes
from kelmu_tui.api.errors import ApiError, ProblemAnswer, SignInNeeded, Unreachable, UpdateNeeded
from kelmu_tui.store.errors import StoreError
from kelmu_tui.store.troubles import Part
from kelmu_tui.sync import backoff, pull
from kelmu_tui.sync.line import YIELD_SECONDS, Line
from kelmu_tui.sync.signals import end, first_of, outcome_of
from kelmu_tui.sync.status import Connection

SHORTEST_POLL: Final = 1.0
SWEEP_SECONDS: Final = 1.0
"""How long deleting what a fill has replaced may keep the feed waiting: a whole inbox takes a minute."""


class Pulling:
    """The reading half of an engine."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._failures = 0
        self._fill_failures = 0
        self._fill_due = 0.0
        self._swept = True

    def poke(self) -> None:
        """Forget all patience: the next round asks at once."""
        self._failures = self._fill_failures = 0
        self._fill_due = 0.0
        self._line.hurry = True
        self._line.pull_wake.set()

    async def run(self) -> None:
        """Read until cancelled."""
        line = self._line
        while True:
            try:
                rest = await self._round()
            except ApiError as error:
                rest = await self._failed(error)
            except StoreError as error:
                rest = line.disk_failed(error)
            if rest is not None and rest <= 0:
                continue
            await first_of(line.tasks, line.pull_wake.wait(), *([] if rest is None else [line.wait(rest)]))

    async def _round(self) -> float | None:
        """Do one thing: a fill, or a question to the feed. Return seconds to rest, None until somebody pokes."""
        line = self._line
        fill = await line.unit(pull.next_fill)
        if fill is not None and line.clock.monotonic() >= self._fill_due:
            await self._fill(fill)
            return 0.0
        ask = await line.unit(pull.next_ask)
        if ask is None:
            line.show(state=Connection.PAUSED, problem=None)
            return None
        hurry, line.hurry = line.hurry, False
        held = ask.idle and not hurry and self._swept and line.status.state is Connection.ONLINE
        wait = MAX_WAIT if held else 0
        line.pull_wake.clear()
        asked = line.clock.monotonic()
        try:
            answer = await self._interruptible(line.client.changes(ask.organisation, ask.cursor, wait))
        except ProblemAnswer as error:
            if error.status == 403:
                await line.unit(pull.shut_out, ask)
                while not await line.unit(pull.sweep):  # no answer will follow that the rest could be deleted after
                    await line.wait(YIELD_SECONDS)
            raise
        if answer is None:
            return 0.0
        self._reached()
        done = await line.unit(pull.take_changes, ask, answer)
        if fill is not None:
            # The fill rests after a failure; the feed goes on, but not as fast as it can.
            return max(0.0, self._fill_due - line.clock.monotonic())
        self._swept = await self._sweep()
        empty = not answer.changes and answer.cursor == ask.cursor
        if (wait and empty and line.clock.monotonic() - asked < SHORTEST_POLL) or not done.applied:
            # A poll that is not held, or an answer that nobody wants: never a hot loop against the backend.
            return SHORTEST_POLL
        return 0.0

    async def _sweep(self) -> bool:
        """Delete what nobody sees any more, for a second at the most, since the feed waits; True when all is gone."""
        line = self._line
        end = line.clock.monotonic() + SWEEP_SECONDS
        while not await line.unit(pull.sweep):
            if line.clock.monotonic() >= end:
                return False
            await line.wait(YIELD_SECONDS)
        return True

    async def _fill(self, fill: pull.Fill) -> None:
        line = self._line
        try:
            stream = line.client.snapshot(fill.organisation, fill.scope, fill.after)
            async with aclosing(stream) as parts:
                async for part in parts:
                    if not await self._take_part(fill, part):
                        return
        except (SignInNeeded, UpdateNeeded, Unreachable):
            raise
        except ApiError as error:
            # This scope's trouble only, and the feed may know why: a mandate may have ended.
            self._fill_failures += 1
            pause = backoff.delay(self._fill_failures, line.ids, retry_after=error.retry_after, ceiling=60.0)
            self._fill_due = line.clock.monotonic() + pause
            line.show(problem=error.code, request_id=error.request_id)
            await line.note(Part.FILL, error)
        else:
            self._fill_failures = 0
            line.well(Part.FILL)
            self._reached()

    async def _take_part(self, fill: pull.Fill, part: SnapshotPart) -> bool:
        wanted = await self._line.unit(pull.take_part, fill, part)
        await self._line.wait(YIELD_SECONDS)
        return wanted

    async def _interruptible(self, call: Coroutine[Any, Any, Changes]) -> Changes | None:
        """Await a held poll; a poke breaks it off and None comes back."""
        line = self._line
        poll: asyncio.Task[Changes | ApiError | StoreError] = line.tasks.spawn("sync.poll", outcome_of(call))
        try:
            await first_of(line.tasks, line.pull_wake.wait(), others=(poll,))
        finally:
            if not poll.done():
                await end([poll])
        if poll.cancelled():
            return None
        outcome = poll.result()
        if isinstance(outcome, ApiError | StoreError):
            raise outcome
        return outcome

    async def _failed(self, error: ApiError) -> float | None:
        """Show what is wrong and return how long to rest, None until somebody acts."""
        line = self._line
        # Shown before anything is awaited: what the user does about it in between must not be overwritten.
        paused = line.paused(error)
        await line.note(Part.PULL, error)
        if paused:
            return None
        self._failures += 1
        if isinstance(error, Unreachable):
            line.lost()
        offline = isinstance(error, Unreachable) or error.retryable
        state = Connection.OFFLINE if offline else Connection.PAUSED
        line.show(state=state, problem=error.code, request_id=error.request_id)
        return backoff.delay(self._failures, line.ids, retry_after=error.retry_after, ceiling=backoff.PROBE_CEILING)

    def _reached(self) -> None:
        """The backend answers: whatever waited for the network need not wait any longer."""
        line = self._line
        self._failures = 0
        line.well(Part.PULL)
        resting = self._fill_due > line.clock.monotonic()
        line.show(
            state=Connection.ONLINE,
            problem=line.status.problem if resting else None,
            request_id=line.status.request_id if resting and line.status.problem is not None else "",
        )
        line.reached()
