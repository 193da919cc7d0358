"""Wake-ups between processes: hints by NOTIFY on PostgreSQL, and the fallback that needs none."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from kelmu_backend import feed
from kelmu_backend.core import Core
from kelmu_backend.feed import Change, Entry
from kelmu_backend.hub import Hub
from kelmu_backend.policy import ANNOUNCEMENTS
from kelmu_backend.wakeups import Wakeups
from kelmu_tui.platform.tasks import Tasks

from .conftest import World

HERE = frozenset({"notices:a"})


def _commit(core: Core) -> Change:
    with core.database.write() as connection:
        change = feed.record(connection, [Entry(ANNOUNCEMENTS, "a1", 1)])
    core.hub.committed(change)
    return change


@pytest.mark.parametrize("hints", [True, False])
async def test_another_process_is_woken(world: World, hints: bool) -> None:
    """With hints where there are any; without them, and on SQLite, by the look at the head alone."""
    failures: list[str] = []
    tasks = Tasks(lambda name, _failure: failures.append(name))
    other = Core(replace(world.config, hints=hints))
    other.hub.start()
    listening, sending = Wakeups(other), Wakeups(Core(replace(world.config, hints=hints)))
    here = sending._core
    here.hub.start()
    try:
        await listening.look()
        loops = [*listening.hints(), *sending.hints()]
        assert bool(loops) == (hints and not world.database.is_sqlite)
        for name, work in loops:
            tasks.spawn(name, work)
        while not other.hub.round:
            # A hint from before the other one listens is lost, as hints may be: the next one comes.
            await here.run(_commit, here)
            if not loops:
                assert await listening.look()
            await asyncio.wait([asyncio.ensure_future(other.hub.wait(0, frozenset({"x"}), 0.1))])
        assert failures == []
    finally:
        await tasks.close()
        other.close()
        here.close()


async def test_only_those_are_woken_whom_it_concerns() -> None:
    hub = Hub()
    hub.start()
    mine = asyncio.ensure_future(hub.wait(0, HERE, 30))
    others = asyncio.ensure_future(hub.wait(0, frozenset({"notices:b"}), 30))
    await asyncio.sleep(0)
    hub.committed(Change(1, HERE))
    assert await mine
    assert not others.done()
    hub.close()
    assert await others


async def test_a_commit_between_reading_and_waiting_is_not_missed() -> None:
    hub = Hub()
    hub.start()
    seen = hub.round
    first = asyncio.ensure_future(hub.wait(seen, HERE, 30))
    await asyncio.sleep(0)
    hub.committed(Change(1, HERE))
    await first
    assert await hub.wait(seen, HERE, 30)
    assert not await hub.wait(hub.round, HERE, 0)


async def test_a_closed_hub_holds_nobody() -> None:
    hub = Hub()
    hub.start()
    hub.close()
    assert not await hub.wait(0, HERE, 30)


async def test_the_head_tells_own_commits_from_those_of_others() -> None:
    hub = Hub()
    hub.start()
    assert not hub.head(5)
    hub._note(Change(6, HERE))
    hub._note(Change(7, HERE))
    assert not hub.head(6)
    assert not hub.head(7)
    assert hub.head(8)
    assert hub.head(3), "a restored record"
    assert hub.head(3000), "far ahead"
