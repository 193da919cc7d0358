"""Idle polls: answered without reading, and never a moment longer than that is true."""

from __future__ import annotations

import asyncio
import socket

import pytest
from sqlalchemy import update

from kelmu_backend import policy, pull, serve
from kelmu_backend.database import tables
from kelmu_backend.database.engine import Database
from kelmu_backend.identity.tables import token_family

from .conftest import LOOK_UP, A, World, grant, notice_row


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count how often the feed is read."""
    counted: list[int] = []
    real = pull.changes

    def changes(*arguments: object) -> object:
        counted.append(1)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(pull, "changes", changes)
    return counted


async def test_an_idle_poll_reads_once_and_its_answer_stays_fresh(world: World, looks: list[int]) -> None:
    start = await world.changes()
    first = await world.changes(start.cursor)
    looks.clear()
    world.clock.pass_by(seconds=30)
    again = await world.changes(start.cursor)
    assert looks == []
    assert again.server_time == world.clock.now()
    assert again.lease.until > first.lease.until
    assert again.model_copy(update={"server_time": first.server_time, "lease": first.lease}) == first


@pytest.mark.parametrize("other_process", [False, True])
async def test_every_commit_ends_it(world: World, looks: list[int], other_process: bool) -> None:
    start = await world.changes()
    await world.changes(start.cursor)
    database = Database(world.config.database_url) if other_process else world.database
    with database.write() as connection:
        policy.replace_grants(connection, "aino", [grant(LOOK_UP, A)])
    if other_process:
        database.dispose()
    assert len((await world.changes(start.cursor)).revoked) == 3
    with world.database.write() as connection:
        connection.execute(update(tables.agreement).values(valid_to=None))
    looks.clear()
    await world.changes(start.cursor)
    assert looks


async def test_an_ended_session_and_an_expired_token_are_refused_at_once(world: World) -> None:
    start = await world.changes()
    await world.changes(start.cursor)
    with world.database.write() as connection:
        connection.execute(update(token_family).values(ended=world.clock.now(), end_reason="sign_out"))
    assert (await world.get("/v1/changes", cursor=start.cursor)).status_code == 401
    world.pass_by(seconds=1)
    await world.changes(start.cursor)
    await world.changes(start.cursor)
    world.clock.pass_by(minutes=10)
    assert (await world.get("/v1/changes", cursor=start.cursor)).status_code == 401


async def test_a_new_day_is_looked_at_anew(world: World, looks: list[int]) -> None:
    world.clock.pass_by(hours=13, minutes=55)
    start = await world.changes()
    await world.changes(start.cursor)
    looks.clear()
    world.clock.pass_by(minutes=6)
    await world.changes(start.cursor)
    assert looks


async def test_users_and_organisations_never_share_an_answer(world: World) -> None:
    start = await world.changes()
    assert (await world.changes(start.cursor)).kind == "delta"
    assert (await world.changes(start.cursor, "bertta")).kind == "reset"


async def test_a_still_poll_is_woken_as_well(world: World) -> None:
    world.add(notice_row(1))
    start = await world.changes()
    await world.changes(start.cursor)
    waiting = asyncio.ensure_future(world.changes(start.cursor, wait=20))
    await world.until_waiting()
    await world.command("n0001", "take", 1, "bertta")
    assert [change.id for change in (await waiting).changes] == ["n0001"]


def test_the_stamp_moves_with_commits_only(database_url: str) -> None:
    one, other = Database(database_url), Database(database_url)
    try:
        before = one.stamp()
        with one.read() as connection:
            connection.execute(tables.meta.select())
        assert one.stamp() == before
        stamps = [before]
        for number, database in enumerate((one, other, one)):
            with database.write() as connection:
                connection.execute(tables.meta.insert().values(key=str(number), value="x"))
            stamps.append(one.stamp())
        assert len(set(stamps)) == 4
    finally:
        one.dispose()
        other.dispose()


def test_answers_are_not_held_back() -> None:
    """asyncio switches Nagle's delay off only for sockets that name their protocol."""
    with serve.bind("127.0.0.1", 0) as bound:
        assert bound.proto == socket.IPPROTO_TCP
