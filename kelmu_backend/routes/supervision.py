"""`/v1/audit/…`: supervisors search the log of look-ups, draw samples from it, and make a customer's extract.

Each asks for a purpose of the supervisor's own and is logged with it, in the transaction that reads.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection, bindparam, select
from starlette.responses import Response

from kelmu_backend.customers import journal, looking, people
from kelmu_backend.database import tables
from kelmu_backend.limits import RateClass
from kelmu_backend.openapi import Documentation
from kelmu_backend.problems import ProblemError
from kelmu_backend.routes.call import Call, Caller, Visit, json_response
from kelmu_backend.routes.customers import Cursor, before, paged
from kelmu_backend.routes.declare import ANY_GRANT, Declaration, Key, Match, Scope, route
from kelmu_backend.rows import JsonRow, instant
from kelmu_tui.api.contract import (
    AuditedLookUps,
    AuditPurpose,
    Extract,
    ExtractRequest,
    LookUpFlag,
    ProblemCode,
    Sample,
    SampleRequest,
)

_ID: Final = Query(max_length=40, pattern=r"^[A-Za-z0-9._:-]+$")
_SUPERVISES: Final = select(tables.supervisor.c.user).where(
    tables.supervisor.c.user == bindparam("user"), tables.supervisor.c.organisation == bindparam("organisation")
)
_SEED_DIGITS: Final = 12
"""Hexadecimal digits of a seed that the backend chooses: they fit into a number of JSON."""

Model = TypeVar("Model", bound=BaseModel)


def _supervised(connection: Connection, visit: Visit) -> str:
    """Return the business ID of the organisation that the user supervises.

    Raises:
        ProblemError: they don't.
    """
    organisation = visit.granted.organisation.business_id
    key = {"user": visit.principal.user, "organisation": organisation}
    if connection.execute(_SUPERVISES, key).first() is None:
        raise ProblemError(ProblemCode.MANDATE_MISSING)
    return organisation


async def get_look_ups(
    call: Caller,
    purpose: Annotated[AuditPurpose, Query(description="Why the log is read")],
    user: Annotated[str | None, _ID] = None,
    customer: Annotated[str | None, _ID] = None,
    since: Annotated[date | None, Query(description="First Finnish day")] = None,
    until: Annotated[date | None, Query(description="Last Finnish day")] = None,
    flag: Annotated[list[LookUpFlag] | None, Query(description="Flags of which one is enough")] = None,
    cursor: Cursor = None,
) -> Response:
    """Answer the look-ups of the organisation that fit, the newest first."""

    def work(connection: Connection, visit: Visit) -> JsonRow:
        organisation = _supervised(connection, visit)
        conditions = journal.conditions(user=user, customer=customer, since=since, until=until, flags=flag or ())
        page = journal.search(connection, organisation, conditions, before(call, visit, cursor))
        subject = customer or (user and f"user:{user}")
        call.audit(connection, visit, subject=subject, count=len(page.look_ups), purpose=purpose.value)
        return paged(call, visit, page)

    return json_response(await call.record(work))


async def post_sample(call: Caller, request: Request) -> Response:
    """Draw a random sample of look-ups for review."""

    def work(connection: Connection, visit: Visit, wanted: SampleRequest) -> JsonRow:
        organisation = _supervised(connection, visit)
        seed = int(call.core.config.ids.new()[:_SEED_DIGITS], 16) if wanted.seed is None else wanted.seed
        conditions = journal.conditions(since=wanted.since, until=wanted.until, flags=wanted.flags)
        drawn = journal.sample(connection, organisation, conditions, wanted.size, seed)
        _log(call, connection, visit, wanted, subject=f"seed:{seed}", count=len(drawn.look_ups))
        return {"seed": seed, "drawn_from": drawn.drawn_from, "look_ups": drawn.look_ups}

    return await _answer(call, request, SampleRequest, work)


async def post_extract(call: Caller, request: Request) -> Response:
    """Answer who has looked at a customer for the organisation, when and why."""

    def work(connection: Connection, visit: Visit, wanted: ExtractRequest) -> JsonRow:
        organisation = _supervised(connection, visit)
        now = call.core.config.clock.now()
        code = looking.checked(wanted.identity_code, now, artificial=call.core.config.demo)
        found = people.find(connection, code=code.value if code else None, customer=wanted.customer)
        look_ups = journal.extract(connection, organisation, found.id)
        _log(call, connection, visit, wanted, subject=found.id or None, count=len(look_ups))
        return {"organisation": organisation, "made_at": instant(now), "look_ups": look_ups}

    return await _answer(call, request, ExtractRequest, work)


async def _answer(
    call: Call, request: Request, model: type[Model], work: Callable[[Connection, Visit, Model], JsonRow]
) -> Response:
    body = await request.body()
    return json_response(await call.record(lambda connection, visit: work(connection, visit, _read(model, body))))


def _read(model: type[Model], body: bytes) -> Model:
    try:
        wanted = model.model_validate_json(body)
    except ValidationError as failure:
        raise looking.unreadable(failure) from None
    if isinstance(wanted, ExtractRequest) and (wanted.identity_code is None) == (wanted.customer is None):
        raise looking.one_of_two()
    return wanted


def _log(call: Call, connection: Connection, visit: Visit, wanted: Any, *, subject: str | None, count: int) -> None:
    call.audit(
        connection,
        visit,
        subject=subject,
        count=count,
        purpose=wanted.purpose.value,
        case_reference=wanted.case_reference,
    )


def _declaration(audit: str) -> Declaration:
    return Declaration(
        scope=Scope.ORGANISATION,
        # Supervision is a role in the organisation, which no mandate gives: each route asks for it by itself.
        capability=ANY_GRANT,
        key=Key.NONE,
        match=Match.NONE,
        rate=RateClass.READ,
        audit=audit,
    )


def add(router: APIRouter) -> None:
    """Add the routes of this module."""
    route(
        router,
        "GET",
        "/v1/audit/look-ups",
        get_look_ups,
        _declaration("audit.look_ups"),
        Documentation("Look-ups made for the organisation, for its supervisors", (AuditedLookUps,)),
    )
    route(
        router,
        "POST",
        "/v1/audit/samples",
        post_sample,
        _declaration("audit.sample"),
        Documentation("A random sample of look-ups, for review", (Sample,), SampleRequest),
    )
    route(
        router,
        "POST",
        "/v1/audit/extracts",
        post_extract,
        _declaration("audit.extract"),
        Documentation("Who has looked at a customer for the organisation", (Extract,), ExtractRequest),
    )
