"""A week without a connection: thousands of commands find their way, each once, whatever colleagues did meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from kelmu_backend import feed as backend_feed
from kelmu_backend.database import tables
from kelmu_backend.database.engine import Database
from kelmu_backend.feed import Entry, record
from kelmu_backend.policy import notices_scope
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.platform.tasks import Tasks
from kelmu_tui.store import feed, outbox
from kelmu_tui.store.database import Changed, Store
from kelmu_tui.store.outbox import Draft, State
from kelmu_tui.store.thread import StoreThread
from kelmu_tui.sync.engine import Engine
from tests.api.world import World
from tests.sync.simulation.disk import Keys
from tests.sync.simulation.ground import HandClock, notice_row
from tests.sync.simulation.record import A

NOTICES = 1_250
CHAIN = ("open", "take", "note", "handle")
"""Commands on each notice; with 1 250 notices that makes 5 000."""
FASTER = 60
"""Notices that a colleague took meanwhile."""


@pytest.fixture
def store(tmp_path: Path, clock: HandClock) -> Iterator[Store]:
    """A machine whose disk need not be asked at each commit: no power fails here."""
    found = Store.open(tmp_path / "aino", Keys(), clock, SeededIds(1))
    found.attach(A.business_id)
    for schema in ("main", "replica"):
        found.db.execute(f"PRAGMA {schema}.synchronous = OFF")
    yield found
    found.close()


@pytest.fixture
def clock(world: World) -> HandClock:
    """The time of both."""
    return world.clock


def arrive(database: Database, clock: HandClock) -> list[str]:
    """Put notices of A into the record."""
    rows = [notice_row(number, A, clock.now()) | {"published": True} for number in range(100, 100 + NOTICES)]
    with database.write() as connection:
        connection.execute(insert(tables.notice), rows)
        record(connection, [Entry(notices_scope(A.business_id), row["id"], 1) for row in rows])
    return [row["id"] for row in rows]


def save_all(store: Store, clock: HandClock, ids: list[str], lease: str) -> None:
    """Give every notice its chain of commands, over the days."""
    for verb in CHAIN:
        with store.write() as db:
            for id_ in ids:
                payload = {"text": f"Soitettu {id_}"} if verb == "note" else {}
                draft = Draft("aino", A.business_id, id_, verb, payload, {"by": "Aino"}, 1, lease)
                outbox.append(db, draft, id=f"{verb}-{id_}", now=clock.now())
            store.changed("command")
        clock.at += timedelta(days=7) / len(CHAIN)


async def drain(store: Store, world: World) -> None:
    """Run a whole engine until nothing waits and everything is read."""
    clock, client = world.clock, world.lasting_client("aino")
    thread, failures = StoreThread(store), list[str]()
    tasks = Tasks(lambda name, failure: failures.append(f"{name}: {failure!r}"))

    async def wait(seconds: float) -> None:
        clock.at += timedelta(seconds=seconds)
        await asyncio.sleep(0)

    engine = Engine(thread, client, clock, SeededIds(2), tasks, wait=wait)
    loop, changed = asyncio.get_running_loop(), asyncio.Event()

    def heard(_: Changed) -> None:
        loop.call_soon_threadsafe(changed.set)

    stop = store.listen(heard)

    def quiet() -> bool:
        with world.core.database.read() as connection:
            head = backend_feed.head(connection)
        with store.read() as db:
            states, now = outbox.counts(db), feed.state(db)
        left = any(states.get(state) for state in (State.QUEUED, State.SENDING, State.ACKNOWLEDGED))
        return not left and not now.filling and now.checkpoint == head

    async def watch() -> None:
        while not await thread.run(quiet):
            await changed.wait()
            changed.clear()

    run, watching = tasks.spawn("engine", engine.run()), tasks.spawn("watch", watch())
    try:
        async with asyncio.timeout(240):
            await watching
    finally:
        stop()
        for task in (run, watching):
            task.cancel()
        await asyncio.gather(run, watching, return_exceptions=True)
        await tasks.close()
        thread.close()
        await client.close()
    assert failures == []


async def test_a_week_of_work_goes_out_once_and_in_order(world: World, store: Store, clock: HandClock) -> None:
    database = world.core.database
    ids = arrive(database, clock)
    await drain(store, world)
    lease = (await world.client("aino").session()).lease.id
    save_all(store, clock, ids, lease)
    colleague = world.client("bertta")
    own = (await colleague.session()).lease.id
    for id_ in ids[:FASTER]:
        answer = await colleague.command(A.business_id, id_, "take", f"b-{id_}", 1, b"{}", own, 1)
        assert answer.result is not None
    await drain(store, world)

    with store.read() as db:
        states = {row[0]: row[1] for row in db.execute("SELECT id, state FROM main.command")}
        conflicts = {row[0] for row in db.execute("SELECT command FROM main.conflict WHERE ended IS NULL")}
        shown = dict(
            db.execute(
                "SELECT n.id, n.version FROM replica.notice AS n JOIN replica.scope AS s ON s.generation = n.generation"
            )
        )
    assert len(states) == NOTICES * len(CHAIN)
    faster = set(ids[:FASTER])
    for id_ in ids:
        found = tuple(states[f"{verb}-{id_}"] for verb in CHAIN)
        if id_ in faster:
            # Opening commutes; what was decided on a notice nobody had taken is refused, and the rest waits behind it.
            assert found == ("settled", "refused", "blocked", "blocked"), id_
        else:
            assert found == ("settled",) * 4, id_
    assert conflicts == {f"take-{id_}" for id_ in faster}

    with database.read() as connection:
        memo = Counter(connection.execute(select(tables.memo.c.key).where(tables.memo.c.user == "aino")).scalars())
        notes = Counter(connection.execute(select(tables.note.c.text)).scalars())
        held = dict(
            connection.execute(
                select(tables.notice.c.id, tables.notice.c.version).where(
                    tables.notice.c.organisation == A.business_id, tables.notice.c.published
                )
            ).all()
        )
        audit = Counter(
            connection.execute(
                select(tables.audit.c.subject).where(tables.audit.c.user == "aino", tables.audit.c.outcome == "done")
            ).scalars()
        )
    sent = {key for key, state in states.items() if state != "blocked"}
    assert set(memo) == sent
    assert set(notes.values()) == {1}
    assert set(notes) == {f"Soitettu {id_}" for id_ in ids if id_ not in faster}
    assert shown == held
    assert all(audit[id_] == (1 if id_ in faster else len(CHAIN)) for id_ in ids)
