"""Lists while everything happens at once: made, asked for, streamed, withdrawn and published anew, with no mishap."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from kelmu_backend import population
from kelmu_backend.background import Background
from kelmu_backend.cli import DATABASE_VARIABLE, main
from kelmu_backend.config import Config
from kelmu_backend.database import engine
from kelmu_backend.database.engine import Database
from kelmu_backend.database.list_tables import publication
from kelmu_backend.limits import Limits
from kelmu_backend.lists import making
from kelmu_backend.population.issued import Lister
from kelmu_backend.routes import lists as routes
from kelmu_tui.domain.lists import lists
from kelmu_tui.domain.organisations import Organisation, municipal_authority, social_care_organiser
from kelmu_tui.platform.clock import SystemClock
from kelmu_tui.platform.ids import SeededIds
from tests.backend.conftest import URL, HandClock, World, serve

from .support import path

NOKIA = municipal_authority("536")
PIRKANMAA = social_care_organiser("837")
SHARES = lists()["list_lms_invoice_persons_2025"]
CHECKER, WORKER = "persona-invoice-checker", "persona-county-worker"
ASKED = (CHECKER, NOKIA)
ASKING = [(CHECKER, NOKIA), (WORKER, PIRKANMAA), (CHECKER, NOKIA), (WORKER, PIRKANMAA)]
PATIENCE = 60


class PassingClock(HandClock):
    """Time as it passes, by which a command of another process publishes anew."""

    def now(self) -> datetime:
        """Return the present instant."""
        return SystemClock().now()


@pytest.fixture
async def demo(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """Give a backend with a small population, in which nobody waits long for a lock."""
    monkeypatch.setattr(engine, "LOCK_TIMEOUT", 100)
    monkeypatch.setattr(engine, "TRIES", 600)
    clock = PassingClock()
    config = Config(
        database_url,
        URL,
        demo=True,
        secret_folder=tmp_path / "secrets",
        clock=clock,
        ids=SeededIds(7),
        background=False,
        lister=Lister(faults=False),
    )
    async with serve(config, clock) as world:
        population.fill(world.database, population.generate(3, clock.now(), people=40, notices=10))
        for user in (CHECKER, WORKER):
            world.token(user)
        yield world


async def _ask(world: World, asking: Sequence[tuple[str, Organisation]] = ASKING) -> list[httpx.Response]:
    return list(await asyncio.gather(*(world.get("/v1/lists", user, own) for user, own in asking)))


def _publications(world: World) -> set[tuple[str, str, str]]:
    return {(row["organisation"], row["list_id"], row["period"]) for row in world.all(publication)}


async def test_everybody_asks_first(demo: World) -> None:
    answers, made = await asyncio.gather(_ask(demo), Background(demo.core).make_lists())
    assert [answer.status_code for answer in answers] == [200] * len(ASKING)
    assert answers[0].json()["lists"] == answers[2].json()["lists"]
    assert answers[1].json()["lists"] == answers[3].json()["lists"]
    assert len(_publications(demo)) == len(demo.all(publication)) > made > 0


async def test_who_makes_lists_in_another_process_is_waited_for(demo: World, database_url: str) -> None:
    other, held, let_go = Database(database_url), threading.Event(), threading.Event()

    def hold() -> None:
        with other.write() as connection:
            assert making.locked(connection, NOKIA.business_id) is not None
            making.make(connection, Lister(faults=False), NOKIA.business_id, SHARES, demo.clock.now())
            held.set()
            assert let_go.wait(PATIENCE)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert await asyncio.to_thread(held.wait, PATIENCE)
        asking = asyncio.create_task(_ask(demo, ASKING[:1]))
        # Longer than anybody waits for a lock once.
        done, _ = await asyncio.wait([asking], timeout=1)
        assert not done
        let_go.set()
        (answer,) = await asking
    finally:
        let_go.set()
        await asyncio.to_thread(holder.join)
        other.dispose()
    assert answer.status_code == 200
    assert len([one for one in _publications(demo) if one[1] == SHARES.id]) == 13


async def test_rows_leave_whole_or_say_why_not_while_lists_are_withdrawn_and_published_anew(
    demo: World, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DATABASE_VARIABLE, database_url)
    monkeypatch.setattr(routes, "PAGE", 20)
    await _ask(demo, ASKING[:1])
    newest, before = sorted(row["period"] for row in demo.all(publication) if row["list_id"] == SHARES.id)[:-3:-1]
    over = False

    def run(*arguments: str) -> int:
        return main(["lists", arguments[0], NOKIA.business_id, SHARES.id, *arguments[1:]])

    async def change() -> list[int]:
        nonlocal over
        done = [await asyncio.to_thread(run, "republish", newest) for _ in range(4)]
        done += await asyncio.gather(*(asyncio.to_thread(run, "republish", newest) for _ in range(3)))
        done += await asyncio.gather(
            asyncio.to_thread(run, "withdraw", newest), asyncio.to_thread(run, "republish", before)
        )
        over = True
        return done

    async def read() -> list[tuple[int, str]]:
        found = []
        while not over:
            for answer in await asyncio.gather(_rows(demo, newest), _rows(demo, before), demo.get("/v1/lists", *ASKED)):
                assert answer.status_code in (200, 409, 410), answer.text
                found.append((answer.status_code, answer.text.splitlines()[-1]))
            # A reader is slowed down by its own limits, which are not what is looked at.
            demo.core.limits = Limits(demo.clock)  # type: ignore[misc]
        return found

    done, found, others = await asyncio.gather(change(), read(), _ask(demo, ASKING[1:3]))
    assert done == [0] * 9
    assert [answer.status_code for answer in others] == [200, 200]
    assert {status for status, _ in found} >= {200}
    assert (await _rows(demo, newest)).status_code == 410
    whole = [json.loads(line) for line in (await _rows(demo, before)).text.splitlines()]
    assert whole[0]["version"] == 2
    assert whole[0]["rows"] == len(whole) - 2 == len({line["row"]["id"] for line in whole[1:-1]})
    assert whole[-1] == {"line": "end", "next": None}


async def _rows(world: World, period: str) -> httpx.Response:
    return await world.get(path(SHARES, period), *ASKED)
