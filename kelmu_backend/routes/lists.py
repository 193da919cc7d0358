"""`GET /v1/lists`, the rows of a list, and `GET /v1/invoices`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from sqlalchemy import Connection
from starlette.responses import Response, StreamingResponse

from kelmu_backend import rows
from kelmu_backend.limits import RateClass
from kelmu_backend.lists import making, offers, reading
from kelmu_backend.lists.reading import PAGE, Opened, Page, Wanted
from kelmu_backend.openapi import Documentation
from kelmu_backend.problems import ProblemError, not_found
from kelmu_backend.routes.call import Call, Caller, Visit, json_response
from kelmu_backend.routes.declare import ANY_GRANT, NOT_AUDITED, Declaration, Key, Match, Scope, route
from kelmu_backend.rows import JsonRow
from kelmu_tui.api.contract import Invoices, ListEnd, ListOffers, ListRowLine, ListStart, ListStop, ProblemCode
from kelmu_tui.domain.capabilities import Denied
from kelmu_tui.domain.lists import KelaList, access_to, lists

MEDIA_TYPE: Final = "application/x-ndjson"
MAX_LIMIT: Final = 1_000_000

ListId = Annotated[str, Path(alias="list", max_length=60, pattern=r"^[a-z0-9_]+$", description="Id of the list")]
PeriodPath = Annotated[
    str, Path(pattern=r"^[0-9]{4}(-(0[1-9]|1[0-2]|Q[1-4]|H[12]))?$", description="Key of the period")
]
VersionQuery = Annotated[int | None, Query(ge=1, le=10**9, description="Version of the rows that are there already")]
After = Annotated[
    str, Query(max_length=40, pattern=r"^[A-Za-z0-9._:-]*$", description="Id of the last row that is there")
]
Limit = Annotated[int | None, Query(ge=1, le=MAX_LIMIT, description="Rows at the most")]

Told = Callable[[Connection, Visit], JsonRow]


async def get_lists(call: Caller) -> Response:
    """Answer every list of the catalogue: open with what has come of it, or closed and why."""
    now = call.core.config.clock.now()
    return await _told(call, lambda connection, visit: offers.offers(connection, visit.granted, now))


async def get_invoices(call: Caller) -> Response:
    """Answer the invoices whose lists are open, the newest first."""
    now = call.core.config.clock.now()
    return await _told(call, lambda connection, visit: offers.sent(connection, visit.granted, now))


async def _told(call: Call, told: Told) -> Response:
    """Answer what `told` reads, once all that has come is there."""

    def work(connection: Connection, visit: Visit) -> tuple[JsonRow, list[KelaList]]:
        due = [one for one in offers.open_lists(visit.granted) if _is_due(call, connection, visit, one)]
        return told(connection, visit), due

    body, due = await call.read(work)
    if due:
        # Who comes second waits here and not on a thread, which others need meanwhile.
        async with call.core.making[str(call.organisation)]:
            for one in due:
                await call.core.run(_make, call, one)
        body, _ = await call.read(work)
    return json_response(body)


def _is_due(call: Call, connection: Connection, visit: Visit, one: KelaList) -> bool:
    config = call.core.config
    if config.lister is None:
        return False
    return bool(making.missing(connection, visit.granted.organisation, one, config.clock.now()))


def _make(call: Call, one: KelaList) -> None:
    config, organisation = call.core.config, call.organisation
    assert config.lister is not None
    assert organisation is not None
    lister = config.lister
    call.core.database.insist(lambda found: making.make(found, lister, organisation, one, config.clock.now()))


async def get_rows(
    call: Caller,
    list_id: ListId,
    period: PeriodPath,
    version: VersionQuery = None,
    after: After = "",
    limit: Limit = None,
) -> Response:
    """Stream the rows of a list, ordered by id; a broken stream goes on with `version` and `after`."""
    clock = call.core.config.clock

    def work(connection: Connection, visit: Visit) -> tuple[Wanted, Opened]:
        one = _demand(visit, list_id)
        wanted = Wanted(visit.granted.organisation.business_id, one, period, version, after, limit)
        opened = reading.open_(connection, wanted, clock.now())
        # Written before anything is told, so that nothing leaves that the log does not know of.
        subject = f"{one.id}/{period}/{opened.version}"
        call.audit(connection, visit, subject=subject, count=opened.behind, capability=one.id)
        return wanted, opened

    wanted, opened = await call.record(work)
    return StreamingResponse(_stream(call, wanted, opened), media_type=MEDIA_TYPE)


def _demand(visit: Visit, list_id: str) -> KelaList:
    """Return a list that is open to the asker.

    Raises:
        ProblemError: there is no such list, or it is closed.
    """
    one = lists().get(list_id)
    if one is None:
        raise not_found()
    if isinstance(access_to(one, visit.granted.capabilities), Denied):
        raise ProblemError(ProblemCode.MANDATE_MISSING)
    return one


async def _stream(call: Call, wanted: Wanted, opened: Opened) -> AsyncIterator[bytes]:
    """Give the lines; each page is read by itself, and the mandate and the publication looked at again with it."""
    yield _line(opened.head)
    after, left = wanted.after, opened.behind
    while True:
        try:
            page = await _page(call, wanted, opened, after, min(left, PAGE))
        except ProblemError as problem:
            yield _line({"line": "stop", "code": problem.code.value})
            return
        left -= page.count
        yield page.lines
        if page.last is None or not left:
            yield _line({"line": "end", "next": page.last})
            return
        after = page.last


async def _page(call: Call, wanted: Wanted, opened: Opened, after: str, limit: int) -> Page:
    def work(connection: Connection, visit: Visit) -> Page:
        _demand(visit, wanted.one.id)
        return reading.page(connection, opened, wanted, after, limit, call.core.config.clock.now())

    return await call.look_again(work)


def _line(value: JsonRow) -> bytes:
    return rows.encode(value) + b"\n"


def add(router: APIRouter) -> None:
    """Add the routes of this module."""
    for path, endpoint, documentation in (
        ("/v1/lists", get_lists, Documentation("The lists of recipients, and what has come of them", (ListOffers,))),
        ("/v1/invoices", get_invoices, Documentation("Kela's invoices", (Invoices,))),
    ):
        declaration = Declaration(
            scope=Scope.ORGANISATION,
            # What is closed is told with its reason.
            capability=ANY_GRANT,
            key=Key.NONE,
            match=Match.NONE,
            rate=RateClass.READ,
            audit=NOT_AUDITED,
        )
        route(router, "GET", path, endpoint, declaration, documentation)
    route(
        router,
        "GET",
        "/v1/lists/{list}/{period}/rows",
        get_rows,
        Declaration(
            scope=Scope.ORGANISATION,
            # Which one is asked for stands in the path: `_demand`.
            capability=ANY_GRANT,
            key=Key.NONE,
            match=Match.NONE,
            rate=RateClass.READ,
            audit="list.fetch",
        ),
        Documentation(
            "The rows of a list, one JSON document a line",
            (ListStart, ListRowLine, ListStop, ListEnd),
            stream=True,
            statuses=(409, 410),
        ),
    )
