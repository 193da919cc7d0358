"""Client and backend together, in one process: what one writes the other reads, headers and streams included."""

from __future__ import annotations

from pathlib import Path

import pytest

from kelmu_tui.api.answers import SnapshotRows
from kelmu_tui.api.contract import SnapshotEnd, SnapshotStart
from kelmu_tui.api.errors import ProblemAnswer, SignInNeeded
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.platform.tasks import Tasks
from kelmu_tui.store import outbox
from kelmu_tui.store.database import Store
from kelmu_tui.store.outbox import Draft, State
from kelmu_tui.store.thread import StoreThread
from kelmu_tui.sync.engine import Engine
from kelmu_tui.sync.once import ship_once
from tests.api.world import World
from tests.sync.simulation.player import Keys
from tests.sync.simulation.record import A, B, HandClock
from tests.sync.viewing import barred, look


async def test_the_session_tells_who_and_for_whom(world: World) -> None:
    client = world.client("aino")
    session = await client.session()
    assert session.user.id == "aino"
    assert [organisation.business_id for organisation in session.organisations] == [A.business_id]
    await client.close()


async def test_a_snapshot_streams_the_rows_of_a_scope(world: World) -> None:
    client = world.client("aino")
    parts = [part async for part in client.snapshot(A.business_id, f"notices:{A.business_id}")]
    start, rows, end = parts
    assert isinstance(start, SnapshotStart)
    assert isinstance(rows, SnapshotRows)
    assert isinstance(end, SnapshotEnd)
    assert [row["id"] for row in rows.rows] == ["n0001", "n0002", "n0003"]
    behind = [part async for part in client.snapshot(A.business_id, f"notices:{A.business_id}", "n0002")]
    assert [row["id"] for part in behind if isinstance(part, SnapshotRows) for row in part.rows] == ["n0003"]
    await client.close()


async def test_what_is_not_allowed_is_a_problem_with_its_code(world: World) -> None:
    client = world.client("aino")
    with pytest.raises(ProblemAnswer) as caught:
        await client.changes(B.business_id, None)
    assert (caught.value.status, caught.value.code) == (403, "organisation_not_allowed")
    with pytest.raises(SignInNeeded):
        await world.with_token("nonsense").session()
    await client.close()


async def test_the_engine_reads_sends_and_settles_over_http(world: World, tmp_path: Path) -> None:
    clock = HandClock()
    client = world.client("aino")
    store = Store.open(tmp_path / "aino", Keys(), clock, SeededIds(1))
    store.attach(A.business_id)
    thread = StoreThread(store)
    failures: list[str] = []
    tasks = Tasks(lambda name, failure: failures.append(name))
    engine = Engine(thread, client, clock, SeededIds(2), tasks)
    await engine.once()
    lease = (await client.session()).lease.id
    commands = [
        ("k1", "n0001", "transfer", {"municipality": "049", "reason": "Muuttanut Espooseen"}),
        ("k2", "n0002", "note", {"text": "Soitettu äidille 😀"}),
        ("k3", "n0002", "take", {}),
        ("k4", "n0003", "release", {}),
    ]
    with store.write() as db:
        for key, notice, verb, payload in commands:
            draft = Draft("aino", A.business_id, notice, verb, payload, {}, 1, lease)
            outbox.append(db, draft, id=key, now=clock.now())
    await engine.once()
    with store.read() as db:
        states = dict(db.execute("SELECT id, state FROM main.command"))
        shown = dict(db.execute("SELECT id, version FROM replica.notice"))
        traces = [row[0] for row in db.execute("SELECT id FROM replica.trace")]
        rule = db.execute("SELECT rule FROM main.conflict WHERE command = 'k4'").fetchone()
    assert states == {"k1": State.SETTLED, "k2": State.SETTLED, "k3": State.SETTLED, "k4": State.REFUSED}
    assert (shown, traces, rule) == ({"n0002": 3, "n0003": 1}, ["n0001"], ("not_taken",))
    receiver = world.client("bo")
    received = await receiver.notice(B.business_id, "n0001")
    assert received.origin is not None
    assert (received.transferred_from, received.origin.reason) == (A.business_id, "Muuttanut Espooseen")
    await receiver.close()
    await client.close()
    thread.close()
    store.close()
    assert failures == []


async def test_views_are_told_over_http_also_after_the_session(world: World, tmp_path: Path) -> None:
    clock = HandClock()
    client = world.client("aino")
    store = Store.open(tmp_path / "aino", Keys(), clock, SeededIds(1))
    look(store, *(f"n{number:04d}" for number in range(320)))
    thread = StoreThread(store)
    assert await ship_once(thread, client)
    await client.close()
    signed_out = world.with_token("nonsense")
    look(store, "n0320")
    assert await ship_once(thread, signed_out)
    with store.read() as db:
        assert db.execute("SELECT count(*) FROM view_event WHERE received_at IS NULL").fetchone() == (0,)
    with store.write() as db:
        db.execute(
            "UPDATE view_event SET received_at = NULL, body = replace(body, 'n0320', 'n0007') WHERE number = 321"
        )
    assert await ship_once(thread, signed_out), "nothing more goes out"
    assert barred(store) == "view_chain_forged"
    thread.close()
    store.close()
    told = world.told()
    assert told == [f"n{number:04d}" for number in range(321)]
    await signed_out.close()
