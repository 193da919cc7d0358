"""The answer on its way: each section once its source has answered, and nothing more once a right has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from kelmu_backend.customers.sources import TIMEOUT, State
from kelmu_backend.database import tables
from kelmu_backend.database.customer_tables import look_up
from kelmu_backend.identity import families
from kelmu_tui.api.contract import PersonLine, QueryEnd, SectionState
from kelmu_tui.domain.sections import Section
from tests.backend.conftest import LOOK_UP, A, grant

from .support import Register, Stream, code, lines

CODE = code()
MARK = "pending-mark"


@pytest.fixture
def known(register: Register) -> Register:
    """A register with one person, who has a row in a section."""
    register.add("p1", CODE)
    row: dict[str, Any] = {
        "id": MARK,
        "benefit": "sickness_allowance",
        "kind": "appeal",
        "received": "2026-10-01",
        "stage": "received",
        "missing": [],
        "office": None,
    }
    register.rows("p1", Section.PENDING, row)
    return register


async def _held(register: Register, *more: tuple[str, int]) -> tuple[Stream, asyncio.Task[None]]:
    """Start a query of which some sections wait, and return once everything else has been sent."""
    slow = (("matters", 3000), *more)
    for source, delay_ms in slow:
        register.source(source, State.SLOW, delay_ms)
    stream = register.stream(CODE)
    task = asyncio.ensure_future(stream.run())
    await stream.until(1 + len(Section) - len(slow))
    return stream, task


async def test_the_first_sections_come_before_the_slowest_source_answers(known: Register) -> None:
    stream, task = await _held(known)
    before = stream.lines
    assert stream.status == 200
    assert isinstance(before[0], PersonLine)
    assert {line.section for line in before[1:]} == set(Section) - {Section.PENDING}
    assert known.gate.asked == [3.0]
    assert not task.done()
    assert MARK.encode() not in stream.sent
    known.gate.opened.set()
    await task
    assert [row.id for row in stream.lines[-2].pending] == [MARK]
    assert isinstance(stream.lines[-1], QueryEnd)


async def test_who_waits_for_a_source_holds_no_connection(known: Register) -> None:
    """More look-ups wait than there are connections, and another one is answered all the same."""
    known.source("matters", State.SLOW, 1000)
    waiting = [known.stream(CODE) for _ in range(20)]
    tasks = [asyncio.ensure_future(stream.run()) for stream in waiting]
    for stream in waiting:
        await stream.until(len(Section))
    known.source("matters", State.UP)
    _, sections = lines(await known.ask(CODE))
    assert sections[Section.PENDING].state is SectionState.SHOWN
    known.gate.opened.set()
    await asyncio.gather(*tasks)
    assert all(isinstance(stream.lines[-1], QueryEnd) for stream in waiting)


async def test_a_source_that_is_down_says_so_and_the_others_answer(known: Register) -> None:
    known.source("matters", State.DOWN)
    answer = await known.ask(CODE)
    _, sections = lines(answer)
    assert sections[Section.PENDING].state is SectionState.DOWN
    assert MARK not in answer.text
    assert {line.state for section, line in sections.items() if section is not Section.PENDING} == {SectionState.NONE}
    for facts in ("decisions", "payments", "claims", "insurance", "recovery", "medicine", "passed_on"):
        known.source(facts, State.DOWN)
    _, sections = lines(await known.ask(CODE))
    assert {line.state for line in sections.values()} == {SectionState.DOWN}


async def test_a_source_that_is_too_slow_counts_as_down(known: Register) -> None:
    known.gate.opened.set()
    known.source("matters", State.SLOW, int(TIMEOUT * 1000) + 1)
    _, sections = lines(await known.ask(CODE))
    assert (sections[Section.PENDING].state, known.gate.asked) == (SectionState.DOWN, [TIMEOUT])
    known.source("matters", State.SLOW, int(TIMEOUT * 1000))
    _, sections = lines(await known.ask(CODE))
    assert sections[Section.PENDING].state is SectionState.SHOWN


def _mandate_ends(register: Register) -> None:
    register.grant("viewer")


def _mandate_ends_by_its_day(register: Register) -> None:
    register.grant("viewer", grant(LOOK_UP, A, valid_to=register.world.clock.now().date()))
    register.world.clock.pass_by(minutes=6)


def _session_ends(register: Register) -> None:
    with register.world.database.write() as connection:
        families.end_all(connection, "viewer", register.world.clock.now())


def _order_is_given(register: Register) -> None:
    register.change("p1", non_disclosure=True)


@pytest.mark.parametrize("end", [_mandate_ends, _mandate_ends_by_its_day, _session_ends, _order_is_given])
@pytest.mark.parametrize("state", [State.SLOW, State.DOWN])
async def test_what_ends_in_the_middle_ends_the_answer(
    known: Register, end: Callable[[Register], None], state: State
) -> None:
    known.world.pass_by(hours=13, minutes=55)  # five minutes before midnight in Finland
    stream, task = await _held(known, ("payments", int(TIMEOUT * 1000) + 1 if state is State.DOWN else 5))
    left = {Section.PENDING, Section.PAYMENTS}
    end(known)
    before = stream.sent
    known.gate.opened.set()
    await task
    assert stream.sent == before, "not even that a source is down"
    assert {line.section for line in stream.lines[1:]} == set(Section) - left
    assert [row["outcome"] for row in known.world.all(look_up)] == ["done"]


async def test_who_goes_away_leaves_nothing_running(known: Register) -> None:
    stream, task = await _held(known)
    stream.leave()
    await task
    names = {running.get_name() for running in asyncio.all_tasks()}
    assert not names & {section.value for section in Section}
    assert not any(isinstance(line, QueryEnd) for line in stream.lines)


async def test_hidden_sections_wait_for_no_source(known: Register) -> None:
    """An agreement on two sections: the others are told at once, while both sources are slow."""
    with known.world.database.write() as connection:
        connection.execute(update(tables.agreement).values(content=["pending", "payments"]))
    for source in ("matters", "payments"):
        known.source(source, State.SLOW, 100)
    stream = known.stream(CODE)
    task = asyncio.ensure_future(stream.run())
    told: Any = await stream.until(len(Section) - 1)
    assert {line.state for line in told[1:]} == {SectionState.HIDDEN}
    known.gate.opened.set()
    await task
    assert len(stream.lines) == len(Section) + 2
