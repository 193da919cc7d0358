"""`POST /v1/customer-queries` and `GET /v1/look-ups`: a customer's benefits, and who one looked up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from sqlalchemy import Connection
from starlette.responses import Response, StreamingResponse

from kelmu_backend import rows
from kelmu_backend.customers import journal, looking, making, reading
from kelmu_backend.customers.journal import Page
from kelmu_backend.customers.looking import Opened, Setting, Verdict
from kelmu_backend.database.customer_tables import LOOK_UP_ACTIONS
from kelmu_backend.limits import RateClass
from kelmu_backend.openapi import Documentation
from kelmu_backend.problems import ProblemError, malformed
from kelmu_backend.routes.call import Call, Caller, Visit, json_response
from kelmu_backend.routes.declare import ANY_GRANT, Declaration, Key, Match, Scope, route
from kelmu_backend.rows import JsonRow, instant
from kelmu_tui.api.contract import CustomerQuery, LookUps, PersonLine, QueryEnd, SectionLine
from kelmu_tui.domain.sections import CUSTOMER_LOOKUP, Section, section_facts
from kelmu_tui.platform.tasks import Tasks

MEDIA_TYPE: Final = "application/x-ndjson"

Cursor = Annotated[str | None, Query(max_length=200, description="`next` of the answer before")]


async def post_query(call: Caller, request: Request) -> Response:
    """Look a customer up: log it, then stream the person and each section once its source has answered."""
    body = await request.body()
    config = call.core.config

    def work(connection: Connection, visit: Visit) -> Verdict:
        setting = Setting(config.ids.new(), config.clock.now(), call.core.marks, config.demo, call.request_id)
        return looking.decide(connection, visit.granted, looking.read_query(body), setting)

    verdict = await call.judge(work)
    if verdict.opened is None:
        assert verdict.problem is not None
        raise verdict.problem
    return StreamingResponse(_stream(call, verdict.opened), media_type=MEDIA_TYPE)


async def _stream(call: Call, opened: Opened) -> AsyncIterator[bytes]:
    """Give the lines of an answer; one that is cut short has no last line."""
    yield _line(opened.line)
    for section, part in opened.parts.items():
        if part.sight.hidden is not None:
            yield _line(reading.hidden(section, part))
    sections = [section for section, part in opened.parts.items() if part.sight.hidden is None]
    try:
        async for line in _as_answered(call, opened, sections):
            yield line
    except ProblemError:
        # Mandate or session ended under way: nothing more is told, not even what was read before.
        return
    yield _line({"line": "end", "server_time": instant(call.core.config.clock.now())})


async def _as_answered(call: Call, opened: Opened, sections: Sequence[Section]) -> AsyncIterator[bytes]:
    """Give the lines of sections in the order in which their sources answer."""
    if not sections:
        return
    # What a section raises is raised here, where its line is awaited.
    tasks = Tasks(lambda _name, _failure: None)
    try:
        made = tasks.spawn("rows", _make(call, opened))
        left = {tasks.spawn(section.value, _section(call, opened, section, made)) for section in sections}
        while left:
            done, left = await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)
            for line in [task.result() for task in done]:
                yield line
    finally:
        await tasks.close()


async def _make(call: Call, opened: Opened) -> None:
    """Make the person's rows, if nobody has asked for them before."""
    core = call.core
    maker = core.config.maker
    if opened.filled or maker is None:
        return

    def work() -> None:
        with core.database.write() as connection:
            making.fill(connection, maker, opened.person, core.config.clock.now())

    await core.run(work)


async def _section(call: Call, opened: Opened, section: Section, made: asyncio.Task[None]) -> bytes:
    """Return the line of a section once its source has answered.

    Raises:
        ProblemError: what was open at the beginning is not open any more.
    """
    config = call.core.config
    source = opened.sources[section_facts()[section].source]
    if source.wait:
        await config.wait(source.wait)
    if source.answers:
        await made

    def work(connection: Connection, visit: Visit) -> bytes:
        non_disclosure = reading.is_under_non_disclosure(connection, opened.person)
        part = looking.part(visit.granted, section, non_disclosure=non_disclosure)
        if part != opened.parts[section]:
            raise looking.changed()
        if not source.answers:
            return _line(reading.down(section))
        return _line(reading.shown(connection, opened.person, section, part, config.clock.now()))

    return await call.look_again(work)


def _line(value: JsonRow) -> bytes:
    return rows.encode(value) + b"\n"


async def get_look_ups(call: Caller, cursor: Cursor = None) -> Response:
    """Answer the user's own look-ups for the organisation, the newest first."""

    def work(connection: Connection, visit: Visit) -> JsonRow:
        user, organisation = visit.principal.user, visit.granted.organisation.business_id
        page = journal.own(connection, user, organisation, before(call, visit, cursor))
        call.audit(connection, visit, count=len(page.look_ups))
        return paged(call, visit, page)

    return json_response(await call.record(work))


def before(call: Call, visit: Visit, cursor: str | None) -> int | None:
    """Return the number that a cursor stands for.

    Raises:
        ProblemError: it is not one that this user got here.
    """
    if cursor is None:
        return None
    payload = call.core.cursors.open(cursor, _context(call, visit))
    if payload is None:
        raise malformed("cursor: not from an answer")
    return int(payload)


def paged(call: Call, visit: Visit, page: Page) -> JsonRow:
    """Return a page of look-ups with the cursor that goes on behind it."""
    last = None if page.last is None else str(page.last).encode()
    cursor = None if last is None else call.core.cursors.sign(last, _context(call, visit))
    return {"look_ups": page.look_ups, "next": cursor}


def _context(call: Call, visit: Visit) -> str:
    return "\n".join((call.declaration.audit or "", visit.principal.user, call.organisation or ""))


def add(router: APIRouter) -> None:
    """Add the routes of this module."""
    route(
        router,
        "POST",
        "/v1/customer-queries",
        post_query,
        Declaration(
            scope=Scope.ORGANISATION,
            capability=CUSTOMER_LOOKUP,
            key=Key.NONE,
            match=Match.NONE,
            rate=RateClass.READ,
            audit=LOOK_UP_ACTIONS,
        ),
        Documentation(
            "A customer's benefits, section by section, one JSON document a line",
            (PersonLine, SectionLine, QueryEnd),
            CustomerQuery,
            stream=True,
        ),
    )
    route(
        router,
        "GET",
        "/v1/look-ups",
        get_look_ups,
        Declaration(
            scope=Scope.ORGANISATION,
            capability=ANY_GRANT,
            key=Key.NONE,
            match=Match.NONE,
            rate=RateClass.READ,
            audit="look_ups.own",
        ),
        Documentation("The user's own look-ups, the newest first", (LookUps,)),
    )
