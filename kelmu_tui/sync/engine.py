"""The driver of the sync: who leads, what waits for what, and nothing that decides.

Two loops run beside each other in the leader: one holds a poll open and stores what comes, one sends what is due.
All decisions stand in `pull` and `push`, as units of work that the simulator steps through without this module. An
idle leader sends nothing but its one open poll.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import aclosing
from typing import Any, Final

from kelmu_tui.api.answers import SnapshotPart
from kelmu_tui.api.contract import MAX_WAIT, Changes, ProblemCode
from kelmu_tui.api.errors import ApiError, ProblemAnswer, SignInNeeded, Unreachable, UpdateNeeded
from kelmu_tui.platform.clock import Clock
from kelmu_tui.platform.ids import Ids
from kelmu_tui.platform.tasks import Tasks
from kelmu_tui.store.database import Changed
from kelmu_tui.store.errors import StoreError
from kelmu_tui.store.outbox import Frozen
from kelmu_tui.sync import backoff, pull, push
from kelmu_tui.sync.leader import LeaderLock
from kelmu_tui.sync.once import sync_once
from kelmu_tui.sync.seams import Api, Result, Runner
from kelmu_tui.sync.signals import Signal, end, first_of, outcome_of
from kelmu_tui.sync.status import Connection, SyncStatus, figures

WATCH_SECONDS: Final = 0.25
"""How often the commits of other terminals are looked for."""
TAKEOVER_ROUNDS: Final = 4
"""Looks between two attempts to become the leader: one second."""
BEAT_ROUNDS: Final = 80
SHORTEST_POLL: Final = 1.0
YIELD_SECONDS: Final = 0.005
"""Pause between two transactions of a fill: SQLite's lock is not fair, and other terminals want to write too."""


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
        self._thread = thread
        self._store = thread.store
        self._client = client
        self._clock = clock
        self._ids = ids
        self._tasks = tasks
        self._wait = wait
        self._lock = LeaderLock(self._store.folder)
        self._status = SyncStatus()
        self._listeners: list[Callable[[SyncStatus], None]] = []
        self._pull_wake = Signal()
        self._push_wake = Signal()
        self._dirty = Signal()
        self._failures = 0
        self._pull_failures = 0
        self._fill_failures = 0
        self._fill_due = 0.0
        self._hurry = False
        self._hasten = False

    # --- what the faces see ------------------------------------------------------------------------------------------

    @property
    def status(self) -> SyncStatus:
        """The status now."""
        return self._status

    def listen(self, callback: Callable[[SyncStatus], None]) -> Callable[[], None]:
        """Call `callback` with each new status, on the event loop's thread; the result ends it."""
        self._listeners.append(callback)

        def stop() -> None:
            if callback in self._listeners:
                self._listeners.remove(callback)

        return stop

    def poke(self) -> None:
        """Try everything now: the user asked, signed in again or chose another organisation."""
        if self._status.state in (Connection.SIGNED_OUT, Connection.UPDATE_NEEDED, Connection.OFFLINE):
            self._show(state=Connection.CONNECTING, problem=None, request_id="")
        self._failures = self._pull_failures = self._fill_failures = 0
        self._fill_due = 0.0
        self._hurry = self._hasten = True
        self._pull_wake.set()
        self._push_wake.set()

    def _show(self, **changes: Any) -> None:
        status = self._status._replace(**changes)
        if status != self._status:
            self._status = status
            for callback in list(self._listeners):
                callback(status)

    async def _show_figures(self) -> None:
        self._show(**(await self._unit(figures))._asdict())

    # --- running -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Lead or follow until cancelled."""
        loop = asyncio.get_running_loop()
        wakes = {"command": self._push_wake}

        def heard(change: Changed) -> None:
            for table in change.tables & wakes.keys():
                loop.call_soon_threadsafe(wakes[table].set)
            loop.call_soon_threadsafe(self._dirty.set)

        stop = self._store.listen(heard)
        try:
            while True:
                if self._lock.try_acquire():
                    await self._lead()
                else:
                    await self._follow()
        finally:
            stop()
            self._lock.release()

    async def _lead(self) -> None:
        """Run the loops until one of them falls over, which begins it all again after a moment."""
        self._show(state=Connection.CONNECTING, problem=None, leader_silent=False)
        await self._stubborn(push.start, self._store)
        await self._stubborn(pull.follow_up, self._store)
        loops: list[asyncio.Task[Any]] = [
            self._tasks.spawn("sync.pull", self._pulling()),
            self._tasks.spawn("sync.push", self._pushing()),
            self._tasks.spawn("sync.watch", self._watching()),
            self._tasks.spawn("sync.status", self._telling()),
        ]
        try:
            await asyncio.wait(loops, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end(loops)
        await self._wait(backoff.delay(3, self._ids))

    async def _follow(self) -> None:
        """Read along until the lead is free."""
        for _ in range(TAKEOVER_ROUNDS):
            await self._quietly(self._thread.run(self._store.poll))
            await self._quietly(self._show_figures())
            silent = self._lock.silent(self._clock.now())
            self._show(state=Connection.FOLLOWING, problem=None, leader_silent=silent)
            await self._wait(WATCH_SECONDS)

    async def _watching(self) -> None:
        """See what other terminals commit (their commands are ours to send), and show that we live."""
        rounds = 0
        while True:
            if rounds % BEAT_ROUNDS == 0:
                self._lock.beat(self._clock.now())
            rounds += 1
            await self._quietly(self._thread.run(self._store.poll))
            await self._wait(WATCH_SECONDS)

    async def _telling(self) -> None:
        while True:
            await self._quietly(self._show_figures())
            await self._dirty.wait()

    # --- pull --------------------------------------------------------------------------------------------------------

    async def _pulling(self) -> None:
        while True:
            try:
                rest = await self._pull_round()
            except ApiError as error:
                rest = self._pull_failed(error)
            except StoreError as error:
                self._show(problem=error.code)
                rest = backoff.delay(3, self._ids)
            if rest is not None and rest <= 0:
                continue
            await first_of(self._tasks, self._pull_wake.wait(), *([] if rest is None else [self._wait(rest)]))

    async def _pull_round(self) -> float | None:
        """Do one thing: a fill, or a question to the feed. Return seconds to rest, None until somebody pokes."""
        fill = await self._unit(pull.next_fill)
        if fill is not None and self._clock.monotonic() >= self._fill_due:
            await self._fill(fill)
            return 0.0
        ask = await self._unit(pull.next_ask)
        if ask is None:
            self._show(state=Connection.PAUSED, problem=None)
            return None
        hurry, self._hurry = self._hurry, False
        wait = MAX_WAIT if ask.idle and not hurry and self._status.state is Connection.ONLINE else 0
        self._pull_wake.clear()
        asked = self._clock.monotonic()
        try:
            answer = await self._interruptible(self._client.changes(ask.organisation, ask.cursor, wait))
        except ProblemAnswer as error:
            if error.status == 403:
                await self._unit(pull.shut_out, ask)
            raise
        if answer is None:
            return 0.0
        self._reached()
        done = await self._unit(pull.take_changes, ask, answer)
        if fill is not None:
            # The fill rests after a failure; the feed goes on, but not as fast as it can.
            return max(0.0, self._fill_due - self._clock.monotonic())
        while not await self._unit(pull.sweep):
            await self._wait(YIELD_SECONDS)
        empty = not answer.changes and answer.cursor == ask.cursor
        if (wait and empty and self._clock.monotonic() - asked < SHORTEST_POLL) or not done.applied:
            # A poll that is not held, or an answer that nobody wants: never a hot loop against the backend.
            return SHORTEST_POLL
        return 0.0

    async def _fill(self, fill: pull.Fill) -> None:
        try:
            stream = self._client.snapshot(fill.organisation, fill.scope, fill.after)
            async with aclosing(stream) as parts:
                async for part in parts:
                    if not await self._take_part(fill, part):
                        return
        except (SignInNeeded, UpdateNeeded, Unreachable):
            raise
        except ApiError as error:
            # This scope's trouble only, and the feed may know why: a mandate may have ended.
            self._fill_failures += 1
            pause = backoff.delay(self._fill_failures, self._ids, retry_after=error.retry_after, ceiling=60.0)
            self._fill_due = self._clock.monotonic() + pause
            self._show(problem=error.code, request_id=error.request_id)
        else:
            self._fill_failures = 0
            self._reached()

    async def _take_part(self, fill: pull.Fill, part: SnapshotPart) -> bool:
        wanted = await self._unit(pull.take_part, fill, part)
        await self._wait(YIELD_SECONDS)
        return wanted

    async def _interruptible(self, call: Coroutine[Any, Any, Changes]) -> Changes | None:
        """Await a held poll; a poke breaks it off and None comes back."""
        poll = self._tasks.spawn("sync.poll", outcome_of(call))
        try:
            await first_of(self._tasks, self._pull_wake.wait(), others=(poll,))
        finally:
            if not poll.done():
                await end([poll])
        if poll.cancelled():
            return None
        outcome: Changes | ApiError = poll.result()
        if isinstance(outcome, ApiError):
            raise outcome
        return outcome

    def _pull_failed(self, error: ApiError) -> float | None:
        """Show what is wrong and return how long to rest, None until somebody acts."""
        if self._paused(error):
            return None
        self._pull_failures += 1
        if isinstance(error, Unreachable):
            self._failures += 1
        offline = isinstance(error, Unreachable) or error.retryable
        state = Connection.OFFLINE if offline else Connection.PAUSED
        self._show(state=state, problem=error.code, request_id=error.request_id)
        return backoff.delay(
            self._pull_failures, self._ids, retry_after=error.retry_after, ceiling=backoff.PROBE_CEILING
        )

    def _paused(self, error: ApiError) -> bool:
        if isinstance(error, SignInNeeded | UpdateNeeded):
            state = Connection.SIGNED_OUT if isinstance(error, SignInNeeded) else Connection.UPDATE_NEEDED
            self._show(state=state, problem=error.code, request_id=error.request_id)
            return True
        return False

    def _reached(self) -> None:
        """The backend answers: whatever waited for the network need not wait any longer."""
        was_away = self._failures >= backoff.PROBE_AFTER
        self._failures = self._pull_failures = 0
        problem = self._status.problem if self._fill_due > self._clock.monotonic() else None
        self._show(
            state=Connection.ONLINE, problem=problem, request_id="" if problem is None else self._status.request_id
        )
        if was_away:
            self._hasten = True
            self._push_wake.set()

    # --- push --------------------------------------------------------------------------------------------------------

    async def _pushing(self) -> None:
        flying: set[asyncio.Task[Any]] = set()
        try:
            while True:
                self._push_wake.clear()
                rest: float | None = None
                try:
                    if self._may_send():
                        hasten, self._hasten = self._hasten, False
                        if hasten:
                            await self._unit(push.hasten)
                        for item in await self._unit(push.take_due):
                            flying.add(self._tasks.spawn(f"sync.send.{item.verb}", self._send(item)))
                        rest = await self._unit(push.next_due)
                except StoreError as error:
                    self._show(problem=error.code)
                    rest = backoff.delay(3, self._ids)
                timer = [] if rest is None or (rest <= 0 and flying) else [self._wait(max(rest, YIELD_SECONDS))]
                await first_of(self._tasks, self._push_wake.wait(), *timer, others=tuple(flying))
                flying = {task for task in flying if not task.done()}
        finally:
            await end(list(flying))

    def _may_send(self) -> bool:
        if self._status.state in (Connection.SIGNED_OUT, Connection.UPDATE_NEEDED):
            return False
        return self._failures < backoff.PROBE_AFTER

    async def _send(self, item: Frozen) -> None:
        """Send one command and store what became of it; the answer is stored even if the disk needs a while."""
        try:
            answer = await self._client.command(
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
            verdict = await self._stubborn(push.failed, self._store, item, error)
            if not self._paused(error) and not verdict.reached:
                self._failures += 1
                self._show(state=Connection.OFFLINE, problem=error.code, request_id=error.request_id)
        else:
            verdict = await self._stubborn(push.answered, self._store, item, answer)
            self._failures = 0
        if verdict.pull_now:
            self._hurry = True
            self._pull_wake.set()

    # --- once --------------------------------------------------------------------------------------------------------

    async def once(self) -> SyncStatus:
        """Send what waits and read to the head of the feed, then return; for the command line.

        When another terminal leads, it does the sending within a moment and nothing is done here.

        Raises:
            ApiError: the backend could not be reached or wants a sign-in; nothing is lost.
        """
        if not self._lock.try_acquire():
            await self._show_figures()
            self._show(state=Connection.FOLLOWING)
            return self._status
        try:
            barred = await sync_once(self._thread, self._client)
            self._show(state=Connection.ONLINE, problem=ProblemCode.MANDATE_MISSING.value if barred else None)
        finally:
            await self._show_figures()
            self._lock.release()
        return self._status

    # --- units of work -----------------------------------------------------------------------------------------------

    async def _unit(self, function: Callable[..., Result], *args: Any) -> Result:
        return await self._thread.run(function, self._store, *args)

    async def _stubborn(self, function: Callable[..., Result], *args: Any) -> Result:
        """Run a unit of work that must not be skipped: a full disk or a busy file is waited out."""
        while True:
            try:
                return await self._thread.run(function, *args)
            except StoreError as error:
                self._show(problem=error.code)
                await self._wait(backoff.delay(3, self._ids))

    async def _quietly(self, work: Awaitable[Any]) -> None:
        try:
            await work
        except StoreError as error:
            self._show(problem=error.code)
