"""Tasks are named, kept, counted, and their failures reach their owner."""

from __future__ import annotations

import asyncio

from kelmu_tui.platform.tasks import Tasks


async def test_a_failure_reaches_the_owner_under_its_name() -> None:
    told: list[tuple[str, BaseException]] = []
    heard = asyncio.Event()

    def failed(name: str, failure: BaseException) -> None:
        told.append((name, failure))
        heard.set()

    async def fail() -> None:
        raise LookupError

    tasks = Tasks(failed)
    tasks.spawn("pull", fail())
    await heard.wait()
    assert [(name, type(failure)) for name, failure in told] == [("pull", LookupError)]
    assert list(tasks.names) == []


async def test_closing_ends_what_runs_and_tells_of_nothing() -> None:
    told: list[str] = []
    tasks = Tasks(lambda name, _failure: told.append(name))
    tasks.spawn("poll", asyncio.Event().wait())
    tasks.spawn("push", asyncio.Event().wait())
    assert list(tasks.names) == ["poll", "push"]
    await tasks.close()
    assert list(tasks.names) == []
    assert told == []
