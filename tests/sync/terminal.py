"""An engine over a real store, against the backend's real units of work, in a time that is not real."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from kelmu_backend.problems import ProblemError
from kelmu_tui.api.answers import CommandAnswer, SnapshotPart, SnapshotRows
from kelmu_tui.api.contract import ChainRegistration, Changes, Problem, SnapshotEnd, SnapshotStart, ViewReceipt
from kelmu_tui.api.errors import ApiError, ProblemAnswer, SignInNeeded, Unreachable
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.platform.tasks import Tasks
from kelmu_tui.store import outbox
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import StoreError
from kelmu_tui.store.outbox import Draft, Frozen, State
from kelmu_tui.store.thread import StoreThread
from kelmu_tui.sync.engine import Engine
from kelmu_tui.sync.seams import UploadsApi
from kelmu_tui.sync.status import Connection, SyncStatus
from tests.sync.simulation.record import A, HandClock, Record
from tests.sync.viewing import Desk


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Let everything else run until `condition` holds; nothing sleeps, since time is not real here."""
    async with asyncio.timeout(20):
        while not await condition():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0)


class Backend:
    """The record as `Client` would show it; `error` is what every call meets instead, `answer` what every command."""

    def __init__(self, record: Record, user: str = "aino") -> None:
        self.record = record
        self.user = user
        self.error: ApiError | StoreError | None = None
        self.answer: CommandAnswer | None = None
        self.calls: list[str] = []
        self.open_polls = 0
        self.broken_streams = 0
        self.desk = Desk(record)
        self.lost_receipts = 0
        self._news = asyncio.Event()

    @property
    def uploads(self) -> UploadsApi:
        """Documents have tests of their own."""
        raise AssertionError("nothing goes up here")

    def wake(self) -> None:
        """Answer the polls that are held."""
        self._news.set()

    def _meet(self, call: str) -> None:
        self.calls.append(call)
        if self.error is not None:
            raise self.error

    async def changes(self, organisation: str, cursor: str | None, wait: int = 0) -> Changes:
        """Answer, or hold the poll while there is nothing to tell."""
        self._meet("changes")
        while True:
            self._news.clear()
            answer = self.record.changes(self.user, cursor)
            if isinstance(answer, ProblemError):
                raise ProblemAnswer(answer.status, Problem.model_validate(answer.body()))
            if not wait or answer.kind == "reset" or answer.changes or answer.cursor != cursor:
                return answer
            self.open_polls += 1
            try:
                await self._news.wait()
            finally:
                self.open_polls -= 1
            self._meet("answer")

    async def snapshot(
        self, organisation: str, scope: str, after: str | None = None
    ) -> AsyncGenerator[SnapshotPart, None]:
        """Stream a scope."""
        self._meet("snapshot")
        page = self.record.page(self.user, scope, after, first=True).page
        assert page is not None
        yield SnapshotStart(epoch=page.epoch, scope=scope, count=page.count, head=page.head)
        if page.rows:
            yield SnapshotRows(page.rows[:1])
        if self.broken_streams:
            self.broken_streams -= 1
            raise Unreachable
        if page.rows[1:]:
            yield SnapshotRows(page.rows[1:])
        yield SnapshotEnd(head=page.head)

    async def command(
        self,
        organisation: str,
        id: str,  # noqa: A002
        verb: str,
        key: str,
        if_match: int,
        body: bytes,
        lease: str,
        schema: int,
    ) -> CommandAnswer:
        """Carry out a command and wake the polls."""
        self._meet("command")
        if self.answer is not None:
            return self.answer
        answer = self.record.command(
            self.user, Frozen(key, organisation, id, verb, if_match, body, lease, schema, attempt=1)
        )
        self.wake()
        return answer

    async def register_views(self, registration: ChainRegistration) -> ViewReceipt:
        """Take down a log of views."""
        self._meet("register")
        return self.desk.register(registration, self.user)

    async def ship_views(self, body: bytes, signature: str) -> ViewReceipt:
        """Take in views; no session is needed for that, and answers may be lost."""
        self.calls.append("ship")
        if self.error is not None and not isinstance(self.error, SignInNeeded):
            raise self.error
        receipt = self.desk.ship(body, signature)
        if self.lost_receipts:
            self.lost_receipts -= 1
            raise Unreachable
        return receipt


class Terminal:
    """A store with its engine."""

    def __init__(self, store: Store, backend: Backend, clock: HandClock) -> None:
        self.store = store
        self.backend = backend
        self.clock = clock
        self.failures: list[str] = []
        self.tasks = Tasks(lambda name, failure: self.failures.append(f"{name}: {failure!r}"))
        self.thread = StoreThread(store)
        self.engine = Engine(self.thread, backend, clock, SeededIds(7), self.tasks, wait=self._wait)

    async def _wait(self, seconds: float) -> None:
        # Time passes as fast as the work: nothing sleeps, and whoever waits lets the others go first.
        self.clock.at += timedelta(seconds=seconds)
        await asyncio.sleep(0)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the engine."""
        run = self.tasks.spawn("engine", self.engine.run())
        try:
            yield
        finally:
            run.cancel()
            await asyncio.gather(run, return_exceptions=True)
            assert self.tasks.names == ()
            assert self.failures == []
            self.thread.close()

    async def until(self, condition: Callable[[SyncStatus], bool]) -> None:
        """Wait until the status meets `condition`."""

        async def met() -> bool:
            return condition(self.engine.status)

        await eventually(met)

    async def until_idle(self) -> None:
        """Wait until everything is sent and read and one poll is held."""
        await self.until(
            lambda now: (
                now.state is Connection.ONLINE
                and not now.refreshing
                and not now.queued
                and self.backend.open_polls == 1
            )
        )

    async def until_settled(self, key: str) -> None:
        """Wait until a command is settled."""

        async def settled() -> bool:
            return await self.state(key) is State.SETTLED

        await eventually(settled)

    async def shows(self, count: int) -> bool:
        """Tell whether so many notices are shown."""
        return len(await self.shown()) == count

    async def act(self, notice: str, verb: str = "take", version: int = 1) -> str:
        """Save a command."""
        key = self.store.ids.new()
        draft = Draft(
            "aino", A.business_id, notice, verb, {}, {"by": "Aino"}, version, self.backend.record.lease("aino")
        )

        def save() -> None:
            with self.store.write() as db:
                outbox.append(db, draft, id=key, now=self.clock.now())
                self.store.changed("command", keys=(notice,))

        await self.thread.run(save)
        return key

    async def state(self, key: str) -> State:
        """Return a command's state."""

        def look() -> State:
            with self.store.read() as db:
                found = outbox.command(db, key)
            assert found is not None
            return found.state

        return await self.thread.run(look)

    async def shown(self) -> dict[str, int]:
        """Return the notices shown, with their versions."""

        def look() -> dict[str, int]:
            with self.store.read() as db:
                return dict(
                    db.execute(
                        "SELECT r.id, r.version FROM replica.notice AS r JOIN replica.scope AS s"
                        " ON s.generation = r.generation"
                    )
                )

        return await self.thread.run(look)
