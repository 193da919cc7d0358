"""`GET /v1/changes` and `GET /v1/snapshot`: how data come to the clients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import Connection
from starlette.responses import Response, StreamingResponse

from kelmu_backend import pull, rows
from kelmu_backend.limits import RateClass
from kelmu_backend.openapi import Documentation
from kelmu_backend.problems import ProblemError
from kelmu_backend.pull import Pulled, SnapshotPage
from kelmu_backend.routes.call import Call, Caller, Visit, json_response
from kelmu_backend.routes.declare import ANY_GRANT, Declaration, Key, Match, Scope, route
from kelmu_backend.stillness import Still
from kelmu_tui.api.contract import MAX_WAIT, Changes, SnapshotEnd, SnapshotRow, SnapshotStart
from kelmu_tui.domain.deadlines import local_date

JITTER = 0.3
"""Seconds over which the answers to many waiting polls are spread, so that they do not come back all at once."""

CROWD = 20
"""Polls that may wait before their answers are spread."""


def _pull(connection: Connection, visit: Visit, call: Call, cursor: str | None) -> tuple[Pulled, frozenset[str]]:
    core = call.core
    now = core.config.clock.now()
    lease = core.leases.issue(visit.principal.user, now)
    return pull.changes(connection, visit.granted, cursor, core.cursors, now, lease), visit.granted.scopes


def _pull_recorded(connection: Connection, visit: Visit, call: Call, cursor: str | None) -> Pulled:
    pulled, _ = _pull(connection, visit, call, cursor)
    if pulled.notices:
        call.audit(connection, visit, count=pulled.notices)
    return pulled


async def _look(call: Call, cursor: str | None) -> tuple[Pulled, frozenset[str]]:
    core = call.core
    name = call.name(cursor)
    stamp = await core.stamp()
    now = core.config.clock.now()
    day = local_date(now)
    still = core.stillness.find(name, stamp, day)
    if still is not None:
        lease = core.leases.issue(call.recognise(), now)
        return still.renewed(lease, rows.instant(now)), still.scopes
    pulled, scopes = await call.read(lambda connection, visit: _pull(connection, visit, call, cursor))
    if not pulled.news:
        core.stillness.keep(name, Still(stamp, day, pulled, scopes))
    return pulled, scopes


async def get_changes(
    call: Caller,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
    wait: Annotated[int, Query(ge=0, le=MAX_WAIT, description="Seconds to wait for news")] = 0,
) -> Response:
    """Answer what has changed since the cursor, at once or when something has."""
    hub = call.core.hub
    clock = call.core.config.clock
    until = clock.monotonic() + wait
    while True:
        seen = hub.round
        pulled, scopes = await _look(call, cursor)
        if pulled.news or not await hub.wait(seen, scopes, until - clock.monotonic()):
            break
        if hub.waiting > CROWD:
            await asyncio.sleep(call.core.config.ids.uniform(0, JITTER))
    if pulled.notices:
        # Customers are in it: read once more, together with the audit row that says so.
        pulled = await call.record(lambda connection, visit: _pull_recorded(connection, visit, call, cursor))
    return json_response(pulled.body)


async def get_snapshot(
    call: Caller,
    scope: Annotated[str, Query(max_length=60, pattern=r"^[a-z]+(:[0-9-]+(:[A-Za-z0-9._:-]+)?)?$")],
    after: Annotated[str, Query(max_length=40, pattern=r"^[A-Za-z0-9._:-]*$")] = "",
) -> Response:
    """Stream the rows of a scope, ordered by id, from short reads; an interrupted stream is resumed with `after`."""
    page = await _page(call, scope, after, first=True)
    return StreamingResponse(_stream(call, scope, page), media_type="application/x-ndjson")


async def _page(call: Call, scope: str, after: str, *, first: bool) -> SnapshotPage:
    def work(connection: Connection, visit: Visit) -> SnapshotPage:
        page = pull.snapshot_page(connection, visit.granted, scope, after, first=first)
        if page.notices:
            call.audit(connection, visit, subject=scope, count=page.notices)
        return page

    return await call.record(work)


async def _stream(call: Call, scope: str, page: SnapshotPage) -> AsyncIterator[bytes]:
    yield _line({"line": "start", "epoch": page.epoch, "scope": scope, "count": page.count, "head": page.head})
    epoch = page.epoch
    while True:
        # On a thread and after the transaction: encoding a page holds up neither the other requests nor the writer.
        yield await call.core.run(_lines, page)
        if page.last is None:
            break
        try:
            page = await _page(call, scope, page.last, first=False)
        except ProblemError:
            # The mandate ended under way. Without its last line the client knows the stream for incomplete.
            return
        if page.epoch != epoch:
            return
    yield _line({"line": "end", "head": page.head})


def _lines(page: SnapshotPage) -> bytes:
    return b"".join(_line({"line": "row", "row": row}) for row in page.rows)


def _line(value: dict[str, Any]) -> bytes:
    return rows.encode(value) + b"\n"


def add(router: APIRouter) -> None:
    """Add the routes of this module."""
    route(
        router,
        "GET",
        "/v1/changes",
        get_changes,
        Declaration(
            scope=Scope.ORGANISATION,
            capability=ANY_GRANT,
            key=Key.NONE,
            match=Match.NONE,
            rate=RateClass.POLL,
            audit="feed.changes",
        ),
        Documentation("What has changed in all scopes that the session may see", (Changes,)),
    )
    route(
        router,
        "GET",
        "/v1/snapshot",
        get_snapshot,
        Declaration(
            scope=Scope.ORGANISATION,
            capability=ANY_GRANT,
            key=Key.NONE,
            match=Match.NONE,
            rate=RateClass.SNAPSHOT,
            audit="feed.snapshot",
        ),
        Documentation(
            "All rows of a scope, one JSON document a line", (SnapshotStart, SnapshotRow, SnapshotEnd), stream=True
        ),
    )
