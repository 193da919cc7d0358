"""The loop that sends: takes what is due into flight and stores what became of each. `push` decides."""

from __future__ import annotations

import asyncio
from typing import Any

from kelmu_tui.api.answers import CommandAnswer
from kelmu_tui.api.errors import ApiError, ProblemAnswer
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import StoreError
from kelmu_tui.store.outbox import Frozen
from kelmu_tui.store.troubles import Part
from kelmu_tui.sync import backoff, pull, push
from kelmu_tui.sync.line import YIELD_SECONDS, Line
from kelmu_tui.sync.signals import end, first_of
from kelmu_tui.sync.status import Connection


class Pushing:
    """The sending half of an engine."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def poke(self) -> None:
        """Send everything that waits now."""
        self._line.hasten = True
        self._line.push_wake.set()

    async def run(self) -> None:
        """Send until cancelled."""
        line = self._line
        flying: set[asyncio.Task[Any]] = set()
        try:
            while True:
                line.push_wake.clear()
                rest: float | None = None
                try:
                    rest = await self._send_due(flying)
                except StoreError as error:
                    rest = line.disk_failed(error)
                timer = [] if rest is None or (rest <= 0 and flying) else [line.wait(max(rest, YIELD_SECONDS))]
                await first_of(line.tasks, line.push_wake.wait(), *timer, others=tuple(flying))
                flying -= {task for task in flying if task.done()}
        finally:
            await end(list(flying))

    async def _send_due(self, flying: set[asyncio.Task[Any]]) -> float | None:
        """Start sending what may go out; return seconds until more may, None when nothing waits."""
        line = self._line
        if line.waits_for_somebody() or line.failures >= backoff.PROBE_AFTER:
            return None
        hasten, line.hasten = line.hasten, False
        if hasten:
            await line.unit(push.hasten)
        taken, rest = await line.unit(push.take_round)
        for item in taken:
            flying.add(line.tasks.spawn(f"sync.send.{item.verb}", self._send(item)))
        return rest

    async def _send(self, item: Frozen) -> None:
        """Send a command, and as long as all goes well the ones behind it, one after the other."""
        following: Frozen | None = item
        while following is not None:
            following = await self._send_one(following)
        # The feed may have shown the effect before the answer came, and may then have nothing to tell for long.
        await self._line.quietly(self._line.unit(pull.follow_up))

    async def _send_one(self, item: Frozen) -> Frozen | None:
        """Send one command and store what became of it, even if the disk needs a while; return what to send next."""
        line = self._line
        try:
            answer = await line.client.command(
                item.organisation,
                item.aggregate,
                item.verb,
                item.id,
                item.if_match,
                item.body,
                item.lease,
                item.schema,
            )
        except ApiError as error:
            paused = line.paused(error)
            verdict = await line.stubborn(push.failed, item, error)
            await line.note(Part.PUSH, error)
            if not paused and not verdict.reached:
                line.lost()
                line.show(state=Connection.OFFLINE, problem=error.code, request_id=error.request_id)
        except StoreError as error:
            # Tokens were renewed and could not be kept: nothing was sent.
            line.disk_failed(error)
            verdict = await line.stubborn(push.failed, item, error)
        else:
            verdict = await line.stubborn(_answered, item, answer)
            line.failures = 0
            if verdict.postponed:
                await line.note(Part.PUSH, ProblemAnswer(answer.status, answer.problem, answer.request_id))
            else:
                line.well(Part.PUSH)
        if verdict.pull_now:
            line.hurry = True
            line.pull_wake.set()
        return verdict.following


def _answered(store: Store, sent: Frozen, answer: CommandAnswer) -> push.Pushed:
    return push.answered(store, sent, answer, go_on=True)
