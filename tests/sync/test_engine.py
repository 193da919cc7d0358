"""The driver: it leads or follows, comes back by itself, pauses when somebody has to act, and is silent when idle."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from kelmu_tui.api.answers import CommandAnswer, SnapshotRows
from kelmu_tui.api.contract import Changes, SnapshotEnd, SnapshotStart
from kelmu_tui.api.errors import ApiError, SignInNeeded, Unreachable, UpdateNeeded
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.store import feed, notices, replica, sweeping
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import StoreFull
from kelmu_tui.store.outbox import State
from kelmu_tui.store.rows import Query, View
from kelmu_tui.sync import pull, pulling
from kelmu_tui.sync.leader import FILE, is_led
from kelmu_tui.sync.status import Connection
from tests.store.build import notice
from tests.sync.simulation.player import Keys
from tests.sync.simulation.record import INBOX, LOOK_UP, A, HandClock, Record
from tests.sync.terminal import Backend, Terminal, eventually


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


async def test_an_answer_that_the_feed_has_overtaken_settles_at_once(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The poll brings the effect before the answer arrives, and then nothing more happens anywhere."""
    send = terminal.backend.command

    async def late(*sent: Any) -> CommandAnswer:
        answer = await send(*sent)

        async def shown() -> bool:
            return (await terminal.shown())["n0001"] == 2 and terminal.backend.open_polls == 1

        await eventually(shown)
        return answer

    async with terminal.running():
        await terminal.until_idle()
        monkeypatch.setattr(terminal.backend, "command", late)
        key = await terminal.act("n0001")
        await terminal.until_settled(key)


async def test_a_queue_goes_out_one_behind_the_other_without_a_poke(terminal: Terminal) -> None:
    """More notices than may be in flight, and two commands of one of them: each begins when another has ended."""
    for _ in range(5):
        terminal.backend.record.arrive(A)
    async with terminal.running():
        await terminal.until_idle()
        mine = sorted(await terminal.shown())
        keys = [await terminal.act(id_) for id_ in mine]
        keys.append(await terminal.act(mine[-1], "handle"))
        for key in keys:
            await terminal.until_settled(key)
        shown = await terminal.shown()
    assert len(mine) == 8
    assert [shown[id_] for id_ in mine] == [2] * 7 + [3]


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


async def test_new_tokens_that_the_disk_does_not_take_cost_no_command(terminal: Terminal) -> None:
    async with terminal.running():
        await terminal.until_idle()
        terminal.backend.error = StoreFull()
        key = await terminal.act("n0001")
        await terminal.until(lambda now: now.problem == "store_full" and now.queued == 1)
        terminal.backend.error = None
        terminal.backend.wake()
        await terminal.until_settled(key)


async def test_a_lock_that_the_disk_does_not_give_is_tried_again(terminal: Terminal) -> None:
    lock = terminal.store.folder / FILE
    lock.unlink(missing_ok=True)
    lock.symlink_to(terminal.store.folder / "elsewhere")  # never followed
    async with terminal.running():
        await terminal.until(lambda now: now.problem == "store_unavailable")
        assert not is_led(terminal.store.folder)
        lock.unlink()
        await terminal.until_idle()
        assert is_led(terminal.store.folder)


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


async def test_the_feed_is_asked_while_old_rows_are_swept(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulling, "SWEEP_SECONDS", 0.0)
    steps = 4
    with terminal.store.write("replica") as db:
        replica.put_rows(db, 99, [notice(f"old{n}") for n in range((steps - 1) * sweeping.STEP_ROWS + 1)])
        sweeping.abandon(db, 99)

    async def swept() -> bool:
        with terminal.store.read() as db:
            return not sweeping.waiting(db)

    async with terminal.running():
        await eventually(swept)
        assert terminal.backend.calls.count("changes") > steps
        await terminal.until_idle()


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


def test_how_far_a_fill_is_gets_told_now_and_then(
    record: Record, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull, "PROGRESS_ROWS", 2)
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
    told: list[int] = []

    def heard(_change: object) -> None:
        with store.read() as db:
            told.append(feed.progress(db)[0])

    store.listen(heard)
    for row in page.rows[:3]:
        pull.take_part(store, fill, SnapshotRows([row]))
    assert told == [2]


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
        assert len(replica.missing_orders(db)) == 6
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
