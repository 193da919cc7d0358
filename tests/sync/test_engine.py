"""The driver: it leads or follows, comes back by itself, pauses when somebody has to act, and is silent when idle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from kelmu_backend.problems import ProblemError
from kelmu_tui.api.answers import CommandAnswer, SnapshotPart, SnapshotRows
from kelmu_tui.api.contract import Changes, Problem, SnapshotEnd, SnapshotStart
from kelmu_tui.api.errors import ApiError, ProblemAnswer, SignInNeeded, Unreachable, UpdateNeeded
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.platform.tasks import Tasks
from kelmu_tui.store import feed, notices, outbox, replica
from kelmu_tui.store.database import Store
from kelmu_tui.store.outbox import Draft, Frozen, State
from kelmu_tui.store.rows import Query, View
from kelmu_tui.store.thread import StoreThread
from kelmu_tui.sync import pull
from kelmu_tui.sync.engine import Engine
from kelmu_tui.sync.status import Connection, SyncStatus
from tests.sync.simulation.player import Keys
from tests.sync.simulation.record import INBOX, LOOK_UP, A, HandClock, Record


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Let everything else run until `condition` holds; nothing sleeps, since time is not real here."""
    async with asyncio.timeout(20):
        while not await condition():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0)


class Backend:
    """The record as `Client` would show it; `error` is what every call meets instead."""

    def __init__(self, record: Record, user: str = "aino") -> None:
        self.record = record
        self.user = user
        self.error: ApiError | None = None
        self.calls: list[str] = []
        self.open_polls = 0
        self.broken_streams = 0
        self._news = asyncio.Event()

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
        answer = self.record.command(
            self.user, Frozen(key, organisation, id, verb, if_match, body, lease, schema, attempt=1)
        )
        self.wake()
        return answer


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


@pytest.fixture
def terminal(record: Record, store: Store, clock: HandClock) -> Terminal:
    """Return a terminal of aino."""
    return Terminal(store, Backend(record), clock)


async def test_it_fills_then_holds_one_poll_and_is_silent(terminal: Terminal) -> None:
    async with terminal.running():
        await terminal.until_idle()
        assert await terminal.shown() == {"n0001": 1, "n0002": 1, "n0003": 1}
        calls = list(terminal.backend.calls)
        for _ in range(200):
            await asyncio.sleep(0)
        assert terminal.backend.calls == calls
        assert terminal.backend.open_polls == 1
        assert terminal.engine.status.synced_at is not None


async def test_a_command_goes_out_by_itself_and_is_settled(terminal: Terminal) -> None:
    async with terminal.running():
        await terminal.until_idle()
        key = await terminal.act("n0001")
        await terminal.until_settled(key)
        assert (await terminal.shown())["n0001"] == 2


async def test_what_others_do_arrives_through_the_held_poll(terminal: Terminal) -> None:
    async with terminal.running():
        await terminal.until_idle()
        terminal.backend.record.arrive(A)
        terminal.backend.wake()
        await eventually(lambda: terminal.shows(4))


async def test_an_absent_backend_is_tried_again_and_nothing_is_lost(terminal: Terminal) -> None:
    terminal.backend.error = Unreachable("r1")
    async with terminal.running():
        key = await terminal.act("n0001")
        await terminal.until(lambda now: now.state is Connection.OFFLINE and now.queued == 1)
        assert terminal.engine.status.problem == "unreachable"
        for _ in range(300):
            await asyncio.sleep(0)
        assert await terminal.state(key) in (State.QUEUED, State.SENDING)
        terminal.backend.error = None
        await terminal.until_idle()
        await terminal.until_settled(key)


async def test_a_broken_fill_goes_on_where_it_stopped(terminal: Terminal) -> None:
    terminal.backend.broken_streams = 2
    async with terminal.running():
        await terminal.until_idle()
        assert len(await terminal.shown()) == 3


@pytest.mark.parametrize(
    ("error", "state"), [(SignInNeeded(), Connection.SIGNED_OUT), (UpdateNeeded(), Connection.UPDATE_NEEDED)]
)
async def test_it_pauses_until_somebody_acts(terminal: Terminal, error: ApiError, state: Connection) -> None:
    async with terminal.running():
        await terminal.until_idle()
        terminal.backend.error = error
        key = await terminal.act("n0001")
        await terminal.until(lambda now: now.state is state)
        await terminal.until(lambda now: now.queued == 1)
        for _ in range(100):
            await asyncio.sleep(0)
        calls = len(terminal.backend.calls)
        for _ in range(300):
            await asyncio.sleep(0)
        assert len(terminal.backend.calls) - calls <= 1  # the poll that was held before may end
        terminal.backend.error = None
        terminal.engine.poke()
        await terminal.until_settled(key)


async def test_an_ended_mandate_empties_the_replica(terminal: Terminal) -> None:
    async with terminal.running():
        await terminal.until_idle()
        terminal.backend.record.regrant("aino")
        terminal.backend.wake()
        await terminal.until(lambda now: now.problem == "organisation_not_allowed")
        await eventually(lambda: terminal.shows(0))
        terminal.backend.record.regrant("aino", INBOX, LOOK_UP)
        terminal.engine.poke()
        await eventually(lambda: terminal.shows(3))


async def test_a_second_terminal_follows_and_takes_over(
    terminal: Terminal, record: Record, tmp_path: Path, clock: HandClock
) -> None:
    other_store = Store.open(tmp_path / "aino", Keys(), clock, SeededIds(2))
    other_store.attach(A.business_id)
    other = Terminal(other_store, Backend(record), clock)
    async with other.running():
        async with terminal.running():
            await terminal.until(lambda now: now.state in (Connection.ONLINE, Connection.FOLLOWING))
            leader, follower = (
                (terminal, other) if terminal.engine.status.state is Connection.ONLINE else (other, terminal)
            )
            await leader.until_idle()
            await follower.until(lambda now: now.state is Connection.FOLLOWING)
            assert follower.backend.calls == []
            key = await follower.act("n0002")
            await follower.until_settled(key)
        await other.until_idle()
    other_store.close()


async def test_once_sends_and_reads_then_ends(terminal: Terminal) -> None:
    first = await terminal.engine.once()
    assert (first.session_revision, first.refreshing) == (2, False)
    assert first.synced_at is not None
    key = await terminal.act("n0001")
    status = await terminal.engine.once()
    assert await terminal.state(key) is State.SETTLED
    assert (status.state, status.queued) == (Connection.ONLINE, 0)
    terminal.thread.close()


async def test_once_tells_that_nobody_is_there(terminal: Terminal) -> None:
    terminal.backend.error = Unreachable("r1")
    key = await terminal.act("n0001")
    with pytest.raises(Unreachable):
        await terminal.engine.once()
    assert await terminal.state(key) is State.QUEUED
    terminal.thread.close()


def test_progress_is_counted_while_a_scope_is_filled(record: Record, store: Store) -> None:
    ask = pull.next_ask(store)
    assert ask is not None
    answer = record.changes("aino", None)
    assert isinstance(answer, Changes)
    pull.take_changes(store, ask, answer)
    fill = pull.next_fill(store)
    assert fill is not None
    page = record.page("aino", fill.scope, None, first=True).page
    assert page is not None
    pull.take_part(store, fill, SnapshotStart(epoch=page.epoch, scope=fill.scope, count=page.count, head=page.head))
    pull.take_part(store, fill, SnapshotRows(page.rows[:2]))
    with store.read() as db:
        assert feed.progress(db) == (2, 3)


def test_a_long_first_fill_lays_the_orders_aside_and_brings_them_back(
    record: Record, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica, "MANY_ROWS", 1)
    ask = pull.next_ask(store)
    assert ask is not None
    answer = record.changes("aino", None)
    assert isinstance(answer, Changes)
    pull.take_changes(store, ask, answer)
    fill = pull.next_fill(store)
    assert fill is not None
    page = record.page("aino", fill.scope, None, first=True).page
    assert page is not None
    start = SnapshotStart(epoch=page.epoch, scope=fill.scope, count=page.count, head=page.head)
    with store.read() as db:
        assert replica.missing_orders(db) == ()
    pull.take_part(store, fill, start)
    with store.read() as db:
        assert len(replica.missing_orders(db)) == 5
        # Nothing is shown yet, and asking for it is no error.
        assert notices.count(db, Query(View.ALL, text="tampere")) == 0
    pull.take_part(store, fill, SnapshotRows(page.rows))
    # Interrupted and resumed: rows lie there, and the indexes stay away until the end.
    pull.take_part(store, fill, start)
    pull.take_part(store, fill, SnapshotEnd(head=page.head))
    with store.read() as db:
        assert replica.missing_orders(db) == ()


def test_orders_in_use_are_never_laid_aside(record: Record, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replica, "MANY_ROWS", 1)
    ask = pull.next_ask(store)
    assert ask is not None
    answer = record.changes("aino", None)
    assert isinstance(answer, Changes)
    pull.take_changes(store, ask, answer)
    with store.write() as db:
        db.execute("UPDATE replica.scope SET generation = 99 WHERE name GLOB 'notices:*'")
        replica.lay_orders_aside(db, 1_000_000)
        assert replica.missing_orders(db) == ()
