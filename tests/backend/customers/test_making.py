"""Rows that are made when somebody first asks: once, and never half."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Row, text

from kelmu_backend.config import Maker
from kelmu_backend.customers import making
from kelmu_backend.database.customer_tables import customer_row, look_up, person
from kelmu_tui.api.contract import SectionState
from kelmu_tui.domain.sections import Section

from .support import Register, code, lines

CODE = code()


def _made(identifier: str) -> dict[str, Any]:
    body = {
        "id": f"made-{identifier}",
        "year": 2026,
        "accrued": "10.00",
        "cap": "636.12",
        "deductible": None,
        "deductible_used": None,
        "reached_on": None,
    }
    return {
        "person": identifier,
        "section": "medicine",
        "id": body["id"],
        "benefit": None,
        "day": date(2026, 1, 1),
        "body": body,
    }


class Making:
    """A maker that remembers for whom it worked."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, list[str], date]] = []
        self.fails = False

    def __call__(self, row: Row[Any], household: Sequence[Row[Any]], today: date) -> list[dict[str, Any]]:
        """Make one row."""
        self.calls.append((row.id, [other.id for other in household], today))
        if self.fails:
            raise RuntimeError("the maker failed")
        return [_made(row.id)]


@pytest.fixture
def maker() -> Maker:
    """A maker for the backend of these tests."""
    return Making()


def _making(register: Register) -> Making:
    found = register.world.config.maker
    assert isinstance(found, Making)
    return found


async def test_the_first_look_makes_the_rows_and_the_second_finds_them(register: Register) -> None:
    register.add("p1", CODE, household="h")
    register.add("p2", code(901), household="h", non_disclosure=True)
    for _ in range(2):
        _, sections = lines(await register.ask(CODE))
        assert [row.id for row in sections[Section.MEDICINE].medicine] == ["made-p1"]
        register.world.pass_by(hours=20)
    assert _making(register).calls == [("p1", ["p2"], date(2026, 11, 23))]
    [row] = register.world.all(customer_row)
    filled = {row["id"]: row["filled"] for row in register.world.all(person)}
    assert filled["p2"] is None
    assert filled["p1"] == row["changed"]


async def test_nothing_is_made_for_who_is_refused_or_asks_for_no_section(register: Register) -> None:
    register.add("p1", CODE)
    await register.ask(CODE, purpose="other")
    lines(await register.ask(CODE, sections=[]))
    assert _making(register).calls == []


async def test_two_who_look_first_at_the_same_time_make_the_rows_once(register: Register) -> None:
    register.add("p1", CODE)
    for user in ("viewer", "colleague"):
        register.world.headers(user)
    answers = await asyncio.gather(*(register.ask(CODE, user) for user in ("viewer", "colleague") * 3))
    for answer in answers:
        _, sections = lines(answer)
        assert [row.id for row in sections[Section.MEDICINE].medicine] == ["made-p1"]
    assert len(_making(register).calls) == 1
    assert len(register.world.all(look_up)) == 6


async def test_whoever_comes_while_rows_are_made_waits_for_them(register: Register) -> None:
    """One is in the middle of making when another begins: the second waits for the lock, then finds the rows."""
    register.add("p1", CODE)
    database, now = register.world.database, register.world.clock.now()
    inside, go = threading.Event(), threading.Event()
    made: list[bool] = []

    def slowly(row: Row[Any], _household: Sequence[Row[Any]], _today: date) -> list[dict[str, Any]]:
        inside.set()
        assert go.wait(60)
        return [_made(row.id)]

    def work(one: Maker) -> None:
        with database.write() as connection:
            made.append(making.fill(connection, one, "p1", now))

    second = Making()
    threads = [threading.Thread(target=work, args=(one,)) for one in (slowly, second)]
    threads[0].start()
    assert await asyncio.to_thread(inside.wait, 60)
    threads[1].start()
    while not database.is_sqlite:
        with database.read() as connection:
            waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            if connection.execute(waiting).scalar_one():
                break
    go.set()
    for thread in threads:
        await asyncio.to_thread(thread.join, 60)
    assert (made, second.calls) == ([True, False], [])
    assert len(register.world.all(customer_row)) == 1


async def test_a_maker_that_fails_leaves_nothing_and_the_answer_has_no_end(register: Register) -> None:
    register.add("p1", CODE)
    _making(register).fails = True
    register.world.headers("viewer")
    stream = register.stream(CODE)
    [failure] = await asyncio.gather(stream.run(), return_exceptions=True)
    assert failure is not None, "the connection is broken off"
    assert [line.line for line in stream.lines] == ["person"]
    assert register.world.all(customer_row) == []
    _making(register).fails = False
    _, sections = lines(await register.ask(CODE))
    assert sections[Section.MEDICINE].state is SectionState.SHOWN
